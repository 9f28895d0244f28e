//! Finland, Sweden, Denmark, Norway, Iceland.

use super::check::{LATEST, date, is_date, luhn, weighted};
use crate::redact::detector::number::Number;

/// Henkilötunnus: `131052-308T`, the last sign is the rest of a division by 31 (Digital and Population Data Services Agency).
pub(crate) fn finland(number: &Number) -> bool {
    const CHECK: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let signs = number.signs();
    let (individual, last) = match signs.len() {
        10 if number.grouped(&[6, 4], b"-") => (6, 9),
        11 if number.is_plain() && matches!(signs[6], b'A'..=b'F' | b'U'..=b'Y') => (7, 10),
        _ => return false,
    };
    let digits = signs[..last].iter().enumerate().all(|(place, b)| place == 6 && last == 10 || b.is_ascii_digit());
    let rest = (number.value(0, 6) * 1000 + number.value(individual, 3)) % 31;
    digits && date(number, 4, 2, 0) && CHECK.get(usize::try_from(rest).unwrap_or(31)) == Some(&signs[last])
}

/// Personnummer and samordningsnummer, `730417-2310` or `198112289874` (SKV 704), and organisationsnummer, `556703-7485`.
pub(crate) fn sweden(number: &Number) -> bool {
    let signs = number.signs();
    let ten = match signs.len() {
        10 => 0,
        12 if matches!(number.value(0, 2), 18..=20) => 2,
        _ => return false,
    };
    if !number.is_digits() || !luhn(&signs[ten..]) {
        return false;
    }
    let day = number.value(ten + 4, 2);
    let person = is_date(number.value(ten, 2), number.value(ten + 2, 2), if day > 60 { day - 60 } else { day });
    person || ten == 0 && number.digit(2) >= 2
}

/// The same in a shape that is nothing else: with its dash, or with the century and not a time such as `202611211420`.
pub(crate) fn sweden_bare(number: &Number) -> bool {
    let time = number.value(0, 4) >= 1990 && number.value(8, 2) < 24 && number.value(10, 2) < 60;
    (number.grouped(&[6, 4], b"-")
        || number.grouped(&[8, 4], b"-")
        || number.is_plain() && number.signs().len() == 12 && !time && number.value(0, 4) <= LATEST)
        && sweden(number)
}

/// CPR-nummer: `070761-4285`; numbers given out since 2007 need not pass the check (CPR-kontoret).
pub(crate) fn denmark(number: &Number) -> bool {
    number.is_digits() && number.signs().len() == 10 && date(number, 4, 2, 0)
}

/// One with its dash that passes the check.
pub(crate) fn denmark_bare(number: &Number) -> bool {
    number.grouped(&[6, 4], b"-")
        && denmark(number)
        && weighted(number, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Fødselsnummer and D-nummer, with two check digits (Skatteetaten): `01010750160`.
pub(crate) fn norway(number: &Number) -> bool {
    if !number.is_digits() || number.signs().len() != 11 || !(number.is_plain() || number.grouped(&[6, 5], b" ")) {
        return false;
    }
    let day = number.value(0, 2);
    is_date(number.value(4, 2), number.value(2, 2), if day > 40 { day - 40 } else { day })
        && weighted(number, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Kennitala: `120174-3399` (Þjóðskrá).
pub(crate) fn iceland(number: &Number) -> bool {
    number.grouped(&[6, 4], b"-")
        && number.is_digits()
        && date(number, 4, 2, 0)
        && weighted(number, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
        && matches!(number.digit(9), 0 | 9)
}
