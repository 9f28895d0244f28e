//! Reads the time stamp a line of a log begins with.
//!
//! Known are RFC 3339 and its looser forms (`2026-11-20 10:09:51,123`, `2026/11/20 10:09:51`, `20-Nov-2026 10:09:51`), syslog
//! without a year, RFC 5424, ctime, web servers' `[20/Nov/2026:10:09:51 +0000]`, klog, seconds and milliseconds since 1970,
//! `audit(…)`, `time=` and `ts=`, and JSON lines with a member such as `"time"`. A stamp without an offset is read in the
//! window's time zone.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use memchr::{memchr_iter, memmem};

use crate::clock::Timestamp;

/// How far into a line a stamp is looked for, in bytes.
pub(super) const LOOKED_AT: usize = 4096;
/// How far into a line a web server's stamp in brackets may stand.
const IN_BRACKETS: usize = 512;
/// How far into a line `time=` may stand.
const BEHIND_A_KEY: usize = 96;
/// Seconds by which a clock may be ahead: a stamp without a year is not later than that behind the file's last change.
const AHEAD: i64 = 86_400;
/// Names of members that hold a JSON line's time.
const MEMBERS: [&str; 7] = ["time", "ts", "timestamp", "@timestamp", "t", "datetime", "date"];
/// Keys that hold a line's time.
const KEYS: [&str; 4] = ["time=", "ts=", "timestamp=", "t="];

/// What is known about a log besides its lines.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Where stamps without an offset were written.
    pub(crate) zone: TimeZone,
    /// When the log was last changed: stamps without a year are not later.
    pub(crate) latest: Timestamp,
}

impl Reading {
    /// The instant at the beginning of a line, in seconds since 1970; `None` when there is none. The line may be cut behind
    /// [`LOOKED_AT`] bytes.
    pub(crate) fn stamp(&self, line: &[u8]) -> Option<i64> {
        let line = &line[..line.len().min(LOOKED_AT)];
        let line = line.trim_ascii_end();
        if line.first() == Some(&b'{') {
            return self.json(line);
        }
        let start = beginning(line);
        self.moment(start).or_else(|| self.klog(start)).or_else(|| self.keyed(line)).or_else(|| self.bracketed(line))
    }

    /// A stamp in any form that stands by itself.
    fn moment(&self, text: &[u8]) -> Option<i64> {
        match text.first()? {
            b'0'..=b'9' => self.date_time(text).or_else(|| self.day_first(text)).or_else(|| epoch(text)),
            b'A'..=b'Z' => self.month_first(text),
            _ => None,
        }
    }

    /// `2026-11-20T10:09:51.123+01:00` and what is like it; `20261120T100951Z` too.
    fn date_time(&self, text: &[u8]) -> Option<i64> {
        let year = number(text, 4)?;
        let (month, day, rest) = match text.get(4)? {
            mark @ (b'-' | b'/') if text.get(7) == Some(mark) => {
                (number(&text[5..], 2)?, number(&text[8..], 2)?, text.get(10..)?)
            }
            b'0'..=b'9' if text.get(8) == Some(&b'T') => (number(&text[4..], 2)?, number(&text[6..], 2)?, &text[8..]),
            _ => return None,
        };
        if !matches!(rest.first()?, b'T' | b't' | b' ' | b'_' | b':') {
            return None;
        }
        let (time, rest) = time(&rest[1..])?;
        self.instant((year, month, day), time, rest)
    }

    /// `20-Nov-2026 10:09:51`, `20/Nov/2026:10:09:51 +0000`, `20 Nov 2026 10:09:51`.
    fn day_first(&self, text: &[u8]) -> Option<i64> {
        let mark = *text.get(2)?;
        if !matches!(mark, b'-' | b'/' | b' ') || *text.get(6)? != mark {
            return None;
        }
        let (day, month, year) = (number(text, 2)?, month(&text[3..])?, number(&text[7..], 4)?);
        if !matches!(text.get(11)?, b':' | b' ') {
            return None;
        }
        let (time, rest) = time(&text[12..])?;
        self.instant((year, month, day), time, rest)
    }

    /// `Nov 20 10:09:51`, `Nov 20 2026 10:09:51`, `Fri Nov 20 10:09:51.123 2026`.
    fn month_first(&self, text: &[u8]) -> Option<i64> {
        let text = if weekday(text) { text.get(4..)? } else { text };
        let month = month(text)?;
        if text.get(3) != Some(&b' ') {
            return None;
        }
        let text = text[4..].trim_ascii_start();
        let (day, text) = match text {
            [tens @ b'0'..=b'3', ones @ b'0'..=b'9', b' ', rest @ ..] => {
                (i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest)
            }
            [ones @ b'1'..=b'9', b' ', rest @ ..] => (i64::from(ones - b'0'), rest),
            _ => return None,
        };
        if let (Some(year), Some(b' ')) = (number(text, 4), text.get(4)) {
            let (time, rest) = time(&text[5..])?;
            return self.instant((year, month, day), time, rest);
        }
        let (time, rest) = time(text)?;
        let (offset, after) = offset(rest);
        match after.strip_prefix(b" ").and_then(|rest| number(rest, 4).filter(|_| ends(&rest[4..]))) {
            Some(year) => self.at((year, month, day), time, offset),
            None => self.without_year(month, day, time, offset),
        }
    }

    /// `I1120 10:09:51.123456   12345 file.go:12]`.
    fn klog(&self, text: &[u8]) -> Option<i64> {
        let [b'I' | b'W' | b'E' | b'F', rest @ ..] = text else { return None };
        let (month, day) = (number(rest, 2)?, number(rest.get(2..)?, 2)?);
        if rest.get(4) != Some(&b' ') {
            return None;
        }
        let (time, _) = time(&rest[5..])?;
        self.without_year(month, day, time, None)
    }

    /// `level=info ts=2026-…`, `type=SYSCALL msg=audit(1763633391.123:456)`.
    fn keyed(&self, line: &[u8]) -> Option<i64> {
        let line = &line[..line.len().min(BEHIND_A_KEY + 40)];
        if let Some(at) = memmem::find(line, b"audit(") {
            return epoch(&line[at + 6..]);
        }
        let key = KEYS.iter().find_map(|key| {
            let mut found = memmem::find_iter(line, key);
            found.find(|&at| at <= BEHIND_A_KEY && (at == 0 || line[at - 1] == b' ')).map(|at| at + key.len())
        })?;
        self.moment(line[key..].strip_prefix(b"\"").unwrap_or(&line[key..]))
    }

    /// `198.51.100.7 - - [20/Nov/2026:10:09:51 +0000] "GET …`.
    fn bracketed(&self, line: &[u8]) -> Option<i64> {
        let line = &line[..line.len().min(IN_BRACKETS)];
        memchr_iter(b'[', line).take(4).find_map(|at| self.day_first(&line[at + 1..]))
    }

    /// `{"time":"2026-…",…}` or `{"ts":1763633391.12,…}` on one line.
    fn json(&self, line: &[u8]) -> Option<i64> {
        memchr_iter(b'"', line).find_map(|at| {
            let name = &line[at + 1..];
            let member = MEMBERS.iter().find(|member| {
                name.starts_with(member.as_bytes()) && name.get(member.len()) == Some(&b'"') && !escaped(line, at)
            })?;
            let value = name[member.len() + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
            self.moment(value.strip_prefix(b"\"").unwrap_or(value))
        })
    }

    fn instant(&self, date: (i64, i64, i64), time: (i64, i64, i64), rest: &[u8]) -> Option<i64> {
        self.at(date, time, offset(rest).0)
    }

    fn at(
        &self,
        (year, month, day): (i64, i64, i64),
        (hour, minute, second): (i64, i64, i64),
        offset: Option<Offset>,
    ) -> Option<i64> {
        let [month, day, hour, minute, second] =
            [month, day, hour, minute, second.min(59)].map(|number| i8::try_from(number).unwrap_or(-1));
        let civil = DateTime::new(i16::try_from(year).ok()?, month, day, hour, minute, second, 0).ok()?;
        let instant = match offset {
            Some(offset) => offset.to_timestamp(civil),
            None => self.zone.to_ambiguous_timestamp(civil).compatible(),
        };
        instant.ok().map(jiff::Timestamp::as_second)
    }

    /// The last such day that is not later than the log's last change.
    fn without_year(&self, month: i64, day: i64, time: (i64, i64, i64), offset: Option<Offset>) -> Option<i64> {
        let this = i64::from(self.zone.to_datetime(self.latest.to_jiff()).year()) + 1;
        // A 29th of February comes every fourth year, or every eighth.
        (0..=9).find_map(|back| {
            let instant = self.at((this - back, month, day), time, offset)?;
            (instant <= self.latest.seconds() + AHEAD).then_some(instant)
        })
    }
}

/// A line without what may stand before its stamp: a priority with a version, a bracket, quotes, an id.
fn beginning(line: &[u8]) -> &[u8] {
    let mut line = line;
    if let [b'<', rest @ ..] = line
        && let Some(end) = rest.iter().take(4).position(|&byte| byte == b'>')
        && end > 0
        && rest[..end].iter().all(u8::is_ascii_digit)
    {
        line = &rest[end + 1..];
        line = line.strip_prefix(b"1 ").unwrap_or(line);
    }
    // A session's id, as FreeSWITCH writes it.
    if line.len() > 37 && line[36] == b' ' && [8, 13, 18, 23].iter().all(|&at| line[at] == b'-') {
        line = &line[37..];
    }
    line.strip_prefix(b"[").or_else(|| line.strip_prefix(b"\"")).unwrap_or(line)
}

/// So many digits as a number.
fn number(text: &[u8], digits: usize) -> Option<i64> {
    text.get(..digits)?
        .iter()
        .try_fold(0, |number, &byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Hours, minutes, seconds.
type Clock = (i64, i64, i64);

/// Hours, minutes and seconds with what stands behind them; a fraction of a second is passed over.
fn time(text: &[u8]) -> Option<(Clock, &[u8])> {
    let (time, rest) = if text.get(2) == Some(&b':') && text.get(5) == Some(&b':') {
        ((number(text, 2)?, number(&text[3..], 2)?, number(&text[6..], 2)?), &text[8..])
    } else {
        ((number(text, 2)?, number(text.get(2..)?, 2)?, number(text.get(4..)?, 2)?), &text[6..])
    };
    let rest = match rest {
        [b'.' | b',', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
            &digits[digits.iter().take_while(|byte| byte.is_ascii_digit()).count()..]
        }
        _ => rest,
    };
    Some((time, rest))
}

/// An offset from UTC with what stands behind it; `None` when there is none.
fn offset(text: &[u8]) -> (Option<Offset>, &[u8]) {
    let near = text.strip_prefix(b" ").unwrap_or(text);
    for name in [&b"Z"[..], b"UTC", b"GMT"] {
        if let Some(rest) = near.strip_prefix(name)
            && ends(rest)
        {
            return (Some(Offset::UTC), rest);
        }
    }
    let read = || {
        let sign = match near.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = number(&near[1..], 2)?;
        let (minutes, length) = match near.get(3) {
            Some(b':') => (number(&near[4..], 2)?, 6),
            _ => number(&near[3..], 2).map_or((0, 3), |minutes| (minutes, 5)),
        };
        let seconds = i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()?;
        let rest = near.get(length..).filter(|rest| ends(rest) && minutes < 60)?;
        Some((Offset::from_seconds(seconds).ok()?, rest))
    };
    read().map_or((None, text), |(offset, rest)| (Some(offset), rest))
}

/// Whether a word is over here.
fn ends(text: &[u8]) -> bool {
    !text.first().is_some_and(u8::is_ascii_alphanumeric)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their digits, from 2001 to 2096.
fn epoch(text: &[u8]) -> Option<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let divisor = match digits {
        10 => 1,
        13 => 1_000,
        16 => 1_000_000,
        19 => 1_000_000_000,
        _ => return None,
    };
    let ended =
        matches!(text.get(digits), None | Some(b'.' | b' ' | b'\t' | b',' | b';' | b':' | b']' | b'}' | b'"' | b'|'));
    let seconds = number(text, digits)? / divisor;
    (ended && (1_000_000_000..4_000_000_000).contains(&seconds)).then_some(seconds)
}

fn month(text: &[u8]) -> Option<i64> {
    const NAMES: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = text.get(..3)?;
    let at = NAMES.chunks_exact(3).position(|month| month == name)?;
    i64::try_from(at + 1).ok()
}

fn weekday(text: &[u8]) -> bool {
    const NAMES: &[u8; 21] = b"MonTueWedThuFriSatSun";
    text.get(..3).is_some_and(|name| NAMES.chunks_exact(3).any(|day| day == name)) && text.get(3) == Some(&b' ')
}

/// Whether the quote at a place stands behind an odd number of backslashes.
fn escaped(line: &[u8], at: usize) -> bool {
    line[..at].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests;
