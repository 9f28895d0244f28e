//! Deleting what is due, and showing what would be.

use super::Admin;
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId, TicketId};
use crate::portal::error::PortalError;
use crate::portal::jobs::{self, Swept};
use crate::portal::store::snapshots;

/// How many due snapshots a preview lists at most.
const PREVIEW_LIMIT: i64 = 100_000;

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
    /// What a sweep at `as_of` would begin to delete, the longest due first. Changes nothing.
    pub fn sweep_preview(&self, as_of: Timestamp) -> Result<Vec<DueSnapshot>, PortalError> {
        let due = self.runtime.block_on(async {
            snapshots::due(&mut *self.app.store.read_across().await?, as_of, None, PREVIEW_LIMIT).await
        })?;
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
                let swept = jobs::delete::run(&self.app, true).await?;
                crate::portal::audit::sequence::advance(&self.app.store, &self.app.key).await?;
                Ok(swept)
            })
            .map_err(|fault: crate::portal::error::ApiError| PortalError::Database(Box::new(fault)))
    }
}
