//! By when a person who asked must be answered.
//!
//! "Within one month of receipt", two more where that is necessary (GDPR Art. 12(3); Regulation (EU) 2018/1725 Art. 14(3)).
//! Months are counted as Regulation (EEC, Euratom) 1182/71 counts them: the day of receipt does not count, the time ends with
//! the last second of the day of the same number, and where that month has no such day, of its last day. That a time which
//! ends on a holiday goes on to the next working day (Art. 3(4)) is left out: holidays differ from place to place, and who is
//! ready a day early is in time.

use jiff::Span;

use super::deadline::{end_of_day, local_day};
use super::policy::Zone;
use crate::clock::Timestamp;

/// The months for an answer.
pub const MONTHS: i64 = 1;

/// The months for an answer that takes longer, from the receipt on.
pub const LONGER_MONTHS: i64 = 3;

/// How long before the end somebody is reminded, in seconds.
pub const REMINDER_SECONDS: i64 = 7 * 86_400;

/// The last instant for the answer to what was received at an instant, by the calendar of the zone. Past the year 9999 it is
/// [`Timestamp::MAX`].
#[must_use]
pub fn answer_by(received_at: Timestamp, months: i64, zone: &Zone) -> Timestamp {
    let received = local_day(received_at, &zone.rules());
    received.checked_add(Span::new().months(months)).map_or(Timestamp::MAX, |last| end_of_day(last, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_due_at_the_end_of_the_same_day_of_the_next_month() {
        for (zone, received, months, due) in [
            ("UTC", "2026-11-20T00:00:00Z", 1, "2026-12-20T23:59:59Z"),
            ("UTC", "2026-11-20T23:59:59Z", 1, "2026-12-20T23:59:59Z"),
            ("UTC", "2026-11-20T10:00:00Z", 3, "2027-02-20T23:59:59Z"),
            // there is no 31 February, nor a 30th
            ("UTC", "2027-01-31T10:00:00Z", 1, "2027-02-28T23:59:59Z"),
            ("UTC", "2028-01-30T10:00:00Z", 1, "2028-02-29T23:59:59Z"),
            ("UTC", "2026-11-30T10:00:00Z", 3, "2027-02-28T23:59:59Z"),
            // and from the last day of a short month it is the same number, not the last day
            ("UTC", "2027-02-28T10:00:00Z", 1, "2027-03-28T23:59:59Z"),
            // the local day counts; summer time begins and ends in between
            ("Europe/Brussels", "2026-11-19T23:30:00Z", 1, "2026-12-20T22:59:59Z"),
            ("Europe/Brussels", "2027-03-15T10:00:00Z", 1, "2027-04-15T21:59:59Z"),
            ("Europe/Brussels", "2026-10-10T10:00:00Z", 1, "2026-11-10T22:59:59Z"),
            ("Pacific/Kiritimati", "2026-11-20T11:00:00Z", 1, "2026-12-21T09:59:59Z"),
            ("America/Los_Angeles", "2026-12-31T07:30:00Z", 1, "2027-01-31T07:59:59Z"),
        ] {
            let answered = answer_by(received.parse().unwrap(), months, &zone.parse().unwrap());
            assert_eq!(answered, due.parse().unwrap(), "{zone} {received} {months}");
        }
        assert_eq!(answer_by(Timestamp::MAX, LONGER_MONTHS, &Zone::utc()), Timestamp::MAX);
    }
}
