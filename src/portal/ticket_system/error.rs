//! What is wrong with what the operator wrote down.

use std::io;
use std::path::PathBuf;

/// Why the ticket systems cannot be used as they are written down. No text repeats a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TicketSystemsError {
    /// The file or directory cannot be read.
    #[error("the ticket systems in {0} cannot be read")]
    File(PathBuf, #[source] io::Error),
    /// It is not TOML.
    #[error("{0} is no TOML: {1}")]
    Syntax(PathBuf, String),
    /// One of them is not usable.
    #[error("the ticket system {0:?} is not usable: {1}")]
    Source(String, String),
    /// The file of a secret cannot be used.
    #[error("the secret in {0} cannot be used: {1}")]
    Secret(PathBuf, String),
    /// A table of closings cannot be read.
    #[error("the table cannot be read: {0}")]
    Table(String),
}
