//! What can go wrong on the way to the portal, one variant per thing a caller does differently.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::ids::FileId;
use crate::send::address::NotAPortal;
use crate::wire::Problem;

/// Why something could not be sent or asked.
///
/// Text that came from the portal is shortened, and its control and direction characters are escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The address cannot be a portal's.
    #[error(transparent)]
    Address(#[from] NotAPortal),

    /// The token holds characters that no token has.
    #[error("the token cannot be used: it holds line breaks or other characters no token has")]
    Token,

    /// The reason for reading holds control characters or is longer than 500 bytes.
    #[error("the reason cannot be sent: it is empty, holds control characters or is longer than 500 bytes")]
    Reason,

    /// 401, 403, 407: the portal knows the token not at all, no longer, or not for this.
    #[error("the portal refused: {}", words(.0))]
    Refused(Problem),

    /// 404: the ticket, snapshot or upload is not there, or not for this token.
    #[error("the portal does not know it: {}", words(.0))]
    NotFound(Problem),

    /// 409: the ticket is closed.
    #[error("the ticket is closed: {}", words(.0))]
    TicketClosed(Problem),

    /// 409: a ticket of this name is there already.
    #[error("the ticket is there already: {}", words(.0))]
    TicketExists(Problem),

    /// 410: deleted at its deadline.
    #[error("it was deleted at its deadline: {}", words(.0))]
    Expired(Problem),

    /// Another 4xx: the portal does not take the request.
    #[error("the portal did not take the request: {}", words(.0))]
    Rejected(Problem),

    /// The portal's bytes are not the sealed file's: a broken way, or a snapshot of the same id with other bytes.
    #[error("the bytes at the portal differ from the sealed file: {0}")]
    DigestMismatch(String),

    /// The sealed file is no longer what was sealed.
    #[error("{} has changed since it was sealed", .0.display())]
    FileChanged(PathBuf),

    /// 507: the portal has no room.
    #[error("the portal has no room: {}", words(.problem))]
    NoRoom {
        /// What the portal said.
        problem: Problem,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },

    /// No answer, a broken connection, or an answer that asks for another try.
    #[error("{what}")]
    Temporary {
        /// What happened, in words.
        what: String,
        /// How long the portal asks to wait.
        retry_after: Option<Duration>,
        /// The cause, when there is one below.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },

    /// Every try failed for too long.
    #[error("gave up after {} without progress: {last}", hours(.after))]
    GaveUp {
        /// How long nothing went forward.
        after: Duration,
        /// The last failure.
        #[source]
        last: Box<SendError>,
    },

    /// TLS: the certificate is not accepted, or no common version of TLS was found.
    #[error("the connection to {host} cannot be trusted: {what}")]
    Tls {
        /// Which host.
        host: String,
        /// What is wrong with it.
        what: String,
    },

    /// The portal sent elsewhere. That is not followed: the token would go there too.
    #[error("{host} answered with a redirect to {to}; redirects are not followed")]
    Redirect {
        /// Which host.
        host: String,
        /// Where it points, without query.
        to: String,
    },

    /// The file that is read in parts is no longer the one that was begun with.
    #[error("the file at {host} changed while it was read")]
    Changed {
        /// Which host.
        host: String,
    },

    /// The server gives files only whole.
    #[error("{host} gives this file only as a whole, not in parts")]
    NoRanges {
        /// Which host.
        host: String,
    },

    /// The answer makes no sense: this is no portal, or a faulty one.
    #[error("the portal's answer makes no sense: {0}")]
    Unexpected(String),

    /// Another run works on the same ticket.
    #[error("another run holds the lock {}", .0.display())]
    Locked(PathBuf),

    /// The state file of an upload cannot be understood.
    #[error("the upload's state {} cannot be used: {what}", path.display())]
    Checkpoint {
        /// Which file.
        path: PathBuf,
        /// Why not.
        what: String,
    },

    /// A file on this machine could not be read or written.
    #[error("{}: {source}", path.display())]
    Local {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SendError {
    /// True when the same thing may work later without anybody changing anything.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. } | Self::NoRoom { .. } | Self::GaveUp { .. })
    }

    /// How long the portal asks to wait before another try.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Temporary { retry_after, .. } | Self::NoRoom { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn temporary(what: impl Into<String>) -> Self {
        Self::Temporary { what: what.into(), retry_after: None, source: None }
    }

    pub(crate) fn snapshot_gone(id: &FileId) -> Self {
        Self::Expired(Problem {
            kind: crate::wire::problems::EXPIRED.to_owned(),
            title: format!("snapshot {id} was deleted"),
            status: 410,
            detail: String::new(),
        })
    }
}

/// One line from a problem: the detail when there is one, else the title.
fn words(problem: &Problem) -> String {
    if problem.detail.is_empty() {
        format!("{} ({})", problem.title, problem.status)
    } else {
        format!("{} ({})", problem.detail, problem.status)
    }
}

fn hours(after: &Duration) -> String {
    let minutes = after.as_secs() / 60;
    if minutes >= 120 { format!("{} hours", minutes / 60) } else { format!("{minutes} minutes") }
}
