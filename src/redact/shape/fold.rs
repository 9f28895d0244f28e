//! Logical lines: line ends that were written as text into a line of a log.
//!
//! Programs that log a whole message write its line ends as `^M` (a carriage return, as terminals show it) or, as syslog
//! daemons do, as `#015#012`. What stands between them are lines of their own: a header's name begins there, a value ends.
//! The other way round, a header may go on in the next line, which then begins with a blank (RFC 5322, section 2.2.3).

use std::ops::Range;

use super::super::category::Category;
use super::super::keys::KeyClass;
use super::super::text::{SPACE, byte, is, run};
use super::Sink;

/// What a header holds that may go on in the next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folded {
    /// A name in quotation marks that are still open.
    Name,
    /// A cookie or the like, up to its end.
    Secret,
}

const NAMES: [&str; 12] = [
    "from",
    "to",
    "contact",
    "cc",
    "reply-to",
    "referred-by",
    "refer-to",
    "diversion",
    "p-asserted-identity",
    "p-preferred-identity",
    "remote-party-id",
    "sender",
];
const SECRETS: [&str; 4] = ["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// Begins a header that may go on.
pub(super) fn begin(line: &[u8], sink: &mut Sink<'_, '_>) -> Option<Folded> {
    // What the names of those headers begin with.
    if !matches!(line.first()? | 0x20, b'a' | b'c' | b'd' | b'f' | b'p' | b'r' | b's' | b't') {
        return None;
    }
    let end = memchr::memchr(b':', &line[..line.len().min(24)])?;
    let is_one_of = |names: &[&str]| names.iter().any(|name| line[..end].eq_ignore_ascii_case(name.as_bytes()));
    if is_one_of(&NAMES) {
        let quotes = memchr::memchr_iter(b'"', line).filter(|&at| line[at - 1] != b'\\').count();
        if quotes % 2 == 0 {
            return None;
        }
        let open = memchr::memrchr(b'"', line)?;
        sink.value(open + 1, line.len(), KeyClass::Person);
        return Some(Folded::Name);
    }
    let start = run(line, end + 1, SPACE);
    let digest = line.len() >= start + 6 && line[start..start + 6].eq_ignore_ascii_case(b"digest");
    (is_one_of(&SECRETS) && !digest).then_some(Folded::Secret)
}

/// Reads the next line; whether it goes on with the header.
pub(super) fn go_on(line: &[u8], folded: Folded, sink: &mut Sink<'_, '_>) -> bool {
    let start = run(line, 0, SPACE);
    if start == 0 || start >= line.len() || !is(byte(line, 0), SPACE) {
        return false;
    }
    match folded {
        Folded::Name => {
            let end = memchr::memchr(b'"', line).unwrap_or(line.len());
            sink.value(start.min(end), end, KeyClass::Person);
        }
        Folded::Secret => sink.value(start, line.len(), KeyClass::Drop(Category::Secret)),
    }
    true
}

/// Most lines that are told apart in one; what is beyond is one more.
const MOST: usize = 4096;

/// The place of the next such line end at or after `from`.
fn next_end(line: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(start) = line.get(at..).and_then(|rest| memchr::memchr2(b'^', b'#', rest)).map(|offset| at + offset)
    {
        let mark = |text: &[u8]| line[start..].starts_with(text);
        if mark(b"^M") {
            return Some(start..start + 2);
        }
        if mark(b"#015#012") {
            return Some(start..start + 8);
        }
        if mark(b"#012") || mark(b"#015") {
            return Some(start..start + 4);
        }
        at = start + 1;
    }
    None
}

/// The places of the line ends written into a line.
pub(crate) fn ends(line: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let end = next_end(line, at)?;
        at = end.end;
        Some(end)
    })
    .take(MOST)
}

/// The logical lines of a line that has several; nothing when it is one.
pub(crate) fn lines(line: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut ends = ends(line).peekable();
    let mut at = ends.peek().map(|_| 0);
    std::iter::from_fn(move || {
        let start = at?;
        let end = ends.next();
        at = end.as_ref().map(|end| end.end);
        Some(start..end.map_or(line.len(), |end| end.start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_written_as_text_divide_a_line() {
        let text = b"a^Mb#015#012c#012^M#1";
        let found: Vec<_> = lines(text).map(|range| &text[range]).collect();
        assert_eq!(found, [b"a".as_slice(), b"b", b"c", b"", b"#1"]);
        assert_eq!(lines(b"a ^ b # c").count(), 0);
    }
}
