//! What needs the sender's attention.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::track::ledger::entry::Entry;

/// A snapshot that needs attention, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Why.
    pub standing: Standing,
    /// Which snapshot.
    pub entry: Entry,
}

/// Why a snapshot needs attention, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its deadline is over and the portal has not said that it is gone.
    Overdue,
    /// The portal says that it is gone; no receipt proves it.
    Unconfirmed,
    /// Its deadline is near.
    Due,
}

pub(crate) fn standing(entry: &Entry, now: Timestamp, until: Timestamp) -> Option<Standing> {
    let due_at = entry.attention_at()?;
    if entry.is_unconfirmed() {
        Some(Standing::Unconfirmed)
    } else if due_at <= now {
        Some(Standing::Overdue)
    } else {
        (due_at <= until).then_some(Standing::Due)
    }
}
