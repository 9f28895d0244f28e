//! Extensions: a deadline that is moved on, a limited number of times and never past the hard cap.

use serde::{Deserialize, Serialize};

use super::deadline::{Facts, Term, hard_cap_at, term};
use super::policy::RetentionPolicy;
use crate::clock::Timestamp;

/// When a snapshot's deadline was moved on, and by how many calendar days each time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extensions(Vec<(Timestamp, u16)>);

/// Why a deadline is not moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotExtend {
    /// Its ticket is open, so no deadline runs but the hard cap.
    #[error("the ticket is open")]
    NotClosed,
    /// Its time is over, or it was withdrawn.
    #[error("its time is over")]
    Over,
    /// It was moved on as often as the policy allows.
    #[error("it was extended as often as it may be")]
    TooOften,
    /// The policy does not allow that many days at once.
    #[error("that is not a number of days the policy allows")]
    TooFar,
    /// It stands at the hard cap.
    #[error("it stands at the hard cap")]
    AtCap,
    /// Its ticket was closed so long before that was told that these days are over, too.
    #[error("that many days after the closing are over, too")]
    Past,
}

impl Extensions {
    /// None so far.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one that was granted at `at`.
    pub fn add(&mut self, at: Timestamp, days: u16) {
        self.0.push((at, days));
    }

    /// By how many days the deadline stands further for a ticket that was closed at `closed_at`: an extension counts for the
    /// closing that stood when it was granted, and the next closing begins a new count without it.
    #[must_use]
    pub fn days_for(&self, closed_at: Option<Timestamp>) -> u32 {
        let counts = |at: Timestamp| closed_at.is_some_and(|closed_at| closed_at <= at);
        self.0.iter().filter(|(at, _)| counts(*at)).fold(0, |sum, (_, days)| u32::from(*days).saturating_add(sum))
    }

    /// The term after one more extension of `days` calendar days; refused when the policy does not allow it, or when nothing
    /// would come of it. `facts` are those of a stored snapshot before it.
    pub fn extend(
        &self,
        days: u16,
        facts: &Facts,
        policy: &RetentionPolicy,
        now: Timestamp,
    ) -> Result<Term, CannotExtend> {
        let before = term(facts, policy);
        if facts.withdrawn_at.is_some() || now >= before.readable_until {
            return Err(CannotExtend::Over);
        }
        if facts.closed_at.is_none() {
            return Err(CannotExtend::NotClosed);
        }
        if self.0.len() >= usize::from(policy.extensions) {
            return Err(CannotExtend::TooOften);
        }
        if !(1..=policy.extension_days).contains(&days) {
            return Err(CannotExtend::TooFar);
        }
        let mut next = self.clone();
        next.add(now, days);
        let after = term(&Facts { extended_days: next.days_for(facts.closed_at), ..*facts }, policy);
        if after.due_at > before.due_at {
            Ok(after)
        } else if before.due_at < hard_cap_at(facts.uploaded_at, policy) {
            Err(CannotExtend::Past)
        } else {
            Err(CannotExtend::AtCap)
        }
    }
}
