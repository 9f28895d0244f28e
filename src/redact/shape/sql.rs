//! Statements of SQL that name their columns before the rows: `INSERT INTO users (id, first_name) VALUES (…)`, `PostgreSQL`'s
//! `COPY users (…) FROM stdin` with the rows below it, and dumps, in which `CREATE TABLE` names the columns.
//!
//! A column says what its values are as a key of its name would, and what is called `name` in a table of users is a user's.

use std::sync::Arc;

use super::super::keys::KeyClass;
use super::super::text::{IDENT, SPACE, byte, is, run};
use super::{Kind, Sink, Start, State, json, member, neighbour};

/// Most columns a table has.
const MOST_COLUMNS: usize = 1024;
/// Most brackets that are open within each other: so of many statements that never end few are read to the end of the line.
const DEEPEST: u32 = 6;
/// Most lines a string of a statement goes on for.
const MOST_LINES: u32 = 64;

/// What the columns of a statement hold, in their order.
type Columns = Arc<[Option<KeyClass>]>;
/// Says what a column holds, by its name and by what the table is of.
type ClassOf<'c> = dyn Fn(&[u8], Option<KeyClass>) -> Option<KeyClass> + 'c;

/// Where in a statement a line ends, and what is known of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open {
    part: Part,
    columns: Option<Columns>,
    /// The table defined last, by name, and its columns.
    defined: Option<(Arc<[u8]>, Columns)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Part {
    /// Between statements.
    #[default]
    None,
    /// Within the rows of a statement.
    Rows(Place),
    /// In the rows of `COPY`, up to `\.`.
    Copy,
    /// Within the definition of a table.
    Definition(Arc<[u8]>, Vec<Option<KeyClass>>),
}

/// A place in the rows of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    /// How many brackets are open; none between rows.
    depth: u32,
    column: usize,
    /// The quotation mark of the string that goes on.
    quote: u8,
    /// Lines that string goes on for.
    lines: u32,
}

/// Knows a dump by its ending or by how it begins.
pub(super) fn kind(start: &Start<'_>) -> Option<Kind> {
    let begins = [b"-- MySQL dump".as_slice(), b"-- MariaDB dump", b"--\n-- PostgreSQL database"];
    let dump =
        start.has_ending(&["sql"]) || begins.iter().any(|begin| start.head.trim_ascii_start().starts_with(begin));
    dump.then_some(Kind::Sql)
}

/// Reads a line of a dump.
pub(super) fn line(line: &[u8], state: &mut State, sink: &mut Sink<'_, '_>) {
    let mut open = match std::mem::take(state) {
        State::Sql(open) => open,
        _ => Open::default(),
    };
    if sink.found.is_some() && sink.signs.opens {
        // A value may be JSON.
        json::begin(line, sink);
        neighbour::find(line, sink);
    }
    if !go_on(line, &mut open, sink) {
        open.part = Part::None;
        if let Some((table, _)) = opening(line, b"CREATE TABLE") {
            open.part = Part::Definition(table.into(), Vec::new());
        } else {
            statement(line, &mut open, sink);
        }
    }
    *state = if open == Open::default() { State::Idle } else { State::Sql(open) };
}

/// Begins a statement whose rows stand in other lines, in any text.
pub(super) fn begin(line: &[u8], sink: &mut Sink<'_, '_>) -> Option<Open> {
    let mut open = Open::default();
    if matches!(line.first(), Some(b'I' | b'R' | b'C')) {
        statement(line, &mut open, sink);
    }
    (open.part != Part::None).then_some(open)
}

/// Reads the next line; whether it belongs to the statement.
pub(super) fn go_on(line: &[u8], open: &mut Open, sink: &mut Sink<'_, '_>) -> bool {
    let columns = open.columns.clone();
    match &mut open.part {
        Part::None => return false,
        Part::Definition(table, defined) => {
            if define(line, table, defined, sink) {
                open.defined = Some((Arc::clone(table), std::mem::take(defined).into()));
                open.part = Part::None;
            }
        }
        Part::Copy => {
            if line.starts_with(b"\\.") {
                open.part = Part::None;
            } else if !row(line, columns.as_deref().unwrap_or_default(), sink) {
                return false;
            }
        }
        Part::Rows(place) => {
            let first = line.trim_ascii_start().first();
            let belongs = place.depth > 0 || matches!(first, None | Some(b'(' | b',' | b')' | b';' | b'-'));
            if !belongs || place.lines > MOST_LINES {
                return false;
            }
            place.lines += u32::from(place.quote != 0);
            if rows(line, 0, place, columns.as_deref().unwrap_or_default(), &mut |start, end, class| {
                sink.named(start, end, class);
            }) {
                open.part = Part::None;
            }
        }
    }
    if open.part == Part::None {
        open.columns = None;
    }
    true
}

/// Whether nothing more is to come.
pub(super) fn is_over(open: &Open) -> bool {
    open.part == Part::None
}

/// Reads a statement that begins a line.
fn statement(line: &[u8], open: &mut Open, sink: &mut Sink<'_, '_>) {
    if let Some((table, at)) = opening(line, b"COPY") {
        let columns = columns(line, at, table, &|key, outer| sink.class_of_member(outer, key));
        if let Some((columns, end)) = columns
            && line[end..].trim_ascii_start().len() >= 10
            && line[end..].trim_ascii_start()[..10].eq_ignore_ascii_case(b"FROM stdin")
            && columns.iter().any(Option::is_some)
        {
            open.columns = Some(columns.into());
            open.part = Part::Copy;
        }
        return;
    }
    let into = [b"INSERT INTO".as_slice(), b"INSERT IGNORE INTO", b"REPLACE INTO"].into_iter();
    let Some((table, at)) = into.filter_map(|words| opening(line, words)).next() else { return };
    let named = columns(line, at, table, &|key, outer| sink.class_of_member(outer, key));
    let known = || open.defined.as_ref().filter(|(name, _)| **name == *table).map(|(_, columns)| Arc::clone(columns));
    let (columns, at) = match named {
        Some((columns, end)) => (columns.into(), end),
        None => match known() {
            Some(columns) => (columns, at),
            None => return,
        },
    };
    let Some(at) = values(line, at) else { return };
    if columns.iter().all(Option::is_none) {
        return;
    }
    let mut place = Place::default();
    if !rows(line, at, &mut place, &columns, &mut |start, end, class| sink.named(start, end, class)) {
        open.part = Part::Rows(place);
        open.columns = Some(columns);
    }
}

/// The table's name behind the words a statement begins with, without a schema and quotation marks, and where it ends.
fn opening<'l>(line: &'l [u8], words: &[u8]) -> Option<(&'l [u8], usize)> {
    let mut at = run(line, 0, SPACE);
    for word in words.split(|&b| b == b' ') {
        let end = run(line, at, IDENT);
        if !line[at..end].eq_ignore_ascii_case(word) {
            return None;
        }
        at = run(line, end, SPACE);
    }
    if line[at..].len() > 14 && line[at..at + 14].eq_ignore_ascii_case(b"IF NOT EXISTS ") {
        at = run(line, at + 14, SPACE);
    }
    table(line, at)
}

/// A table's name at `at`, and where it ends.
fn table(line: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let of = |b: u8| is(b, IDENT) || matches!(b, b'`' | b'"' | b'[' | b']');
    let end = at + line.get(at..)?.iter().take(200).take_while(|&&b| of(b)).count();
    let name = line[at..end].rsplit(|&b| b == b'.').next()?;
    let mark = |b: &u8| matches!(b, b'`' | b'"' | b'[' | b']');
    let from = name.iter().position(|b| !mark(b))?;
    let to = name.iter().rposition(|b| !mark(b))? + 1;
    Some((&name[from..to], end))
}

/// What the columns hold that stand in brackets behind the table's name, and where they end.
fn columns(line: &[u8], at: usize, table: &[u8], class: &ClassOf<'_>) -> Option<(Vec<Option<KeyClass>>, usize)> {
    let outer = member::class_of_list(table);
    let mut at = run(line, at, SPACE);
    if byte(line, at) != b'(' {
        return None;
    }
    let mut all = Vec::new();
    loop {
        let mut from = run(line, at + 1, SPACE);
        let quoted = matches!(byte(line, from), b'`' | b'"' | b'[');
        from += usize::from(quoted);
        let end = run(line, from, IDENT);
        if end == from || all.len() == MOST_COLUMNS {
            return None;
        }
        all.push(class(&line[from..end], outer));
        at = run(line, end + usize::from(quoted), SPACE);
        match byte(line, at) {
            b',' => {}
            b')' => return Some((all, at + 1)),
            _ => return None,
        }
    }
}

/// Where the rows begin behind `VALUES`.
fn values(line: &[u8], at: usize) -> Option<usize> {
    let from = run(line, at, SPACE);
    let end = run(line, from, IDENT);
    let word = &line[from..end];
    (word.eq_ignore_ascii_case(b"VALUES") || word.eq_ignore_ascii_case(b"VALUE")).then_some(end)
}

/// Reads rows `(1,'x'),(2,'y');` on from a place; whether the statement ends in this line.
fn rows(
    line: &[u8],
    mut at: usize,
    place: &mut Place,
    columns: &[Option<KeyClass>],
    found: &mut dyn FnMut(usize, usize, KeyClass),
) -> bool {
    if place.quote != 0 {
        match string(line, at, place.quote) {
            Some(end) => {
                give(columns, place, (at, end), found);
                (place.quote, place.lines, at) = (0, 0, end + 1);
            }
            None => {
                give(columns, place, (at, line.len()), found);
                return false;
            }
        }
    }
    while at < line.len() {
        match line[at] {
            b'(' => {
                place.depth += 1;
                if place.depth == 1 {
                    place.column = 0;
                } else if place.depth > DEEPEST {
                    return true;
                }
            }
            b')' => place.depth = place.depth.saturating_sub(1),
            b',' if place.depth == 1 => place.column += 1,
            b';' if place.depth == 0 => return true,
            quote @ (b'\'' | b'"') if place.depth > 0 => {
                let Some(end) = string(line, at + 1, quote) else {
                    give(columns, place, (at + 1, line.len()), found);
                    place.quote = quote;
                    return false;
                };
                give(columns, place, (at + 1, end), found);
                at = end;
            }
            b'-' | b'0'..=b'9' if place.depth == 1 => {
                let end = number(line, at);
                give(columns, place, (at, end), found);
                at = end - 1;
            }
            b if place.depth == 0 && b.is_ascii_alphabetic() => {
                // `ON CONFLICT …`, or another text behind the statement.
                return true;
            }
            b if is(b, IDENT) => at = run(line, at, IDENT) - 1,
            _ => {}
        }
        at += 1;
    }
    false
}

/// Where a number ends.
fn number(line: &[u8], at: usize) -> usize {
    run(line, at + 1, IDENT).max(at + 1)
}

/// Where a string ends: a quotation mark in it is doubled, or stands behind a backslash.
fn string(line: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(quote, b'\\', line.get(at..)?)?;
        let next = byte(line, at + 1);
        if line[at] == quote {
            if next != quote {
                return Some(at);
            }
            at += 2;
        } else {
            // Where backslashes mean nothing, one may end a string.
            let ends = next == quote && matches!(byte(line, at + 2), b',' | b')');
            at += if ends { 1 } else { 2 };
        }
    }
}

fn give(
    columns: &[Option<KeyClass>],
    place: &Place,
    (start, end): (usize, usize),
    found: &mut dyn FnMut(usize, usize, KeyClass),
) {
    if let Some(class) = columns.get(place.column).copied().flatten()
        && place.depth == 1
        && start < end
    {
        found(start, end, class);
    }
}

/// A row of `COPY`; whether it is one.
fn row(line: &[u8], columns: &[Option<KeyClass>], sink: &mut Sink<'_, '_>) -> bool {
    let tabs = memchr::memchr_iter(b'\t', line);
    if tabs.clone().count() + 1 != columns.len() {
        return false;
    }
    let mut from = 0;
    for (at, class) in tabs.chain(std::iter::once(line.len())).zip(columns) {
        if let Some(class) = class.filter(|_| &line[from..at] != b"\\N") {
            sink.named(from, at, class);
        }
        sink.wall(at, at + 1);
        from = at + 1;
    }
    true
}

/// A line of a table's definition; whether the definition ends there.
fn define(line: &[u8], name: &[u8], defined: &mut Vec<Option<KeyClass>>, sink: &Sink<'_, '_>) -> bool {
    let from = run(line, 0, SPACE);
    let quoted = matches!(byte(line, from), b'`' | b'"' | b'[');
    let from = from + usize::from(quoted);
    let end = run(line, from, IDENT);
    let column = &line[from..end];
    const NO_COLUMNS: [&[u8]; 9] =
        [b"PRIMARY", b"UNIQUE", b"KEY", b"INDEX", b"CONSTRAINT", b"FOREIGN", b"FULLTEXT", b"SPATIAL", b"CHECK"];
    if !column.is_empty() && (quoted || !NO_COLUMNS.iter().any(|word| column.eq_ignore_ascii_case(word))) {
        defined.push(sink.class_of_member(member::class_of_list(name), column));
    }
    let last = line.trim_ascii();
    defined.len() == MOST_COLUMNS || last.starts_with(b")") || last.ends_with(b";")
}

/// The values of a statement that stands within a line, `into` the place behind its word `INTO`.
pub(crate) fn within(
    line: &[u8],
    into: usize,
    class: &dyn Fn(&[u8]) -> Option<KeyClass>,
    found: &mut dyn FnMut(usize, usize, KeyClass),
) {
    let Some((table, at)) = table(line, run(line, into, SPACE)) else { return };
    let class = |key: &[u8], outer| class(key).or_else(|| member::class(outer?, key));
    let Some((columns, at)) = columns(line, at, table, &class) else { return };
    let Some(at) = values(line, at) else { return };
    if columns.iter().any(Option::is_some) {
        rows(line, at, &mut Place::default(), &columns, found);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    const FOUND: [(&str, &str); 4] =
        [("hkarlsen", "user"), ("Håkon", "person"), ("Karl''sen", "person"), ("4711", "secret")];

    #[test]
    fn the_columns_of_a_statement_say_what_its_values_are() {
        let row = "(1,'hkarlsen','Håkon',NOW(),'Karl''sen','4711')";
        let head = "INSERT INTO \"app\".`users` (id, username, `first_name`, at, last_name, pin)";
        for text in [
            format!("{head} VALUES {row};\nname='stays'"),
            format!("{head} VALUES\n{row},\n(2,NULL,NULL,NULL,NULL,NULL);\n('x','y')"),
            format!("{head} VALUES (7,'root',NULL,'',NULL,NULL),{row} ON CONFLICT DO NOTHING;"),
        ] {
            finds("", &text, &FOUND);
            finds("a.sql", &text, &FOUND);
        }
        finds(
            "",
            "INSERT INTO users (id, name) VALUES (1, 'Ada\n Love'), (2, 'x')",
            &[("Ada", "user"), ("Love", "user"), ("x", "user")],
        );
        finds("", "INSERT INTO codecs (id, name) VALUES (1, 'Opus');", &[]);
    }

    #[test]
    fn rows_below_copy_are_read_by_its_columns() {
        let text = "COPY public.users (id, username, name, codec) FROM stdin;\n1\thkarlsen\tAda Love\tOpus\n2\t\\N\t\\N\tH264\n\\.\n1\tstays\tAda Love\tx\n";
        let found = [("hkarlsen", "user"), ("Ada Love", "person")];
        finds("", text, &found);
        finds("a.sql", text, &found);
    }

    #[test]
    fn a_dump_defines_the_columns_before_the_rows() {
        let text = "-- MySQL dump 10.13\nCREATE TABLE `users` (\n  `id` int NOT NULL,\n  `name` varchar(255),\n  `pin` int,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n/*!40000 ALTER TABLE */;\nINSERT INTO `users` VALUES (1,'Ada O\\'Love',4711),(2,'adal',NULL);\nINSERT INTO `rooms` VALUES (1,'Ada Love',4711);\n";
        finds("a.sql", text, &[(r"Ada O\'Love", "person"), ("4711", "secret"), ("adal", "user")]);
        finds("dump", text, &[(r"Ada O\'Love", "person"), ("4711", "secret"), ("adal", "user")]);
    }
}
