//! Finds the part of a plain file that lies within a window, reading as little of it as is needed.

use std::io::{self, Read, Seek, SeekFrom};

use super::{BEGINNING, Lines, Reading, Window, is_text};

/// Files up to this size are read through; larger ones are halved, if their stamps rise.
const READ_THROUGH: u64 = 4 << 20;
/// How many places of a large file are looked at to see whether its stamps rise.
const PROBES: u64 = 64;
/// How much is read at a place to find a stamp there, in bytes.
const PROBE: usize = 64 << 10;
/// Seconds by which lines of a log may be out of order.
const DISORDER: i64 = 900;

/// What of a file lies within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collect) enum Within {
    /// It has no stamps, or is no text: nothing can be said.
    Unknown,
    /// Nothing.
    Nothing,
    /// The first `head` bytes and those from `start` to `end`, which are ends of lines; all of it where they meet.
    Part {
        /// Bytes before the first stamp.
        head: u64,
        /// Where the first line within begins.
        start: u64,
        /// Where the last line within, with what belongs to it, ends.
        end: u64,
    },
}

/// Finds what of a file's first `size` bytes lies within. `go_on` is asked now and then; when it says no, an error ends it.
pub(in crate::collect) fn within(
    file: &mut (impl Read + Seek),
    size: u64,
    window: &Window,
    reading: &Reading,
    go_on: &dyn Fn() -> bool,
) -> io::Result<Within> {
    let mut search = Search { file, size, window, reading, go_on };
    let beginning = search.bytes(0, BEGINNING)?;
    if !is_text(&beginning) {
        return Ok(Within::Unknown);
    }
    let Some((head, first)) = search.stamp_in(&beginning, 0, true) else { return Ok(Within::Unknown) };
    let probes = if size > READ_THROUGH { search.probes(head, first)? } else { Vec::new() };
    let rises = !probes.is_empty();

    let (from, to) = (window.from(), window.to());
    let begin = if rises { search.last_before(&probes, from.saturating_sub(DISORDER))? } else { head };
    let Some(start) = search.first_within(begin)? else { return Ok(Within::Nothing) };
    let end = if to == i64::MAX && rises {
        size
    } else {
        let near = if rises { search.last_before(&probes, to.saturating_sub(DISORDER))? } else { start };
        let far = probes.iter().find(|(_, stamp)| *stamp >= to.saturating_add(DISORDER)).map_or(size, |(at, _)| *at);
        search.end_of_last(near.max(start), far)?
    };
    Ok(Within::Part { head: if start == head { 0 } else { head }, start: if start == head { 0 } else { start }, end })
}

struct Search<'a, F> {
    file: &'a mut F,
    size: u64,
    window: &'a Window,
    reading: &'a Reading,
    go_on: &'a dyn Fn() -> bool,
}

impl<F: Read + Seek> Search<'_, F> {
    /// So many bytes from a place on, or as many as there are.
    fn bytes(&mut self, at: u64, most: usize) -> io::Result<Vec<u8>> {
        self.check()?;
        self.file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        let room = (self.size.saturating_sub(at)).min(most as u64);
        Read::by_ref(self.file).take(room).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn check(&self) -> io::Result<()> {
        if (self.go_on)() { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
    }

    /// The first line with a stamp among bytes that stand at a place, and the stamp.
    fn stamp_in(&self, bytes: &[u8], at: u64, begins_a_line: bool) -> Option<(u64, i64)> {
        let mut position = at;
        for (number, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            if (number > 0 || begins_a_line)
                && let Some(stamp) = self.reading.stamp(line)
            {
                return Some((position, stamp));
            }
            position += line.len() as u64;
        }
        None
    }

    /// Lines with stamps at even distances, if those rise from one to the next; none where they do not.
    fn probes(&mut self, head: u64, first: i64) -> io::Result<Vec<(u64, i64)>> {
        let mut probes = vec![(head, first)];
        for number in 1..PROBES {
            let at = self.size / PROBES * number;
            let bytes = self.bytes(at, PROBE)?;
            let Some((position, stamp)) = self.stamp_in(&bytes, at, false) else { continue };
            let (before, highest) = probes[probes.len() - 1];
            if stamp < highest - DISORDER {
                return Ok(Vec::new());
            }
            if position > before {
                probes.push((position, stamp.max(highest)));
            }
        }
        Ok(probes)
    }

    /// A line with a stamp before which everything is older than `limit`: the last such that halving finds.
    fn last_before(&mut self, probes: &[(u64, i64)], limit: i64) -> io::Result<u64> {
        let behind = probes.partition_point(|(_, stamp)| *stamp < limit);
        let Some(&(mut low, _)) = behind.checked_sub(1).and_then(|last| probes.get(last)) else {
            return Ok(probes[0].0);
        };
        let mut high = probes.get(behind).map_or(self.size, |(at, _)| *at);
        while high - low > READ_THROUGH / 4 {
            let middle = low + (high - low) / 2;
            let bytes = self.bytes(middle, PROBE)?;
            match self.stamp_in(&bytes, middle, false) {
                Some((position, stamp)) if position < high && stamp < limit => low = position,
                Some((position, _)) if position < high => high = middle,
                // No stamp there: what is left is read through.
                _ => break,
            }
        }
        Ok(low)
    }

    /// Where the first line within begins, from a place on.
    fn first_within(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut found = None;
        self.stamps(from, self.size, |at, stamp, window| {
            if window.holds(stamp) {
                found = Some(at);
            }
            found.is_none()
        })?;
        Ok(found)
    }

    /// Where the last line within ends, between two places; the line at the first of them is taken to be within.
    fn end_of_last(&mut self, from: u64, to: u64) -> io::Result<u64> {
        let mut end = None;
        self.stamps(from, to, |at, stamp, window| {
            if window.holds(stamp) {
                end = None;
            } else if at > from {
                end.get_or_insert(at);
            }
            true
        })?;
        Ok(end.unwrap_or(to))
    }

    /// Tells every stamp between two places, until told to stop.
    fn stamps(&mut self, from: u64, to: u64, mut each: impl FnMut(u64, i64, &Window) -> bool) -> io::Result<()> {
        self.check()?;
        self.file.seek(SeekFrom::Start(from))?;
        let (window, reading, go_on) = (self.window, self.reading, self.go_on);
        let mut unasked = 0;
        Lines::new(Read::by_ref(self.file).take(to.saturating_sub(from)), from).for_each(|piece, bytes| {
            unasked += bytes.len();
            if unasked > 1 << 20 {
                unasked = 0;
                if !go_on() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            match reading.stamp(bytes).filter(|_| piece.first) {
                Some(stamp) => Ok(each(piece.position, stamp, window)),
                None => Ok(true),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::Cursor;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::clock::Timestamp;

    const BASE: i64 = 1_795_000_000;

    fn window(since: Option<i64>, until: Option<i64>) -> Window {
        let instant = |seconds: i64| Timestamp::from_seconds(BASE + seconds);
        Window { since: since.map(instant), until: until.map(instant), slack: 0, zone: TimeZone::UTC }
    }

    fn cut(text: &str, since: Option<i64>, until: Option<i64>) -> String {
        let window = window(since, until);
        let reading = window.reading(Timestamp::from_seconds(BASE + 10_000_000));
        let size = text.len() as u64;
        match within(&mut Cursor::new(text.as_bytes()), size, &window, &reading, &|| true).unwrap() {
            Within::Unknown => "unknown".into(),
            Within::Nothing => "nothing".into(),
            Within::Part { head, start, end } => {
                let at = |place: u64| usize::try_from(place).unwrap();
                format!("{}{}", &text[..at(head)], &text[at(start)..at(end)])
            }
        }
    }

    fn line(seconds: i64, text: &str) -> String {
        format!("{} {text}\n", Timestamp::from_seconds(BASE + seconds))
    }

    #[test]
    fn lines_without_a_stamp_belong_to_the_one_before_and_a_heading_stays() {
        let text = ["names;of;columns\n", &line(0, "a"), " of a\n", &line(10, "b"), " of b\n", &line(20, "c"), " of c"]
            .concat();
        let b = format!("{} of b\n", line(10, "b"));
        let c = format!("{} of c", line(20, "c"));
        assert_eq!(cut(&text, Some(5), Some(15)), format!("names;of;columns\n{b}"));
        assert_eq!(cut(&text, Some(5), None), format!("names;of;columns\n{b}{c}"));
        assert_eq!(cut(&text, Some(0), None), text);
        assert_eq!(cut(&text, None, Some(20)), text[..text.len() - c.len()]);
        assert_eq!(cut(&text, Some(21), None), "nothing");
        assert_eq!(cut(&text, None, Some(0)), "nothing");
        assert_eq!(cut("no stamps\nat all\n", Some(0), None), "unknown");
        assert_eq!(cut("", Some(0), None), "unknown");
        assert_eq!(cut(&format!("\0{text}"), Some(0), None), "unknown");
    }

    #[test]
    fn a_large_file_is_cut_as_if_it_were_read_through() {
        // 20 MB, with lines out of order by up to a minute, and a text of many lines in the middle.
        let mut text = String::from("heading\n");
        for number in 0..200_000i64 {
            let disorder = (number * 7919) % 60;
            writeln!(
                text,
                "{} line {number} {}",
                Timestamp::from_seconds(BASE + number * 10 - disorder),
                "x".repeat(50)
            )
            .unwrap();
            if number == 100_000 {
                text.push_str(&" goes on\n".repeat(100_000));
            }
        }
        let through = |since: i64, until: Option<i64>| {
            let mut kept: Vec<(usize, usize)> = Vec::new();
            let mut place = 0;
            for line in text.split_inclusive('\n') {
                let stamp = line.get(..20).and_then(|stamp| stamp.parse::<Timestamp>().ok());
                match stamp {
                    Some(stamp) => {
                        let seconds = stamp.seconds() - BASE;
                        let holds = seconds >= since && until.is_none_or(|until| seconds < until);
                        kept.push((place, if holds { place + line.len() } else { 0 }));
                    }
                    None => {
                        if let Some((_, end)) = kept.last_mut().filter(|(_, end)| *end > 0) {
                            *end += line.len();
                        }
                    }
                }
                place += line.len();
            }
            let first = kept.iter().find(|(_, end)| *end > 0).map(|(start, _)| *start);
            let last = kept.iter().rev().find(|(_, end)| *end > 0).map(|(_, end)| *end);
            first.zip(last).map_or("nothing".to_owned(), |(first, last)| format!("heading\n{}", &text[first..last]))
        };
        for (since, until) in [
            (1_500_000, None),
            (999_000, Some(1_001_000)),
            (1_000_000, Some(1_000_010)),
            (0, Some(30)),
            (-100, None),
            (1_999_990, None),
            (1_200_003, Some(1_700_004)),
        ] {
            let (found, expected) = (cut(&text, Some(since), until), through(since, until));
            assert!(found == expected, "{since} {until:?}: {} and {} bytes", found.len(), expected.len());
        }
        assert_eq!(cut(&text, Some(2_100_000), None), "nothing");
    }

    #[test]
    fn little_of_a_large_sorted_file_is_read() {
        struct Counting<'a>(Cursor<&'a [u8]>, usize);
        impl Read for Counting<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = self.0.read(buffer)?;
                self.1 += length;
                Ok(length)
            }
        }
        impl Seek for Counting<'_> {
            fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
                self.0.seek(to)
            }
        }
        let mut text = String::new();
        for number in 0..600_000 {
            text.push_str(&line(number, &"x".repeat(60)));
        }
        let window = window(Some(500_000), None);
        let reading = window.reading(Timestamp::from_seconds(BASE + 600_000));
        let mut file = Counting(Cursor::new(text.as_bytes()), 0);
        let found = within(&mut file, text.len() as u64, &window, &reading, &|| true).unwrap();
        let Within::Part { start, end, .. } = found else { panic!("{found:?}") };
        assert_eq!((start, end), (500_000 * 82, text.len() as u64));
        assert!(file.1 < text.len() / 5, "{} of {} bytes were read", file.1, text.len());
    }

    #[test]
    fn stamps_that_fall_are_read_through() {
        let text: String = (0..100_000).rev().map(|number| line(number, &"x".repeat(40))).collect();
        let newest: String = (99_998..100_000).rev().map(|number| line(number, &"x".repeat(40))).collect();
        assert_eq!(cut(&text, Some(99_998), None), newest);
        let oldest: String = (0..2).rev().map(|number| line(number, &"x".repeat(40))).collect();
        assert_eq!(cut(&text, None, Some(2)), oldest);
    }

    #[test]
    fn the_search_ends_when_it_is_told_to() {
        let text = line(0, "a");
        let window = window(Some(0), None);
        let reading = window.reading(Timestamp::from_seconds(BASE));
        let error = within(&mut Cursor::new(text.as_bytes()), 10, &window, &reading, &|| false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
