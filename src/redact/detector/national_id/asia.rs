//! India, Singapore, Korea, China, Thailand.

use verhoeff::Verhoeff as _;

use super::check::{date, is_date, weighted};
use crate::redact::detector::number::Number;

/// Aadhaar: 12 digits, check after Verhoeff (UIDAI).
pub(crate) fn aadhaar(number: &Number) -> bool {
    number.is_digits()
        && number.signs().len() == 12
        && number.digit(0) >= 2
        && number.as_str().validate_verhoeff_check_digit()
}

/// The same in its three groups.
pub(crate) fn aadhaar_bare(number: &Number) -> bool {
    (number.grouped(&[4, 4, 4], b" ") || number.grouped(&[4, 4, 4], b"-")) && aadhaar(number)
}

/// PAN: five letters, the fourth says what the holder is, four digits, a letter (Income Tax Department).
pub(crate) fn pan(number: &Number) -> bool {
    number.shaped(b"AAAAA9999A") && number.is_plain() && b"ABCFGHJKLPT".contains(&number.signs()[3])
}

/// GSTIN: state, PAN, entity, `Z`, check (CGST Rules, rule 10).
pub(crate) fn gstin(number: &Number) -> bool {
    number.shaped(b"99AAAAA9999A*A*")
        && number.is_plain()
        && number.signs()[13] == b'Z'
        && number.signs()[12] != b'0'
        && (1..=37).contains(&number.value(0, 2))
}

/// NRIC and FIN: a letter for the century and status, seven digits, a letter (ICA).
pub(crate) fn singapore(number: &Number) -> bool {
    if !number.shaped(b"A9999999A") || !number.is_plain() {
        return false;
    }
    let sum: u32 = [2, 7, 6, 5, 4, 3, 2].iter().zip(1..).map(|(weight, place)| weight * number.digit(place)).sum();
    let (offset, letters) = match number.signs()[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    letters[((sum + offset) % 11) as usize] == number.signs()[8]
}

/// Resident and foreigner registration number: a date, then a digit for sex and century: `960121-1021413`. Since October 2020
/// the rest is at random, so that the form with a dash needs no check for foreigners and for those born since.
pub(crate) fn korea(number: &Number) -> bool {
    let sex = number.digit(6);
    if !number.is_digits() || number.signs().len() != 13 || !date(number, 0, 2, 4) || !(1..=8).contains(&sex) {
        return false;
    }
    let sum = weighted(number, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11;
    let base = if sex > 4 { 13 } else { 11 };
    let at_random = sex > 4 || sex > 2 && number.value(0, 4) >= 2010;
    let shape = number.grouped(&[6, 7], b"-");
    shape && at_random || (shape || number.is_plain()) && (base - sum) % 10 == number.digit(12)
}

/// The same without its check, which those given out since October 2020 do not have.
pub(crate) fn korea_told(number: &Number) -> bool {
    number.is_digits()
        && number.signs().len() == 13
        && date(number, 0, 2, 4)
        && (1..=8).contains(&number.digit(6))
        && (number.is_plain() || number.grouped(&[6, 7], b"-"))
}

/// Resident identity card: place, date, serial, check of ISO/IEC 7064, MOD 11,2 (GB 11643-1999).
pub(crate) fn china(number: &Number) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let signs = number.signs();
    signs.len() == 18
        && number.is_plain()
        && signs[..17].iter().all(u8::is_ascii_digit)
        && number.digit(0) != 0
        && matches!(number.value(6, 2), 18..=20)
        && is_date(number.value(6, 4), number.value(10, 2), number.value(12, 2))
        && b"10X98765432"[(weighted(number, &WEIGHTS) % 11) as usize] == signs[17]
}

/// National identification number of Thailand: 13 digits, check modulo 11 (DOPA).
pub(crate) fn thailand(number: &Number) -> bool {
    number.is_digits()
        && number.signs().len() == 13
        && (1..=8).contains(&number.digit(0))
        && (11 - weighted(number, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == number.digit(12)
}
