//! How far a snapshot is on its way.

use serde::{Deserialize, Serialize};

/// How far a snapshot is. The order is the order in which they follow one another; there is no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Its bytes are arriving.
    Uploading,
    /// It is complete and waits for its ticket to be closed, and then for the deadline.
    Stored,
    /// Its deletion has begun; nobody may read it any more.
    Due,
    /// The portal's part of the key is destroyed: no copy of the sealed file can be opened.
    ShareDestroyed,
    /// The sealed bytes are removed.
    BytesGone,
    /// The store has been asked and says that there is nothing.
    VerifiedAbsent,
    /// What the database knew beyond the receipt's facts is erased.
    RowScrubbed,
    /// It is gone, and a receipt says so.
    Deleted,
}

impl Phase {
    /// The phase that deletion reaches next; `None` before it has begun and after its end.
    #[must_use]
    pub const fn next_of_deletion(self) -> Option<Self> {
        match self {
            Self::Uploading | Self::Stored | Self::Deleted => None,
            Self::Due => Some(Self::ShareDestroyed),
            Self::ShareDestroyed => Some(Self::BytesGone),
            Self::BytesGone => Some(Self::VerifiedAbsent),
            Self::VerifiedAbsent => Some(Self::RowScrubbed),
            Self::RowScrubbed => Some(Self::Deleted),
        }
    }

    /// The phase in one word, as it stands in JSON and in databases.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Stored => "stored",
            Self::Due => "due",
            Self::ShareDestroyed => "share-destroyed",
            Self::BytesGone => "bytes-gone",
            Self::VerifiedAbsent => "verified-absent",
            Self::RowScrubbed => "row-scrubbed",
            Self::Deleted => "deleted",
        }
    }

    /// The phase that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Uploading,
            Self::Stored,
            Self::Due,
            Self::ShareDestroyed,
            Self::BytesGone,
            Self::VerifiedAbsent,
            Self::RowScrubbed,
            Self::Deleted,
        ]
        .into_iter()
        .find(|phase| phase.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_has_one_word() {
        let mut phase = Phase::Due;
        loop {
            assert_eq!(Phase::from_word(phase.word()), Some(phase));
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("\"{}\"", phase.word()));
            match phase.next_of_deletion() {
                Some(next) => phase = next,
                None => break,
            }
        }
        assert_eq!(Phase::from_word("elsewhere"), None);
    }
}
