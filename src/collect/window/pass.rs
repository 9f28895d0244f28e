//! Passes the lines of a stream that lie within a window.

use std::io::{self, Read, Write};

use super::{BEGINNING, Lines, Reading, Window, is_text};

/// What came of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::collect) struct Passed {
    /// Bytes that were read.
    pub(in crate::collect) read: u64,
    /// Bytes that were passed on.
    pub(in crate::collect) written: u64,
    /// Bytes before the first stamp.
    pub(in crate::collect) heading: u64,
    /// Whether it had stamps; what has none is passed on whole.
    pub(in crate::collect) stamped: bool,
}

/// Where in a stream the present line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first stamp.
    Heading,
    Within,
    Outside,
}

/// Copies the lines that lie within; lines without a stamp go with the one before, and those before the first stamp with the
/// first that lies within. `go_on` is asked now and then; when it says no, an error ends it.
pub(in crate::collect) fn pass(
    mut from: impl Read,
    to: &mut impl Write,
    window: &Window,
    reading: &Reading,
    go_on: &dyn Fn() -> bool,
) -> io::Result<Passed> {
    let mut beginning = Vec::new();
    from.by_ref().take(BEGINNING as u64).read_to_end(&mut beginning)?;
    let stamped =
        is_text(&beginning) && beginning.split(|&byte| byte == b'\n').any(|line| reading.stamp(line).is_some());
    let mut passed = Passed { stamped, ..Passed::default() };
    let mut place = if stamped { Place::Heading } else { Place::Within };
    let mut heading = Vec::new();
    let mut unasked = 0;
    Lines::new(beginning.as_slice().chain(from), 0).for_each(|piece, bytes| {
        passed.read += bytes.len() as u64;
        unasked += bytes.len();
        if unasked > 1 << 20 {
            unasked = 0;
            if !go_on() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        if stamped
            && piece.first
            && let Some(stamp) = reading.stamp(bytes)
        {
            place = if window.holds(stamp) { Place::Within } else { Place::Outside };
        }
        if place == Place::Heading {
            passed.heading += bytes.len() as u64;
        }
        match place {
            Place::Heading if heading.len() <= BEGINNING => heading.extend_from_slice(bytes),
            Place::Within => {
                to.write_all(&heading)?;
                to.write_all(bytes)?;
                passed.written += (heading.len() + bytes.len()) as u64;
                heading = Vec::new();
            }
            Place::Heading | Place::Outside => {}
        }
        Ok(true)
    })?;
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::clock::Timestamp;

    fn passed(text: &str, since: &str, until: Option<&str>) -> (String, Passed) {
        let window = Window {
            since: Some(since.parse().unwrap()),
            until: until.map(|until| until.parse().unwrap()),
            slack: 0,
            zone: TimeZone::UTC,
        };
        let mut out = Vec::new();
        let reading = window.reading(Timestamp::MAX);
        let passed = pass(text.as_bytes(), &mut out, &window, &reading, &|| true).unwrap();
        assert_eq!((passed.read, passed.written), (text.len() as u64, out.len() as u64));
        (String::from_utf8(out).unwrap(), passed)
    }

    #[test]
    fn lines_within_pass_with_what_belongs_to_them_and_the_heading() {
        let text = "time,what\n2026-11-20 10:00:00,a\n of a\n2026-11-20 11:00:00,b\n of b\n2026-11-20 12:00:00,c\n";
        let (out, _) = passed(text, "2026-11-20T10:30:00Z", None);
        assert_eq!(out, "time,what\n2026-11-20 11:00:00,b\n of b\n2026-11-20 12:00:00,c\n");
        let (out, _) = passed(text, "2026-11-20T10:30:00Z", Some("2026-11-20T12:00:00Z"));
        assert_eq!(out, "time,what\n2026-11-20 11:00:00,b\n of b\n");
        let (out, nothing) = passed(text, "2026-11-21T00:00:00Z", None);
        assert!(out.is_empty() && nothing.stamped);
    }

    #[test]
    fn what_has_no_stamps_passes_whole() {
        for text in ["", "a\nb", "\0binary 2026-11-20 10:00:00\n"] {
            let (out, passed) = passed(text, "2026-11-21T00:00:00Z", None);
            assert!(out == text && !passed.stamped);
        }
        let long = format!("2026-11-20 10:00:00 {}\n2026-11-22 10:00:00 end\n", "x".repeat(2 << 20));
        assert_eq!(passed(&long, "2026-11-21T00:00:00Z", None).0, "2026-11-22 10:00:00 end\n");
    }
}
