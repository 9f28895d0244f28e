//! One cell: what its column says it is, and what stands for it.

use std::collections::HashMap;

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::Document;
use super::plan::Column;
use crate::redact::category::{Category, Counts};
use crate::redact::engine::Engine;
use crate::redact::error::RedactError;
use crate::redact::fit::Fit;
use crate::redact::keys::{self, KeyClass, key_hash};
use crate::redact::own;
use crate::redact::rules::{Rules, Treat};
use crate::redact::text::word_hash;

/// Texts up to this length are remembered with what stands for them.
const REMEMBERED: usize = 512;
/// Bytes that are remembered.
const MEMORY: usize = 32 << 20;
/// Telephone numbers that are numbers get a stand-in from here on: no telephone number has more than 15 digits.
const PHONES: i64 = 1_000_000_000_000_000_000;
const PHONE_DIGITS: usize = 12;
/// Binary blobs of these lengths are identifiers.
const IDENTIFIER: std::ops::RangeInclusive<usize> = 8..=64;

/// A value as SQLite keeps it. A text need not be UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(text.to_vec()),
            ValueRef::Blob(blob) => Self::Blob(blob.to_vec()),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(blob) => ValueRef::Blob(blob),
        }))
    }
}

/// What stands for a text, if anything, and what was replaced in it.
type Fresh = (Option<Vec<u8>>, Counts);
type Memory = HashMap<Vec<u8>, Remembered>;

/// Redacts cells, and remembers what stands for which.
pub(super) struct Cells<'a> {
    engine: &'a Engine,
    document: &'a Document<'a>,
    pub(super) counts: Counts,
    memories: Vec<(Option<KeyClass>, Memory)>,
    held: usize,
    /// What got a number because something unique forbade its stand-in; the key is the stand-in.
    numbers: HashMap<Vec<u8>, u64>,
    /// Binary cells that were emptied since this was read last.
    pub(super) emptied: u64,
}

struct Remembered {
    /// `None`: it stays.
    new: Option<Vec<u8>>,
    counts: Counts,
    /// It has a number, and keeps it.
    numbered: bool,
}

impl<'a> Cells<'a> {
    pub(super) fn new(engine: &'a Engine, document: &'a Document<'a>) -> Self {
        Self {
            engine,
            document,
            counts: Counts::new(),
            memories: Vec::new(),
            held: 0,
            numbers: HashMap::new(),
            emptied: 0,
        }
    }

    /// A name or literal of the schema; `None` when it stays. It is not counted.
    pub(super) fn name(&mut self, text: &str, class: Option<KeyClass>) -> Result<Option<String>, RedactError> {
        let (new, _) = self.engine.cell(text.as_bytes(), class)?;
        Ok(String::from_utf8(new).ok().filter(|new| new != text))
    }

    /// What stands for a cell; `None` when it stays. `class` is what the column or the row's key says.
    pub(super) fn redact(
        &mut self,
        cell: &Cell,
        column: &Column,
        class: Option<KeyClass>,
    ) -> Result<Option<Cell>, RedactError> {
        Ok(match cell {
            Cell::Null => None,
            Cell::Text(text) if text.is_empty() => None,
            Cell::Text(text) => self.text(text, class, column.pin)?.map(Cell::Text),
            Cell::Blob(blob) => self.blob(blob, class)?.map(Cell::Blob),
            Cell::Integer(number) => self.integer(*number, column, class)?,
            Cell::Real(number) => self.real(*number, column, class),
        })
    }

    fn text(&mut self, text: &[u8], class: Option<KeyClass>, pin: bool) -> Result<Option<Vec<u8>>, RedactError> {
        if let Some(known) = self.memory(class).get(text) {
            let (new, counts) = (known.new.clone(), known.counts.clone());
            self.count(&counts);
            return Ok(new);
        }
        let (new, counts) = self.fresh(text, class, pin)?;
        self.count(&counts);
        if text.len() <= REMEMBERED {
            self.remember(text, class, Remembered { new: new.clone(), counts, numbered: false });
        }
        Ok(new)
    }

    fn fresh(&self, text: &[u8], class: Option<KeyClass>, pin: bool) -> Result<Fresh, RedactError> {
        if let Some(base) = without_number(text)
            && self.engine.cell(base, class)?.0 == base
        {
            return Ok((None, Counts::new()));
        }
        match self.engine.cell(text, class) {
            Ok((new, _)) if new == text && pin && !text.is_empty() && text.iter().all(u8::is_ascii_digit) => {
                let new = Category::Secret.dropped().as_bytes().to_vec();
                Ok((Some(new), Counts::from([(Category::Secret, 1)])))
            }
            Ok((new, counts)) => Ok((Some(new).filter(|new| new != text), counts)),
            // Bytes that are no text, kept as one.
            Err(RedactError::NotReadable) => Ok((Some(Vec::new()), Counts::new())),
            Err(error) => Err(error),
        }
    }

    fn blob(&mut self, blob: &[u8], class: Option<KeyClass>) -> Result<Option<Vec<u8>>, RedactError> {
        if blob.is_empty() {
            return Ok(None);
        }
        if std::str::from_utf8(blob).is_ok_and(is_plain) {
            match self.engine.cell(blob, class) {
                Ok((new, counts)) => {
                    self.count(&counts);
                    return Ok(Some(new).filter(|new| new != blob));
                }
                Err(RedactError::NotReadable) => {}
                Err(error) => return Err(error),
            }
        } else if class.is_none() {
            match (self.document)(blob) {
                Ok(new) => return Ok(Some(new)),
                Err(RedactError::Gate(hit)) => return Err(RedactError::Gate(hit)),
                Err(_) => {}
            }
        }
        if blob.iter().all(|&byte| byte == 0) || self.engine.stand_ins.is_blob(blob) {
            return Ok(None);
        }
        if IDENTIFIER.contains(&blob.len()) {
            return Ok(Some(self.engine.stand_ins.blob(blob)));
        }
        if blob.len() < *IDENTIFIER.start() {
            return Ok(Some(vec![0; blob.len()]));
        }
        self.emptied += 1;
        Ok(Some(Vec::new()))
    }

    fn integer(&mut self, number: i64, column: &Column, class: Option<KeyClass>) -> Result<Option<Cell>, RedactError> {
        let text = number.to_string();
        match class {
            Some(KeyClass::Drop(category)) => return Ok(self.dropped(category, number == 0 || number == 1, column)),
            Some(KeyClass::Fitting(fit)) if fit != Fit::Login && fit.holds(text.as_bytes()) => {
                return Ok(self.dropped(fit.category(), false, column));
            }
            Some(KeyClass::Phone | KeyClass::Person) if is_phone_stand_in(number) => return Ok(None),
            Some(KeyClass::Phone | KeyClass::Person | KeyClass::Device) => {}
            // Numbers under other keys are identifiers, unless the survey learned them as names.
            _ if self.is_learned(&text) => {}
            _ => return Ok(None),
        }
        if class == Some(KeyClass::Device) && text.len() < 8 {
            return Ok(None);
        }
        let class = class.filter(|class| matches!(class, KeyClass::Phone | KeyClass::Person | KeyClass::Device));
        let Some(new) = self.text(text.as_bytes(), class, false)? else { return Ok(None) };
        if let Some(digits) = new.strip_prefix(b"+00").filter(|digits| digits.len() == PHONE_DIGITS) {
            let digits = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok());
            return Ok(digits.map(|digits| Cell::Integer(PHONES + digits)));
        }
        Ok(Some(if column.holds_text {
            Cell::Text(new)
        } else if column.nullable {
            Cell::Null
        } else {
            Cell::Integer(0)
        }))
    }

    fn is_learned(&self, digits: &str) -> bool {
        let names = &self.engine.stand_ins.learned.names;
        names.digits && names.filter.may_hold(word_hash(digits.as_bytes()))
    }

    fn real(&mut self, number: f64, column: &Column, class: Option<KeyClass>) -> Option<Cell> {
        match class {
            Some(KeyClass::Drop(category)) => self.dropped(category, number == 0.0, column),
            Some(KeyClass::Phone) if number.abs() >= 1000.0 => {
                self.count(&Counts::from([(Category::Phone, 1)]));
                Some(if column.nullable { Cell::Null } else { Cell::Real(0.0) })
            }
            _ => None,
        }
    }

    /// A number that the column says is dropped: nothing where nothing may stand, else 0. The number of an employer, a title
    /// or a nationality refers to another table.
    fn dropped(&mut self, category: Category, flag: bool, column: &Column) -> Option<Cell> {
        let reference = matches!(category, Category::Employer | Category::Title | Category::Nationality);
        if reference || flag && category == Category::Secret {
            return None;
        }
        if self.engine.stand_ins.action(category) == crate::redact::category::Action::Keep {
            return None;
        }
        self.count(&Counts::from([(category, 1)]));
        Some(if column.nullable { Cell::Null } else { Cell::Integer(0) })
    }

    /// The next stand-in for a cell whose own is taken, and from now on for every cell like it.
    pub(super) fn next(&mut self, old: &Cell, taken: &Cell, class: Option<KeyClass>) -> Option<Cell> {
        match (old, taken) {
            (_, Cell::Integer(number)) => {
                let key = [b"\0integer".as_slice(), &number.to_be_bytes()].concat();
                Some(Cell::Integer(number.checked_sub(i64::try_from(self.number(&key)).ok()?)?))
            }
            (Cell::Text(old), Cell::Text(taken)) => {
                let base = without_number(taken).unwrap_or(taken).to_vec();
                let new = [&base, format!(" ({})", self.number(&base) + 1).as_bytes()].concat();
                if old.len() <= REMEMBERED {
                    let known = self.memory(class).get(old).map(|known| known.counts.clone()).unwrap_or_default();
                    let known = Remembered { new: Some(new.clone()), counts: known, numbered: true };
                    self.remember(old, class, known);
                }
                Some(Cell::Text(new))
            }
            (Cell::Blob(old), Cell::Blob(_)) => Some(Cell::Blob(self.engine.stand_ins.blob(old))),
            _ => None,
        }
    }

    fn number(&mut self, key: &[u8]) -> u64 {
        let number = self.numbers.entry(key.to_vec()).or_insert(0);
        *number += 1;
        *number
    }

    fn memory(&mut self, class: Option<KeyClass>) -> &mut Memory {
        let place = self.memories.iter().position(|(of, _)| *of == class).unwrap_or_else(|| {
            self.memories.push((class, HashMap::new()));
            self.memories.len() - 1
        });
        &mut self.memories[place].1
    }

    fn remember(&mut self, text: &[u8], class: Option<KeyClass>, remembered: Remembered) {
        self.held += text.len() + 128;
        if self.held > MEMORY {
            self.memories.iter_mut().for_each(|(_, memory)| memory.retain(|_, known| known.numbered));
            self.held = 0;
        }
        self.memory(class).insert(text.to_vec(), remembered);
    }

    fn count(&mut self, counts: &Counts) {
        for (category, count) in counts {
            *self.counts.entry(*category).or_insert(0) += count;
        }
    }
}

/// Whether bytes that are UTF-8 were meant as text.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))
}

fn is_phone_stand_in(number: i64) -> bool {
    (PHONES..PHONES + 1_000_000_000_000).contains(&number)
}

/// A text without the ` (7)` at its end.
fn without_number(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_suffix(b")")?;
    let at = memchr::memrchr(b'(', inner)?;
    let (base, digits) = (inner[..at].strip_suffix(b" ")?, &inner[at + 1..]);
    (!base.is_empty() && (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)).then_some(base)
}

/// A text of the same length in which letters are `x` and digits `0`, for where nothing else may stand.
pub(super) fn shape(text: &[u8]) -> Vec<u8> {
    let shape = |c: char| match c {
        c if c.is_numeric() => '0',
        c if c.is_alphanumeric() => 'x',
        c => c,
    };
    String::from_utf8_lossy(text).chars().map(shape).collect::<String>().into_bytes()
}

/// What the cells of a column are. In a table of settings `name` and the like are keys and mean nothing themselves.
pub(super) fn class_of(rules: &Rules, table: &str, column: &str, settings: bool) -> Option<KeyClass> {
    match rules.column(table, column) {
        Some(Treat::Scan) => return None,
        Some(Treat::Category(category)) => return Some(own::class_of(category)),
        None => {}
    }
    let own = rules.keys.iter().find(|(key, _)| key_hash(key.as_bytes()) == key_hash(column.as_bytes()));
    if let Some((_, category)) = own {
        return Some(own::class_of(*category));
    }
    key_class(column.as_bytes()).or_else(|| {
        // `name` in a table of participants is a participant's name.
        if settings || !["name", "number"].iter().any(|word| column.eq_ignore_ascii_case(word)) {
            return None;
        }
        let word = table.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or(table);
        let one = word.strip_suffix(['s', 'S']).unwrap_or(word);
        [one, word].iter().find_map(|word| keys::class_of_two(word.as_bytes(), column.as_bytes()))
    })
}

/// What a value beside a key is.
pub(super) fn key_class(key: &[u8]) -> Option<KeyClass> {
    let last = key.iter().rposition(|&b| matches!(b, b'.' | b'/' | b':')).map_or(key, |at| &key[at + 1..]);
    keys::class_of(key)
        .or_else(|| keys::class_of(last))
        .or_else(|| keys::is_secret_key(key).then_some(KeyClass::Drop(Category::Secret)))
}

/// Whether a column holds numbers people type in to be let in.
pub(super) fn is_pin(column: &str) -> bool {
    key_class(column.as_bytes()) == Some(KeyClass::Drop(Category::Secret))
        && ["pin", "pass"].iter().any(|word| column.to_ascii_lowercase().contains(word))
}
