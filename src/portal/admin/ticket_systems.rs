//! Ticket systems: closings out of a table, and how the systems that are asked do.

use std::io::Read;

use super::Admin;
use crate::clock::Timestamp;
use crate::ids::{SourceName, TenantId};
use crate::portal::audit::sequence;
use crate::portal::error::{ApiError, PortalError};
use crate::portal::store::{tenants, ticket_systems};
use crate::portal::ticket_system::import::{self, LIMIT};
use crate::portal::ticket_system::{Import, Imported, TicketSystemsError, is_taken};

/// How a ticket system does that the portal asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskedSource {
    /// Whose tickets it knows.
    pub tenant: TenantId,
    /// Its name.
    pub name: SourceName,
    /// When it last told something of use.
    pub answered: Option<Timestamp>,
    /// Since when it does not, if it does not.
    pub failing: Option<Timestamp>,
    /// How often in a row.
    pub failures: u32,
    /// Why, in one word.
    pub fault: Option<String>,
    /// How many tickets it is asked for.
    pub tickets: u64,
    /// How many of them nothing could be read of when they were last asked for.
    pub unread: u64,
}

impl Admin {
    /// Takes closings out of a table of at most 16 MiB. Nothing is written when a line is bad, unless it is asked for.
    pub fn import_closings(&self, table: impl Read, import: &Import) -> Result<Imported, PortalError> {
        let unreadable = |what: &str| PortalError::TicketSystems(TicketSystemsError::Table(what.to_owned()));
        if is_taken(&import.source) {
            return Err(unreadable("the portal uses this name of a source itself"));
        }
        let tenant = match &import.tenant {
            Some(tenant) => tenant.clone(),
            None => self.only_tenant()?,
        };
        let mut bytes = Vec::new();
        table.take(LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(|fault| unreadable(&fault.to_string()))?;
        if bytes.len() > LIMIT {
            return Err(unreadable("it is longer than 16 MiB"));
        }
        let done = self.runtime.block_on(async {
            if tenants::policy(&mut *self.app.store.read(&tenant).await?, &tenant).await?.is_none() {
                return Ok(None);
            }
            let imported = import::run(&self.app, &tenant, &bytes, import).await?;
            sequence::advance(&self.app.store, &self.app.key).await?;
            Ok(Some(imported))
        });
        match done.map_err(|fault: ApiError| PortalError::Database(Box::new(fault)))? {
            Some(imported) => Ok(imported?),
            None => Err(PortalError::TenantUnknown(tenant)),
        }
    }

    /// How each ticket system does that was ever asked.
    pub fn asked_sources(&self) -> Result<Vec<AskedSource>, PortalError> {
        let standing = self
            .runtime
            .block_on(async { ticket_systems::standing(&mut *self.app.store.read_across().await?).await })?;
        let shown = standing.into_iter().map(|it| AskedSource {
            tenant: it.tenant,
            name: it.name,
            answered: it.answered_at,
            failing: it.failing_since,
            failures: it.failures,
            fault: it.fault,
            tickets: it.tickets,
            unread: it.unread,
        });
        Ok(shown.collect())
    }
}
