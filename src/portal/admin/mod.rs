//! The operator's commands on a data directory. They work while a portal serves it, and before the first start as well.

mod audit;
mod backup;
mod clock;
mod sweep;
mod tenants;
mod ticket_systems;
mod tokens;
mod users;

pub use super::ticket_system::{BadLine, CheckedSource, Finding, Import, Imported, check as check_ticket_systems};
pub use audit::Verified;
pub use backup::{Reconciled, STRAY_DAYS, restore};
pub use clock::ClockJump;
pub use sweep::DueSnapshot;
pub use ticket_systems::AskedSource;
pub use tokens::{MadeToken, TOKEN_SECONDS, TokenInfo, TokenOrder};
pub(crate) use users::invite_by_operator;
pub use users::{MadeInvitation, UserInfo};

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::app::App;
use super::config::Config;
use super::error::PortalError;
use crate::clock::Clock;
use crate::track::PortalKey;

/// An open data directory.
pub struct Admin {
    runtime: Runtime,
    app: Arc<App>,
}

impl Admin {
    /// Opens a data directory; makes it when it is not there.
    ///
    /// Must not be called from within an async runtime.
    pub fn open(data: &Path, clock: Arc<dyn Clock>) -> Result<Self, PortalError> {
        Self::with(&Config::new(data, ([127, 0, 0, 1], 0).into()), clock)
    }

    /// Opens the data directory and the database of a portal that is run so; makes them when they are not there.
    ///
    /// Must not be called from within an async runtime.
    pub fn with(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, PortalError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PortalError::Data)?;
        let app = Arc::new(runtime.block_on(App::open(config, clock))?);
        Ok(Self { runtime, app })
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
