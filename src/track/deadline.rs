//! The instant by which a snapshot must be gone.
//!
//! "90 days after the ticket is closed" means: the day of closing in the tenant's zone, then 90 whole calendar days, then
//! gone. Nothing is ever due inside the last of these days, whatever the clocks of the zone do.
//!
//! [`term`] is the whole rule, from the [`Facts`] about one snapshot: the earlier of that day and the hard cap; at once when it
//! was withdrawn; never while it is held; within a day when a hold is lifted after its time.
//!
//! Two facts come from before. What had [`Ended`] under a hold stays so, whatever is told of the ticket later. And news of a
//! closing long past leaves a notice of seven days: nothing is gone before somebody could see that it would be.

use jiff::civil::Date;
use jiff::{Span, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::policy::{RetentionPolicy, Zone};
use super::receipt::DeletionReason;
use crate::clock::Timestamp;

/// How long before its deadline a snapshot's deletion begins, in seconds: the deadline is a maximum, so the work starts a
/// day ahead and a failing disk or a night without power does not make it late.
pub const LEAD_SECONDS: i64 = 86_400;

/// How many whole calendar days lie between news of a closing and the earliest deadline that follows from it.
pub const NOTICE_DAYS: u16 = 7;

/// Everything that decides when one snapshot must be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When its last byte was stored. The deadline that follows from the closing leaves a notice of seven days after it.
    pub uploaded_at: Timestamp,
    /// When its ticket was closed, if it is closed.
    pub closed_at: Option<Timestamp>,
    /// Before which instant that closing does not end its time, because it was told late; see [`not_before`].
    pub not_before: Option<Timestamp>,
    /// By how many calendar days it may stay longer after that closing.
    pub extended_days: u32,
    /// When it was taken back, or ordered gone.
    pub withdrawn_at: Option<Timestamp>,
    /// Whether a hold stops its deletion.
    pub held: bool,
    /// When the last hold was lifted.
    pub lifted_at: Option<Timestamp>,
    /// How its time ended under a hold, if it did.
    pub ended: Option<Ended>,
}

impl Facts {
    /// What is known of a snapshot that was stored just now, for a ticket that is open.
    #[must_use]
    pub const fn of_new(uploaded_at: Timestamp) -> Self {
        Self {
            uploaded_at,
            closed_at: None,
            not_before: None,
            extended_days: 0,
            withdrawn_at: None,
            held: false,
            lifted_at: None,
            ended: None,
        }
    }
}

/// How a snapshot's time ended while a hold kept it: for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The deadline that came.
    pub at: Timestamp,
    /// Why it was that one.
    pub reason: DeletionReason,
}

/// When a snapshot's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// From when on nobody may read it, whatever is still there.
    pub readable_until: Timestamp,
    /// By when it must be gone, unless a hold is put on it.
    pub due_at: Timestamp,
    /// When its deletion begins; `None` while it is held.
    pub begins_at: Option<Timestamp>,
    /// Why it goes.
    pub reason: DeletionReason,
}

/// Applies the policy to the facts.
///
/// Under a hold `due_at` is the instant at which it would have to be gone: it stays and nobody reads it any more. A hold that
/// is lifted after that instant leaves a day.
#[must_use]
pub fn term(facts: &Facts, policy: &RetentionPolicy) -> Term {
    let Ended { at: regular, reason } = regular(facts, policy);
    let withdrawn_at = facts.withdrawn_at.filter(|at| *at < regular);
    let readable_until = withdrawn_at.unwrap_or(regular);
    let lifted_at = facts.lifted_at.filter(|at| *at >= readable_until);
    // What must go now has a day for going, but no longer than it would have had anyway.
    let due_at = match lifted_at.or(withdrawn_at) {
        Some(now) if now < regular => now.plus_seconds(LEAD_SECONDS).min(regular),
        Some(now) => now.plus_seconds(LEAD_SECONDS),
        None => regular,
    };
    Term {
        readable_until,
        due_at,
        begins_at: (!facts.held).then(|| begins_at(due_at)),
        reason: if withdrawn_at.is_some() { DeletionReason::Withdrawn } else { reason },
    }
}

/// How a snapshot's time has ended by `now`, if it has: for good, unless it was withdrawn before.
#[must_use]
pub fn ended(facts: &Facts, policy: &RetentionPolicy, now: Timestamp) -> Option<Ended> {
    let regular = regular(facts, policy);
    let withdrawn = facts.withdrawn_at.is_some_and(|at| at < regular.at);
    (regular.at <= now && !withdrawn).then_some(regular)
}

/// What [`Facts::not_before`] is after something was told of the ticket at `told_at`.
///
/// A deadline that moves to an earlier instant stops at the notice of seven days, or where it stood when that is earlier still; so no
/// news ever moves it on. What changes nothing leaves it as it was.
#[must_use]
pub fn not_before(before: &Facts, after: &Facts, policy: &RetentionPolicy, told_at: Timestamp) -> Option<Timestamp> {
    let counted = |facts: &Facts| regular(&Facts { not_before: None, ..*facts }, policy).at;
    let counts = counted(after);
    if counts == counted(before) {
        return before.not_before;
    }
    let stood = regular(before, policy).at;
    Some(notice(told_at, policy).min(stood)).filter(|notice| *notice > counts)
}

/// The earliest deadline that may follow from what came at an instant: that of a closing at this instant, if [`NOTICE_DAYS`]
/// were counted, or the policy's own days where these are fewer.
fn notice(told_at: Timestamp, policy: &RetentionPolicy) -> Timestamp {
    let zone = policy.zone.rules();
    let days = i64::from(policy.after_close_days.min(NOTICE_DAYS)) + 1;
    first_instant(local_day(told_at, &zone), days, &zone)
}

/// The deadline by the calendar and the hard cap, whatever holds and withdrawals say.
fn regular(facts: &Facts, policy: &RetentionPolicy) -> Ended {
    if let Some(ended) = facts.ended {
        return ended;
    }
    let cap = hard_cap_at(facts.uploaded_at, policy);
    let counted = facts.closed_at.map(|closed_at| {
        let counted = due_after(closed_at, facts.extended_days, policy).max(notice(facts.uploaded_at, policy));
        facts.not_before.map_or(counted, |not_before| counted.max(not_before))
    });
    match counted {
        Some(at) if at < cap => Ended { at, reason: DeletionReason::TicketClosed },
        _ => Ended { at: cap, reason: DeletionReason::HardCap },
    }
}

/// The first instant of the day that follows the closing day and [`RetentionPolicy::after_close_days`] calendar days.
///
/// Later closings never give an earlier instant. Past the year 9999 it is [`Timestamp::MAX`].
#[must_use]
pub fn due_at(closed_at: Timestamp, policy: &RetentionPolicy) -> Timestamp {
    due_after(closed_at, 0, policy)
}

/// [`due_at`], with more days.
fn due_after(closed_at: Timestamp, extended_days: u32, policy: &RetentionPolicy) -> Timestamp {
    let zone = policy.zone.rules();
    let days = i64::from(policy.after_close_days) + i64::from(extended_days) + 1;
    first_instant(local_day(closed_at, &zone), days, &zone)
}

/// The instant [`RetentionPolicy::hard_cap_days`] times 24 hours after the upload.
#[must_use]
pub fn hard_cap_at(uploaded_at: Timestamp, policy: &RetentionPolicy) -> Timestamp {
    uploaded_at.plus_days(i64::from(policy.hard_cap_days))
}

/// The instant at which deletion begins for a deadline: [`LEAD_SECONDS`] ahead of it.
#[must_use]
pub fn begins_at(deadline: Timestamp) -> Timestamp {
    deadline.plus_seconds(-LEAD_SECONDS)
}

/// The last instant of a day in `zone`, for those who say only on which day something was.
#[must_use]
pub fn end_of_day(date: Date, zone: &Zone) -> Timestamp {
    first_instant(date, 1, &zone.rules()).plus_seconds(-1)
}

/// The first instant of a day in `zone`.
#[must_use]
pub fn start_of_day(date: Date, zone: &Zone) -> Timestamp {
    first_instant(date, 0, &zone.rules())
}

/// A text that is neither an instant nor a date.
#[derive(Debug, thiserror::Error)]
#[error("\"{}\" is neither a point in time nor a date (expected 2026-12-03T14:20:01Z or 2026-12-03)", .0.escape_debug())]
pub struct NotAnInstant(String);

/// Reads an instant as people write one: RFC 3339, or a bare date that means the last second of that day in `zone`.
pub fn parse_instant(text: &str, zone: &Zone) -> Result<Timestamp, NotAnInstant> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    match text.parse::<Date>() {
        Ok(date) if text.len() == "2026-12-03".len() => Ok(end_of_day(date, zone)),
        _ => Err(NotAnInstant(text.chars().take(64).collect())),
    }
}

/// The local day of an instant. Where a clock is set back over midnight, the day that had begun has begun: the hour that is
/// lived twice counts to the later day, so that a later instant never has an earlier day.
pub(super) fn local_day(instant: Timestamp, zone: &TimeZone) -> Date {
    let day = instant.to_jiff().to_zoned(zone.clone()).date();
    match day.tomorrow() {
        Ok(next) if first_instant(next, 0, zone) <= instant => next,
        _ => day,
    }
}

/// The first instant of the day `days` calendar days after `date`.
fn first_instant(date: Date, days: i64, zone: &TimeZone) -> Timestamp {
    Span::new()
        .try_days(days)
        .and_then(|days| date.checked_add(days))
        .and_then(|day| day.to_zoned(zone.clone()))
        .map_or(Timestamp::MAX, |start| Timestamp::from(start.timestamp()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(zone: &str) -> RetentionPolicy {
        RetentionPolicy { zone: zone.parse().unwrap(), ..RetentionPolicy::default() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_deadline_is_the_start_of_the_day_after_ninety_calendar_days() {
        for (zone, closed, due) in [
            // no zone rules: the whole of 3 March belongs to the ninety days
            ("UTC", "2026-12-03T00:00:00Z", "2027-03-04T00:00:00Z"),
            ("UTC", "2026-12-03T23:59:59Z", "2027-03-04T00:00:00Z"),
            // the local day counts, not the day in UTC
            ("Europe/Brussels", "2026-12-03T22:59:59Z", "2027-03-03T23:00:00Z"),
            ("Europe/Brussels", "2026-12-03T23:00:00Z", "2027-03-04T23:00:00Z"),
            // summer time begins in between: 90 calendar days are an hour shorter
            ("Europe/Brussels", "2027-01-10T12:00:00Z", "2027-04-10T22:00:00Z"),
            // and ends in between: an hour longer
            ("Europe/Brussels", "2026-09-01T12:00:00Z", "2026-11-30T23:00:00Z"),
            // far east and far west of it
            ("Pacific/Kiritimati", "2026-12-03T09:59:59Z", "2027-03-03T10:00:00Z"),
            ("Pacific/Kiritimati", "2026-12-03T10:00:00Z", "2027-03-04T10:00:00Z"),
            ("America/Los_Angeles", "2026-12-04T07:59:59Z", "2027-03-04T08:00:00Z"),
            // an offset of a quarter hour
            ("Asia/Kathmandu", "2026-12-03T18:15:00Z", "2027-03-04T18:15:00Z"),
            // a leap day is a day like any other
            ("UTC", "2027-12-01T10:00:00Z", "2028-03-01T00:00:00Z"),
            ("UTC", "2028-02-29T10:00:00Z", "2028-05-30T00:00:00Z"),
            // 2100 has none
            ("UTC", "2099-12-01T10:00:00Z", "2100-03-02T00:00:00Z"),
            // over the end of a year, and closed in its last second
            ("UTC", "2026-12-31T23:59:59Z", "2027-04-01T00:00:00Z"),
            ("Europe/Brussels", "2026-12-31T23:30:00Z", "2027-04-01T22:00:00Z"),
            // summer time begins at midnight in Santiago: the day starts at 01:00
            ("America/Santiago", "2026-06-08T12:00:00Z", "2026-09-07T03:00:00Z"),
            ("America/Santiago", "2026-06-07T12:00:00Z", "2026-09-06T04:00:00Z"),
            // Samoa had no 30 December 2011: what would start then starts with the next day there was
            ("Pacific/Apia", "2011-09-30T21:00:00Z", "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(due_at(at(closed), &policy(zone)), at(due), "{zone} {closed}");
        }
    }

    #[test]
    fn an_hour_lived_twice_over_midnight_does_not_shorten_the_count() {
        // St John's: at 00:01 on 7 November 2010 the clock went back to 23:01 on the 6th.
        let st_johns = policy("America/St_Johns");
        let before = at("2010-11-07T02:30:30Z"); // 00:00:30 on the 7th
        let after = at("2010-11-07T03:00:00Z"); // 23:30 on the 6th, later
        assert_eq!(due_at(before, &st_johns), due_at(after, &st_johns));
    }

    #[test]
    fn the_hard_cap_wins_when_it_is_earlier() {
        let utc = policy("UTC");
        let deadline = |closed: Option<&str>| {
            let facts = Facts { closed_at: closed.map(at), ..uploaded("2026-01-01T10:00:00Z") };
            let term = term(&facts, &utc);
            (term.due_at, term.reason)
        };
        assert_eq!(deadline(None), (at("2027-01-01T10:00:00Z"), DeletionReason::HardCap));
        let counted = (at("2026-05-03T00:00:00Z"), DeletionReason::TicketClosed);
        assert_eq!(deadline(Some("2026-02-01T10:00:00Z")), counted);
        assert_eq!(deadline(Some("2026-12-01T10:00:00Z")), (at("2027-01-01T10:00:00Z"), DeletionReason::HardCap));
    }

    fn uploaded(text: &str) -> Facts {
        Facts::of_new(at(text))
    }

    #[test]
    fn an_extension_moves_the_deadline_by_calendar_days_and_never_past_the_cap() {
        let brussels = policy("Europe/Brussels");
        let closed = Facts { closed_at: Some(at("2026-12-03T12:00:00Z")), ..uploaded("2026-11-01T10:00:00Z") };
        let due = |days| term(&Facts { extended_days: days, ..closed }, &brussels).due_at;
        assert_eq!(due(0), at("2027-03-03T23:00:00Z"));
        assert_eq!(due(30), at("2027-04-02T22:00:00Z"), "over the beginning of summer time");
        assert_eq!(due(300), at("2027-11-01T10:00:00Z"), "the cap");
        assert_eq!(due(u32::MAX), at("2027-11-01T10:00:00Z"), "the cap");
    }

    #[test]
    fn what_is_withdrawn_goes_at_once_and_is_not_read_again() {
        let utc = policy("UTC");
        let withdrawn = Facts { withdrawn_at: Some(at("2026-02-01T10:00:00Z")), ..uploaded("2026-01-01T10:00:00Z") };
        let gone = term(&withdrawn, &utc);
        assert_eq!((gone.readable_until, gone.begins_at), (withdrawn.withdrawn_at.unwrap(), withdrawn.withdrawn_at));
        assert_eq!((gone.due_at, gone.reason), (at("2026-02-02T10:00:00Z"), DeletionReason::Withdrawn));
        let near = Facts { withdrawn_at: Some(at("2026-12-31T20:00:00Z")), ..withdrawn };
        assert_eq!(term(&near, &utc).due_at, at("2027-01-01T10:00:00Z"), "never later than without");
        let held = term(&Facts { held: true, ..withdrawn }, &utc);
        assert_eq!((held.readable_until, held.begins_at), (gone.readable_until, None));
        let lifted = Facts { lifted_at: Some(at("2026-06-01T00:00:00Z")), ..withdrawn };
        assert_eq!(term(&lifted, &utc).begins_at, lifted.lifted_at);
    }

    #[test]
    fn a_hold_that_is_lifted_after_the_deadline_leaves_a_day() {
        let utc = policy("UTC");
        let closed = Facts { closed_at: Some(at("2026-02-01T10:00:00Z")), ..uploaded("2026-01-01T10:00:00Z") };
        let regular = term(&closed, &utc);
        assert_eq!(regular.due_at, at("2026-05-03T00:00:00Z"));
        let held = term(&Facts { held: true, ..closed }, &utc);
        assert_eq!((held.due_at, held.readable_until, held.begins_at), (regular.due_at, regular.due_at, None));
        let lifted = |text: &str| term(&Facts { lifted_at: Some(at(text)), ..closed }, &utc);
        assert_eq!(lifted("2026-05-02T23:59:59Z"), regular, "lifted in time: as if it had not been");
        let late = lifted("2026-05-03T00:00:00Z");
        assert_eq!((late.begins_at, late.due_at), (Some(regular.due_at), at("2026-05-04T00:00:00Z")));
        assert_eq!(late.readable_until, regular.due_at, "nobody reads it again");
        assert_eq!(lifted("2027-05-03T00:00:00Z").due_at, at("2027-05-04T00:00:00Z"), "also past the cap");
    }

    #[test]
    fn what_ended_under_a_hold_stays_so_whatever_is_told_later() {
        let utc = policy("UTC");
        let closed =
            Facts { closed_at: Some(at("2026-02-01T10:00:00Z")), held: true, ..uploaded("2026-01-01T10:00:00Z") };
        let over = at("2026-05-03T00:00:00Z");
        assert_eq!(ended(&closed, &utc, over.plus_seconds(-1)), None);
        let how = ended(&closed, &utc, over);
        assert_eq!(how, Some(Ended { at: over, reason: DeletionReason::TicketClosed }));
        let reopened = Facts { closed_at: None, ended: how, ..closed };
        assert_eq!(term(&reopened, &utc), term(&closed, &utc));
        let longer = RetentionPolicy { after_close_days: 300, ..utc.clone() };
        assert_eq!(term(&reopened, &longer), term(&closed, &utc));
        let lifted = term(&Facts { held: false, lifted_at: Some(at("2026-08-01T00:00:00Z")), ..reopened }, &utc);
        assert_eq!((lifted.begins_at, lifted.due_at), (Some(at("2026-08-01T00:00:00Z")), at("2026-08-02T00:00:00Z")));
        assert_eq!((lifted.readable_until, lifted.reason), (over, DeletionReason::TicketClosed));
        let withdrawn = Facts { withdrawn_at: Some(at("2026-03-01T00:00:00Z")), ..closed };
        assert_eq!(ended(&withdrawn, &utc, over), None, "it had ended before");
    }

    #[test]
    fn news_of_a_closing_long_past_leaves_a_week_and_never_moves_a_deadline_on() {
        let utc = policy("UTC");
        let open = uploaded("2026-01-01T10:00:00Z");
        let told = |before: &Facts, closed: &str, told_at: &str, policy: &RetentionPolicy| {
            let after = Facts { closed_at: Some(at(closed)), ..*before };
            Facts { not_before: not_before(before, &after, policy, at(told_at)), ..after }
        };
        let due = |facts: &Facts| term(facts, &utc).due_at;
        let in_time = told(&open, "2026-03-01T10:00:00Z", "2026-03-20T10:00:00Z", &utc);
        assert_eq!((in_time.not_before, due(&in_time)), (None, at("2026-05-31T00:00:00Z")), "counted from the closing");
        let late = told(&open, "2026-01-02T10:00:00Z", "2026-06-01T10:00:00Z", &utc);
        assert_eq!(due(&late), at("2026-06-09T00:00:00Z"), "seven whole days after the day it was told");
        let again = told(&late, "2026-01-02T10:00:00Z", "2026-06-05T10:00:00Z", &utc);
        assert_eq!(again, late, "told again");
        let earlier = told(&late, "2026-01-01T12:00:00Z", "2026-06-05T10:00:00Z", &utc);
        assert_eq!(due(&earlier), due(&late), "an earlier closing told later still does not move it on");
        let corrected = told(&late, "2026-05-01T10:00:00Z", "2026-06-05T10:00:00Z", &utc);
        assert_eq!((corrected.not_before, due(&corrected)), (None, at("2026-07-31T00:00:00Z")));
        let near_cap = told(&open, "2026-01-02T10:00:00Z", "2026-12-30T10:00:00Z", &utc);
        assert_eq!(due(&near_cap), at("2027-01-01T10:00:00Z"), "not past the cap");
        let at_once = RetentionPolicy { after_close_days: 0, ..utc.clone() };
        let short = told(&open, "2026-01-02T10:00:00Z", "2026-06-01T10:00:00Z", &at_once);
        assert_eq!(term(&short, &at_once).due_at, at("2026-06-02T00:00:00Z"), "no longer than after a closing then");
    }

    #[test]
    fn a_snapshot_that_came_after_the_closing_is_not_due_before_it_was_stored() {
        let closed = |closed: &str, days: u16| {
            let policy = RetentionPolicy { after_close_days: days, ..policy("UTC") };
            term(&Facts { closed_at: Some(at(closed)), ..uploaded("2026-06-01T10:00:00Z") }, &policy).due_at
        };
        assert_eq!(closed("2026-05-30T10:00:00Z", 90), at("2026-08-29T00:00:00Z"), "the days count from the closing");
        assert_eq!(closed("2026-01-01T10:00:00Z", 90), at("2026-06-09T00:00:00Z"));
        assert_eq!(closed("2026-01-01T10:00:00Z", 1), at("2026-06-03T00:00:00Z"));
    }

    #[test]
    fn a_bare_date_means_the_end_of_that_day_in_the_zone() {
        let brussels: Zone = "Europe/Brussels".parse().unwrap();
        assert_eq!(parse_instant("2026-12-03", &brussels).unwrap(), at("2026-12-03T22:59:59Z"));
        assert_eq!(parse_instant("2026-06-03", &brussels).unwrap(), at("2026-06-03T21:59:59Z"));
        assert_eq!(parse_instant("2028-02-29", &Zone::utc()).unwrap(), at("2028-02-29T23:59:59Z"));
        assert_eq!(parse_instant("2026-12-03T10:00:00+01:00", &brussels).unwrap(), at("2026-12-03T09:00:00Z"));
        for bad in ["", "2026-02-29", "3.12.2026", "20261203", "tomorrow", "2026-12-03T10:00"] {
            assert!(parse_instant(bad, &brussels).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_deadline_past_the_calendar_stays_inside_it() {
        let kiritimati = policy("Pacific/Kiritimati");
        assert_eq!(due_at(Timestamp::MAX, &kiritimati), Timestamp::MAX);
        assert_eq!(hard_cap_at(Timestamp::MAX, &kiritimati), Timestamp::MAX);
    }

    const ZONES: &[&str] = &[
        "UTC",
        "Europe/Brussels",
        "America/St_Johns",
        "America/Santiago",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "America/Los_Angeles",
        "Asia/Tehran",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn it_is_never_early_and_never_more_than_a_day_and_a_clock_change_late(
            seconds in 0_i64..4_102_444_800, zone in prop::sample::select(ZONES), days in 0_u16..800,
        ) {
            let policy = RetentionPolicy { after_close_days: days, ..policy(zone) };
            let closed = Timestamp::from_seconds(seconds);
            let elapsed = due_at(closed, &policy).seconds() - closed.seconds();
            let counted = i64::from(days) * 86_400;
            // At most three hours for clocks set back or forward, and the day that Apia and Kiritimati skipped.
            prop_assert!(elapsed > counted - 25 * 3600, "{elapsed}");
            prop_assert!(elapsed <= counted + 25 * 3600 + 7200, "{elapsed}");
            // By the calendar of the zone it is exact: the deadline's local date is the closing date + days + 1.
            let rules = policy.zone.rules();
            let local = due_at(closed, &policy).to_jiff().to_zoned(rules.clone()).date();
            let wanted = closed.to_jiff().to_zoned(rules).date().checked_add(Span::new().days(i64::from(days) + 1)).unwrap();
            prop_assert!(local >= wanted, "{local} {wanted}");
        }

        #[test]
        fn a_later_closing_is_never_due_earlier(
            first in 0_i64..4_102_444_800, gap in 0_i64..200_000, zone in prop::sample::select(ZONES),
        ) {
            let policy = policy(zone);
            let (a, b) = (Timestamp::from_seconds(first), Timestamp::from_seconds(first + gap));
            prop_assert!(due_at(a, &policy) <= due_at(b, &policy));
        }
    }
}
