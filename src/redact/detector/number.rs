//! Numbers that may be somebody's: groups of digits and letters with single joints between them.
//!
//! Cards, accounts, devices and national identifiers are read from here: each detector gets the number once, taken apart,
//! and decides by its shape and its checksum. A number is either a run of words joined by `-`, `.` or `/`, or a run of words
//! with single blanks between them; it is never a part of a longer one, so that columns of figures stay what they are.

use crate::redact::text::{CLASS, DIGIT, HIGH, WORD, before, byte, is};

/// Longest number that is looked at, in bytes with its joints.
pub(crate) const LONGEST: usize = 48;
/// Most groups of a number.
const MOST_GROUPS: usize = 12;
/// Fewest digits, as [`four_digits`](crate::redact::masks::Masks::four_digits) counts them, and fewest letters and digits, of a
/// number.
const FEWEST: (usize, usize) = (4, 6);

/// A number in a line, taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Number {
    /// Where it begins in the line.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// How many of its signs are digits.
    pub(crate) digits: usize,
    signs: [u8; LONGEST],
    length: usize,
    groups: [u8; MOST_GROUPS],
    joints: [u8; MOST_GROUPS],
    count: usize,
}

impl Number {
    /// Takes the bytes from `start` to `end` apart; `None` when they are too few, too many, or something else stands in
    /// between.
    pub(crate) fn read(text: &[u8], start: usize, end: usize) -> Option<Self> {
        let bytes = text.get(start..end).filter(|bytes| (FEWEST.1..=LONGEST).contains(&bytes.len()))?;
        let mut number = Self {
            start,
            end,
            digits: 0,
            signs: [0; LONGEST],
            length: 0,
            groups: [0; MOST_GROUPS],
            joints: [0; MOST_GROUPS],
            count: 0,
        };
        for &b in bytes {
            if b.is_ascii_alphanumeric() {
                number.signs[number.length] = b.to_ascii_uppercase();
                number.length += 1;
                number.digits += usize::from(b.is_ascii_digit());
                number.groups[number.count] += 1;
            } else {
                number.joints[number.count] = b;
                number.count += 1;
                if number.count == MOST_GROUPS {
                    return None;
                }
            }
        }
        number.count += 1;
        (number.digits >= FEWEST.0 && number.length >= FEWEST.1).then_some(number)
    }

    /// Its letters, in upper case, and digits, without joints.
    pub(crate) fn signs(&self) -> &[u8] {
        &self.signs[..self.length]
    }

    /// The same as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.signs()).expect("letters and digits of ASCII")
    }

    /// Whether it has no letters.
    pub(crate) fn is_digits(&self) -> bool {
        self.digits == self.length
    }

    /// Whether it has no joints.
    pub(crate) fn is_plain(&self) -> bool {
        self.count == 1
    }

    /// The lengths of its groups.
    pub(crate) fn groups(&self) -> &[u8] {
        &self.groups[..self.count]
    }

    /// The joints between them.
    pub(crate) fn joints(&self) -> &[u8] {
        &self.joints[..self.count - 1]
    }

    /// Whether its groups have these lengths and these joints; one joint stands for all.
    pub(crate) fn grouped(&self, groups: &[u8], joints: &[u8]) -> bool {
        self.groups() == groups
            && match joints {
                [joint] => self.joints().iter().all(|b| b == joint),
                joints => self.joints() == joints,
            }
    }

    /// Whether its signs have a shape: `9` stands for a digit, `A` for a letter, `*` for either.
    pub(crate) fn shaped(&self, shape: &[u8]) -> bool {
        self.length == shape.len()
            && self.signs().iter().zip(shape).all(|(b, s)| match s {
                b'9' => b.is_ascii_digit(),
                b'A' => b.is_ascii_uppercase(),
                _ => true,
            })
    }

    /// The value of the digit at `place`; 0 for a letter.
    pub(crate) fn digit(&self, place: usize) -> u32 {
        let sign = self.signs[place];
        if sign.is_ascii_digit() { u32::from(sign - b'0') } else { 0 }
    }

    /// The number that `length` digits from `place` make; at most 18.
    pub(crate) fn value(&self, place: usize, length: usize) -> u64 {
        (place..place + length).fold(0, |value, at| value * 10 + u64::from(self.digit(at)))
    }

    /// Whether nothing of an identifier's kind stands right before or behind it.
    pub(crate) fn stands_alone(&self, text: &[u8]) -> bool {
        let last = before(text, 0, self.start);
        let next = byte(text, self.end);
        let joined = |b: u8| matches!(b, b'-' | b'_' | b'+' | b'@' | b'%' | b'$' | b'~' | b'*');
        // A fraction, an offset, a part of a longer name.
        let fraction = last == b'.' && self.start > 1 && text[self.start - 2].is_ascii_alphanumeric()
            || last == b',' && self.start > 1 && is(text[self.start - 2], DIGIT) && self.count > 1;
        let goes_on = matches!(next, b'-' | b'.' | b'/') && byte(text, self.end + 1).is_ascii_digit();
        !(joined(last) || fraction || goes_on || joined(next) && byte(text, self.end + 1).is_ascii_alphanumeric())
    }

    /// Whether it is the bare number of a JSON text: its key would say it if it were somebody's, and what stands for a
    /// dropped value is no number.
    pub(crate) fn is_json_number(&self, text: &[u8]) -> bool {
        let mut at = self.start;
        while at > 0 && text[at - 1] == b' ' && self.start - at < 3 {
            at -= 1;
        }
        at > 1 && text[at - 1] == b':' && text[at - 2] == b'"' && self.is_digits()
    }

    /// Whether the key before it says that it counts or measures something: `bytes=`, `duration:`, `"ts":`; or a unit stands
    /// behind it.
    pub(crate) fn is_measure(&self, text: &[u8]) -> bool {
        let floor = self.start.saturating_sub(40);
        let mut at = self.start;
        while at > floor && matches!(text[at - 1], b' ' | b'=' | b':' | b'"' | b'\'' | b'[' | b'(' | b'#') {
            at -= 1;
        }
        let from = text[floor..at].iter().rposition(|&b| !b.is_ascii_alphanumeric()).map_or(floor, |p| floor + p + 1);
        let key = &text[from..at];
        // `bytes`, `totalBytes`; an account is no count.
        let measures = |word: &&str| {
            let start = key.len().wrapping_sub(word.len());
            key.get(start..).is_some_and(|last| last.eq_ignore_ascii_case(word.as_bytes()))
                && (start == 0 || key[start].is_ascii_uppercase() && key[start - 1].is_ascii_lowercase())
        };
        let unit_end = self.end
            + 1
            + text[(self.end + 1).min(text.len())..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let unit = if byte(text, self.end) == b' ' {
            &text[(self.end + 1).min(text.len())..unit_end.min(text.len())]
        } else {
            b""
        };
        MEASURES.iter().any(measures) || UNITS.iter().any(|word| unit.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// Last parts of keys whose numbers count or measure.
const MEASURES: [&str; 50] = [
    "took",
    "after",
    "at",
    "bytes",
    "byte",
    "size",
    "length",
    "len",
    "duration",
    "time",
    "timestamp",
    "ts",
    "count",
    "counter",
    "total",
    "offset",
    "seq",
    "sequence",
    "ssrc",
    "csrc",
    "port",
    "pid",
    "tid",
    "latency",
    "elapsed",
    "ns",
    "us",
    "ms",
    "usec",
    "nsec",
    "msec",
    "rtp",
    "packets",
    "octets",
    "inode",
    "build",
    "version",
    "revision",
    "rev",
    "commit",
    "epoch",
    "nonce",
    "rate",
    "bitrate",
    "sum",
    "max",
    "min",
    "avg",
    "address",
    "clock",
];

/// Units behind a number.
const UNITS: [&str; 18] = [
    "bytes", "byte", "kb", "mb", "gb", "kib", "mib", "gib", "ns", "us", "ms", "s", "sec", "seconds", "packets", "hz",
    "bps", "octets",
];

/// Where the run of letters and digits of ASCII ends that begins at `from`, and whether a digit is among them.
#[inline]
fn word_end(text: &[u8], from: usize) -> (usize, bool) {
    let (mut classes, mut at) = (0, from);
    for &b in text.get(from..).unwrap_or_default() {
        let class = CLASS[usize::from(b)];
        if class & (WORD | HIGH) != WORD {
            break;
        }
        classes |= class;
        at += 1;
    }
    (at, classes & DIGIT != 0)
}

/// Where the word with a digit that begins at `start` ends, with the words that are joined to it.
fn token_end(text: &[u8], first_end: usize) -> usize {
    let mut end = first_end;
    while matches!(byte(text, end), b'-' | b'.' | b'/') {
        let (stop, digit) = word_end(text, end + 1);
        let check = text[end] == b'-' && stop == end + 2;
        if stop == end + 1 || !digit && !check {
            break;
        }
        end = stop;
    }
    end
}

/// Whether a colon makes the token a time of day, a part of an address or of a hardware address.
fn of_time(text: &[u8], start: usize, end: usize) -> bool {
    before(text, 0, start) == b':' && start > 1 && is(text[start - 2], DIGIT)
        || byte(text, end) == b':' && is(byte(text, end + 1), DIGIT)
}

/// Whether a detector may want what stands from `start` to `end`: a first look that costs little, for nearly all words with a
/// digit are names, versions, dates and counters.
fn worth(text: &[u8], start: usize, end: usize) -> bool {
    let bytes = &text[start..end];
    if !(FEWEST.1..=LONGEST).contains(&bytes.len()) {
        return false;
    }
    let (mut digits, mut letters, mut points) = (0, 0, 0);
    for &b in bytes {
        let class = CLASS[usize::from(b)];
        digits += usize::from(class & DIGIT != 0);
        letters += usize::from(class & (WORD | DIGIT | HIGH) == WORD);
        points += usize::from(b == b'.');
    }
    let joints = bytes.len() - digits - letters;
    if letters > 0 {
        // Only accounts are longer than that, and they begin with a country and two digits.
        let account = matches!(bytes, [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit());
        digits >= FEWEST.0 && bytes.len() >= 8 && (account || bytes.len() <= if joints == 0 { 18 } else { 24 })
    } else if joints == 0 {
        digits > 10 || before(text, 0, start) == b'<'
    } else {
        // 192.168.100.200 and 2026-11-21 are none.
        let date = bytes.len() == 10 && bytes[0] != b'0' && bytes[4] == b'-' && bytes[7] == b'-';
        digits >= 6 && !date && !(points == 3 && joints == 3 && digits <= 12)
    }
}

/// Whether no detector wants the run of letters and digits from `start` to `end`, nor what is joined to it: it is short, and
/// nothing is joined to it. Most numbers of a log are like that.
#[inline]
pub(crate) fn is_nobodys(text: &[u8], start: usize, end: usize) -> bool {
    if end - start > 7 || before(text, 0, start) == b'<' {
        return false;
    }
    match byte(text, end) {
        b'-' | b'.' | b'/' => false,
        b' ' => !word_end(text, end + 1).1,
        next => next < 0x80,
    }
}

/// Calls `found` with the numbers that begin with the word at `start`, which holds a digit and whose first sign does not
/// follow a letter or digit: each of a run of words with blanks between them, and then the run; `all`: those as well that
/// nobody wants without a word beside them. Gives where to go on.
fn each(text: &[u8], start: usize, all: bool, found: &mut dyn FnMut(&Number)) -> usize {
    let mut at = start;
    let mut words = 0;
    loop {
        let (first, _) = word_end(text, at);
        let end = token_end(text, first);
        let of_time = of_time(text, at, end);
        if !of_time
            && (all || worth(text, at, end))
            && let Some(number) = Number::read(text, at, end)
        {
            found(&number);
        }
        // An area code may be joined to the first group: 030/123 45 67.
        let code = at == start && byte(text, first) == b'/' && word_end(text, first + 1).0 == end;
        let simple = (end == first || code) && !of_time;
        if simple {
            words += 1;
        }
        let more = simple && byte(text, end) == b' ' && word_end(text, end + 1).1;
        if !more {
            let last = if simple { end } else { at.saturating_sub(1) };
            if words > 1
                && let Some(number) = Number::read(text, start, last)
            {
                found(&number);
            }
            return end;
        }
        at = end + 1;
    }
}

/// Calls `found` with the numbers that begin between `from` and `to`, which stand between words; gives where to go on.
pub(crate) fn each_within(text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(&Number)) -> usize {
    between(text, from, to, true, found)
}

/// The same for the numbers that may be known without a word beside them.
pub(crate) fn each_telling(text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(&Number)) -> usize {
    between(text, from, to, false, found)
}

fn between(text: &[u8], from: usize, to: usize, all: bool, found: &mut dyn FnMut(&Number)) -> usize {
    let mut at = from;
    while at < to {
        let (end, digit) = word_end(text, at);
        at = if digit { each(text, at, all, found) } else { end.max(at + 1) };
        // What is joined to the number may go on with letters.
        if at > from && text.get(at - 1).is_some_and(u8::is_ascii_alphanumeric) {
            at = word_end(text, at).0;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_within(text.as_bytes(), 0, text.len(), &mut |number| all.push(text[number.start..number.end].to_owned()));
        all
    }

    #[test]
    fn a_number_is_a_whole_run_of_groups() {
        assert_eq!(numbers("id 078-05-1126, DE89 3704 0044 0532 x"), ["078-05-1126", "DE89 3704 0044 0532"]);
        assert_eq!(numbers("uid 1000 4928710360459288"), ["4928710360459288", "1000 4928710360459288"]);
        assert_eq!(numbers("Y7204815-X X8350427R"), ["Y7204815-X", "X8350427R"]);
        assert_eq!(numbers("50 160357 W482"), ["160357", "50 160357 W482"]);
    }

    #[test]
    fn times_and_long_dumps_are_none() {
        for text in ["2026-11-21T14:20:01.123456", "3c:a8:2a:01:02:03", "12 34", &"00 11 22 33 ".repeat(20)] {
            assert!(numbers(text).is_empty(), "{text}: {:?}", numbers(text));
        }
    }
}
