//! A hold: a written order that stops a deletion. It takes two persons, a reason, a legal basis and a date at which it is
//! looked at again.

use jiff::Span;
use serde::{Deserialize, Serialize};

use super::policy::Zone;
use crate::clock::Timestamp;

/// The longest time until a hold is looked at again, in calendar months.
pub const REVIEW_MONTHS: i64 = 6;

/// What allows a hold. The articles are those of the GDPR; Regulation (EU) 2018/1725 has the same in other places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Legal claims are made, exercised or defended (Art. 17(3)(e)).
    LegalClaim,
    /// Another law demands that it is kept (Art. 17(3)(b)).
    LegalObligation,
    /// A court or an authority ordered it (Art. 6(1)(c)).
    AuthorityOrder,
    /// The person concerned asked for blocking instead of deletion (Art. 18).
    SubjectRestriction,
    /// A personal data breach is being looked into and must be shown to the authority (Art. 33(5)).
    BreachRecord,
}

impl Basis {
    /// Every basis.
    pub const ALL: [Self; 5] =
        [Self::LegalClaim, Self::LegalObligation, Self::AuthorityOrder, Self::SubjectRestriction, Self::BreachRecord];

    /// The basis in one word, as it stands in JSON and in databases.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::LegalClaim => "legal-claim",
            Self::LegalObligation => "legal-obligation",
            Self::AuthorityOrder => "authority-order",
            Self::SubjectRestriction => "subject-restriction",
            Self::BreachRecord => "breach-record",
        }
    }

    /// The basis that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.word() == word)
    }
}

/// Whether a hold of `now` may wait for its review until `review_at`: not in the past, and at most [`REVIEW_MONTHS`] on, by
/// the calendar of the zone.
#[must_use]
pub fn may_be_reviewed_at(review_at: Timestamp, now: Timestamp, zone: &Zone) -> bool {
    let latest = now
        .to_jiff()
        .to_zoned(zone.rules())
        .checked_add(Span::new().months(REVIEW_MONTHS))
        .map_or(Timestamp::MAX, |latest| Timestamp::from(latest.timestamp()));
    now < review_at && review_at <= latest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_looked_at_again_within_six_months() {
        let brussels: Zone = "Europe/Brussels".parse().unwrap();
        let allowed = |review: &str| {
            may_be_reviewed_at(review.parse().unwrap(), "2026-08-31T10:00:00Z".parse().unwrap(), &brussels)
        };
        assert!(allowed("2026-08-31T10:00:01Z"));
        assert!(!allowed("2026-08-31T10:00:00Z"), "now is no later");
        // 31 February is not there: the 28th at the same local time, which is an hour later in UTC in winter.
        assert!(allowed("2027-02-28T11:00:00Z"));
        assert!(!allowed("2027-02-28T11:00:01Z"));
    }

    #[test]
    fn a_basis_has_one_word() {
        for basis in Basis::ALL {
            assert_eq!(Basis::from_word(basis.word()), Some(basis));
            assert_eq!(serde_json::to_string(&basis).unwrap(), format!("\"{}\"", basis.word()));
        }
        assert_eq!(Basis::from_word("because"), None);
    }
}
