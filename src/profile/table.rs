//! Tables of a profile with their place in the file, so that what is wrong can be shown there.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::BadProfile;
use super::keys::{KEYS, REQUIRED};

/// The text of a profile; it knows lines.
#[derive(Clone, Copy)]
pub(super) struct Text<'d>(pub(super) &'d str);

impl Text<'_> {
    /// What is wrong at a place.
    pub(super) fn wrong(self, at: usize, what: impl Into<String>) -> BadProfile {
        let before = self.0.get(..at).unwrap_or(self.0);
        BadProfile { line: before.matches('\n').count() + 1, what: what.into(), hint: None }
    }
}

impl BadProfile {
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A value and where it stands.
pub(super) type At<T> = (T, Range<usize>);

/// A key and its text.
pub(super) type Pair<'d> = (At<&'d str>, At<&'d str>);

/// A table whose keys are known.
pub(super) struct Table<'d> {
    text: Text<'d>,
    at: usize,
    values: &'d DeTable<'d>,
}

impl<'d> Table<'d> {
    /// Takes a table at a place, and refuses keys that it does not have.
    pub(super) fn new(
        text: Text<'d>,
        name: &'static str,
        at: usize,
        values: &'d DeTable<'d>,
    ) -> Result<Self, BadProfile> {
        let known: Vec<&str> = names(name).collect();
        for key in values.keys() {
            if !known.contains(&key.get_ref().as_ref()) && !known.iter().any(|name| name.starts_with('<')) {
                let word = key.get_ref();
                let mut wrong = text.wrong(key.span().start, format!("unknown key \"{}\"", word.escape_debug()));
                wrong.hint = Some(match nearest(word, known.iter().copied()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("what may stand here: {}", known.join(", ")),
                });
                return Err(wrong);
            }
        }
        let table = Self { text, at, values };
        for key in KEYS.iter().filter(|key| key.table == name && key.default == REQUIRED) {
            if !values.contains_key(key.name) {
                return Err(table.missing(key.name).hint(format!("for example:  {} = {}", key.name, key.example)));
            }
        }
        Ok(table)
    }

    /// A key that must be there is not.
    pub(super) fn missing(&self, key: &str) -> BadProfile {
        self.wrong(format!("\"{key}\" is missing"))
    }

    /// Something is wrong with the table as a whole.
    pub(super) fn wrong(&self, what: impl Into<String>) -> BadProfile {
        self.text.wrong(self.at, what)
    }

    fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.values.get(key)
    }

    fn kind(&self, key: &str, value: &Spanned<DeValue<'d>>, wanted: &str) -> BadProfile {
        let got = value.get_ref().type_str();
        self.text.wrong(value.span().start, format!("\"{key}\" must be {wanted}, not {}", article(got)))
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<At<&'d str>>, BadProfile> {
        self.value(key).map(|value| self.as_text(key, value)).transpose()
    }

    /// A text that is there because the table was refused without it.
    pub(super) fn required(&self, key: &str) -> Result<At<&'d str>, BadProfile> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    fn as_text(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Result<At<&'d str>, BadProfile> {
        let text = value.get_ref().as_str().ok_or_else(|| self.kind(key, value, "a text in quotes"))?;
        if text.chars().any(char::is_control) {
            return Err(self.text.wrong(value.span().start, format!("\"{key}\" holds a control character")));
        }
        Ok((text, value.span()))
    }

    /// A number from a range.
    pub(super) fn number(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, BadProfile> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.get_ref().as_integer().ok_or_else(|| self.kind(key, value, "a number"))?;
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
        parsed.filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            let what = format!("\"{key}\" must be a number from {} to {}", range.start(), range.end());
            self.text.wrong(value.span().start, what)
        })
    }

    /// A size such as `20GiB`.
    pub(super) fn size(&self, key: &str) -> Result<Option<u64>, BadProfile> {
        let Some((text, at)) = self.text(key)? else { return Ok(None) };
        size(text).map(Some).ok_or_else(|| {
            self.text
                .wrong(at.start, format!("\"{key}\" must be a size"))
                .hint("for example 64MiB or 20GiB; the units are KiB, MiB, GiB and TiB")
        })
    }

    /// A time such as `30s` or `24h`, in seconds.
    pub(super) fn time(&self, key: &str) -> Result<Option<u64>, BadProfile> {
        let Some((text, at)) = self.text(key)? else { return Ok(None) };
        time(text).map(Some).ok_or_else(|| {
            self.text
                .wrong(at.start, format!("\"{key}\" must be a time"))
                .hint("for example 30s, 5m, 24h or 7d; a year at most")
        })
    }

    /// One of some words.
    pub(super) fn one_of(&self, key: &str, words: &[&'static str]) -> Result<Option<&'static str>, BadProfile> {
        let Some((word, at)) = self.text(key)? else { return Ok(None) };
        words.iter().find(|known| **known == word).map(|known| Some(*known)).ok_or_else(|| {
            let wrong = self.text.wrong(at.start, format!("\"{key}\" cannot be \"{}\"", word.escape_debug()));
            match nearest(word, words.iter().copied()) {
                Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
                None => wrong.hint(format!("what may stand here: {}", words.join(", "))),
            }
        })
    }

    /// A list of texts that are not empty; nothing when it is absent.
    pub(super) fn list(&self, key: &str, most: usize) -> Result<Vec<At<String>>, BadProfile> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let list =
            value.get_ref().as_array().ok_or_else(|| self.kind(key, value, "a list of texts, [\"…\", \"…\"]"))?;
        if list.len() > most || list.is_empty() {
            return Err(self.text.wrong(value.span().start, format!("\"{key}\" must have 1 to {most} texts")));
        }
        list.iter()
            .map(|value| {
                let (text, at) = self.as_text(key, value)?;
                if text.is_empty() {
                    return Err(self.text.wrong(at.start, format!("\"{key}\" has an empty text")));
                }
                Ok((text.to_owned(), at))
            })
            .collect()
    }

    /// `true`, or nothing.
    pub(super) fn is_true(&self, key: &str) -> Result<bool, BadProfile> {
        match self.value(key) {
            None => Ok(false),
            Some(value) if value.get_ref().as_bool() == Some(true) => Ok(true),
            Some(value) => Err(self.kind(key, value, "true")),
        }
    }

    /// A table below this one.
    pub(super) fn table(&self, key: &str, name: &'static str) -> Result<Option<Table<'d>>, BadProfile> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let table = value.get_ref().as_table().ok_or_else(|| self.kind(key, value, "a table"))?;
        Table::new(self.text, name, value.span().start, table).map(Some)
    }

    /// The tables of a list, each written `[[…]]`.
    pub(super) fn tables(&self, key: &str, name: &'static str, most: usize) -> Result<Vec<Table<'d>>, BadProfile> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let wrong = |value| self.kind(key, value, &format!("a list of tables, each written [[{name}]]"));
        let list = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
        if list.len() > most {
            return Err(self.text.wrong(value.span().start, format!("there may be {most} tables [[{name}]] at most")));
        }
        list.iter()
            .map(|value| {
                let table = value.get_ref().as_table().ok_or_else(|| wrong(value))?;
                Table::new(self.text, name, value.span().start, table)
            })
            .collect()
    }

    /// Every key with its text, in the order of the file.
    pub(super) fn texts(&self) -> Result<Vec<Pair<'d>>, BadProfile> {
        let mut all = Vec::new();
        for (key, value) in self.values {
            let name = key.get_ref().as_ref();
            all.push(((name, key.span()), self.as_text(name, value)?));
        }
        all.sort_by_key(|((_, at), _)| at.start);
        Ok(all)
    }
}

/// The keys and tables that may stand in a table.
fn names(table: &str) -> impl Iterator<Item = &'static str> {
    let own = KEYS.iter().filter(move |key| key.table == table).map(|key| key.name);
    let prefix = if table.is_empty() { String::new() } else { format!("{table}.") };
    let mut below: Vec<&str> = KEYS
        .iter()
        .filter_map(move |key| key.table.strip_prefix(prefix.as_str()))
        .filter_map(|rest| rest.split('.').next().filter(|name| !name.is_empty()))
        .collect();
    below.dedup();
    own.chain(below)
}

/// The word that was probably meant.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let folded = word.to_ascii_lowercase().replace(['-', ' '], "_");
    let likeness = |known: &str| strsim::jaro_winkler(&folded, &known.replace('-', "_"));
    known
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > 0.82)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}

fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let (unit, shift) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
}

/// A number with s, m, h or d; a year at most.
fn time(text: &str) -> Option<u64> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.iter().find(|(known, _)| *known == unit)?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(*seconds).filter(|seconds| *seconds <= 366 * 86_400)
}

fn article(kind: &str) -> String {
    match kind.as_bytes().first() {
        Some(b'a' | b'e' | b'i' | b'o' | b'u') => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(size("20GiB"), Some(20 << 30));
        assert_eq!(size("64 MiB"), Some(64 << 20));
        for bad in ["", "20", "GiB", "20GB", "-1GiB", "0KiB", "99999999999TiB"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(
            (time("30s"), time("5m"), time("24h"), time("7d")),
            (Some(30), Some(300), Some(86_400), Some(604_800))
        );
        for bad in ["", "h", "24", "-1h", "1w", "1 h", "400d", "99999999999999999999d", "ü"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_word_that_is_like_nothing_has_no_nearest() {
        let known = ["person", "phone", "national-id"];
        assert_eq!(nearest("persons", known.into_iter()), Some("person"));
        assert_eq!(nearest("national_id", known.into_iter()), Some("national-id"));
        assert_eq!(nearest("xyzzy", known.into_iter()), None);
    }
}
