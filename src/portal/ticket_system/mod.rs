//! Ticket systems: who says when a ticket was closed.
//!
//! One adapter for all of them, made by what the operator writes down ([`config`]): a URL with the ticket's name in it, a secret
//! in a file, and where in the answer (JSON pointers, RFC 6901) state and instants stand. Presets are such tables, kept as data.
//!
//! Polling is the truth ([`ask`], [`observe`], run by `jobs::poll`). A webhook ([`signature`], `api::hooks`) is a hint: whatever
//! it says, the portal asks. A system that does not answer, or answers something that cannot be read, closes nothing. Closings
//! of systems that cannot be asked come as a table ([`import`]).

pub(crate) mod ask;
pub(crate) mod check;
mod client;
mod config;
mod error;
mod fault;
pub(crate) mod import;
pub(crate) mod observe;
mod read;
mod secret;
mod signature;
mod source;
mod template;

#[cfg(test)]
mod tests;

pub use check::{CheckedSource, Finding, check};
pub use error::TicketSystemsError;
pub(crate) use fault::Fault;
pub use import::{BadLine, Import, Imported};
pub(crate) use read::{Answer, is_taken};
pub(crate) use signature::Refused;
pub(crate) use source::Source;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

/// How many webhooks are read at once; each may hold a body of [`HOOK_LIMIT`].
const HOOKS_AT_ONCE: usize = 16;

/// The longest body of a webhook in bytes.
pub(crate) const HOOK_LIMIT: usize = 1 << 20;

/// The ticket systems of a portal.
pub(crate) struct TicketSystems {
    sources: Vec<Arc<Source>>,
    /// Permits to read a webhook's body.
    pub(crate) hooks: Semaphore,
    /// Wakes the poll: a hint came.
    pub(crate) hinted: Notify,
}

impl TicketSystems {
    /// Reads the ticket systems out of a file, or of the `*.toml` files of a directory, with the secrets they name. None
    /// without a path.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, TicketSystemsError> {
        let sources = path.map(config::read).transpose()?.unwrap_or_default();
        Ok(Self {
            sources: sources.into_iter().map(Arc::new).collect(),
            hooks: Semaphore::new(HOOKS_AT_ONCE),
            hinted: Notify::new(),
        })
    }

    /// Every one of them.
    pub(crate) fn all(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// The one of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.iter().find(|source| source.name.as_str() == name)
    }
}
