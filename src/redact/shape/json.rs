//! Lists and objects of JSON under a known key, on one line or over many, plain or escaped within a string.
//!
//! Strings in quotation marks behind `n` backslashes are the strings of one level: `\"` within a string, `\\\"` within a
//! string of a string. Lists and maps of YAML's flow style read the same, with bare words.

use super::super::category::Category;
use super::super::detector::key_before;
use super::super::hit::{Form, Hit};
use super::super::keys::KeyClass;
use super::super::text::{DIGIT, IDENT, SPACE, byte, is, run, run_back};
use super::{Sink, State, is_mark, member};

/// Deepest nesting that is followed.
const DEEPEST: usize = 32;
/// Most backslashes before the quotation marks of a string in which JSON is read, with the mark.
const MOST_SLASHES: usize = 16;

/// A list or object that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    frames: Vec<Frame>,
    /// Whether the next text is a value, and of what class.
    awaits: Option<Option<KeyClass>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    list: bool,
    class: Option<KeyClass>,
}

impl Open {
    /// Before the list or object that is the value of a key.
    pub(super) fn awaiting(class: KeyClass) -> Self {
        Self { frames: Vec::new(), awaits: Some(Some(class)) }
    }

    /// Before a list or object of which nothing is known.
    pub(super) const fn unknown() -> Self {
        Self { frames: Vec::new(), awaits: Some(None) }
    }

    /// Whether what seemed to be open is not.
    pub(super) fn is_broken(&self) -> bool {
        self.frames.is_empty() && self.awaits.is_none()
    }

    fn class(&self) -> Option<KeyClass> {
        match self.frames.last() {
            Some(Frame { list: true, class }) => *class,
            _ => self.awaits.flatten(),
        }
    }
}

/// Finds lists and objects under known keys in a line; what is open at its end.
pub(super) fn begin(line: &[u8], sink: &mut Sink<'_, '_>) -> Option<Open> {
    begin_at(line, 0, sink)
}

/// The same from a place in the line.
fn begin_at(line: &[u8], mut at: usize, sink: &mut Sink<'_, '_>) -> Option<Open> {
    while let Some(offset) = line.get(at..).and_then(|rest| memchr::memchr2(b'{', b'[', rest)) {
        at += offset;
        if let Some(class) = key_of(line, at, sink) {
            let mut open = Open::awaiting(class);
            match go_on(line, at, &mut open, sink) {
                Some(end) => at = end.max(at + 1),
                None => return (!open.frames.is_empty()).then_some(open),
            }
        } else {
            at += 1;
        }
    }
    None
}

/// The class of the key whose value opens at `at`.
fn key_of(line: &[u8], at: usize, sink: &Sink<'_, '_>) -> Option<KeyClass> {
    // JSON may stand in a string: `"user":"{\"name\":…`
    let quoted = quote_before(&line[..at]).filter(|_| begins(&line[at..])).map_or(0, <[u8]>::len);
    let mut sign = (at - quoted).checked_sub(1)?;
    while line[sign] == b' ' && at - quoted - sign < 3 {
        sign = sign.checked_sub(1)?;
    }
    if line[sign] == b'>' {
        sign = sign.checked_sub(1).filter(|&sign| line[sign] == b'=')?;
    }
    if !matches!(line[sign], b':' | b'=') || is_mark(line, at) {
        return None;
    }
    let own = sink.own.and_then(|own| own.before(line, sign));
    let (_, class) = own.or_else(|| key_before(line, sign)).or_else(|| of_list(line, sign))?;
    (!matches!(class, KeyClass::CallId)).then_some(class)
}

/// The key of a list of accounts in quotation marks before the `:` at `sign`, as [`key_before`] gives one.
fn of_list(line: &[u8], sign: usize) -> Option<(&[u8], KeyClass)> {
    let before = line[..sign].trim_ascii_end();
    let end = before.len() - quote_before(before)?.len();
    let key = &line[run_back(line, end.saturating_sub(24), end, IDENT)..end];
    // The members of a cluster are no people.
    let unclear = [b"members".as_slice(), b"owners", b"accounts", b"operators"];
    if unclear.iter().any(|word| key.eq_ignore_ascii_case(word)) {
        return None;
    }
    Some((key, member::class_of_list(key)?))
}

/// Whether a list or object with strings begins a text, escaped or not.
pub(crate) fn begins(text: &[u8]) -> bool {
    let opening = |b: &u8| matches!(b, b'{' | b'[');
    let mut at = 0;
    while at < 16 && text.get(at).is_some_and(opening) {
        at = blank(text, at + 1);
    }
    let slashes = text[at..].iter().take_while(|&&b| b == b'\\').count();
    at > 0 && matches!(byte(text, at + slashes), b'"' | b'\'')
}

/// Whether a line may go on with a list or object.
pub(super) fn goes_on(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some(&first) = line.first() else { return true };
    if matches!(first, b'"' | b'{' | b'[' | b'}' | b']' | b',' | b'\'') {
        return true;
    }
    let word = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
    matches!(word, b"true" | b"false" | b"null")
        || word.iter().all(|&b| is(b, DIGIT) || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'))
}

/// Reads on in what is open: where it ends in this line, or nothing when it does not.
pub(super) fn go_on(line: &[u8], from: usize, open: &mut Open, sink: &mut Sink<'_, '_>) -> Option<usize> {
    let mut at = from;
    loop {
        at = blank(line, at);
        if at >= line.len() {
            return None;
        }
        match line[at] {
            b'{' | b'[' => {
                if is_mark(line, at) {
                    at += memchr::memchr(b']', &line[at..])? + 1;
                    open.awaits = None;
                } else if open.frames.len() == DEEPEST {
                    open.frames.clear();
                    return None;
                } else {
                    let class = open.class();
                    open.frames.push(Frame { list: line[at] == b'[', class });
                    open.awaits = None;
                    at += 1;
                }
            }
            b'}' | b']' => {
                open.frames.pop();
                open.awaits = None;
                at += 1;
            }
            b',' => {
                open.awaits = None;
                at += 1;
            }
            b':' | b'=' | b'>' => at += 1,
            _ => {
                let token = Token::at(line, at);
                if token.end == usize::MAX {
                    // A string that does not end: what was open is not what it seemed.
                    open.frames.clear();
                    return None;
                }
                take(line, &token, open, sink);
                at = token.after;
            }
        }
        if open.frames.is_empty() {
            return Some(at);
        }
    }
}

fn take(line: &[u8], token: &Token, open: &mut Open, sink: &mut Sink<'_, '_>) {
    let Some(frame) = open.frames.last().copied() else { return };
    let next = blank(line, token.after);
    let key = !frame.list
        && open.awaits.is_none()
        && (byte(line, next) == b':' || byte(line, next) == b'=' && byte(line, next + 1) == b'>');
    if key {
        open.awaits = Some(sink.class_of_member(frame.class, &line[token.start..token.end]));
        return;
    }
    let text = &line[token.start..token.end];
    let class = open.class();
    if begins(text) && token.after - token.end <= MOST_SLASHES && !matches!(class, Some(KeyClass::Drop(_))) {
        // JSON in a string. Strings within each other have unlike numbers of backslashes, so there are few levels.
        let inner = &line[..token.end];
        match class {
            Some(class) => go_on(inner, token.start, &mut Open::awaiting(class), sink).map(|_| ()),
            None => begin_at(inner, token.start, sink).map(|_| ()),
        };
    } else if let Some(class) = class {
        if frame.list && class == KeyClass::Drop(Category::Secret) && text.iter().all(|&b| is(b, DIGIT)) {
            // A secret may be a row of numbers.
            sink.secret(token.start, token.end);
        } else {
            sink.named(token.start, token.end, class);
        }
        if frame.list {
            // Each string of a list stands for itself; a small number is nobody's.
            sink.wall(token.end, token.after);
            let number =
                text.len() <= 6 && text.iter().all(|&b| is(b, DIGIT) || matches!(b, b'-' | b'+' | b'.' | b'e'));
            if (number || matches!(text, b"null" | b"true" | b"false"))
                && matches!(class, KeyClass::Person | KeyClass::User | KeyClass::Host)
            {
                sink.wall(token.start, token.end);
            }
        }
    }
    open.awaits = None;
}

/// Where a row of blanks ends, also of those written as `\n`, `\r` or `\t` in JSON that stands in a string.
pub(super) fn blank(line: &[u8], mut at: usize) -> usize {
    loop {
        at = run(line, at, SPACE);
        match escaped(line, at) {
            Some((sign, b'n' | b'r' | b't')) => at = sign + 1,
            _ => return at,
        }
    }
}

/// The sign behind the backslashes that begin at `at`, and its place.
fn escaped(line: &[u8], at: usize) -> Option<(usize, u8)> {
    let slashes = line.get(at..)?.iter().take_while(|&&b| b == b'\\').count();
    (slashes > 0).then(|| (at + slashes, byte(line, at + slashes)))
}

/// A text without the blanks at its end, as [`blank`] knows them.
fn trim_end(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_end();
        match text {
            [rest @ .., b'\\', b'n' | b'r' | b't'] => {
                let slashes = rest.iter().rev().take_while(|&&b| b == b'\\').count();
                text = &rest[..rest.len() - slashes];
            }
            _ => return text,
        }
    }
}

/// A string or a bare word.
pub(super) struct Token {
    pub(super) start: usize,
    /// `usize::MAX` when the string does not end in this line.
    pub(super) end: usize,
    pub(super) after: usize,
}

impl Token {
    pub(super) fn at(line: &[u8], at: usize) -> Self {
        let slashes = line[at..].iter().take_while(|&&b| b == b'\\').count();
        match byte(line, at + slashes) {
            quote @ (b'"' | b'\'') => {
                let start = at + slashes + 1;
                match closing(line, start, quote, slashes) {
                    Some(end) => Self { start, end: end - slashes, after: end + 1 },
                    None => Self { start, end: usize::MAX, after: line.len() },
                }
            }
            _ => {
                let mut end = at;
                while end < line.len() && !matches!(line[end], b',' | b']' | b'}' | b'{' | b'[' | b'"') {
                    if line[end] == b':' && is(byte(line, end + 1), SPACE) || line[end..].starts_with(b"=>") {
                        break;
                    }
                    // JSON in a string: the quotation marks and line ends behind the word are escaped.
                    if end > at && matches!(escaped(line, end), Some((_, b'"' | b'\'' | b'n' | b'r' | b't'))) {
                        break;
                    }
                    end += 1;
                }
                let length = line[at..end].trim_ascii_end().len();
                Self { start: at, end: at + length, after: end.max(at + 1) }
            }
        }
    }
}

/// Where the string ends that a quotation mark behind `slashes` backslashes opened: at one behind as many, or behind as many
/// and whole escaped backslashes.
fn closing(line: &[u8], from: usize, quote: u8, slashes: usize) -> Option<usize> {
    let pair = 2 * (slashes + 1);
    memchr::memchr_iter(quote, line.get(from..)?).map(|at| from + at).find(|&at| {
        let before = line[from..at].iter().rev().take_while(|&&b| b == b'\\').count();
        before >= slashes && (before - slashes).is_multiple_of(pair)
    })
}

/// Whether these are a number of JSON (RFC 8259, section 6), `true`, `false` or `null`.
fn is_bare(value: &[u8]) -> bool {
    if matches!(value, b"true" | b"false" | b"null") {
        return true;
    }
    let digits = |from: usize| run(value, from, DIGIT);
    let start = usize::from(value.first() == Some(&b'-'));
    let mut end = digits(start);
    if end == start || value[start] == b'0' && end > start + 1 {
        return false;
    }
    if byte(value, end) == b'.' {
        let from = end + 1;
        end = digits(from);
        if end == from {
            return false;
        }
    }
    if matches!(byte(value, end), b'e' | b'E') {
        let from = end + 1 + usize::from(matches!(byte(value, end + 1), b'+' | b'-'));
        end = digits(from);
        if end == from {
            return false;
        }
    }
    end == value.len()
}

/// Whether a sign may be part of a number.
pub(crate) fn of_number(b: u8) -> bool {
    is(b, DIGIT) || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Widens a finding that is part of a number of JSON to the whole number: what stands for a part of it is none.
pub(crate) fn widen(line: &[u8], hits: &mut Vec<Hit>) {
    let wider = |hit: &Hit| {
        let start = hit.start - line[..hit.start].iter().rev().take(LONGEST).take_while(|&&b| of_number(b)).count();
        let end = hit.end + line[hit.end..].iter().take(LONGEST).take_while(|&&b| of_number(b)).count();
        let whole = Hit { start, end, form: Form::Drop, ..*hit };
        ((start, end) != (hit.start, hit.end)
            && is_bare(&line[start..end])
            && quotes(line, &whole, &State::Idle).is_some())
        .then_some(whole)
    };
    let mut until = 0;
    hits.retain_mut(|hit| {
        if let Some(whole) = wider(hit) {
            *hit = whole;
        }
        let apart = hit.start >= until;
        until = until.max(hit.end);
        apart
    });
}

/// Most signs of a number that are looked at on each side of a finding.
const LONGEST: usize = 64;

/// The quotation marks a stand-in needs where it replaces a number of JSON, `true` or the like: those become strings.
pub(crate) fn quotes<'l>(line: &'l [u8], hit: &Hit, state: &State) -> Option<&'l [u8]> {
    if !is_bare(&line[hit.start..hit.end]) {
        return None;
    }
    let next = blank(line, hit.end);
    if !matches!(byte(line, next), b',' | b'}' | b']') && next < line.len() {
        return None;
    }
    let before = trim_end(&line[..hit.start]);
    match before.last() {
        Some(b':') => quote_before(trim_end(&before[..before.len() - 1])),
        // An indented line with nothing but a number is one of a list that began in another line.
        None if hit.start > 0 && line[next.min(line.len())..].trim_ascii().len() <= 1 => Some(b"\""),
        Some(b'[' | b',') | None => in_list(before, matches!(state, State::Json(_))),
        _ => None,
    }
}

/// The quotation mark a text ends with, and the backslashes before it.
fn quote_before(text: &[u8]) -> Option<&[u8]> {
    let slashes = text.strip_suffix(b"\"")?.iter().rev().take_while(|&&b| b == b'\\').count();
    Some(&text[text.len() - 1 - slashes..])
}

/// The quotation marks of a list's strings, read backwards from a place in it where a value may stand.
fn in_list(text: &[u8], began_before: bool) -> Option<&[u8]> {
    const MOST: usize = 16 << 10;
    let mut quotes: Option<&[u8]> = None;
    let mut depth = 0_usize;
    let floor = text.len().saturating_sub(MOST);
    let mut rest = &text[floor..];
    loop {
        rest = trim_end(rest);
        let Some((&last, before)) = rest.split_last() else {
            return (began_before && floor == 0).then(|| quotes.unwrap_or(b"\""));
        };
        match last {
            b']' | b'}' => (depth, rest) = (depth + 1, before),
            b'[' | b'{' if depth > 0 => (depth, rest) = (depth - 1, before),
            b'[' => {
                rest = trim_end(before);
                match rest.last() {
                    None if floor == 0 => return Some(b"\""),
                    Some(b':') => return quote_before(trim_end(&rest[..rest.len() - 1])),
                    // A list in a list; or the first of a string, whose own strings have more backslashes.
                    Some(b',' | b'[') if quotes.is_some() => return quotes,
                    Some(b',' | b'[') => {}
                    Some(b'"') => return quotes.or_else(|| within(quote_before(rest)?)),
                    _ => return None,
                }
            }
            b'"' => {
                let mark = quote_before(rest)?;
                if depth == 0 && quotes.is_some_and(|quotes| quotes != mark) {
                    return None;
                }
                let inside = &rest[..rest.len() - mark.len()];
                let slashes = mark.len() - 1;
                let behind = |at: usize| inside[..at].iter().rev().take_while(|&&b| b == b'\\').count();
                let opens =
                    |&at: &usize| behind(at) >= slashes && (behind(at) - slashes).is_multiple_of(2 * (slashes + 1));
                let start = memchr::memrchr_iter(b'"', inside).find(opens)?;
                quotes = Some(mark);
                rest = &inside[..start - slashes];
            }
            b',' => rest = before,
            b':' if depth > 0 => rest = before,
            _ => {
                let word = [&b"null"[..], b"true", b"false"].into_iter().find(|word| rest.ends_with(word));
                let length = word.map_or_else(|| usize::from(of_number(last)), <[u8]>::len);
                if length == 0 {
                    return None;
                }
                rest = &rest[..rest.len() - length];
            }
        }
    }
}

/// The quotation marks within a string that one of `mark` opened.
fn within(mark: &[u8]) -> Option<&'static [u8]> {
    const MARKS: &[u8] = br#"\\\\\\\\\\\\\\\""#;
    let length = 2 * mark.len();
    MARKS.get(MARKS.len().checked_sub(length)?..)
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;
    use super::in_list;

    #[test]
    fn lists_and_objects_under_a_key_are_read_to_their_end() {
        finds(
            "",
            r#"{"attendees":["Ada Love",1,"Bo Diddle"],"n":["x"]}"#,
            &[("Ada Love", "person"), ("Bo Diddle", "person")],
        );
        finds("", r#"{"user":{"id":7,"name":"anna"},"name":"stays"}"#, &[("anna", "user")]);
        finds(
            "",
            r#"{"secrets":1,"token":["a1b2c3",1,"d4e5f6"]}"#,
            &[("a1b2c3", "secret"), ("1", "secret"), ("d4e5f6", "secret")],
        );
        finds(
            "",
            r#"participants=[{"name": "Ada", "tags": ["x"]}, {"name": "Bo"}]"#,
            &[("Ada", "person"), ("Bo", "person")],
        );
        finds("", r#"{"user":{"os":{"name":"Ubuntu"}}}"#, &[]);
        finds("", r#"{"users":[{"name":"anna"}],"user_s":[{"name":"x"}]}"#, &[("anna", "user")]);
        finds("", r#"{"m":"{\"guests\":[{\"name\":\"Ada Love\"}]}"}"#, &[("Ada Love", "person")]);
        finds("", "{\n \"users\": [\n  {\n   \"name\": \"anna\"\n  }\n ]\n}", &[("anna", "user")]);
    }

    #[test]
    fn escaped_strings_end_where_they_end() {
        finds("", r#"{"m":"{\"user\":{\"name\":\"an\\\"na\"},\"x\":\"y\"}"}"#, &[(r#"an\\\"na"#, "user")]);
        finds("", r#"{"m":"{\"user\": {\n \"name\":\n\t\"anna\",\n \"n\": 1\n }\n}"}"#, &[("anna", "user")]);
        finds(
            "",
            r#""{\"attendees\": [\n  \"Ada\",\n\t\"Bo\"\n ],\n \"n\": 1}""#,
            &[("Ada", "person"), ("Bo", "person")],
        );
        finds("", r#""{\\\"attendees\\\":[\\\"Ada\\\",\\\"Bo\\\"]}""#, &[("Ada", "person"), ("Bo", "person")]);
    }

    #[test]
    fn json_in_the_string_of_a_key_is_of_the_keys_class() {
        let text = r#"{"user":{"name":"{\"name\":\"cy\"}","x":"{\"attendees\":[\"Di\"]}"}}"#;
        finds("", text, &[("cy", "user"), ("Di", "person")]);
        let text = r#"{"user":"{\"id\":7,\"name\":\"anna\"}","attendees":"[ \"Ada\",\n{\"name\":\"Bo\"}]","n":["x"]}"#;
        finds("", text, &[("anna", "user"), ("Ada", "person"), ("Bo", "person")]);
    }

    #[test]
    fn the_strings_of_a_list_say_how_a_number_in_it_is_quoted() {
        for (before, quotes) in [
            ("[", Some("\"")),
            ("[[],", Some("\"")),
            (r#"[{"a":[1,{"b":"]"}]},"#, Some("\"")),
            (r#"{"m":"[["#, Some(r#"\""#)),
            (r#"{"m":"{\"a\":[7,"#, Some(r#"\""#)),
            (r#"{"m":"[\"x\","#, Some(r#"\""#)),
            (r#"["{\"m\":\"[1,"#, Some(r#"\\\""#)),
            (r#"["1","7,"#, None),
            ("peers: [", None),
            ("at 7,", None),
        ] {
            let found = in_list(before.as_bytes(), false).map(|quotes| std::str::from_utf8(quotes).unwrap());
            assert_eq!(found, quotes, "{before}");
        }
    }

    #[test]
    fn a_list_may_stand_over_many_lines() {
        let text =
            "{\n \"participants\": [\n  \"Ada Lovelace\",\n  \"Bo Diddle\"\n ],\n \"codecs\": [\n  \"Opus\"\n ]\n}";
        finds("", text, &[("Ada Lovelace", "person"), ("Bo Diddle", "person")]);
        let text = "\"user\":\n {\n  \"full\": \"Ada Lovelace\",\n \"state\": \"Idle\"\n }\n \"full\": \"stays\"";
        finds("", text, &[("Ada Lovelace", "person")]);
        finds("", "x user={ \nNov 21 name: stays\n \"name\": \"stays\"", &[]);
    }
}
