//! Tables with a separator between cells: CSV, TSV and the like (RFC 4180).
//!
//! The first row says what the columns are. A cell in quotation marks may hold separators, doubled quotation marks and line
//! ends. What stands for a value holds none of these, and nothing is replaced across two cells: a row keeps its cells.

use super::super::category::Category;
use super::super::detector::class_of_key;
use super::super::keys::KeyClass;
use super::super::own;
use super::super::rules::{Rules, Treat};
use super::super::text::{self, DIGIT, IDENT, byte, is};
use super::{Kind, Sink, Start, State};

/// Most columns a table has.
const MOST_COLUMNS: usize = 1024;
/// Most lines a quoted cell goes on for; then it is taken for one that was never closed.
const MOST_LINES: u32 = 256;
/// Longest name of a column, in bytes.
const LONGEST_NAME: usize = 64;

/// A table's columns.
#[derive(Debug)]
pub(super) struct Table {
    separator: u8,
    classes: Vec<Option<KeyClass>>,
    /// The row with the names, which is no row of values.
    header: Vec<u8>,
}

/// Within a quoted cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    column: usize,
    lines: u32,
}

/// The columns of Asterisk's `Master.csv`, which has no header.
const ASTERISK: &str = "account,src,dst,dcontext,callerid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,\
    billsec,disposition,amaflags,uniqueid,userfield";

/// Knows a table by its ending, or by a header that cannot be anything else.
pub(super) fn kind(start: &Start<'_>) -> Option<Kind> {
    let table = start.path.rsplit(['/', '!']).next().unwrap_or_default();
    if start.name == "master.csv" || start.path.contains("cdr-csv/") {
        let classes = ASTERISK.split(',').map(|name| asterisk(name, table, start.rules)).collect();
        return Some(Kind::Table(Table { separator: b',', classes, header: Vec::new() }));
    }
    let named = start.has_ending(&["csv", "tsv", "tab", "psv"]);
    let mut rows = start.head.split(|&b| b == b'\n');
    let header = rows.next()?;
    // A header that does not end within what is looked at says nothing.
    if header.len() == start.head.len() && !start.whole {
        return None;
    }
    let header = header.strip_suffix(b"\r").unwrap_or(header);
    let separator = if start.has_ending(&["tsv", "tab"]) {
        b'\t'
    } else {
        *b",;\t|".iter().max_by_key(|&&sign| (cells(header, sign).len(), sign == b','))?
    };
    let places = cells(header, separator);
    let names: Vec<&[u8]> = places.iter().map(|&(from, to)| &header[from..to]).collect();
    if names.len() > MOST_COLUMNS || names.is_empty() || names.len() < 2 && !named {
        return None;
    }
    let is_header = names.iter().all(|name| is_column_name(name, named));
    if named && !is_header {
        // Without names a column is called by its number, for rules.
        let rule = |number: usize| class_by_rule(table, &number.to_string(), start.rules);
        let classes = (1..=names.len()).map(|number| rule(number).flatten()).collect();
        return Some(Kind::Table(Table { separator, classes, header: Vec::new() }));
    }
    if !is_header {
        return None;
    }
    let classes: Vec<_> = names.iter().map(|name| class(name, table, start.rules)).collect();
    if !named {
        let second = rows.next().map(|row| row.strip_suffix(b"\r").unwrap_or(row));
        let fits = second.is_some_and(|row| {
            !row.contains(&b'"') && cells(row, separator).len() == names.len() || row.contains(&b'"')
        });
        // Two words with a comma are easily prose: all rows must have two cells.
        let two = names.len() == 2
            && start.head.split(|&b| b == b'\n').take(8).filter(|row| !row.trim_ascii().is_empty()).all(|row| {
                let row = row.strip_suffix(b"\r").unwrap_or(row);
                cells(row, separator).len() == 2 || row.contains(&b'"')
            });
        if names.len() < 3 && !two
            || !fits
            || classes.iter().all(Option::is_none)
            || memchr::memmem::find(header, b", ").is_some()
        {
            return None;
        }
    }
    Some(Kind::Table(Table { separator, classes, header: header.to_vec() }))
}

fn asterisk(name: &str, table: &str, rules: &Rules) -> Option<KeyClass> {
    match name {
        "src" | "dst" => class_by_rule(table, name, rules).unwrap_or(Some(KeyClass::Phone)),
        _ => class(name.as_bytes(), table, rules),
    }
}

/// What a column holds: as a rule or a key of the profile says, else as a key of its name would say.
fn class(name: &[u8], table: &str, rules: &Rules) -> Option<KeyClass> {
    let key = name.trim_ascii();
    class_by_rule(table, &String::from_utf8_lossy(key), rules).unwrap_or_else(|| {
        let key: Vec<u8> = key.iter().map(|&b| if b == b' ' { b'_' } else { b }).collect();
        class_of_key(&key)
    })
}

/// What a rule says about a column: `Some(None)` when its cells are text to scan.
fn class_by_rule(table: &str, column: &str, rules: &Rules) -> Option<Option<KeyClass>> {
    Some(match rules.column(table, column)? {
        Treat::Scan => None,
        Treat::Category(category) => Some(own::class_of(category)),
    })
}

fn is_column_name(name: &[u8], named: bool) -> bool {
    let name = name.trim_ascii();
    let of_name = |b: u8| is(b, IDENT) || matches!(b, b' ' | b'/' | b'(' | b')' | b'#' | b'%' | b'@');
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.iter().all(|&b| of_name(b))
        && !is(name[0], DIGIT)
        && !name.iter().all(|&b| is(b, DIGIT) || b == b'.' || b == b'-')
        && (named || name.iter().filter(|&&b| b == b' ').count() <= 2 && !name.ends_with(b"."))
}

/// The places of a row's cells, without their quotation marks.
fn cells(row: &[u8], separator: u8) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut at = 0;
    loop {
        let cell = Cell::at(row, at, separator);
        all.push((cell.start, cell.end));
        match cell.next {
            Some(next) if all.len() <= MOST_COLUMNS => at = next,
            _ => return all,
        }
    }
}

struct Cell {
    start: usize,
    end: usize,
    /// Where the next cell begins.
    next: Option<usize>,
    /// The quotation that it began has not ended.
    open: bool,
}

impl Cell {
    fn at(row: &[u8], at: usize, separator: u8) -> Self {
        if byte(row, at) == b'"' { Self::quoted(row, at + 1, separator) } else { Self::bare(row, at, separator) }
    }

    fn bare(row: &[u8], at: usize, separator: u8) -> Self {
        let end = memchr::memchr(separator, &row[at..]).map(|length| at + length);
        Self { start: at, end: end.unwrap_or(row.len()), next: end.map(|end| end + 1), open: false }
    }

    /// The rest of a cell in quotation marks.
    fn quoted(row: &[u8], start: usize, separator: u8) -> Self {
        let mut at = start;
        loop {
            let Some(quote) = memchr::memchr(b'"', &row[at..]).map(|length| at + length) else {
                return Self { start, end: row.len(), next: None, open: true };
            };
            if byte(row, quote + 1) == b'"' {
                at = quote + 2;
                continue;
            }
            let next = memchr::memchr(separator, &row[quote + 1..]).map(|length| quote + 1 + length + 1);
            return Self { start, end: quote, next, open: false };
        }
    }
}

/// Reads a line of a table.
pub(super) fn line(table: &Table, line: &[u8], state: &mut State, sink: &mut Sink<'_, '_>) {
    let open = match std::mem::take(state) {
        State::Table(open) if open.lines < MOST_LINES => Some(open),
        _ => None,
    };
    if open.is_none() && line == table.header {
        return;
    }
    let (mut column, mut at) = (0, 0);
    let mut cell = match open {
        Some(open) => {
            column = open.column;
            Cell::quoted(line, 0, table.separator)
        }
        None => Cell::at(line, at, table.separator),
    };
    loop {
        if let Some(class) = table.classes.get(column).copied().flatten() {
            value(line, cell.start, cell.end, class, sink);
        }
        if cell.open {
            let lines = open.map_or(1, |open| open.lines + 1);
            *state = State::Table(Open { column, lines });
            return;
        }
        let Some(next) = cell.next else { return };
        sink.wall(cell.end, next);
        at = at.max(next);
        column += 1;
        cell = Cell::at(line, at, table.separator);
        sink.wall(at, cell.start);
    }
}

/// `"Anna Müller" <4930…>` in a cell is a name and a number.
fn value(line: &[u8], start: usize, end: usize, class: KeyClass, sink: &mut Sink<'_, '_>) {
    let text = &line[start..end];
    if class == KeyClass::Person
        && let Some(open) = memchr::memchr(b'<', text)
        && text.trim_ascii_end().ends_with(b">")
    {
        let mark = |b: &u8| matches!(b, b'"' | b' ');
        let from = text[..open].iter().position(|b| !mark(b)).unwrap_or(open);
        let to = text[..open].iter().rposition(|b| !mark(b)).map_or(from, |last| last + 1);
        sink.value(start + from, start + to, KeyClass::Person);
        let close = memchr::memrchr(b'>', text).unwrap_or(text.len());
        sink.value(start + open + 1, start + close.max(open + 1), KeyClass::Phone);
        return;
    }
    // A quoted cell may itself hold text in which a key says what a value is.
    let json = matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) && !text::is(byte(text, 0), DIGIT);
    if !json || class == KeyClass::Drop(Category::Secret) {
        sink.named(start, end, class);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;

    #[test]
    fn columns_say_what_cells_are() {
        let text = "id,Display Name,user,phone,note\n1,\"Love, Ada \"\"Al\"\"\",adal,030 123456,x\n2,Bo,,,\"a\nb\",\n3,\"Cy\nYo\",cy,,\n";
        finds(
            "calls.csv",
            text,
            &[
                ("Love, Ada \"\"Al\"\"", "person"),
                ("adal", "user"),
                ("030 123456", "phone"),
                ("Bo", "person"),
                ("Cy", "person"),
                ("Yo", "person"),
                ("cy", "user"),
            ],
        );
    }

    #[test]
    fn a_clear_header_is_enough_and_prose_is_not() {
        finds("", "time;user;password\n1;adal;x1y2z3\n", &[("adal", "user"), ("x1y2z3", "secret")]);
        finds("", "hello, user, and host\nfoo, bar, baz\n", &[]);
        finds("", "host,user,name\nand more\n", &[]);
        finds(
            "",
            "display_name,n\n\"Ada \"\"Al\"\" Love\",1\nBo,2\n",
            &[("Ada \"\"Al\"\" Love", "person"), ("Bo", "person")],
        );
        finds("", "user,host\nand more\n", &[]);
        finds("", "user,host\na,b\nand more\n", &[]);
    }

    #[test]
    fn a_table_of_asterisk_needs_no_header() {
        let text = "\"\",\"4930123456\",\"s\",\"default\",\"\"\"Ada Love\"\" <4930123456>\",\"SIP/x\"\n";
        finds(
            "var/log/asterisk/cdr-csv/Master.csv",
            text,
            &[("4930123456", "phone"), ("Ada Love", "person"), ("4930123456", "phone")],
        );
    }
}
