//! Checksums that several countries share.

use crate::redact::detector::number::Number;

/// Latest year of birth in plain digits that begin with it: later ones are days on which something happened.
pub(super) const LATEST: u64 = 2015;

/// The sum of the first digits, each times its weight.
pub(super) fn weighted(number: &Number, weights: &[u32]) -> u32 {
    weights.iter().enumerate().map(|(place, weight)| number.digit(place) * weight).sum()
}

/// Whether the digits pass Luhn's check (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(signs: &[u8]) -> bool {
    luhn3::decimal::valid(signs)
}

/// The check digit of ISO/IEC 7064, MOD 11,10, over all digits but the last.
pub(super) fn iso_7064_11_10(number: &Number) -> bool {
    let last = number.signs().len() - 1;
    let product = (0..last).fold(10, |product, place| {
        let sum = (number.digit(place) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == number.digit(last)
}

/// Whether the digits at `year`, `month` and `day` are a date; a year of two digits may be of any century.
pub(super) fn date(number: &Number, year: usize, month: usize, day: usize) -> bool {
    is_date(number.value(year, 2), number.value(month, 2), number.value(day, 2))
}

/// Whether month and day exist; 29 February is let pass only in years that divide by four.
pub(super) fn is_date(year: u64, month: u64, day: u64) -> bool {
    let days = match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}
