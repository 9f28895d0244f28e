//! Shapes: text whose meaning depends on where it stands.
//!
//! A column's header, an element's name or a list's key says what a value is, often lines before the value. Each file here
//! knows one shape. It reads a text line by line and says which part of a line is a value of which class; what it must
//! remember from line to line is a [`State`], small enough to be carried to the chunk in which the next line stands. So what
//! is found depends on the text alone, never on where chunks end.
//!
//! What a file is as a whole is said by its path and its beginning ([`Shape::of`]); everything else is text, in which lists
//! of JSON and YAML, elements, entries of directories and the like are known by how they begin.
//!
//! To add one: a file here with a test, a line in [`text::line`] or in [`KINDS`].

use std::sync::Arc;

use super::category::Category;
use super::decode::{self, Stream};
use super::detector::{class_of_key, value_hits};
use super::error::RedactError;
use super::hit::{Form, Group, Hit, Hits, rank};
use super::keys::KeyClass;
use super::lines;
use super::masks::Signs;
use super::own::OwnKeys;
use super::rules::Rules;
use super::text::{self as bytes, HIGH, WORD};

mod account;
mod entry;
pub(crate) mod fold;
pub(crate) mod fragment;
pub(crate) mod ini;
mod journal;
pub(crate) mod json;
mod listing;
mod member;
mod neighbour;
mod soft;
pub(crate) mod sql;
mod table;
mod text;
mod xml;
mod yaml;

/// How much of a text's beginning is looked at to tell what it is, in bytes.
pub(crate) const HEAD: usize = 8 << 10;

/// Tells by path and beginning what a text is as a whole; the first that knows it is right.
static KINDS: [fn(&Start<'_>) -> Option<Kind>; 5] = [sql::kind, table::kind, account::kind, ini::kind, of_ending];

/// What a text's shape is told from.
struct Start<'s> {
    /// The last part of the path, in lower case; empty when there is no path.
    name: String,
    path: &'s str,
    head: &'s [u8],
    /// Whether the head is the whole text.
    whole: bool,
    rules: &'s Rules,
}

impl Start<'_> {
    fn has_ending(&self, endings: &[&str]) -> bool {
        self.name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }
}

/// What stands around a text's lines and is no text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    None,
    /// Fields of an export of the journal.
    Journal,
    /// Soft line ends.
    Soft,
}

impl Wrapping {
    /// Tells from its first [`HEAD`] bytes what a text is wrapped in.
    pub(crate) fn of(head: &[u8]) -> Self {
        let head = &head[..head.len().min(HEAD)];
        if journal::recognises(head) {
            Self::Journal
        } else if soft::recognises(head) {
            Self::Soft
        } else {
            Self::None
        }
    }

    fn unwrap(self, text: Stream<'_>) -> Stream<'_> {
        match self {
            Self::None => text,
            Self::Journal => Box::new(journal::FromExport::new(text)),
            Self::Soft => Box::new(soft::FromSoft::new(text)),
        }
    }

    /// Wraps redacted text as it was.
    pub(crate) fn wrap(self, text: Stream<'_>) -> Stream<'_> {
        match self {
            Self::None => text,
            Self::Journal => Box::new(journal::ToExport::new(text)),
            Self::Soft => Box::new(soft::ToSoft::new(text)),
        }
    }
}

/// What a text is as a whole.
#[derive(Debug, Default)]
enum Kind {
    /// Logs and everything else.
    #[default]
    Text,
    Table(table::Table),
    Yaml,
    Xml,
    Ini(ini::Dialect),
    Accounts(account::File),
    Sql,
}

/// What is carried from line to line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing that began goes on.
    #[default]
    Idle,
    /// Within a list or object under a known key.
    Json(json::Open),
    /// Within lines indented below a known key.
    Yaml(yaml::Open),
    /// Within an element.
    Xml(xml::Open),
    /// Within a section.
    Ini(ini::Open),
    /// Below the header of a table with blanks between its columns.
    Listing(listing::Columns),
    /// Within an entry of a directory or address book.
    Entry(entry::Open),
    /// Within a quoted cell.
    Table(table::Open),
    /// Behind a header that may go on in the next line.
    Folded(fold::Folded),
    /// Within a statement, or behind the definition of a table.
    Sql(sql::Open),
}

/// The shape of a text, and where in it the next line stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    kind: Arc<Kind>,
    /// The keys of the profile.
    own: Option<Arc<OwnKeys>>,
    state: State,
}

impl Shape {
    /// Tells from its path and its first [`HEAD`] bytes what a text is.
    pub(crate) fn of(path: &str, head: &[u8], rules: &Rules) -> Self {
        let whole = head.len() < HEAD;
        let head = &head[..head.len().min(HEAD)];
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let name = path.rsplit(['/', '!']).next().unwrap_or(path);
        let start = Start { name: plain_name(name), path, head, whole, rules };
        let kind = KINDS.iter().find_map(|known| known(&start)).unwrap_or_default();
        Self { kind: Arc::new(kind), own: OwnKeys::of(rules).map(Arc::new), state: State::Idle }
    }

    /// Looks at the beginning of a text; gives it back as lines, and how it becomes what it was again.
    pub(crate) fn of_stream<'a>(
        path: &str,
        text: Stream<'a>,
        rules: &Rules,
    ) -> Result<(Self, Wrapping, Stream<'a>), RedactError> {
        let (head, text) = decode::peek(text, HEAD)?;
        let wrapping = Wrapping::of(&head);
        Ok((Self::of(path, &head, rules), wrapping, wrapping.unwrap(text)))
    }

    /// The shape after a text that was read in one piece.
    pub(crate) fn after(mut self, text: &[u8]) -> Self {
        self.pass(text);
        self
    }

    /// Whether it is the shape of any text: a log or the like.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(*self.kind, Kind::Text)
    }

    /// Whether it is that of settings in TOML.
    pub(crate) fn is_toml(&self) -> bool {
        matches!(*self.kind, Kind::Ini(ini::Dialect::Toml))
    }

    /// Where in the text the next line stands.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// Goes to where another line stands.
    pub(crate) fn go_to(&mut self, state: &State) {
        self.state.clone_from(state);
    }

    /// Finds the values of the next line, in which these signs stand.
    pub(crate) fn line(&mut self, line: &[u8], signs: Signs, found: &mut Found) {
        found.clear();
        step(&self.kind, &mut self.state, &mut Sink { line, signs, own: self.own.as_deref(), found: Some(found) });
    }

    /// Passes over the next line.
    pub(crate) fn pass_line(&mut self, line: &[u8]) {
        step(&self.kind, &mut self.state, &mut Sink { line, signs: Signs::ANY, own: self.own.as_deref(), found: None });
    }

    /// Passes over the lines of a chunk.
    pub(crate) fn pass(&mut self, chunk: &[u8]) {
        for unit in lines::units(chunk) {
            // A line that cannot be cut fails where it is read.
            let Ok(unit) = unit else { return };
            self.pass_line(&chunk[unit]);
        }
    }
}

fn step(kind: &Kind, state: &mut State, sink: &mut Sink<'_, '_>) {
    let line = sink.line.strip_suffix(b"\r").unwrap_or(sink.line);
    match kind {
        Kind::Table(table) => table::line(table, line, state, sink),
        Kind::Xml => xml::line(line, state, sink),
        Kind::Accounts(file) => account::line(*file, line, sink),
        Kind::Ini(dialect) => ini::line(*dialect, line, state, sink),
        Kind::Sql => sql::line(line, state, sink),
        Kind::Yaml => text::line(line, state, sink, true),
        Kind::Text => text::line(line, state, sink, false),
    }
}

/// A file's name without the endings of compression and rotation, in lower case.
fn plain_name(name: &str) -> String {
    let mut name = name.to_ascii_lowercase();
    while let Some((rest, ending)) = name.rsplit_once('.') {
        let packed = matches!(ending, "gz" | "xz" | "zst" | "bz2" | "bak" | "old" | "orig" | "save");
        let number = !ending.is_empty() && ending.bytes().all(|b| b.is_ascii_digit());
        if rest.is_empty() || !packed && !number {
            break;
        }
        name.truncate(rest.len());
    }
    name
}

/// XML and YAML, by the ending of their name or by how they begin.
fn of_ending(start: &Start<'_>) -> Option<Kind> {
    let head = start.head.trim_ascii_start();
    let element = head.first() == Some(&b'<') && head.get(1).is_some_and(u8::is_ascii_alphabetic);
    if head.starts_with(b"<?xml") || element && start.has_ending(&["xml", "plist", "config", "xhtml", "xsd", "svg"]) {
        return Some(Kind::Xml);
    }
    let begins =
        [b"---\n".as_slice(), b"---\r\n", b"%YAML", b"apiVersion: "].iter().any(|begin| head.starts_with(begin));
    (begins || start.has_ending(&["yaml", "yml"])).then_some(Kind::Yaml)
}

/// What was found in a line.
#[derive(Debug, Default)]
pub(crate) struct Found {
    hits: Hits,
    /// What divides the line's values: no finding may reach over it.
    walls: Vec<(usize, usize)>,
}

impl Found {
    /// Forgets the line that was read last.
    pub(crate) fn clear(&mut self) {
        self.hits.found.clear();
        self.walls.clear();
    }

    /// Adds what was found to a line's other findings.
    pub(crate) fn give(&mut self, hits: &mut Hits) {
        hits.found.append(&mut self.hits.found);
    }

    /// Whether something divides the line.
    pub(crate) fn is_divided(&self) -> bool {
        !self.walls.is_empty()
    }

    /// Notes what divides a line.
    pub(crate) fn wall(&mut self, start: usize, end: usize) {
        self.walls.push((start, end));
    }

    /// Cuts settled findings where they reach from one cell into the next.
    pub(crate) fn divide(&mut self, line: &[u8], hits: &mut Hits) {
        if self.walls.is_empty() || hits.found.is_empty() {
            return;
        }
        self.walls.sort_unstable();
        let mut walls = self.walls.iter().peekable();
        let mut pieces = Vec::with_capacity(hits.found.len());
        for hit in &hits.found {
            let mut start = hit.start;
            while walls.next_if(|wall| wall.1 <= start).is_some() {}
            while let Some(wall) = walls.next_if(|wall| wall.0 < hit.end) {
                pieces.push((Hit { start, end: wall.0.max(start), ..*hit }, true));
                start = wall.1.min(hit.end).max(start);
            }
            pieces.push((Hit { start, ..*hit }, start > hit.start));
        }
        let cut = pieces.len() > hits.found.len();
        pieces.retain(|(piece, _)| {
            piece.start < piece.end && (!cut || line[piece.start..piece.end].iter().any(|&b| bytes::is(b, WORD | HIGH)))
        });
        hits.found.clear();
        hits.found.extend(pieces.into_iter().map(|(piece, cut)| match cut {
            true => Hit { form: super::hit::cut_form(piece.form, piece.category), ..piece },
            false => piece,
        }));
    }
}

/// Takes what a shape says about a line; deaf where only the state matters.
struct Sink<'l, 'f> {
    line: &'l [u8],
    own: Option<&'l OwnKeys>,
    signs: Signs,
    found: Option<&'f mut Found>,
}

impl Sink<'_, '_> {
    /// What a key says its value is: as the profile says, else as everywhere.
    fn class_of(&self, key: &[u8]) -> Option<KeyClass> {
        self.own.and_then(|own| own.class(key)).or_else(|| class_of_key(key))
    }

    /// The same for a member of something of the class `outer`.
    fn class_of_member(&self, outer: Option<KeyClass>, key: &[u8]) -> Option<KeyClass> {
        self.class_of(key).or_else(|| member::class(outer?, key))
    }

    /// `start..end` is the whole value of something of this class.
    fn value(&mut self, start: usize, end: usize, class: KeyClass) {
        let text = self.line[start.min(end)..end].trim_ascii();
        if class == KeyClass::Drop(Category::Secret) && text.len() == 4 && text.iter().all(u8::is_ascii_digit) {
            // Four digits are a number to dial in with.
            return self.secret(start, end);
        }
        let Some(found) = self.found.as_mut().filter(|_| start < end) else { return };
        let before = found.hits.found.len();
        value_hits(self.line, start, end, class, &mut found.hits);
        // Where a value ends is known better here than in a line read by itself.
        found.hits.found[before..].iter_mut().for_each(|hit| hit.rank = hit.rank.max(rank::DISPLAY_NAME));
    }

    /// The same for a key that was found in another line or object than the value.
    fn named(&mut self, start: usize, end: usize, class: KeyClass) {
        // An account's `name` with a blank in it is a person's.
        let text = self.line[start..end].trim_ascii();
        let spaced = text.contains(&b' ') || text.starts_with(Group::Person.prefix().as_bytes());
        self.value(start, end, if class == KeyClass::User && spaced { KeyClass::Person } else { class });
    }

    /// `start..end` is a secret, however short.
    fn secret(&mut self, start: usize, end: usize) {
        if start < end {
            self.hit(Hit { start, end, category: Category::Secret, form: Form::Drop, rank: rank::SECRET });
        }
    }

    /// A finding as it is.
    fn hit(&mut self, hit: Hit) {
        if let Some(found) = &mut self.found {
            found.hits.found.push(hit);
        }
    }

    /// How many walls there are.
    fn walls(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.walls.len())
    }

    /// Takes all walls but the first ones away.
    fn keep_walls(&mut self, first: usize) {
        if let Some(found) = &mut self.found {
            found.walls.truncate(first);
        }
    }

    /// `start..end` divides two cells, or is markup.
    fn wall(&mut self, start: usize, end: usize) {
        if let Some(found) = &mut self.found {
            found.walls.push((start, end));
        }
    }
}

/// Whether a mark for something dropped stands at `at`: `[secret]`.
fn is_mark(line: &[u8], at: usize) -> bool {
    bytes::byte(line, at + 1).is_ascii_lowercase()
        && Category::ALL.iter().any(|category| line[at..].starts_with(category.dropped().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::text::decode;

    /// What a text's shape alone finds: values and categories, line by line.
    pub(super) fn shaped(path: &str, text: &str, rules: &Rules) -> Vec<(String, String)> {
        let mut shape = Shape::of(path, text.as_bytes(), rules);
        let mut found = Found::default();
        let mut all = Vec::new();
        for line in text.lines() {
            shape.line(line.as_bytes(), Signs::ANY, &mut found);
            let mut hits = Hits::default();
            found.give(&mut hits);
            hits.settle(line.as_bytes());
            let value = |hit: &Hit| decode(&line.as_bytes()[hit.start..hit.end]).into_owned();
            all.extend(hits.found.iter().map(|hit| (value(hit), hit.category.to_string())));
        }
        all
    }

    /// Asserts what is found in a text by its shape.
    #[track_caller]
    pub(super) fn finds(path: &str, text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect();
        assert_eq!(shaped(path, text, &Rules::default()), expected, "in {text}");
    }

    #[test]
    fn a_key_of_the_profile_is_known_in_every_shape() {
        let rules = Rules { keys: [("roomowner".to_owned(), Category::Person)].into(), ..Rules::default() };
        for (path, text) in [
            ("a.xml", "<x><room_owner>Ada Love</room_owner><n>1</n></x>"),
            ("a.xml", "<x><room-owner><name>Ada Love</name></room-owner></x>"),
            ("", "<p name=\"room_owner\" value=\"Ada Love\"/>"),
            ("a.plist", "<?xml version=\"1.0\"?>\n<key>RoomOwner</key><string>Ada Love</string>"),
            ("a.csv", "n,Room Owner,m\n1,Ada Love,2\n"),
            ("", "n,room_owner,m\n1,\"Ada Love\",2\n"),
            ("", "{\"room_owner\": {\"name\": \"Ada Love\"}, \"n\": \"x\"}"),
            ("", "{\"room_owner\": [\n  \"Ada Love\"\n]}"),
            ("a.json", "{\"user\": {\"room_owner\": \"Ada Love\"}}"),
            ("a.yaml", "room_owner:\n  - Ada Love\nn: 1\n"),
            ("a.yaml", "room_owner: Ada Love # x\n"),
            ("a.ini", "[x]\nroom_owner = Ada Love\n"),
            ("a.ini", "[room-owner]\nname = Ada Love\n"),
            ("a.ldif", "dn: x=1\nroomOwner: Ada Love\n"),
        ] {
            assert_eq!(shaped(path, text, &rules), [("Ada Love".to_owned(), "person".to_owned())], "{path}: {text}");
            assert_ne!(shaped(path, text, &Rules::default()), shaped(path, text, &rules), "{path}: {text}");
        }
    }

    #[test]
    fn rotation_and_compression_do_not_change_what_a_file_is() {
        assert_eq!(plain_name("Calls.CSV.1.gz"), "calls.csv");
        assert_eq!(plain_name("passwd"), "passwd");
        assert_eq!(plain_name("7"), "7");
    }
}
