//! The operator's commands on a data directory. They work while a portal serves it, and before the first start as well.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::app::{App, system_rng};
use super::audit::{Act, Actor, On, Outcome, record};
use super::auth::{Role, hash, new_token};
use super::config::Config;
use super::error::PortalError;
use super::jobs::{self, Swept};
use super::store::tokens::TokenRow;
use super::store::{snapshots, tenants, tickets, tokens};
use crate::clock::{Clock, Timestamp};
use crate::ids::{FileId, TenantId, TicketId};
use crate::secret::Secret;
use crate::track::{PortalKey, RetentionPolicy};

/// How long a token is good for unless told otherwise: 72 hours in seconds.
pub const TOKEN_SECONDS: u64 = 72 * 3600;

/// How many due snapshots a preview lists at most.
const PREVIEW_LIMIT: i64 = 100_000;

/// An open data directory.
pub struct Admin {
    runtime: Runtime,
    app: Arc<App>,
}

/// What a token is to be good for.
#[derive(Clone, Debug)]
pub struct TokenOrder {
    /// What its holder may do.
    pub role: Role,
    /// For which tenant; may be absent while there is only one.
    pub tenant: Option<TenantId>,
    /// For which ticket alone. It is opened when the portal does not know it. An upload token must have one.
    pub ticket: Option<TicketId>,
    /// For how many seconds; [`TOKEN_SECONDS`] when absent.
    pub valid_seconds: Option<u64>,
    /// How many bytes may be uploaded with it; as many as the portal takes when absent.
    pub max_bytes: Option<u64>,
}

impl TokenOrder {
    /// A token of that role with the defaults for the rest.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self { role, tenant: None, ticket: None, valid_seconds: None, max_bytes: None }
    }
}

/// A token that was just made.
#[derive(Debug)]
pub struct MadeToken {
    /// Names it for revoking.
    pub id: String,
    /// The token itself: to be shown once and kept nowhere.
    pub token: Secret<String>,
    /// From when on it is refused.
    pub expires: Timestamp,
}

/// A token as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub id: String,
    /// What its holder may do.
    pub role: Role,
    /// The one ticket it is for.
    pub ticket: Option<TicketId>,
    /// From when on it is refused.
    pub expires: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A snapshot whose deletion would begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSnapshot {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its file id.
    pub id: FileId,
    /// Its ticket.
    pub ticket: TicketId,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// By when it must be gone.
    pub due: Timestamp,
}

impl Admin {
    /// Opens a data directory; makes it when it is not there.
    ///
    /// Must not be called from within an async runtime.
    pub fn open(data: &Path, clock: Arc<dyn Clock>) -> Result<Self, PortalError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PortalError::Data)?;
        let config = Config::new(data, ([127, 0, 0, 1], 0).into());
        let app = Arc::new(runtime.block_on(App::open(&config, clock))?);
        Ok(Self { runtime, app })
    }

    /// Adds a tenant with the default retention policy, its days counted in the policy's zone.
    pub fn new_tenant(&self, tenant: &TenantId, policy: &RetentionPolicy) -> Result<(), PortalError> {
        self.runtime.block_on(async {
            let now = self.app.clock.now();
            let mut transaction = self.app.store.begin().await?;
            if !tenants::add(&mut transaction, tenant, policy, now).await? {
                return Err(PortalError::TenantExists(tenant.clone()));
            }
            let act = (Act::AddTenant, On::Tenant(tenant.as_str()), Outcome::Done);
            record(&mut transaction, tenant, now, Actor::Operator, act, None).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// Every tenant by name.
    pub fn tenants(&self) -> Result<Vec<TenantId>, PortalError> {
        self.runtime.block_on(async { Ok(tenants::all(&mut *self.app.store.read().await?).await?) })
    }

    /// The tenant, while there is only one to be meant.
    fn only_tenant(&self) -> Result<TenantId, PortalError> {
        match <[TenantId; 1]>::try_from(self.tenants()?) {
            Ok([tenant]) => Ok(tenant),
            Err(_) => Err(PortalError::TenantNeeded),
        }
    }

    /// Makes a token. Its ticket is opened when the portal does not know it.
    pub fn new_token(&self, order: &TokenOrder) -> Result<MadeToken, PortalError> {
        if order.role == Role::Upload && order.ticket.is_none() {
            return Err(PortalError::TicketNeeded);
        }
        let tenant = match &order.tenant {
            Some(tenant) => tenant.clone(),
            None => self.only_tenant()?,
        };
        self.runtime.block_on(async {
            let now = self.app.clock.now();
            let mut transaction = self.app.store.begin().await?;
            if tenants::policy(&mut transaction, &tenant).await?.is_none() {
                return Err(PortalError::TenantUnknown(tenant));
            }
            if let Some(ticket) = &order.ticket
                && tickets::add(&mut transaction, &tenant, ticket, now).await?
            {
                let act = (Act::OpenTicket, On::Ticket(ticket.as_str()), Outcome::Done);
                record(&mut transaction, &tenant, now, Actor::Operator, act, None).await?;
            }
            let (token, id) = new_token(&mut system_rng());
            let seconds = order.valid_seconds.unwrap_or(TOKEN_SECONDS);
            let expires = now.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
            let row = TokenRow {
                tenant: tenant.clone(),
                id: id.clone(),
                hash: hash(token.expose()),
                role: order.role,
                ticket: order.ticket.clone(),
                max_bytes: order.max_bytes,
                expires_at: expires,
                revoked_at: None,
            };
            tokens::add(&mut transaction, &row, now).await?;
            let act = (Act::MakeToken, On::Token(&id), Outcome::Done);
            record(&mut transaction, &tenant, now, Actor::Operator, act, None).await?;
            transaction.commit().await?;
            Ok(MadeToken { id, token, expires })
        })
    }

    /// Every token, also those that are over; never the tokens themselves.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>, PortalError> {
        let rows = self.runtime.block_on(async { tokens::all(&mut *self.app.store.read().await?).await })?;
        let info = |row: TokenRow| TokenInfo {
            tenant: row.tenant,
            id: row.id,
            role: row.role,
            ticket: row.ticket,
            expires: row.expires_at,
            revoked: row.revoked_at,
        };
        Ok(rows.into_iter().map(info).collect())
    }

    /// Revokes a token from now on.
    pub fn revoke(&self, id: &str) -> Result<(), PortalError> {
        self.runtime.block_on(async {
            let now = self.app.clock.now();
            let mut transaction = self.app.store.begin().await?;
            let mut revoked = false;
            for token in tokens::all(&mut transaction).await?.iter().filter(|token| token.id == id) {
                if tokens::revoke(&mut transaction, &token.tenant, id, now).await? {
                    let act = (Act::RevokeToken, On::Token(id), Outcome::Done);
                    record(&mut transaction, &token.tenant, now, Actor::Operator, act, None).await?;
                    revoked = true;
                }
            }
            transaction.commit().await?;
            if revoked { Ok(()) } else { Err(PortalError::TokenUnknown(id.to_owned())) }
        })
    }

    /// What a sweep at `as_of` would begin to delete, the longest due first. Changes nothing.
    pub fn sweep_preview(&self, as_of: Timestamp) -> Result<Vec<DueSnapshot>, PortalError> {
        let due = self
            .runtime
            .block_on(async { snapshots::due(&mut *self.app.store.read().await?, as_of, None, PREVIEW_LIMIT).await })?;
        let shown = due.into_iter().filter_map(|snapshot| {
            let due = snapshot.due_at?;
            let snapshots::Snapshot { tenant, id, ticket, size, .. } = snapshot;
            Some(DueSnapshot { tenant, id, ticket, size, due })
        });
        Ok(shown.collect())
    }

    /// Deletes what is due now, also what waits for its next attempt. A portal that serves the directory does the same every
    /// minute; both may do it at once.
    pub fn sweep(&self) -> Result<Swept, PortalError> {
        self.runtime
            .block_on(async {
                let _alone = self.app.sweeping.lock().await;
                jobs::delete::run(&self.app, true).await
            })
            .map_err(|fault| PortalError::Database(Box::new(fault)))
    }

    /// The key that verifies the portal's receipts.
    pub fn key(&self) -> PortalKey {
        self.app.key.portal_key()
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.runtime.block_on(self.app.store.close());
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admin")
    }
}
