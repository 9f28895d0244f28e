//! Germany, Belgium, the Netherlands, Luxembourg, France, Ireland, the United Kingdom.

use super::check::{LATEST, is_date, iso_7064_11_10, luhn, weighted};
use crate::redact::detector::number::Number;

/// The value of a sign in documents (ICAO 9303, part 3): digits as they are, `A` is 10.
fn document_value(sign: u8) -> u32 {
    if sign.is_ascii_digit() { u32::from(sign - b'0') } else { u32::from(sign - b'A') + 10 }
}

/// Number of an identity card or passport with its check digit, and `D` behind it or not: letters are no vowels.
pub(crate) fn german_document(number: &Number) -> bool {
    const LETTERS: &[u8] = b"CFGHJKLMNPRTVWXYZ";
    let signs = number.signs().strip_suffix(b"D").filter(|signs| signs.len() == 10).unwrap_or(number.signs());
    if !number.is_plain() || !(9..=10).contains(&signs.len()) || !LETTERS.contains(&signs[0]) {
        return false;
    }
    let (check, serial) = signs.split_last().expect("nine signs or ten");
    let sum: u32 =
        serial.iter().zip([7, 3, 1].iter().cycle()).map(|(&sign, weight)| document_value(sign) * weight).sum();
    serial.iter().all(|b| b.is_ascii_digit() || LETTERS.contains(b))
        && check.is_ascii_digit()
        && sum % 10 == document_value(*check)
}

/// The same in capitals, two of them or more, of which one is no hexadecimal digit.
pub(crate) fn german_document_bare(number: &Number, text: &[u8]) -> bool {
    let letters = number.signs().len() - number.digits;
    let hexadecimal = number.signs().iter().all(u8::is_ascii_hexdigit);
    letters >= 2
        && !hexadecimal
        && text[number.start..number.end].iter().all(|b| !b.is_ascii_lowercase())
        && german_document(number)
}

/// Versicherungsnummer of the pension: area, date, letter, serial, check: `53270468M211` (§ 2 VKVV).
pub(crate) fn german_pension(number: &Number) -> bool {
    if !number.shaped(b"99999999A999") || !(number.is_plain() || matches!(number.groups(), [2, 6, 4] | [8, 4])) {
        return false;
    }
    let letter = u32::from(number.signs()[8] - b'A') + 1;
    let digits =
        (0..8).map(|place| number.digit(place)).chain([letter / 10, letter % 10, number.digit(9), number.digit(10)]);
    let sum: u32 = digits
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(digit, weight)| digit * weight)
        .map(|p| p / 10 + p % 10)
        .sum();
    let day = number.value(2, 2);
    is_date(0, number.value(4, 2), if day > 50 { day - 50 } else { day }) && sum % 10 == number.digit(11)
}

/// Krankenversichertennummer: a letter and nine digits (§ 290 SGB V).
pub(crate) fn german_health(number: &Number) -> bool {
    if !number.shaped(b"A999999999") {
        return false;
    }
    let letter = u32::from(number.signs()[0] - b'A') + 1;
    let digits = [letter / 10, letter % 10].into_iter().chain((1..9).map(|place| number.digit(place)));
    let sum: u32 =
        digits.zip([1, 2].into_iter().cycle()).map(|(digit, weight)| digit * weight).map(|p| p / 10 + p % 10).sum();
    sum % 10 == number.digit(9)
}

/// Steuerliche Identifikationsnummer: 11 digits (§ 139b AO).
pub(crate) fn german_tax(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 11 && number.digit(0) != 0 && iso_7064_11_10(number)
}

/// Umsatzsteuer-Identifikationsnummer: `DE284173060`.
pub(crate) fn german_vat(number: &Number) -> bool {
    number.shaped(b"AA999999999")
        && number.signs().starts_with(b"DE")
        && number.digit(2) != 0
        && Number::read(&number.signs()[2..], 0, 9).is_some_and(|digits| iso_7064_11_10(&digits))
}

/// Rijksregisternummer: `79.03.14-215.75`; from 2000 on the check counts a 2 before it (KB 3-4-1984).
pub(crate) fn belgium(number: &Number) -> bool {
    let month = number.value(2, 2) % 20;
    let check = 97 - number.value(9, 2).min(97);
    let first = number.value(0, 9);
    number.is_digits()
        && number.signs().len() == 11
        && (number.is_plain() || matches!(number.groups(), [2, 2, 2, 3, 2] | [6, 3, 2] | [6, 5]))
        && (is_date(0, month, number.value(4, 2)) || month == 0)
        && (first % 97 == check || (2_000_000_000 + first) % 97 == check)
}

/// One of a known birthday, the century of which its two digits say.
pub(crate) fn belgium_bare(number: &Number) -> bool {
    let check = 97 - number.value(9, 2).min(97);
    let of_last_century = number.value(0, 9) % 97 == check;
    belgium(number)
        && (1..=12).contains(&number.value(2, 2))
        && (of_last_century || number.value(0, 2) <= LATEST - 2000)
}

/// Burgerservicenummer: 8 or 9 digits that pass the eleven test (`RvIG`).
pub(crate) fn netherlands(number: &Number) -> bool {
    let sum = match number.signs().len() {
        9 => weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2]) + 11 - number.digit(8),
        8 => weighted(number, &[8, 7, 6, 5, 4, 3, 2]) + 11 - number.digit(7),
        _ => return false,
    };
    number.is_digits() && sum % 11 == 0
}

/// Matricule: date, serial, and two check digits, after Luhn and after Verhoeff (CCSS).
pub(crate) fn luxembourg(number: &Number) -> bool {
    let signs = number.signs();
    let verhoeff = || {
        let digits = [&signs[..11], &signs[12..]].concat();
        std::str::from_utf8(&digits).is_ok_and(verhoeff::Verhoeff::validate_verhoeff_check_digit)
    };
    number.is_digits()
        && signs.len() == 13
        && matches!(number.value(0, 2), 18..=20)
        && is_date(number.value(0, 4), number.value(4, 2), number.value(6, 2))
        && luhn(&signs[..12])
        && verhoeff()
}

/// One of somebody born before the [latest](LATEST) year: what begins with a later date is an order's.
pub(crate) fn luxembourg_bare(number: &Number) -> bool {
    luxembourg(number) && number.value(0, 4) <= LATEST
}

/// NIR, the number of the social insurance: `2 89 04 78342 163 49`, in Corsica `2A`, `2B` (INSEE).
pub(crate) fn france(number: &Number) -> bool {
    let signs = number.signs();
    let shape = number.is_plain() || matches!(number.groups(), [1, 2, 2, 5, 3, 2] | [1, 2, 2, 2, 3, 3, 2] | [13, 2]);
    if signs.len() != 15 || !shape || !matches!(signs[0], b'1'..=b'4' | b'7' | b'8') {
        return false;
    }
    // The department is the sixth and seventh sign; a letter counts as nothing and is taken off.
    let corsica = match signs[6] {
        b'A' => 1_000_000,
        b'B' => 2_000_000,
        b if b.is_ascii_digit() => 0,
        _ => return false,
    };
    let department = corsica == 0 || signs[5] == b'2';
    let month = number.value(3, 2);
    number.digits + usize::from(corsica > 0) == 15
        && department
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && number.value(0, 13).checked_sub(corsica).is_some_and(|value| 97 - value % 97 == number.value(13, 2))
}

/// Whether a NIR is of one of the two usual sexes and a known month.
pub(crate) fn is_frequent(number: &Number) -> bool {
    matches!(number.digit(0), 1 | 2) && matches!(number.value(3, 2), 1..=12)
}

/// Numéro fiscal: `07 01 987 765 493`, the last three digits are the rest of a division by 511 (`DGFiP`).
pub(crate) fn french_tax(number: &Number) -> bool {
    number.is_digits()
        && number.signs().len() == 13
        && (number.is_plain() || number.grouped(&[2, 2, 3, 3, 3], b" "))
        && number.digit(0) <= 3
        && number.value(0, 10) > 0
        && number.value(0, 10) % 511 == number.value(10, 3)
}

/// PPS number: seven digits, a check letter, perhaps another letter (Department of Social Protection).
pub(crate) fn ireland(number: &Number) -> bool {
    let signs = number.signs();
    let second = match signs.get(8) {
        None => 0,
        Some(b'W') => 0,
        Some(b @ b'A'..=b'I') => u32::from(b - b'A') + 1,
        Some(_) => return false,
    };
    let sum = weighted(number, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    let check = if signs.len() < 8 { return false } else { signs[7] };
    (number.shaped(b"9999999A") || number.shaped(b"9999999AA"))
        && number.is_plain()
        && sum % 23 == if check == b'W' { 0 } else { u32::from(check.wrapping_sub(b'A')) + 1 }
}

/// The same with two letters, or one that is no hexadecimal digit.
pub(crate) fn ireland_bare(number: &Number, text: &[u8]) -> bool {
    ireland(number)
        && text[number.start..number.end].iter().all(|b| !b.is_ascii_lowercase())
        && (number.signs().len() == 9 || !number.signs()[7].is_ascii_hexdigit())
}

/// NHS number: ten digits, check modulo 11 (NHS Data Dictionary).
pub(crate) fn health_service(number: &Number) -> bool {
    number.is_digits()
        && number.signs().len() == 10
        && weighted(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
        && number.signs().iter().any(|&b| b != number.signs()[0])
}

/// The same in its three groups.
pub(crate) fn health_service_bare(number: &Number) -> bool {
    (number.grouped(&[3, 3, 4], b" ") || number.grouped(&[3, 3, 4], b"-")) && health_service(number)
}

/// National insurance number: `CE482907B` (HMRC, NIM39110).
pub(crate) fn insurance(signs: &[u8]) -> bool {
    let [a, b, digits @ .., last] = signs else { return false };
    digits.len() == 6
        && digits.iter().all(u8::is_ascii_digit)
        && matches!(last, b'A'..=b'D')
        && a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
        && !b"DFIQUV".contains(a)
        && !b"DFIOQUV".contains(b)
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&[*a, *b])
}
