//! The way back: a text in which a vendor speaks of stand-ins, with the values in their place.

use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};

use regex_automata::meta::Regex;

use super::stand_in::{MAC_FIRST, digits, mac_of};
use super::vault::VaultEntry;

/// Puts values in place of stand-ins.
pub struct Translator {
    values: HashMap<String, String>,
    shapes: Regex,
    unknown: BTreeSet<String>,
    translated: u64,
}

/// Everything that reads like a stand-in. A computed one has a `k` and 12 digits; an address is two with an `@` between them.
const SHAPES: [&str; 5] = [
    r"(?i)(?:person|user|host|device|conference|u)-(?:[1-9][0-9]{0,9}|k[0-9a-f]{12})",
    r"(?i)d-(?:[1-9][0-9]{0,9}|k[0-9a-f]{12})\.invalid",
    r"\b2(?:4[0-9]|5[0-4])(?:\.[0-9]{1,3}){3}",
    r"(?i)\b2001:0?db8(?::[0-9a-f]{0,4}){1,7}",
    r"(?i)\bf2[0-9a-f]{2}(?:\.[0-9a-f]{4}){2}|\bf2(?:[:-][0-9a-f]{2}){5}|\+00[0-9]{12}",
];

impl Translator {
    /// Takes the entries of a ticket's vaults. Of two values with one stand-in the first holds.
    pub fn new(entries: impl IntoIterator<Item = VaultEntry>) -> Self {
        let mut values = HashMap::new();
        for entry in entries {
            values.entry(normal(&entry.stand_in)).or_insert(entry.value);
        }
        let shapes = Regex::new_many(&SHAPES).expect("tests build it");
        Self { values, shapes, unknown: BTreeSet::new(), translated: 0 }
    }

    /// Whether there is nothing to translate with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text with a value in place of each stand-in that is known. A stand-in must stand alone: `person-17` is none in
    /// `person-171`, `myperson-17` and `person-17b`.
    pub fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for one in self.shapes.find_iter(text) {
            let start = one.start();
            // The colon behind an address is none of its own.
            let whole = &text[start..one.end()];
            let cut = usize::from(whole.ends_with(':') && !whole.ends_with("::"));
            let end = one.end() - cut;
            if !stands_alone(text, start, end) {
                continue;
            }
            let stand_in = &text[start..end];
            if let Some(value) = self.values.get(&normal(stand_in)) {
                out.push_str(&text[copied..start]);
                out.push_str(value);
                copied = end;
                self.translated += 1;
            } else {
                self.unknown.insert(stand_in.to_owned());
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    /// What reads like a stand-in and is in no vault, in alphabetical order.
    pub const fn unknown(&self) -> &BTreeSet<String> {
        &self.unknown
    }

    /// How many stand-ins were translated.
    #[must_use]
    pub const fn translated(&self) -> u64 {
        self.translated
    }
}

/// Whether no letter, digit or underscore touches the stand-in, and nothing that makes an address a longer one. What is cut off
/// by a dash stands alone: `report-person-17.txt` was named after somebody.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let (mut before, mut after) = (text[..start].chars().rev(), text[end..].chars());
    let (last, next) = (before.next(), after.next());
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stand_in = &text[start..end];
    let (sign, radix) = if stand_in.contains(':') { (':', 16) } else { ('.', 10) };
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_digit(radix));
    let goes_on = stand_in.starts_with('2')
        && (last == Some(sign) && digit(before.next()) || next == Some(sign) && digit(after.next()));
    !(joins(last) || joins(next) || goes_on)
}

/// One spelling for each stand-in: addresses can be written in several.
fn normal(stand_in: &str) -> String {
    if let Some(rest) = stand_in.strip_prefix('+') {
        return format!("+{}", digits(rest.as_bytes()));
    }
    if let Ok(ip) = stand_in.parse::<Ipv4Addr>() {
        return ip.to_string();
    }
    if let Ok(ip) = stand_in.parse::<Ipv6Addr>() {
        return ip.to_string();
    }
    if let Some(mac) = mac_of(stand_in.as_bytes()).filter(|mac| mac[0] == MAC_FIRST) {
        return hex::encode(mac);
    }
    stand_in.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Category;

    fn translator(entries: &[(&str, &str)]) -> Translator {
        let entry = |&(stand_in, value): &(&str, &str)| VaultEntry {
            stand_in: stand_in.into(),
            value: value.into(),
            category: Category::Person,
        };
        Translator::new(entries.iter().map(entry))
    }

    #[test]
    fn a_stand_in_is_translated_where_it_stands_alone() {
        let mut translator = translator(&[
            ("person-1", "Ottilie Habersaat"),
            ("person-17", "Quirin Quistorp"),
            ("host-2", "kolibri"),
            ("d-3.invalid", "min.example"),
            ("u-4", "quirin"),
        ]);
        for (text, expected) in [
            ("person-17 called Person-1.", "Quirin Quistorp called Ottilie Habersaat."),
            ("\"person-1\", (person-17)", "\"Ottilie Habersaat\", (Quirin Quistorp)"),
            ("sip:u-4@d-3.invalid;transport=tls", "sip:quirin@min.example;transport=tls"),
            ("host-2.d-3.invalid and d-3.invalid.", "kolibri.min.example and min.example."),
            (
                "myperson-1 person-1b person_person-1 person-100 ühost-2",
                "myperson-1 person-1b person_person-1 person-100 ühost-2",
            ),
            ("report-person-1.txt Straße-host-2", "report-Ottilie Habersaat.txt Straße-kolibri"),
        ] {
            assert_eq!(translator.text(text), expected);
        }
        assert_eq!(translator.unknown().iter().collect::<Vec<_>>(), ["person-100"]);
        assert_eq!(translator.translated(), 11);
    }

    #[test]
    fn addresses_and_numbers_are_translated_in_any_spelling() {
        let mut translator = translator(&[
            ("242.60.103.90", "198.51.100.7"),
            ("2001:db8:741:6b55::3e", "2001:4860::1"),
            ("f2:01:02:03:04:0a", "3c:52:82:1f:9a:07"),
            ("+00297454527657", "+32 2 555 01 42"),
        ]);
        for (text, expected) in [
            ("from 242.60.103.90:5060.", "from 198.51.100.7:5060."),
            ("[2001:0DB8:0741:6b55:0:0:0:3e]:5061", "[2001:4860::1]:5061"),
            ("F2-01-02-03-04-0A, f201.0203.040a", "3c:52:82:1f:9a:07, 3c:52:82:1f:9a:07"),
            ("tel:+00297454527657", "tel:+32 2 555 01 42"),
            ("to 2001:db8:741:6b55:0:0:0:3e: no answer", "to 2001:4860::1: no answer"),
            ("1.242.60.103.90 242.60.103.90.4 1242.60.103.90", "1.242.60.103.90 242.60.103.90.4 1242.60.103.90"),
            ("8.2.4.3 10.0.0.1 2026:11:20 255.255.255.0", "8.2.4.3 10.0.0.1 2026:11:20 255.255.255.0"),
        ] {
            assert_eq!(translator.text(text), expected);
        }
    }
}
