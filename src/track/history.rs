//! What a ticket's source told of the ticket, and what follows: since when it is closed.
//!
//! Entries are kept by the instants of their source, those of one instant in the order they came, so the order in which they
//! arrive does not matter.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// For how many seconds a ticket must be missing before it counts as gone.
pub const MISSING_SECONDS: i64 = 86_400;

/// What can be told of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// It was closed.
    Closed,
    /// It was opened again, or is still open.
    Reopened,
    /// Its source was asked and does not know it any more.
    Missing,
    /// Its source was asked and knows it.
    Seen,
}

impl Told {
    /// Every word.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Reopened, Self::Missing, Self::Seen];

    /// It in one word, as it stands in JSON and in databases.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Missing => "missing",
            Self::Seen => "seen",
        }
    }

    /// What a word says.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|told| told.word() == word)
    }
}

/// When a ticket was closed, reopened, missed and seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History(Vec<(Timestamp, Told)>);

impl History {
    /// A ticket that is open and always was.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds what was told; the same told twice in a row changes nothing.
    pub fn add(&mut self, told: Told, at: Timestamp) {
        let place = self.0.partition_point(|&(other, _)| other <= at);
        let repeats = place.checked_sub(1).is_some_and(|before| self.0[before] == (at, told));
        if !repeats {
            self.0.insert(place, (at, told));
        }
    }

    /// Since when the ticket is closed, if it is: the first closing since it was last opened. A ticket that was missing for
    /// [`MISSING_SECONDS`], and was not seen in between, was closed when it was first missing; it is open again when it is seen
    /// again.
    #[must_use]
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.read().0
    }

    /// Since when its source does not know it, if it does not.
    #[must_use]
    pub fn missing_since(&self) -> Option<Timestamp> {
        self.read().1
    }

    fn read(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let (mut closed_at, mut missing_since, mut vanished) = (None, None, false);
        for &(at, told) in &self.0 {
            match told {
                Told::Closed => closed_at = closed_at.or(Some(at)),
                Told::Reopened => closed_at = None,
                Told::Seen if vanished => closed_at = None,
                Told::Seen => {}
                Told::Missing => {
                    let since = *missing_since.get_or_insert(at);
                    if closed_at.is_none() && at.seconds() - since.seconds() >= MISSING_SECONDS {
                        closed_at = Some(since);
                        vanished = true;
                    }
                    continue;
                }
            }
            // Whoever tells something of a ticket knows it.
            (missing_since, vanished) = (None, false);
        }
        (closed_at, missing_since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(told: &[(i64, Told)]) -> History {
        let mut history = History::new();
        for (hours, told) in told {
            history.add(*told, Timestamp::from_seconds(hours * 3600));
        }
        history
    }

    fn closed_at(told: &[(i64, Told)]) -> Option<i64> {
        history(told).closed_at().map(|at| at.seconds() / 3600)
    }

    #[test]
    fn a_ticket_that_is_missing_twice_a_day_apart_was_closed_when_it_was_first_missing() {
        use Told::{Missing, Seen};
        assert_eq!(closed_at(&[(10, Missing)]), None, "once may be a fault");
        assert_eq!(closed_at(&[(10, Missing), (33, Missing)]), None, "twice within a day as well");
        assert_eq!(closed_at(&[(10, Missing), (33, Missing), (34, Missing)]), Some(10));
        assert_eq!(closed_at(&[(10, Missing), (20, Seen), (34, Missing), (57, Missing)]), None, "it was there between");
        assert_eq!(closed_at(&[(10, Missing), (20, Seen), (34, Missing), (58, Missing)]), Some(34));
    }

    #[test]
    fn a_vanished_ticket_that_is_seen_again_is_open() {
        use Told::{Closed, Missing, Seen};
        let vanished = [(10, Missing), (34, Missing), (58, Missing)];
        assert_eq!(closed_at(&vanished), Some(10));
        assert_eq!(closed_at(&[&vanished[..], &[(60, Seen)]].concat()), None);
        assert_eq!(closed_at(&[&vanished[..], &[(60, Seen), (70, Seen)]].concat()), None);
        let closed_first = [(5, Closed), (10, Missing), (34, Missing), (60, Seen)];
        assert_eq!(closed_at(&closed_first), Some(5), "seeing a closed ticket does not open it");
        let closed_since = [(10, Missing), (34, Missing), (40, Closed), (60, Seen)];
        assert_eq!(closed_at(&closed_since), Some(10), "its source said that it is closed");
    }

    #[test]
    fn what_its_source_tells_shows_that_it_is_there() {
        use Told::{Closed, Missing, Reopened};
        assert_eq!(closed_at(&[(10, Missing), (20, Closed), (40, Missing)]), Some(20));
        assert_eq!(closed_at(&[(10, Missing), (20, Reopened), (40, Missing)]), None);
        let vanished_then_told = [(10, Missing), (34, Missing), (40, Closed)];
        assert_eq!(closed_at(&vanished_then_told), Some(10), "the earliest closing of the closed period counts");
        assert_eq!(history(&[(10, Missing), (12, Missing)]).missing_since(), Some(Timestamp::from_seconds(36_000)));
        assert_eq!(history(&vanished_then_told).missing_since(), None);
    }

    #[test]
    fn what_is_told_has_one_word() {
        for told in Told::ALL {
            assert_eq!(Told::from_word(told.word()), Some(told));
            assert_eq!(serde_json::to_string(&told).unwrap(), format!("\"{}\"", told.word()));
        }
    }
}
