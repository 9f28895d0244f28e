//! Hardware addresses: `3c:a8:2a:01:02:03`, with dashes, and Cisco's `3ca8.2a01.0203`.

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::masks::Shape;
use crate::redact::stand_in::mac_of;
use crate::redact::text::{HEX, WORD, before, byte, is};

pub(crate) struct Mac;

impl Detector for Mac {
    fn anchors(&self) -> &'static [u8] {
        b":-."
    }

    fn shape(&self, _anchor: u8) -> Shape {
        Shape::Pairs
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        let text = line.text;
        let joint = text[at];
        let width = if joint == b'.' { 4 } else { 2 };
        let length = if joint == b'.' { 14 } else { 17 };
        // Only the first joint of an address begins it.
        if at < width || byte(text, at + width + 1) != joint {
            return;
        }
        let start = at - width;
        let Some(token) = text.get(start..start + length) else { return };
        let shaped = token
            .iter()
            .enumerate()
            .all(|(place, &b)| if place % (width + 1) == width { b == joint } else { is(b, HEX) });
        let last = before(text, 0, start);
        let next = byte(text, start + length);
        let before_it = last == joint
            && start >= 3
            && is(text[start - 2], HEX)
            && is(text[start - 3], HEX)
            && !is(before(text, 0, start - 3), WORD);
        let after_it =
            next == joint && is(byte(text, start + length + 1), HEX) && is(byte(text, start + length + 2), HEX);
        if !shaped || is(last, WORD) || is(next, WORD) || before_it || after_it {
            return;
        }
        let Some(mac) = mac_of(token) else { return };
        // Nobody's, everybody's, a group's; and digits alone with dots or dashes are a date or a version.
        let group = matches!(mac, [1, 0, 0x5e, ..] | [0x33, 0x33, ..] | [1, 0x80, 0xc2, ..] | [1, 0, 0x0c, ..]);
        let nobody = mac == [0; 6] || mac == [0xff; 6] || group;
        let digits = joint != b':' && token.iter().all(|b| !b.is_ascii_alphabetic());
        if !nobody && !digits {
            hits.push(start, start + length, Category::Mac, Form::Mac, rank::NUMBER + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_hardware_address_is_found_in_three_spellings() {
        finds("to 3c:a8:2a:01:02:03 via", &[("3c:a8:2a:01:02:03", "mac")]);
        finds("3C-A8-2A-01-02-03", &[("3C-A8-2A-01-02-03", "mac")]);
        finds("mac:3c:a8:2a:01:02:03:amt", &[("3c:a8:2a:01:02:03", "mac")]);
        finds("Gi1/0/1 3ca8.2a01.0203.", &[("3ca8.2a01.0203", "mac")]);
    }

    #[test]
    fn groups_dates_and_identifiers_stay() {
        for line in [
            "ff:ff:ff:ff:ff:ff",
            "00:00:00:00:00:00",
            "01:00:5e:00:00:fb",
            "20-26-11-21-14-20",
            "2026.1121.1420",
            "3c:a8:2a:01:02",
            "3c:a8:2a:01:02:03:04",
            "a3c:a8:2a:01:02:03",
            "3ca82a01-0203-4a5b-8c9d-3ca82a010203",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
