//! Backups: making one, putting one back, and comparing files with rows.

use std::sync::Arc;

use super::Admin;
use crate::clock::Clock;
use crate::portal::audit::Actor;
use crate::portal::backup::{self, BackedUp, BackupOrder, PutBack, RestoreOrder, Restored};
use crate::portal::error::PortalError;
use crate::portal::jobs::reconcile;

pub use crate::portal::jobs::reconcile::{Reconciled, STRAY_DAYS};

impl Admin {
    /// Makes a backup, also while a portal serves the directory.
    pub fn backup(&self, order: &BackupOrder) -> Result<BackedUp, PortalError> {
        self.runtime.block_on(backup::make(&self.app, order))
    }

    /// Makes a portal fit to be served whose database was put back by the database's own tools: what was deleted since is deleted
    /// again, every token, session and invitation is refused. No portal may serve it in the meantime.
    pub fn settle(&self, order: &PutBack) -> Result<Restored, PortalError> {
        self.runtime.block_on(backup::settle(&self.app, order))
    }

    /// Compares what the database says with the files, both ways. Files that no row has known for `stray_days` days are
    /// removed, and nothing else that might be missed.
    pub fn reconcile(&self, stray_days: u16) -> Result<Reconciled, PortalError> {
        let found = self.runtime.block_on(reconcile::run(&self.app, Actor::Operator, stray_days));
        found.map_err(|fault| PortalError::Database(Box::new(fault)))
    }
}

/// Makes a data directory out of a backup; what was deleted since the backup was made is deleted in it.
///
/// Must not be called from within an async runtime.
pub fn restore(order: &RestoreOrder, clock: Arc<dyn Clock>) -> Result<Restored, PortalError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PortalError::Data)?;
    runtime.block_on(backup::restore(order, clock))
}
