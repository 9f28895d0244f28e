//! What happened, as it stands in the chain.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::track::ledger::entry::Told;
use crate::track::receipt::PortalKey;

/// One thing that happened to a snapshot, a ticket or a portal. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// A snapshot was sealed.
    Sealed(Sealed),
    /// Its upload began.
    Uploading {
        /// Which snapshot.
        snapshot: FileId,
        /// Where it goes.
        portal: String,
    },
    /// The portal has it, with the right digest.
    Sent {
        /// Which snapshot.
        snapshot: FileId,
        /// When its last byte was stored, by the portal's clock.
        uploaded: Timestamp,
    },
    /// The portal's signed statement came, and was verified.
    Receipt {
        /// Which snapshot.
        snapshot: FileId,
        /// The signed note.
        note: String,
    },
    /// The portal was asked, and told this.
    Told {
        /// Which snapshot.
        snapshot: FileId,
        /// What it told.
        told: Told,
    },
    /// The vendor confirmed the deletion in writing; no receipt proves it.
    Confirmed {
        /// Which snapshot.
        snapshot: FileId,
        /// SHA-256 of what was written, in hexadecimal.
        evidence: String,
    },
    /// The ticket was closed, for all its snapshots at that portal.
    Closed {
        /// Which ticket.
        ticket: TicketId,
        /// At which portal.
        portal: String,
        /// When, by its source.
        closed: Timestamp,
    },
    /// The ticket was opened again.
    Reopened {
        /// Which ticket.
        ticket: TicketId,
        /// At which portal.
        portal: String,
        /// When, by its source.
        reopened: Timestamp,
    },
    /// The sender took the snapshot back, and the portal took note; or gave up its upload before it was sent.
    Withdrawn {
        /// Which snapshot.
        snapshot: FileId,
    },
    /// A portal's receipt key was seen for the first time.
    Pinned {
        /// Which portal.
        portal: String,
        /// Its key.
        key: PortalKey,
    },
}

/// The facts of a sealed snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The file id in the sealed file's header.
    pub snapshot: FileId,
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// SHA-256 of the sealed file in hexadecimal.
    pub sha256: String,
    /// Where the sealed file lies here, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Which entries a record is about.
pub(crate) enum About<'a> {
    Snapshot(&'a FileId),
    Ticket(&'a TicketId, &'a str),
    Portal,
}

impl Record {
    pub(crate) fn about(&self) -> About<'_> {
        match self {
            Self::Sealed(sealed) => About::Snapshot(&sealed.snapshot),
            Self::Uploading { snapshot, .. }
            | Self::Sent { snapshot, .. }
            | Self::Receipt { snapshot, .. }
            | Self::Told { snapshot, .. }
            | Self::Withdrawn { snapshot }
            | Self::Confirmed { snapshot, .. } => About::Snapshot(snapshot),
            Self::Closed { ticket, portal, .. } | Self::Reopened { ticket, portal, .. } => {
                About::Ticket(ticket, portal)
            }
            Self::Pinned { .. } => About::Portal,
        }
    }
}
