//! Number plates beside a word that says so, and driving licences of the United Kingdom by their looks.

use super::number::Number;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::{self, WORD, byte};

pub(crate) struct Plate;

/// How far behind its word a plate begins, in bytes.
const REACH: usize = 24;

impl Detector for Plate {
    fn words(&self) -> &'static [&'static str] {
        &[
            "plate",
            "plates",
            "kennzeichen",
            "plaka",
            "nummernschild",
            "kenteken",
            "nummerplaat",
            "nummerplade",
            "registreringsnummer",
            "rekisterinumero",
            "matrícula",
            "matricula",
            "reg",
            "registration",
            "vehicles",
            "immatriculation",
            "targa",
        ]
    }

    fn reads_numbers(&self) -> bool {
        true
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let word = text::fold(&text[start..end]);
        let last = text::run_back(text, start.saturating_sub(16), start.saturating_sub(1), WORD);
        let last = text[last..start.saturating_sub(1).max(last)].to_ascii_lowercase();
        let said = match word.as_bytes() {
            b"plate" | b"plates" => matches!(last.as_slice(), b"license" | b"licence" | b"number" | b"registration"),
            b"reg" | b"registration" => matches!(last.as_slice(), b"car" | b"vehicle" | b"truck"),
            _ => true,
        };
        if !said {
            return;
        }
        let mut at = end;
        let mut found = 0;
        while at < text.len() && at < end + REACH * (found + 1) {
            if !text[at].is_ascii_alphanumeric() {
                at += 1;
                continue;
            }
            if let Some(stop) = plate(text, at) {
                hits.push(at, stop, Category::Vehicle, Form::Drop, rank::NUMBER);
                found += 1;
                at = stop;
            } else {
                at =
                    text[at..].iter().position(|b| !b.is_ascii_alphanumeric()).map_or(text.len(), |length| at + length);
            }
            if found == 4 {
                return;
            }
        }
    }

    fn at_number(&self, line: &Line<'_>, number: &Number, hits: &mut Hits) {
        if driving_licence(number) && number.stands_alone(line.text) {
            hits.push(number.start, number.end, Category::Licence, Form::Drop, rank::NUMBER + 1);
        }
    }
}

/// Where the plate that begins at `start` ends: one to three groups of capitals and digits, both of them, 4 to 9 in all.
fn plate(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut end, mut letters, mut digits) = (start, None, 0, 0);
    for _ in 0..3 {
        let from = at;
        while at < text.len() && (text[at].is_ascii_uppercase() || text[at].is_ascii_digit()) {
            letters += usize::from(text[at].is_ascii_uppercase());
            digits += usize::from(text[at].is_ascii_digit());
            at += 1;
        }
        if at == from || byte(text, at).is_ascii_alphanumeric() || letters + digits > 10 || byte(text, at) >= 0x80 {
            break;
        }
        if letters > 0 && digits > 0 && letters + digits >= 4 {
            end = Some(at);
        }
        if !matches!(byte(text, at), b' ' | b'-') {
            break;
        }
        at += 1;
    }
    end
}

/// `HABER753116OJ9KQ`: name, decade, month (and 50 for women), day, year, initials, check (DVLA).
fn driving_licence(number: &Number) -> bool {
    let signs = number.signs();
    if signs.len() != 16 || !number.is_plain() || number.digits < 6 {
        return false;
    }
    let name = signs[..5].iter().position(|&b| b == b'9').unwrap_or(5);
    let month = number.value(6, 2);
    name >= 2
        && signs[..name].iter().all(u8::is_ascii_uppercase)
        && signs[name..5].iter().all(|&b| b == b'9')
        && signs[5..11].iter().all(u8::is_ascii_digit)
        && matches!(month, 1..=12 | 51..=62)
        && (1..=31).contains(&number.value(8, 2))
        && signs[11].is_ascii_uppercase()
        && (signs[12].is_ascii_uppercase() || signs[12] == b'9')
        && signs[14..].iter().all(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_plate_is_found_beside_its_word() {
        finds("License plate 35 KDN 4821", &[("35 KDN 4821", "vehicle")]);
        finds("My car reg is KD51 RNB and", &[("KD51 RNB", "vehicle")]);
        finds("kenteken 48-KDN-2", &[("48-KDN-2", "vehicle")]);
        finds("Kennzeichen B-AB 1234.", &[("B-AB 1234", "vehicle")]);
        finds("Vehicles KD51 RNB and BD62XYZ", &[("KD51 RNB", "vehicle"), ("BD62XYZ", "vehicle")]);
        finds("licence HABER753116OJ9KQ", &[("HABER753116OJ9KQ", "licence")]);
    }

    #[test]
    fn registrations_of_phones_and_plates_of_hardware_stay() {
        for line in
            ["SIP registration KD51 RNB", "back plate X1234", "reg 0xAB51", "HABER753116oj9kq1", "Kennzeichen fehlt"]
        {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
