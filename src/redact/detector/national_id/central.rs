//! The Baltic states, Poland, Czechia, Slovakia, Romania, Bulgaria, Slovenia and its neighbours, Austria, Switzerland.

use super::check::{LATEST, date, is_date, iso_7064_11_10, weighted};
use crate::redact::detector::number::Number;

fn digits(number: &Number, count: usize) -> bool {
    number.is_digits() && number.signs().len() == count
}

/// Isikukood and asmens kodas: `37605030299` (EVS 585:2007).
pub(crate) fn estonia_lithuania(number: &Number) -> bool {
    if !digits(number, 11) || !matches!(number.digit(0), 1..=8) || !date(number, 1, 3, 5) {
        return false;
    }
    let first = weighted(number, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let check = if first < 10 { first } else { weighted(number, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 };
    check == number.digit(10)
}

/// Personas kods: `161175-19997`; those given out since 2017 begin with 32 and hold no date (PMLP).
pub(crate) fn latvia(number: &Number) -> bool {
    digits(number, 11)
        && (number.grouped(&[6, 5], b"-") && number.value(0, 2) == 32
            || date(number, 4, 2, 0)
                && (1 + weighted(number, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10 == number.digit(10))
}

/// PESEL: `88072315491`; the month says the century (Ministerstwo Cyfryzacji).
pub(crate) fn poland(number: &Number) -> bool {
    digits(number, 11)
        && is_date(number.value(0, 2), number.value(2, 2) % 20, number.value(4, 2))
        && weighted(number, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// Rodné číslo: `845214/3139`; nine digits until 1953, then ten that divide by 11 (zákon 133/2000 Sb.).
pub(crate) fn czechia_slovakia(number: &Number) -> bool {
    let month = match number.value(2, 2) {
        month @ 51.. => month - 50,
        month => month,
    };
    let dated = is_date(number.value(0, 2), if month > 20 { month - 20 } else { month }, number.value(4, 2));
    let ten = number.signs().len() == 10
        && (number.value(0, 10).is_multiple_of(11) || number.value(0, 9) % 11 == 10 && number.digit(9) == 0);
    number.is_digits() && dated && (ten || number.signs().len() == 9 && number.value(0, 2) < 54)
}

/// The same with its slash.
pub(crate) fn czechia_slovakia_bare(number: &Number) -> bool {
    (number.grouped(&[6, 4], b"/") || number.grouped(&[6, 3], b"/")) && czechia_slovakia(number)
}

/// Cod numeric personal: sex, date, county, check (Legea 105/1996).
pub(crate) fn romania(number: &Number) -> bool {
    digits(number, 13)
        && number.digit(0) != 0
        && date(number, 1, 3, 5)
        && matches!(number.value(7, 2), 1..=52 | 70 | 80..=83)
        && weighted(number, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 % 10
            + u32::from(weighted(number, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 == 10)
            == number.digit(12)
}

/// One of somebody who is no foreigner, born before the [latest](LATEST) year.
pub(crate) fn romania_bare(number: &Number) -> bool {
    let born =
        matches!(number.digit(0), 1 | 2) || matches!(number.digit(0), 5 | 6) && number.value(1, 2) <= LATEST - 2000;
    born && romania(number)
}

/// EGN: `7523169263`; the month says the century (GRAO).
pub(crate) fn bulgaria(number: &Number) -> bool {
    digits(number, 10)
        && is_date(number.value(0, 2), number.value(2, 2) % 20, number.value(4, 2))
        && weighted(number, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == number.digit(9)
}

/// EMŠO and JMBG: `2207964505137`; the year has three digits (Pravilnik o EMŠO).
pub(crate) fn former_yugoslavia(number: &Number) -> bool {
    let year = number.value(4, 3);
    digits(number, 13)
        && (number.is_plain() || number.grouped(&[2, 2, 3, 2, 3, 1], b"-") || number.grouped(&[7, 6], b" "))
        && !(40..900).contains(&year)
        && is_date(year + 1000 + 1000 * u64::from(year < 40), number.value(2, 2), number.value(0, 2))
        && (11 - weighted(number, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10 == number.digit(12)
}

/// OIB: 11 digits (ISO/IEC 7064, MOD 11,10).
pub(crate) fn croatia(number: &Number) -> bool {
    digits(number, 11) && iso_7064_11_10(number)
}

/// Sozialversicherungsnummer: `3409 140379` (§ 31 ASVG).
pub(crate) fn austria(number: &Number) -> bool {
    digits(number, 10)
        && number.digit(0) != 0
        && number.value(4, 2) <= 31
        && number.value(6, 2) <= 15
        && weighted(number, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == number.digit(3)
}

/// The same in two groups.
pub(crate) fn austria_bare(number: &Number) -> bool {
    (number.grouped(&[4, 6], b" ") || number.grouped(&[4, 6], b"-")) && date(number, 8, 6, 4) && austria(number)
}

/// AHV number: `756.9217.0769.85`, check digit as of EAN-13 (Zentrale Ausgleichsstelle).
pub(crate) fn switzerland(number: &Number) -> bool {
    digits(number, 13)
        && number.value(0, 3) == 756
        && (number.is_plain() || number.groups() == [3, 4, 4, 2])
        && weighted(number, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}
