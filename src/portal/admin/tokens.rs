//! Tokens: making, listing and revoking them.

use super::Admin;
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::app::system_rng;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Role, hash, new_token};
use crate::portal::error::PortalError;
use crate::portal::jobs::hide;
use crate::portal::store::tokens::TokenRow;
use crate::portal::store::{tenants, tickets, tokens};
use crate::secret::Secret;

/// How long a token is good for unless told otherwise: 72 hours in seconds.
pub const TOKEN_SECONDS: u64 = 72 * 3600;

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

impl Admin {
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
            let mut transaction = self.app.store.begin(&tenant).await?;
            if tenants::policy(&mut transaction, &tenant).await?.is_none() {
                return Err(PortalError::TenantUnknown(tenant));
            }
            if let Some(ticket) = &order.ticket {
                hide::name_again(&self.app, &mut transaction, &tenant, ticket)
                    .await
                    .map_err(|fault| PortalError::Database(Box::new(fault)))?;
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
                once: false,
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
        let rows = self.runtime.block_on(async { tokens::all(&mut *self.app.store.read_across().await?).await })?;
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
            let mut transaction = self.app.store.begin_across().await?;
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
}
