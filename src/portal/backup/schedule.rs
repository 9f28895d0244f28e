//! Which backups are kept: some of the last days, weeks and months.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::Timestamp;

/// How many backups are kept: the last one of each of so many days, weeks and months, counted back from today in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Days, today among them.
    pub daily: u16,
    /// Weeks from Monday to Sunday, this one among them.
    pub weekly: u16,
    /// Calendar months, this one among them.
    pub monthly: u16,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { daily: 7, weekly: 5, monthly: 12 }
    }
}

impl Schedule {
    /// After how many days a backup is surely gone, as long as newer ones are made.
    #[must_use]
    pub fn longest_days(&self) -> u32 {
        let (days, weeks, months) = (u32::from(self.daily), u32::from(self.weekly), u32::from(self.monthly));
        days.max(weeks * 7).max(months * 31).max(1)
    }

    /// Says of each backup whether it is kept. The newest always is, and so is one of the future: whose clock was wrong then
    /// is not known.
    pub(crate) fn keeps(&self, taken: &[Timestamp], now: Timestamp) -> Vec<bool> {
        let today = day_of(now);
        let mut order: Vec<usize> = (0..taken.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(taken[index]));
        let mut kept = vec![false; taken.len()];
        let (mut days, mut weeks, mut months) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (place, &index) in order.iter().enumerate() {
            let day = day_of(taken[index]);
            let (week, month) = (monday_of(day), month_of(day));
            // Each set takes the first of its kind that comes, and the newest come first.
            let of_day = days_between(day, today) < i32::from(self.daily) && days.insert(day);
            let of_week = days_between(week, monday_of(today)) < 7 * i32::from(self.weekly) && weeks.insert(week);
            let of_month = month_of(today) - month < i32::from(self.monthly) && months.insert(month);
            kept[index] = place == 0 || taken[index] > now || of_day || of_week || of_month;
        }
        kept
    }
}

fn day_of(at: Timestamp) -> Date {
    at.to_jiff().to_zoned(TimeZone::UTC).date()
}

fn monday_of(day: Date) -> Date {
    day.saturating_sub(jiff::Span::new().days(i64::from(day.weekday().to_monday_zero_offset())))
}

/// Counts months from the year 0.
fn month_of(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month())
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Makes a backup at that hour of every day and thins after each, as the command does.
    fn after_days(schedule: Schedule, start: Timestamp, days: i64) -> Vec<Timestamp> {
        let mut there = Vec::new();
        for day in 0..days {
            let now = start.plus_days(day);
            there.push(now);
            let kept = schedule.keeps(&there, now);
            there = there.into_iter().zip(kept).filter_map(|(taken, kept)| kept.then_some(taken)).collect();
        }
        there
    }

    #[test]
    fn a_year_of_daily_backups_leaves_seven_days_five_weeks_and_twelve_months() {
        let there = after_days(Schedule::default(), at("2025-01-01T03:00:00Z"), 730);
        let days: Vec<String> = there.iter().rev().map(|taken| taken.to_string()[..10].to_owned()).collect();
        assert_eq!(
            days,
            [
                "2026-12-31",
                "2026-12-30",
                "2026-12-29",
                "2026-12-28",
                "2026-12-27",
                "2026-12-26",
                "2026-12-25", //
                "2026-12-20",
                "2026-12-13",
                "2026-12-06",
                "2026-11-30",
                "2026-10-31",
                "2026-09-30",
                "2026-08-31", //
                "2026-07-31",
                "2026-06-30",
                "2026-05-31",
                "2026-04-30",
                "2026-03-31",
                "2026-02-28",
                "2026-01-31",
            ]
        );
    }

    #[test]
    fn the_newest_stays_however_old_it_is() {
        let none = Schedule { daily: 0, weekly: 0, monthly: 0 };
        let taken = [at("2020-01-01T00:00:00Z"), at("2021-01-01T00:00:00Z")];
        assert_eq!(none.keeps(&taken, at("2026-11-21T00:00:00Z")), [false, true]);
        assert_eq!(Schedule::default().keeps(&[], at("2026-11-21T00:00:00Z")), [false; 0]);
    }

    #[test]
    fn of_one_day_the_last_stays_and_what_seems_to_be_of_the_future() {
        let week = Schedule { daily: 7, weekly: 0, monthly: 0 };
        let taken = ["2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", "2026-11-20T02:00:00Z", "2027-01-01T00:00:00Z"];
        let kept = week.keeps(&taken.map(at), at("2026-11-21T12:00:00Z"));
        assert_eq!(kept, [false, true, true, true]);
    }

    proptest! {
        #[test]
        fn nothing_outlives_the_longest_time_and_the_last_days_are_complete(
            daily in 0_u16..10, weekly in 0_u16..8, monthly in 0_u16..14, days in 1_i64..500, start in 0_i64..4000,
        ) {
            let schedule = Schedule { daily, weekly, monthly };
            let start = Timestamp::EPOCH.plus_days(18_000 + start).plus_seconds(7200);
            let now = start.plus_days(days - 1);
            let there = after_days(schedule, start, days);
            prop_assert_eq!(there.last(), Some(&now));
            let oldest = now.plus_days(-i64::from(schedule.longest_days()));
            prop_assert!(there.iter().all(|taken| *taken > oldest), "{:?}", there);
            prop_assert!(there.len() <= usize::from(daily + weekly + monthly).max(1));
            for day in 0..days.min(i64::from(daily)) {
                prop_assert!(there.contains(&now.plus_days(-day)));
            }
        }
    }
}
