//! Stand-ins of hardware addresses and telephone numbers: computed from all their digits.

use super::{HEX_DIGITS, StandIns};
use crate::redact::category::{Action, Category};
use crate::redact::prf::Purpose;
use crate::redact::text::{DIGIT, HEX, hex_value, is};

/// First byte of a hardware address that is a stand-in.
pub(crate) const MAC_FIRST: u8 = 0xf2;

impl StandIns {
    fn mac(&self, mac: [u8; 6]) -> [u8; 6] {
        let mut number = [0; 8];
        number[2..].copy_from_slice(&mac);
        let number = u64::from_be_bytes(number);
        let mut round = 0;
        loop {
            let block = self.prf.block(Purpose::Mac, round, number);
            let new = [MAC_FIRST, block[0], block[1], block[2], block[3], block[4]];
            if round == u32::MAX || !self.learned.macs.contains(&new) {
                return new;
            }
            round += 1;
        }
    }

    pub(super) fn write_mac(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(mac) = mac_of(bytes) else {
            out.extend_from_slice(Category::Mac.dropped().as_bytes());
            return;
        };
        let upper = bytes.iter().any(u8::is_ascii_uppercase);
        let new = self.mac(mac);
        let mut place = 0;
        out.extend(bytes.iter().map(|&byte| {
            if !is(byte, HEX) {
                return byte;
            }
            let octet = new[place / 2 % new.len()];
            let digit = HEX_DIGITS[usize::from(if place.is_multiple_of(2) { octet >> 4 } else { octet & 15 })];
            place += 1;
            if upper { digit.to_ascii_uppercase() } else { digit }
        }));
    }

    pub(super) fn phone(&self, bytes: &[u8]) -> String {
        let mut digits = digits(bytes);
        let mut international = bytes.starts_with(b"+");
        // 0049 and +49 are the same country.
        if let Some(rest) = digits.strip_prefix("00").filter(|_| !international) {
            digits = rest.to_owned();
            international = true;
        }
        let keeps = international && self.action(Category::Phone) == Action::KeepCountry;
        let country = if keeps { country(&digits) } else { "" };
        for round in 0_u32.. {
            let block = self.prf.text("phone", format!("{digits}/{round}").as_bytes());
            let number = u64::from_be_bytes(block[..8].try_into().expect("8 of 32 bytes")) % 1_000_000_000_000;
            // The last digits of the twelve: how many depends on the country alone.
            let new = format!("00{country}{}", &format!("{number:012}")[country.len()..]);
            if !self.learned.phones.contains(&new) {
                return format!("+{new}");
            }
        }
        Category::Phone.dropped().to_owned()
    }
}

/// The country's code that a number in international form begins with (ITU-T E.164): one digit, two, or else three.
fn country(digits: &str) -> &str {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 \
        84 86 90 91 92 93 94 95 98";
    let length = match digits.get(..2) {
        Some(two) if two.starts_with(['1', '7']) => 1,
        Some(two) if TWO.split(' ').any(|code| code == two) => 2,
        _ => 3,
    };
    digits.get(..length).unwrap_or("")
}

/// The six bytes of a hardware address in any of its spellings.
pub(crate) fn mac_of(bytes: &[u8]) -> Option<[u8; 6]> {
    let mut number = 0_u64;
    let mut count = 0;
    for &byte in bytes.iter().filter(|&&byte| is(byte, HEX)) {
        number = number << 4 | u64::from(hex_value(byte));
        count += 1;
        if count > 12 {
            return None;
        }
    }
    let [_, _, mac @ ..] = number.to_be_bytes();
    (count == 12).then_some(mac)
}

/// The digits of a telephone number.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().filter(|&&byte| is(byte, DIGIT)).map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::learned::Learned;
    use crate::redact::prf::TicketKey;
    use crate::redact::rules::Rules;
    use crate::redact::stand_in::tests::stand_ins;

    #[test]
    fn a_number_keeps_its_country_where_the_rules_ask_for_it() {
        let rules = Rules { actions: [(Category::Phone, Action::KeepCountry)].into(), ..Rules::default() };
        let table = StandIns::new(&rules, Learned::default(), &TicketKey::from_bytes([3; 32]));
        let plain = stand_ins(vec![]);
        for (number, country) in
            [("+32 2 555 01 42", "32"), ("0032-2-5550142", "32"), ("+1 (212) 555-0142", "1"), ("+352 555142", "352")]
        {
            let phone = table.phone(number.as_bytes());
            assert!(phone.starts_with(&format!("+00{country}")) && phone.len() == 15, "{phone}");
            assert!(!phone.ends_with("142") && plain.phone(number.as_bytes()).len() == 15);
        }
        assert_eq!(table.phone(b"+32 2 555 01 42"), table.phone(b"0032-2-5550142"));
        assert_eq!(table.phone(b"030 555 0142"), plain.phone(b"030 555 0142"), "a national number tells no country");
    }

    #[test]
    fn a_hardware_address_keeps_its_spelling() {
        let table = stand_ins(vec![]);
        for text in ["3C:A8:2A:01:02:03", "3c-a8-2a-01-02-03", "3ca8.2a01.0203"] {
            let mut out = Vec::new();
            table.write_mac(text.as_bytes(), &mut out);
            assert_eq!(out.len(), text.len());
            assert_eq!(mac_of(&out), Some(table.mac([0x3c, 0xa8, 0x2a, 1, 2, 3])));
            assert_eq!(out.iter().any(u8::is_ascii_uppercase), text.contains('C'));
        }
    }
}
