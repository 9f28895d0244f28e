//! Lists, maps and blocks of YAML below a known key.
//!
//! Indentation says what belongs to the key: `participants:` and then `  - Anna`, `user:` and then `  name: anna`,
//! `password: |` and then lines of it. In a log only a key that stands alone on its line begins this.

use super::super::category::Category;
use super::super::common::is_common;
use super::super::keys::KeyClass;
use super::super::text::{self, IDENT, SPACE, byte, is, run};
use super::member::class_of_list;
use super::{Sink, is_mark, json};

/// Deepest nesting that is followed.
const DEEPEST: usize = 16;
/// Longest key, in bytes.
const LONGEST_KEY: usize = 64;
/// Longest name a list in a log may hold, in bytes.
const LONGEST_NAME: usize = 64;

/// What is open at the end of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    frames: Vec<Frame>,
    inner: Option<Inner>,
    /// Nothing stood below the first key yet.
    fresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    indent: usize,
    class: Option<KeyClass>,
}

/// A scalar over many lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    /// Lines indented deeper than this.
    Block(usize, Option<KeyClass>),
    /// Up to the quotation mark.
    Quoted(u8, KeyClass),
}

impl Open {
    /// The class of the first key, when nothing stood below it yet.
    pub(super) fn fresh(&self) -> Option<KeyClass> {
        self.frames.first().filter(|_| self.fresh && self.inner.is_none())?.class
    }
}

/// `- key: value`, its parts' places.
struct Entry {
    /// Column of the key.
    column: usize,
    key: (usize, usize),
    /// The value, without blanks, a comment, anchors and tags.
    value: (usize, usize),
}

/// Begins below a known key; in YAML, finds the value beside one.
pub(super) fn begin(line: &[u8], sink: &mut Sink<'_, '_>, is_yaml: bool) -> Option<Open> {
    if !is_yaml && !matches!(line.trim_ascii_end().last(), Some(b':' | b'|' | b'>' | b'-' | b'+' | b'0'..=b'9')) {
        return None;
    }
    let (column, _) = content(line);
    if is_yaml && byte(line, column) == b'{' {
        json::go_on(line, column, &mut json::Open::unknown(), sink);
    }
    let entry = entry(line, column)?;
    let key = &line[entry.key.0..entry.key.1];
    let class = sink.class_of(key).or_else(|| class_of_list(key).filter(|_| entry.value.0 == entry.value.1));
    if is_yaml && class.is_none() && matches!(byte(line, entry.value.0), b'{' | b'[') {
        // A mapping on one line, in which every key speaks for itself.
        json::go_on(line, entry.value.0, &mut json::Open::unknown(), sink);
    }
    let class = class.filter(|&class| class != KeyClass::CallId)?;
    let mut open = Open { frames: Vec::new(), inner: None, fresh: true };
    value(line, &entry, Some(class), &mut open, sink, is_yaml);
    (!open.frames.is_empty() || open.inner.is_some()).then_some(open)
}

/// Reads the next line; whether it belongs to what is open.
pub(super) fn go_on(line: &[u8], open: &mut Open, sink: &mut Sink<'_, '_>, is_yaml: bool) -> bool {
    let indent = run(line, 0, SPACE);
    let last = line.trim_ascii_end().len();
    match open.inner {
        Some(Inner::Block(floor, class)) => {
            if indent >= last || indent > floor {
                if let Some(class) = class.filter(|_| indent < last) {
                    sink.value(indent, last, class);
                }
                return true;
            }
            open.inner = None;
        }
        Some(Inner::Quoted(quote, class)) => {
            let end = memchr::memchr(quote, line);
            sink.value(indent.min(last), end.unwrap_or(last).max(indent.min(last)), class);
            if end.is_some() {
                open.inner = None;
            }
            return true;
        }
        None => {}
    }
    if indent >= last {
        return is_yaml;
    }
    if line[indent] == b'#' {
        return true;
    }
    let (column, item) = content(line);
    while open.frames.pop_if(|frame| frame.indent > indent || frame.indent == indent && !item).is_some() {}
    let Some(top) = open.frames.last().copied() else { return false };
    let fresh = std::mem::take(&mut open.fresh);
    if let Some(entry) = entry(line, column) {
        let key = &line[entry.key.0..entry.key.1];
        let list = || class_of_list(key).filter(|_| entry.value.0 == entry.value.1);
        let class = sink.class_of_member(top.class, key).or_else(list);
        value(line, &entry, class, open, sink, true);
    } else if let Some(class) = top.class {
        let words = line[column.min(last)..last].split(|&b| b == b' ').count();
        if item || is_yaml || fresh && words == 1 {
            scalar(line, (column.min(last), last), class, open, sink, is_yaml);
        }
    }
    true
}

/// Where the content of a line begins, behind the dashes of lists, and whether there are any.
fn content(line: &[u8]) -> (usize, bool) {
    let (mut at, mut item) = (run(line, 0, SPACE), false);
    while byte(line, at) == b'-' && (at + 1 == line.len() || byte(line, at + 1) == b' ') {
        item = true;
        at = run(line, at + 1, SPACE);
    }
    (at, item)
}

fn entry(line: &[u8], column: usize) -> Option<Entry> {
    let key_end = |from: usize| {
        let rest = &line[from..line.len().min(from + LONGEST_KEY + 1)];
        rest.iter().position(|&b| !is(b, IDENT) && b != b'/').map(|length| from + length)
    };
    let (key, colon) = match byte(line, column) {
        quote @ (b'"' | b'\'') => {
            let end = key_end(column + 1)?;
            ((column + 1, end), (byte(line, end) == quote).then_some(end + 1)?)
        }
        _ => {
            let end = key_end(column)?;
            ((column, end), end)
        }
    };
    if byte(line, colon) != b':' || key.0 == key.1 || colon + 1 < line.len() && !is(line[colon + 1], SPACE) {
        return None;
    }
    Some(Entry { column, key, value: plain(line, run(line, colon + 1, SPACE)) })
}

/// A value without anchor, tag and comment.
fn plain(line: &[u8], mut from: usize) -> (usize, usize) {
    while matches!(byte(line, from), b'&' | b'!') {
        let Some(length) = line[from..].iter().position(|&b| is(b, SPACE)) else { return (line.len(), line.len()) };
        from = run(line, from + length, SPACE);
    }
    if byte(line, from) == b'#' {
        return (from, from);
    }
    let quoted = matches!(byte(line, from), b'"' | b'\'');
    let comment = memchr::memmem::find(&line[from.min(line.len())..], b" #").filter(|_| !quoted);
    let end = comment.map_or(line.len(), |length| from + length);
    let from = from.min(end);
    (from, from + line[from..end].trim_ascii_end().len())
}

fn value(line: &[u8], entry: &Entry, class: Option<KeyClass>, open: &mut Open, sink: &mut Sink<'_, '_>, is_yaml: bool) {
    let (start, end) = entry.value;
    let text = &line[start..end];
    if text.is_empty() {
        if open.frames.len() < DEEPEST {
            open.frames.push(Frame { indent: entry.column, class });
        }
    } else if matches!(text[0], b'|' | b'>') {
        if text[1..].iter().all(|b| matches!(b, b'-' | b'+' | b'0'..=b'9')) {
            open.inner = Some(Inner::Block(entry.column, class));
        }
    } else if let Some(class) = class.filter(|_| is_yaml) {
        scalar(line, entry.value, class, open, sink, is_yaml);
    }
}

/// A value on one line: in quotation marks, a list, or as it is.
fn scalar(
    line: &[u8],
    (start, end): (usize, usize),
    class: KeyClass,
    open: &mut Open,
    sink: &mut Sink<'_, '_>,
    is_yaml: bool,
) {
    match byte(line, start) {
        b'*' | b'@' | b'`' | b'%' | b'|' | b'>' => {}
        b'[' | b'{' => {
            if !is_mark(line, start) {
                json::go_on(line, start, &mut json::Open::awaiting(class), sink);
            }
        }
        quote @ (b'"' | b'\'') => match memchr::memrchr(quote, &line[start + 1..end]) {
            Some(length) => sink.named(start + 1, start + 1 + length, class),
            None if is_yaml => {
                sink.named(start + 1, end, class);
                open.inner = Some(Inner::Quoted(quote, class));
            }
            None => {}
        },
        _ => {
            let (start, end) = plain(line, start);
            if is_yaml || is_plausible(&line[start..end], class) {
                sink.named(start, end, class);
            }
        }
    }
}

/// Whether a list's line in a log may be what its key says: prose is not.
fn is_plausible(value: &[u8], class: KeyClass) -> bool {
    let words = || value.split(|&b| b == b' ').filter(|word| !word.is_empty());
    match class {
        KeyClass::Person => {
            value.len() <= LONGEST_NAME && words().count() <= 5 && !words().all(|word| is_common(&text::fold(word)))
        }
        KeyClass::Drop(Category::Secret) => words().count() == 1,
        KeyClass::Drop(_) | KeyClass::Fitting(_) | KeyClass::Phone => true,
        _ => words().count() == 1 && !is_common(&text::fold(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn what_is_indented_below_a_key_belongs_to_it() {
        let text = "participants:\n  - Ada Lovelace\n  - \"Bo Diddle\" # host\n  - name: Cy Young\n    role: Guest\n    tags:\n    - Blue\ncodecs:\n  - Opus\n";
        let people = [("Ada Lovelace", "person"), ("Bo Diddle", "person"), ("Cy Young", "person")];
        finds("", text, &people);
        finds("a.yaml", text, &people);
        finds("a.yaml", "user:\n  name: anna\n  shell:\n    name: bash\n  id: 7\nname: stays\n", &[("anna", "user")]);
    }

    #[test]
    fn a_block_below_a_secrets_key_goes_line_by_line() {
        let text = "password: |-\n  first line\n\n  second: line\nlevel: info\n";
        finds("", text, &[("first line", "secret"), ("second: line", "secret")]);
    }

    #[test]
    fn scalars_of_yaml_go_as_a_whole_without_anchors_and_comments() {
        finds("a.yml", "display_name: anna van der Aa # boss\n", &[("anna van der Aa", "person")]);
        finds("a.yml", "password: &pw h2so4 ab\nother_password: *pw\n", &[("h2so4 ab", "secret")]);
        finds("a.yml", "attendees: [Ada Love, 'Bo']\n", &[("Ada Love", "person"), ("Bo", "person")]);
        finds("a.yml", "users:\n- user: {name: Ada, id: 4}\n", &[("Ada", "user")]);
        finds("a.yml", "room: {codec: Opus, pin: 4711}\n- {pin: 4712}\n", &[("4711", "secret"), ("4712", "secret")]);
        finds("a.yml", "x: {user: {name: Ada}, codecs: [Opus], name: y}\n", &[("Ada", "user")]);
        finds("a.yml", "token: \"abc\n  def\"\nx: y\n", &[("abc", "secret"), ("def", "secret")]);
    }

    #[test]
    fn prose_in_a_log_is_no_yaml() {
        finds("", "Error in user:\n  - Ada\nhost:\n  - the server is down\nuser:\nNov 21 10:00:00 x\n", &[]);
    }
}
