//! Italy, Spain, Portugal, Greece, Türkiye.

use super::check::{date, luhn, weighted};
use crate::redact::detector::number::Number;

/// Codice fiscale: 16 signs, the last one a check; digits may be written as letters (D.M. 23/12/1976).
pub(crate) fn italy(number: &Number) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let signs = number.signs();
    let digit = |b: &u8| b.is_ascii_digit() || b"LMNPQRSTUV".contains(b);
    if signs.len() != 16 || !(number.is_plain() || number.groups() == [3, 3, 5, 5]) {
        return false;
    }
    let letters = [0, 1, 2, 3, 4, 5, 8, 11, 15].iter().all(|&place: &usize| signs[place].is_ascii_uppercase());
    let digits = [6, 7, 9, 10, 12, 13, 14].iter().all(|&place: &usize| digit(&signs[place]));
    let index = |b: u8| usize::from(if b.is_ascii_digit() { b - b'0' } else { b - b'A' });
    let sum: u32 = signs[..15]
        .iter()
        .enumerate()
        .map(|(place, &b)| if place % 2 == 0 { ODD[index(b)] } else { u32::try_from(index(b)).unwrap_or(0) })
        .sum();
    letters && digits && b"ABCDEHLMPRST".contains(&signs[8]) && sum % 26 == u32::from(signs[15] - b'A')
}

/// Partita IVA: 11 digits, after Luhn.
pub(crate) fn italian_vat(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 11 && number.value(0, 7) > 0 && luhn(number.signs())
}

/// NIF and NIE: digits, `X`, `Y` or `Z` before them for foreigners, and a letter by the rest of a division by 23 (Orden
/// INT/2058/2008).
pub(crate) fn spain(number: &Number) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((last, first)) = number.signs().split_last() else { return false };
    let value = match first {
        [b @ (b'X' | b'Y' | b'Z'), rest @ ..] if rest.len() == 7 && rest.iter().all(u8::is_ascii_digit) => {
            u64::from(b - b'X') * 10_000_000 + number.value(1, 7)
        }
        _ if (7..=8).contains(&first.len()) && first.iter().all(u8::is_ascii_digit) => number.value(0, first.len()),
        _ => return false,
    };
    let joined = number.is_plain() || number.joints() == b"-" && number.groups()[1] == 1;
    joined && value > 0 && LETTERS[usize::try_from(value % 23).unwrap_or(0)] == *last
}

/// The same where it is no piece of a hexadecimal number: all of it, in capitals.
pub(crate) fn spain_bare(number: &Number, text: &[u8]) -> bool {
    let bytes = &text[number.start..number.end];
    let last = bytes[bytes.len() - 1];
    let foreign = bytes[0].is_ascii_alphabetic();
    let hexadecimal = last.is_ascii_hexdigit() && !foreign && number.is_plain();
    let seven = number.signs().len() == 8 && !foreign && number.is_plain();
    spain(number) && !seven && (last.is_ascii_uppercase() || !hexadecimal)
}

/// Número de la seguridad social: the last two of 12 digits are the rest of a division by 97 (TGSS).
pub(crate) fn spanish_insurance(number: &Number) -> bool {
    let (province, serial) = (number.value(0, 2), number.value(2, 8));
    let value = if serial < 10_000_000 { province * 10_000_000 + serial } else { province * 100_000_000 + serial };
    number.is_digits()
        && number.signs().len() == 12
        && (number.is_plain() || matches!(number.groups(), [2, 8, 2] | [2, 10]))
        && province > 0
        && value % 97 == number.value(10, 2)
}

/// NIF of Portugal: nine digits, check modulo 11 (Decreto-Lei 14/2013).
pub(crate) fn portugal(number: &Number) -> bool {
    let check = match 11 - weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        10 | 11 => 0,
        check => check,
    };
    number.is_digits()
        && number.signs().len() == 9
        && matches!(number.digit(0), 1..=3 | 5..=9)
        && check == number.digit(8)
}

/// AMKA: a date and a serial, after Luhn (ΗΔΙΚΑ).
pub(crate) fn greece(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 11 && date(number, 4, 2, 0) && luhn(number.signs())
}

/// T.C. kimlik numarası: 11 digits, two of them checks (NVİ).
pub(crate) fn turkey(number: &Number) -> bool {
    if !number.is_digits() || number.signs().len() != 11 || number.digit(0) == 0 {
        return false;
    }
    let odd = weighted(number, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(number, &[0, 1, 0, 1, 0, 1, 0, 1]);
    (odd * 7 + 10 * 8 - even % 10) % 10 == number.digit(9) && (odd + even + number.digit(9)) % 10 == number.digit(10)
}
