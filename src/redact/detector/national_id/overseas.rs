//! The Americas, Australia, South Africa.

use super::check::{date, is_date, luhn, weighted};
use crate::redact::detector::number::Number;

fn digits(number: &Number, count: usize) -> bool {
    number.is_digits() && number.signs().len() == count
}

/// Social security number: `219-09-9999`, none with an area of 000, 666 or 900 and above (SSA, POMS RM 10201.035).
pub(crate) fn social_security(number: &Number) -> bool {
    let area = number.value(0, 3);
    digits(number, 9)
        && (number.is_plain() || number.groups() == [3, 2, 4])
        && !matches!(area, 0 | 666 | 900..)
        && number.value(3, 2) > 0
        && number.value(5, 4) > 0
        && number.signs().iter().any(|&b| b != number.signs()[0])
}

/// The same with dashes, or with blanks where a group begins with 0, as no column of figures does.
pub(crate) fn social_security_bare(number: &Number) -> bool {
    let zero = number.digit(0) == 0 || number.digit(3) == 0 || number.digit(5) == 0;
    (number.grouped(&[3, 2, 4], b"-") || number.grouped(&[3, 2, 4], b" ") && zero) && social_security(number)
}

/// Individual taxpayer identification number: `911-53-1234` (IRS, IRM 3.21.263).
pub(crate) fn taxpayer(number: &Number) -> bool {
    digits(number, 9)
        && matches!(number.groups(), [9] | [3, 2, 4] | [3, 6] | [5, 4])
        && number.digit(0) == 9
        && matches!(number.value(3, 2), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// The same in groups with dashes.
pub(crate) fn taxpayer_bare(number: &Number) -> bool {
    !number.is_plain() && number.joints().iter().all(|&b| b == b'-') && taxpayer(number)
}

/// Medicare beneficiary identifier: `7KA2-WM4-HA06`, letters are not S, L, O, I, B, Z (CMS).
pub(crate) fn medicare(number: &Number) -> bool {
    number.shaped(b"9A*9A*9AA99")
        && number.digit(0) != 0
        && (number.is_plain() || number.grouped(&[4, 3, 4], b"-"))
        && number.signs().iter().all(|b| !b"SLOIBZ".contains(b))
}

/// National provider identifier: ten digits, after Luhn behind 80840 (CMS).
pub(crate) fn provider(number: &Number) -> bool {
    digits(number, 10) && matches!(number.digit(0), 1 | 2) && luhn(&[b"80840", number.signs()].concat())
}

/// Social insurance number of Canada: nine digits, after Luhn (ESDC).
pub(crate) fn canada(number: &Number) -> bool {
    digits(number, 9) && !matches!(number.digit(0), 0 | 8) && luhn(number.signs())
}

/// The same in three groups with dashes.
pub(crate) fn canada_bare(number: &Number) -> bool {
    number.grouped(&[3, 3, 3], b"-") && canada(number)
}

/// CPF: `083.358.948-25`, two check digits (Receita Federal).
pub(crate) fn brazil(number: &Number) -> bool {
    let check = |weights: &[u32]| match weighted(number, weights) * 10 % 11 {
        10 => 0,
        check => check,
    };
    digits(number, 11)
        && (number.is_plain() || number.groups() == [3, 3, 3, 2])
        && number.signs().iter().any(|&b| b != number.signs()[0])
        && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == number.digit(9)
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == number.digit(10)
}

/// CNPJ: `00.623.904/0001-73`, two check digits (Receita Federal).
pub(crate) fn brazilian_company(number: &Number) -> bool {
    let check = |weights: &[u32]| match weighted(number, weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    digits(number, 14)
        && number.grouped(&[2, 3, 3, 4, 2], b"../-")
        && check(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == number.digit(12)
        && check(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == number.digit(13)
}

/// CURP: letters of the name, date, sex, state (SEGOB).
pub(crate) fn mexico(number: &Number) -> bool {
    number.shaped(b"AAAA999999AAAAAA*9")
        && number.is_plain()
        && date(number, 4, 6, 8)
        && matches!(number.signs()[10], b'H' | b'M' | b'X')
}

/// CUIT and CUIL: `20-12345678-6` (AFIP).
pub(crate) fn argentina(number: &Number) -> bool {
    digits(number, 11)
        && number.grouped(&[2, 8, 1], b"-")
        && matches!(number.value(0, 2), 20 | 23 | 24 | 27 | 30 | 33 | 34)
        && weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// RUT: `12.345.678-5`, the check may be a `K` (Registro Civil).
pub(crate) fn chile(number: &Number) -> bool {
    let signs = number.signs();
    let first = signs.len().saturating_sub(1);
    let grouped = matches!(number.groups(), [1 | 2, 3, 3, 1]) && number.joints() == b"..-";
    let sum: u32 = (0..first)
        .rev()
        .zip([2, 3, 4, 5, 6, 7].into_iter().cycle())
        .map(|(place, weight)| number.digit(place) * weight)
        .sum();
    let check = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    grouped && signs[..first].iter().all(u8::is_ascii_digit) && signs[first] == check
}

/// Tax file number: eight or nine digits, check modulo 11 (ATO).
pub(crate) fn australian_tax(number: &Number) -> bool {
    let valid = match number.signs().len() {
        9 => weighted(number, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11),
        8 => weighted(number, &[10, 7, 8, 4, 6, 3, 5, 1]).is_multiple_of(11),
        _ => false,
    };
    number.is_digits() && valid && number.value(0, 8) > 0
}

/// The same in three groups with dashes.
pub(crate) fn australian_tax_bare(number: &Number) -> bool {
    (number.grouped(&[3, 3, 3], b"-") || number.grouped(&[2, 3, 3], b"-")) && australian_tax(number)
}

/// Medicare number of Australia: ten digits, the ninth a check (Services Australia).
pub(crate) fn australian_medicare(number: &Number) -> bool {
    number.is_digits()
        && (10..=11).contains(&number.signs().len())
        && (2..=6).contains(&number.digit(0))
        && weighted(number, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == number.digit(8)
}

/// The same in its groups.
pub(crate) fn australian_medicare_bare(number: &Number) -> bool {
    matches!(number.groups(), [4, 5, 1] | [4, 5, 1, 1]) && australian_medicare(number)
}

/// Business number of Australia: 11 digits, after taking 1 from the first divided by 89 (ABR).
pub(crate) fn australian_business(number: &Number) -> bool {
    digits(number, 11)
        && number.digit(0) > 0
        && (weighted(number, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10).is_multiple_of(89)
}

/// Company number of Australia: nine digits (ASIC).
pub(crate) fn australian_company(number: &Number) -> bool {
    digits(number, 9)
        && (10 - weighted(number, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == number.digit(8)
        && number.value(0, 9) > 0
}

/// Identity number of South Africa: date, serial, citizenship, after Luhn (DHA).
pub(crate) fn south_africa(number: &Number) -> bool {
    digits(number, 13)
        && (number.is_plain() || number.groups() == [6, 4, 2, 1] || number.groups() == [6, 4, 3])
        && is_date(number.value(0, 2), number.value(2, 2), number.value(4, 2))
        && number.digit(10) <= 2
        && luhn(number.signs())
}
