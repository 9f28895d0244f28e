//! Stand-ins of hardware addresses and telephone numbers: computed from all their digits.

use super::StandIns;
use crate::redact::category::Category;
use crate::redact::prf::Purpose;
use crate::redact::text::{DIGIT, is};

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
        let text = hex::encode(self.mac(mac));
        let mut digits = if upper { text.to_uppercase() } else { text }.into_bytes().into_iter();
        out.extend(
            bytes.iter().map(|&byte| if byte.is_ascii_hexdigit() { digits.next().unwrap_or(byte) } else { byte }),
        );
    }

    pub(super) fn phone(&self, bytes: &[u8]) -> String {
        let mut digits = digits(bytes);
        // 0049 and +49 are the same country.
        if let Some(rest) = digits.strip_prefix("00").filter(|_| !bytes.starts_with(b"+")) {
            digits = rest.to_owned();
        }
        for round in 0_u32.. {
            let block = self.prf.text("phone", format!("{digits}/{round}").as_bytes());
            let number = u64::from_be_bytes(block[..8].try_into().expect("8 of 32 bytes")) % 1_000_000_000_000;
            let new = format!("00{number:012}");
            if !self.learned.phones.contains(&new) {
                return format!("+{new}");
            }
        }
        Category::Phone.dropped().to_owned()
    }
}

/// The six bytes of a hardware address in any of its spellings.
pub(crate) fn mac_of(bytes: &[u8]) -> Option<[u8; 6]> {
    let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let mut mac = [0; 6];
    hex::decode_to_slice(digits, &mut mac).ok()?;
    Some(mac)
}

/// The digits of a telephone number.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().filter(|&&byte| is(byte, DIGIT)).map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::stand_in::tests::stand_ins;

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
