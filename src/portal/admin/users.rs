//! People, as the operator of the host manages them: inviting, listing, disabling. Passwords are chosen by their owners alone.

use super::Admin;
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::api::invitations::invite;
use crate::portal::api::users::{put_out, raise};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::Role;
use crate::portal::error::PortalError;
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, Transaction, tenants, users};
use crate::secret::Secret;

/// How many users are read at once.
const PAGE: i64 = 1000;

/// An invitation that was just made.
#[derive(Debug)]
pub struct MadeInvitation {
    /// Names it.
    pub id: String,
    /// What the one who is invited shows: to be told once and kept nowhere.
    pub invitation: Secret<String>,
    /// From when on it is refused.
    pub expires: Timestamp,
}

/// A user as a list shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// The tenant.
    pub tenant: TenantId,
    /// Names the user in the audit log and in commands.
    pub id: String,
    /// What they sign in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Since when they may not sign in.
    pub disabled: Option<Timestamp>,
}

impl Admin {
    /// Invites somebody to a tenant, which may be absent while there is only one.
    pub fn invite(&self, tenant: Option<&TenantId>, role: Role) -> Result<MadeInvitation, PortalError> {
        if role == Role::Upload {
            return Err(PortalError::NotForPeople);
        }
        let tenant = match tenant {
            Some(tenant) => tenant.clone(),
            None => self.only_tenant()?,
        };
        self.runtime.block_on(async {
            let mut transaction = self.app.store.begin(&tenant).await?;
            if tenants::policy(&mut transaction, &tenant).await?.is_none() {
                return Err(PortalError::TenantUnknown(tenant));
            }
            let made = invite_by_operator(&mut transaction, &tenant, role, None, self.app.clock.now()).await?;
            transaction.commit().await?;
            Ok(made)
        })
    }

    /// Every user of every tenant by name.
    pub fn users(&self) -> Result<Vec<UserInfo>, PortalError> {
        self.runtime.block_on(async {
            let mut connection = self.app.store.read_across().await?;
            let mut found = Vec::new();
            for tenant in tenants::all(&mut connection).await? {
                let mut last = None;
                loop {
                    let page = users::list(&mut connection, &tenant, last.as_deref(), PAGE).await?;
                    let Some(end) = page.last() else { break };
                    last = Some(end.name.clone());
                    found.extend(page.into_iter().map(info));
                }
            }
            Ok(found)
        })
    }

    /// Invites a user to choose a new password and second factor; until they have, the old ones are good.
    pub fn reset_user(&self, id: &str) -> Result<MadeInvitation, PortalError> {
        self.runtime.block_on(async {
            let (mut transaction, user) = self.with_user(id).await?;
            let now = self.app.clock.now();
            let made = invite_by_operator(&mut transaction, &user.tenant, user.role, Some(user.id), now).await?;
            transaction.commit().await?;
            Ok(made)
        })
    }

    /// Gives a user another role from the next request on, and takes them off their tickets.
    pub fn set_user_role(&self, id: &str, role: Role) -> Result<(), PortalError> {
        if role == Role::Upload {
            return Err(PortalError::NotForPeople);
        }
        self.runtime.block_on(async {
            let (mut transaction, user) = self.with_user(id).await?;
            let now = self.app.clock.now();
            raise(&mut transaction, &user, role, now).await?;
            let act = (Act::ChangeRole, On::User(id), Outcome::Done);
            record(&mut transaction, &user.tenant, now, Actor::Operator, act, Some(role.word())).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// Disables a user: their sessions end at once.
    pub fn disable_user(&self, id: &str) -> Result<(), PortalError> {
        self.runtime.block_on(async {
            let (mut transaction, user) = self.with_user(id).await?;
            let now = self.app.clock.now();
            put_out(&mut transaction, &user, now).await?;
            let act = (Act::DisableUser, On::User(id), Outcome::Done);
            record(&mut transaction, &user.tenant, now, Actor::Operator, act, None).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// Lets a user sign in again.
    pub fn enable_user(&self, id: &str) -> Result<(), PortalError> {
        self.runtime.block_on(async {
            let (mut transaction, user) = self.with_user(id).await?;
            users::set_disabled(&mut transaction, &user.tenant, id, None).await?;
            let act = (Act::EnableUser, On::User(id), Outcome::Done);
            record(&mut transaction, &user.tenant, self.app.clock.now(), Actor::Operator, act, None).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// Begins a transaction on the user of that id, of whichever tenant.
    async fn with_user(&self, id: &str) -> Result<(Transaction, UserRow), PortalError> {
        let mut transaction = self.app.store.begin_across().await?;
        for tenant in tenants::all(&mut transaction).await? {
            if let Some(user) = users::find(&mut transaction, &tenant, id).await? {
                return Ok((transaction, user));
            }
        }
        Err(PortalError::UserUnknown(id.to_owned()))
    }
}

fn info(row: UserRow) -> UserInfo {
    UserInfo { tenant: row.tenant, id: row.id, name: row.name, role: row.role, disabled: row.disabled_at }
}

/// Makes an invitation in the operator's name, for somebody new or for a user.
pub(crate) async fn invite_by_operator(
    connection: &mut Connection,
    tenant: &TenantId,
    role: Role,
    user: Option<String>,
    now: Timestamp,
) -> Result<MadeInvitation, sqlx::Error> {
    let made = invite(connection, tenant, role, user.clone(), now).await?;
    let (id, invitation, expires) = made.into_parts();
    let on = user.as_deref().map_or(On::Invitation(&id), On::User);
    record(connection, tenant, now, Actor::Operator, (Act::Invite, on, Outcome::Done), None).await?;
    Ok(MadeInvitation { id, invitation, expires })
}
