//! Payment cards: 13 to 19 digits of an issuer's range, after Luhn (ISO/IEC 7812-1); plain digits only near a word that says
//! so, since one of thirty numbers of 16 digits passes.

use super::beside::{CARD, beside};
use super::number::Number;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};

pub(crate) struct Card;

impl Detector for Card {
    fn reads_numbers(&self) -> bool {
        true
    }

    fn at_number(&self, line: &Line<'_>, number: &Number, hits: &mut Hits) {
        let text = line.text;
        if number.digits < 13 {
            return;
        }
        if is_card(number) {
            if number.stands_alone(text)
                && !(number.is_plain()
                    && (number.is_json_number(text)
                        || number.is_measure(text)
                        || !beside(text, number.start, number.end, CARD)))
            {
                hits.push(number.start, number.end, Category::Card, Form::Drop, rank::NUMBER + 1);
            }
            return;
        }
        // `12 4111 1111 1111 1111 123`: four groups of four among other numbers.
        let groups = number.groups();
        let mut start = number.start;
        for (place, &length) in groups.iter().enumerate() {
            let window = groups.get(place..place + 4).is_some_and(|window| window == [4; 4]);
            if window && let Some(inner) = Number::read(text, start, start + 19).filter(is_card) {
                hits.push(inner.start, inner.end, Category::Card, Form::Drop, rank::NUMBER + 1);
                return;
            }
            start += usize::from(length) + 1;
        }
    }
}

/// Whether the digits are a card's: range, length, groups and check.
pub(super) fn is_card(number: &Number) -> bool {
    let length = number.signs().len();
    if !number.is_digits() || !(13..=19).contains(&length) {
        return false;
    }
    let first = number.value(0, 4);
    let issued = match first {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        // American Express
        3400..=3499 | 3700..=3799 => length == 15,
        // Diners Club
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16),
        // JCB
        3528..=3589 => matches!(length, 16 | 19),
        1800 | 2131 => length == 15,
        // Mastercard, Mir
        5100..=5599 | 2221..=2720 | 2200..=2204 => length == 16,
        // Maestro and others of its range
        5000..=5099 | 5600..=5899 | 6304 | 6759 | 6761..=6763 => matches!(length, 16 | 18 | 19),
        // Discover, UnionPay, RuPay
        6011 | 6440..=6599 | 6200..=6299 | 6000..=6099 | 8100..=8299 => matches!(length, 16 | 19),
        _ => false,
    };
    let groups = number.groups();
    let grouped = groups[0] == 4
        && groups.len() <= 5
        && matches!(number.joints(), [joint @ (b' ' | b'-'), rest @ ..] if rest.iter().all(|b| b == joint));
    issued && (number.is_plain() || grouped) && luhn3::decimal::valid(number.signs())
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_card_is_found_with_joints_and_without() {
        for card in [
            "4928710360459288",
            "5482073196205846",
            "2293840162759303",
            "347291805627145",
            "30135862047196",
            "6011482039574169",
            "3541826305971283",
            "6243105827940629",
            "4729183056274",
            "5018240693715204",
            "4172603891504273869",
        ] {
            finds(&format!("paid with {card}."), &[(card, "card")]);
        }
        for card in ["4928 7103 6045 9288", "5482-0731-9620-5846", "3472 918056 27145"] {
            finds(&format!("seen {card}."), &[(card, "card")]);
        }
        finds("12 4928 7103 6045 9288 123 EUR", &[("4928 7103 6045 9288", "card")]);
        finds("totalBytes=4928710360459288 card 4928710360459288", &[("4928710360459288", "card")]);
        finds("card=4928710360459288&x=1", &[("4928710360459288", "card")]);
        finds("meine Kreditkarte: 4532087164290351", &[("4532087164290351", "card")]);
        finds("5136402881904720 (Mastercard)", &[("5136402881904720", "card")]);
    }

    #[test]
    fn identifiers_of_the_same_length_stay() {
        for line in [
            "seen 4928710360459288",
            "record id=376182409371566",
            "discard 4172603891504273869",
            "visa 4928710360459289",
            "flow_id=1258832998001907",
            "\"flow_id\":4928710360459288",
            "ts=1732199999123456 1732199999123456789",
            "4928710360459288111111",
            "id-4928710360459288-x",
            "trace 4928710360459288_7",
            "00000000-4928-7103-6045-928800000000",
            "seq 4928710360459288",
            "size 4928710360459288 bytes",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
