//! Account numbers: IBAN in any case, with blanks or without, checked with the register of the countries (ISO 13616).

use super::number::{LONGEST, Number};
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::before;

pub(crate) struct Iban;

impl Detector for Iban {
    fn reads_numbers(&self) -> bool {
        true
    }

    fn at_number(&self, line: &Line<'_>, number: &Number, hits: &mut Hits) {
        let text = line.text;
        let start = if begins(number.signs()) {
            number.start
        } else if let Some(start) = behind_letters(text, number) {
            start
        } else {
            return;
        };
        if before(text, 0, start).is_ascii_alphanumeric() {
            return;
        }
        // What follows may be another number: the last groups are left off until the rest is one.
        let whole = &text[start..number.end];
        let mut end = whole.len();
        while end >= 15 {
            let signs: Vec<u8> =
                whole[..end].iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect();
            if std::str::from_utf8(&signs).is_ok_and(|signs| signs.parse::<iban::Iban>().is_ok()) {
                hits.push(start, start + end, Category::Bank, Form::Drop, rank::NUMBER + 1);
                return;
            }
            match whole[..end].iter().rposition(|b| !b.is_ascii_alphanumeric()) {
                Some(joint) => end = joint,
                None => return,
            }
        }
    }
}

/// Country and check digits.
fn begins(signs: &[u8]) -> bool {
    matches!(signs, [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit())
}

/// `GB82 WEST 1234 …`: where it begins when a group of letters keeps its beginning apart from the digits.
fn behind_letters(text: &[u8], number: &Number) -> Option<usize> {
    let mut at = number.start;
    for _ in 0..3 {
        let joint = at.checked_sub(1).filter(|&joint| matches!(text[joint], b' ' | b'-'))?;
        let group = text[..joint].last_chunk::<4>()?;
        if number.end - at > LONGEST || !group.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        at -= 5;
        if begins(group) {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn an_account_is_found_in_any_spelling() {
        // Most are the examples of the IBAN register (SWIFT).
        for iban in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "de89 3704 0044 0532 0130 00",
            "GB29 NWBK 6016 1331 9268 19",
            "GB29NWBK60161331926819",
            "NL91 ABNA 0417 1643 00",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO93 8601 1117 947",
            "RO49-AAAA-1B31-0075-9384-0000",
            "KZ31 914B QR00 7263 5180",
        ] {
            finds(&format!("from {iban}, today"), &[(iban, "bank")]);
        }
        finds("DE89 3704 0044 0532 0130 00 1000 EUR", &[("DE89 3704 0044 0532 0130 00", "bank")]);
    }

    #[test]
    fn a_wrong_check_is_no_account() {
        for line in ["DE89370400440532013001", "AL74205110300000071839254602", "AB12 3456 7890 1234", "de12"] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
