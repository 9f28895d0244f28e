//! The operator's word on the portal's clock.

use super::Admin;
use crate::clock::Timestamp;
use crate::portal::error::{ApiError, PortalError};
use crate::portal::jobs::clock;

/// A jump of a clock that waits to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
    /// What the clock should have said.
    pub expected: Timestamp,
    /// What it said.
    pub found: Timestamp,
}

impl Admin {
    /// Looks at the clock; the jump that waits to be confirmed, if there is one. Until then nothing is deleted.
    pub fn clock_jump(&self) -> Result<Option<ClockJump>, PortalError> {
        let looked: Result<_, ApiError> = self.runtime.block_on(async {
            let mut transaction = self.app.store.begin_across().await?;
            clock::look(&self.app, &mut transaction).await?;
            let jump = clock::jump(&mut transaction).await?;
            transaction.commit().await?;
            Ok(jump)
        });
        let jump = looked.map_err(|fault| PortalError::Database(Box::new(fault)))?;
        Ok(jump.map(|alarm| ClockJump { expected: alarm.expected, found: alarm.found }))
    }

    /// Takes what this machine's clock says now for right, and returns it. Deletions go on by it.
    pub fn confirm_clock(&self) -> Result<Timestamp, PortalError> {
        let confirmed: Result<_, ApiError> = self.runtime.block_on(async {
            let mut transaction = self.app.store.begin_across().await?;
            let now = clock::confirm(&self.app, &mut transaction).await?;
            transaction.commit().await?;
            Ok(now)
        });
        confirmed.map_err(|fault| PortalError::Database(Box::new(fault)))
    }
}
