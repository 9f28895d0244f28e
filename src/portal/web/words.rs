//! Instants, lengths and words of the wire as people read them.

use crate::clock::Timestamp;
use crate::track::policy::Zone;
use crate::wire::SnapshotState;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An instant for people and for programs.
pub(super) struct When {
    /// `3 March 2027, 00:00 CET`.
    pub(super) text: String,
    /// `2027-03-02T23:00:00Z`.
    pub(super) machine: Timestamp,
    pub(super) seconds: i64,
}

impl When {
    /// An instant by the calendar of a zone.
    pub(super) fn new(at: Timestamp, zone: &Zone) -> Self {
        let text = at.to_jiff().to_zoned(zone.rules()).strftime("%-d %B %Y, %H:%M %Z").to_string();
        Self { text, machine: at, seconds: at.seconds() }
    }
}

/// How long it is until an instant, or since: in days, then hours, then minutes; the last that is begun does not count.
pub(super) fn distance(at: Timestamp, now: Timestamp) -> String {
    let left = at.seconds() - now.seconds();
    let (length, unit) = match left.abs() {
        seconds if seconds >= 2 * DAY => (seconds / DAY, "days"),
        seconds if seconds >= 2 * HOUR => (seconds / HOUR, "hours"),
        seconds if seconds >= 2 * MINUTE => (seconds / MINUTE, "minutes"),
        _ if left > 0 => return String::from("in a moment"),
        _ => return String::from("a moment ago"),
    };
    if left > 0 { format!("in {length} {unit}") } else { format!("{length} {unit} ago") }
}

/// A length in bytes: `38.4 MB`.
pub(super) fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

/// `1 snapshot`, `2 snapshots`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Where a snapshot is on its way.
pub(super) const fn state(state: SnapshotState) -> &'static str {
    match state {
        SnapshotState::Uploading => "arriving",
        SnapshotState::Stored => "stored",
        SnapshotState::Held => "stored, held",
        SnapshotState::Restricted => "held, closed to everyone",
        SnapshotState::Deleting => "being deleted",
        SnapshotState::Deleted => "deleted",
    }
}

/// The first letters of a random id: enough to tell two on one page apart.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_says_its_zone() {
        let at: Timestamp = "2027-03-02T23:00:00Z".parse().unwrap();
        assert_eq!(When::new(at, &"Europe/Brussels".parse().unwrap()).text, "3 March 2027, 00:00 CET");
        assert_eq!(When::new(at, &Zone::utc()).text, "2 March 2027, 23:00 UTC");
    }

    #[test]
    fn what_is_left_is_said_in_the_largest_unit_that_counts_twice() {
        let now = Timestamp::from_seconds(1_000_000_000);
        for (seconds, text) in [
            (74 * DAY + 1, "in 74 days"),
            (2 * DAY, "in 2 days"),
            (2 * DAY - 1, "in 47 hours"),
            (HOUR, "in 60 minutes"),
            (1, "in a moment"),
            (0, "a moment ago"),
            (-3 * HOUR, "3 hours ago"),
        ] {
            assert_eq!(distance(now.plus_seconds(seconds), now), text);
        }
    }

    #[test]
    fn a_length_has_a_unit() {
        let sizes = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (38_450_000, "38.4 MB"),
            (u64::MAX, "18446744073.7 GB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
    }
}
