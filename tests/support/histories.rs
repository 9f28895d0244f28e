//! Random histories of tickets and an oracle that says when each snapshot's deletion begins.
//!
//! The oracle shares nothing with `tarseal::track`: a day is looked up on a calendar that was walked quarter hour by quarter
//! hour, and what was told is judged as a set and not folded. jiff gives both the local date of an instant, and no more.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub const DAY: i64 = 86_400;
const QUARTER: i64 = 900;

/// Where every calendar begins: 2026-01-01T00:00:00Z.
pub const BEGIN: i64 = 1_767_225_600;
/// How many days a calendar has.
const DAYS: i64 = 2600;

pub const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Brussels",
    "America/Los_Angeles",
    "America/Santiago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
];

/// What a tenant wants.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub zone: &'static str,
    pub after_close: i64,
    pub cap: i64,
    pub extensions: usize,
    pub extension_days: i64,
}

/// One thing that is told, at an instant, of something that happened then or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// (on the other ticket?, when, event's number)
    Close(bool, i64, u32),
    Reopen(bool, i64, u32),
    Missing,
    Seen,
    Merge,
    Hold,
    Lift,
    Extend(i64),
    Withdraw,
}

/// One snapshot's life.
#[derive(Clone, Debug)]
pub struct History {
    pub rules: Rules,
    /// When both tickets were opened.
    pub opened: i64,
    pub uploaded: i64,
    /// In the order they are told.
    pub acts: Vec<(i64, Act)>,
}

/// Which acts a history may hold.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// Sightings by an adapter.
    pub sightings: bool,
}

impl History {
    /// The history of that number, always the same.
    pub fn random(number: u64, kinds: Kinds) -> Self {
        let mut rng = StdRng::seed_from_u64(number);
        let rules = Rules {
            zone: ZONES[rng.random_range(0..ZONES.len())],
            after_close: [90, 90, 90, 30, 7, 1, 0][rng.random_range(0..7)],
            cap: [365, 365, 120, 40][rng.random_range(0..4)].max(90),
            extensions: rng.random_range(0..3),
            extension_days: [30, 10][rng.random_range(0..2)],
        };
        let opened = BEGIN + rng.random_range(0..700 * DAY);
        let uploaded = opened + rng.random_range(0..5 * DAY);
        let mut now = uploaded;
        let mut acts: Vec<(i64, Act)> = Vec::new();
        for event in 0..rng.random_range(0..14) {
            now += match rng.random_range(0..10) {
                0 => 0,
                1 => rng.random_range(0..120),
                2 => QUARTER * rng.random_range(0..100),
                3..=5 => rng.random_range(0..3 * DAY),
                6..=8 => rng.random_range(0..40 * DAY),
                _ => rng.random_range(0..200 * DAY),
            };
            let at = match rng.random_range(0..4) {
                0 => now - rng.random_range(0..20 * DAY).min(now - opened),
                1 => opened + rng.random_range(0..=now - opened),
                _ => now,
            };
            let other = rng.random_range(0..4) == 0;
            let closed = matches!(acts.last(), Some((_, Act::Close(false, ..) | Act::Extend(_))));
            acts.push((
                now,
                match rng.random_range(0..24) {
                    _ if closed && rng.random_range(0..4) == 0 => Act::Extend(rng.random_range(1..35)),
                    0..=6 => Act::Close(other, at, event),
                    7..=10 => Act::Reopen(other, at, event),
                    11..=13 if kinds.sightings => Act::Missing,
                    14 if kinds.sightings => Act::Seen,
                    15 => Act::Merge,
                    16 | 17 => Act::Hold,
                    18 | 19 => Act::Lift,
                    20 | 21 => Act::Extend(rng.random_range(0..40)),
                    22 => Act::Withdraw,
                    // Told again, as it was.
                    _ => acts.last().map_or(Act::Close(false, at, event), |(_, act)| *act),
                },
            ));
        }
        Self { rules, opened, uploaded, acts }
    }
}

/// The local days of a zone, one number for each quarter of an hour; a day that began has begun, also when clocks go back.
struct Calendar(Vec<i64>);

impl Calendar {
    fn walk(zone: &str) -> Self {
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let mut days = Vec::new();
        let mut last = i64::MIN;
        for quarter in 0..DAYS * DAY / QUARTER {
            let instant = jiff::Timestamp::from_second(BEGIN + quarter * QUARTER).unwrap();
            let date = zone.to_datetime(instant).date();
            last = last.max(number_of(date.year(), date.month(), date.day()));
            days.push(last);
        }
        Self(days)
    }

    fn day(&self, instant: i64) -> i64 {
        self.0[usize::try_from((instant - BEGIN) / QUARTER).unwrap()]
    }

    /// When a day begins.
    fn beginning(&self, day: i64) -> i64 {
        let quarter = self.0.partition_point(|other| *other < day);
        BEGIN + i64::try_from(quarter).unwrap() * QUARTER
    }
}

/// How many days before a date lie since 1970, counted month by month.
fn number_of(year: i16, month: i8, day: i8) -> i64 {
    let leap = |year: i16| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year, month: i8| match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let years: i64 = (1970..year).map(|year| 365 + i64::from(leap(year))).sum();
    let months: i64 = (1..month).map(|month| length(year, month)).sum();
    years + months + i64::from(day) - 1
}

/// Everything the oracle was told of one snapshot.
#[derive(Default)]
struct Known {
    /// (other ticket?, when, in which order it came, closing?)
    closings: Vec<(bool, i64, usize, bool)>,
    sightings: Vec<(i64, usize, bool)>,
    merged: bool,
    holds: Vec<(i64, Option<i64>)>,
    extended: Vec<(i64, i64)>,
    withdrawn: Option<i64>,
    /// A merged ticket was open until it was closed, or until the merge.
    open_until: Option<i64>,
    /// The instant before which late news do not end its time.
    notice: i64,
    /// The deadline that came under a hold.
    ended: Option<i64>,
}

/// What the oracle says of one history.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When the deletion begins; `None` when it never does, because it is held.
    pub begins: Option<i64>,
    /// From when on nobody may read it, as known when the deletion begins or at the end.
    pub readable_until: i64,
    /// For each extension that was asked for before the deletion began: whether it is granted.
    pub granted: Vec<bool>,
    /// Whether late news left it a notice.
    pub noticed: bool,
    /// Whether its time ended under a hold before something else was told.
    pub ended: bool,
}

/// Tells when deletions begin.
#[derive(Default)]
pub struct Oracle(HashMap<&'static str, Calendar>);

impl Oracle {
    /// Judges a whole history. What comes after the deletion has begun changes nothing.
    pub fn judge(&mut self, history: &History) -> Verdict {
        let calendar = self.0.entry(history.rules.zone).or_insert_with(|| Calendar::walk(history.rules.zone));
        let mut known = Known { notice: i64::MIN, ..Known::default() };
        let mut granted = Vec::new();
        let mut noticed = false;
        for (order, (now, act)) in history.acts.iter().enumerate() {
            if let Some(begins) = known.begins(history, calendar).filter(|begins| begins <= now) {
                return Verdict {
                    begins: Some(begins.max(known.latest(history, order))),
                    readable_until: known.end(history, calendar),
                    granted,
                    noticed,
                    ended: known.ended.is_some(),
                };
            }
            let (stood, counted) = (known.regular(history, calendar), known.counted(history, calendar));
            let held = known.holds.last().is_some_and(|(_, lifted)| lifted.is_none());
            if held && stood <= *now && known.withdrawn.is_none_or(|withdrawn| withdrawn >= stood) {
                known.ended = known.ended.or(Some(stood));
            }
            match *act {
                Act::Close(other, at, _) => known.closings.push((other, at, order, true)),
                Act::Reopen(other, at, _) => known.closings.push((other, at, order, false)),
                Act::Missing => known.sightings.push((*now, order, false)),
                Act::Seen => known.sightings.push((*now, order, true)),
                Act::Merge if known.merged => {}
                Act::Merge => {
                    known.open_until = Some(known.closed().unwrap_or(*now));
                    known.merged = true;
                }
                Act::Hold => {
                    if known.holds.last().is_none_or(|(_, lifted)| lifted.is_some()) {
                        known.holds.push((*now, None));
                    }
                }
                Act::Lift => {
                    if let Some((_, lifted @ None)) = known.holds.last_mut() {
                        *lifted = Some(*now);
                    }
                }
                Act::Extend(days) => granted.push(known.extend(history, calendar, *now, days)),
                Act::Withdraw => known.withdrawn = known.withdrawn.or(Some(*now)),
            }
            let is_news = matches!(act, Act::Close(..) | Act::Reopen(..) | Act::Missing | Act::Seen | Act::Merge);
            // News that move the count give a new notice: none where it is not needed, none that goes beyond what stood.
            if is_news && known.ended.is_none() && known.counted(history, calendar) != counted {
                known.notice = Known::notice(history, calendar, *now).min(stood);
                noticed |= known.notice > known.counted(history, calendar);
            }
        }
        Verdict {
            begins: known.begins(history, calendar).map(|begins| begins.max(known.latest(history, history.acts.len()))),
            readable_until: known.end(history, calendar),
            granted,
            noticed,
            ended: known.ended.is_some(),
        }
    }
}

impl Known {
    /// When the last act before `order` was told: deletion cannot have begun before.
    fn latest(&self, history: &History, order: usize) -> i64 {
        order.checked_sub(1).map_or(history.uploaded, |before| history.acts[before].0)
    }

    /// Since when the ticket counts as closed: the first closing behind the last opening.
    fn closed(&self) -> Option<i64> {
        let mine = |other: bool| other == self.merged;
        let mut told: Vec<(i64, usize, bool)> = self
            .closings
            .iter()
            .filter(|(other, ..)| mine(*other))
            .map(|(_, at, order, closing)| (*at, *order, *closing))
            .collect();
        if !self.merged {
            told.extend(self.vanishings());
        }
        let opened = told.iter().filter(|(_, _, closing)| !closing).map(|(at, order, _)| (*at, *order)).max();
        told.iter()
            .filter(|(at, order, closing)| *closing && opened.is_none_or(|opened| opened < (*at, *order)))
            .map(|(at, ..)| (*at).max(self.open_until.unwrap_or(i64::MIN)))
            .min()
    }

    /// A ticket that was missing for a day counts as closed when it was first missing and as open when it is seen again,
    /// unless it was closed already. Looks at each run of missings with nothing told between them.
    fn vanishings(&self) -> Vec<(i64, usize, bool)> {
        let told = |from: (i64, usize), to: (i64, usize)| {
            let within = |at, order| from < (at, order) && (at, order) < to;
            self.closings.iter().any(|(other, at, order, _)| !other && within(*at, *order))
                || self.sightings.iter().any(|(at, order, seen)| *seen && within(*at, *order))
        };
        let missing: Vec<(i64, usize)> =
            self.sightings.iter().filter(|(.., seen)| !seen).map(|(at, order, _)| (*at, *order)).collect();
        let mut found = Vec::new();
        for (index, first) in missing.iter().enumerate() {
            let begins_run = index == 0 || told(missing[index - 1], *first);
            let again = missing[index..].iter().find(|later| later.0 - first.0 >= DAY && !told(*first, **later));
            let (true, Some(again)) = (begins_run, again) else { continue };
            if self.explicitly_closed(*again) {
                continue;
            }
            found.push((first.0, first.1, true));
            // The next thing told, if it is a sighting, opens it again.
            let next_told = self
                .closings
                .iter()
                .filter(|(other, ..)| !other)
                .map(|(_, at, order, _)| ((*at, *order), false))
                .chain(self.sightings.iter().filter(|(.., seen)| *seen).map(|(at, order, _)| ((*at, *order), true)))
                .filter(|(when, _)| when > again)
                .min();
            if let Some(((at, order), true)) = next_told {
                found.push((at, order, false));
            }
        }
        found
    }

    /// Whether its source had closed it before `when` and not opened it again.
    fn explicitly_closed(&self, when: (i64, usize)) -> bool {
        let before = self.closings.iter().filter(|(other, at, order, _)| !other && (*at, *order) < when);
        before.max_by_key(|(_, at, order, _)| (*at, *order)).is_some_and(|(.., closing)| *closing)
    }

    /// The earliest deadline after news: seven days lie between, or those of the rules if they are fewer.
    fn notice(history: &History, calendar: &Calendar, now: i64) -> i64 {
        calendar.beginning(calendar.day(now) + history.rules.after_close.min(7) + 1)
    }

    /// When its time is over by the calendar, what stood before, and what ended under a hold.
    fn regular(&self, history: &History, calendar: &Calendar) -> i64 {
        self.ended.unwrap_or_else(|| {
            let cap = history.uploaded + history.rules.cap * DAY;
            let counted = self.counted(history, calendar);
            if self.closed().is_some() { counted.max(self.notice).min(cap) } else { counted }
        })
    }

    /// When its time is over by the calendar alone.
    fn counted(&self, history: &History, calendar: &Calendar) -> i64 {
        let cap = history.uploaded + history.rules.cap * DAY;
        let Some(closed) = self.closed() else { return cap };
        let more: i64 = self.extended.iter().filter(|(at, _)| *at >= closed).map(|(_, days)| days).sum();
        // The closing day, then whole days, then the beginning of the next.
        let mut day = calendar.day(closed);
        for _ in 0..history.rules.after_close + more {
            day += 1;
        }
        calendar.beginning(day + 1).max(Self::notice(history, calendar, history.uploaded)).min(cap)
    }

    /// From when on nobody may read it.
    fn end(&self, history: &History, calendar: &Calendar) -> i64 {
        self.regular(history, calendar).min(self.withdrawn.unwrap_or(i64::MAX))
    }

    /// When deletion begins by what is known.
    fn begins(&self, history: &History, calendar: &Calendar) -> Option<i64> {
        let lifted = match self.holds.last() {
            Some((_, None)) => return None,
            Some((_, Some(lifted))) => Some(*lifted),
            None => None,
        };
        let end = self.end(history, calendar);
        match lifted.filter(|lifted| *lifted >= end) {
            Some(lifted) => Some(lifted),
            None => Some((self.regular(history, calendar) - DAY).min(self.withdrawn.unwrap_or(i64::MAX))),
        }
    }

    fn extend(&mut self, history: &History, calendar: &Calendar, now: i64, days: i64) -> bool {
        let before = self.regular(history, calendar);
        if now >= self.end(history, calendar)
            || self.withdrawn.is_some()
            || self.closed().is_none()
            || self.extended.len() >= history.rules.extensions
            || days < 1
            || days > history.rules.extension_days
        {
            return false;
        }
        self.extended.push((now, days));
        let granted = self.regular(history, calendar) > before;
        if !granted {
            self.extended.pop();
        }
        granted
    }
}
