//! Keys as text: Bech32 with the checksum of BIP 173 and without its limit of 90 characters.

use bech32::primitives::checksum::Checksum;
use bech32::primitives::decode::{CharError, CheckedHrpstring, CheckedHrpstringError, UncheckedHrpstringError};
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

/// The checksum of BIP 173 over a text of any length.
///
/// A long text loses the promise to find every error of up to four characters; what the code then misses, one text in 2^30,
/// the length and the key itself are still checked for.
enum LongBech32 {}

impl Checksum for LongBech32 {
    type MidstateRepr = u32;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;

    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = Bech32::TARGET_RESIDUE;
}

/// Writes `data` in lower case behind `prefix` and a `1`.
pub(crate) fn encode(prefix: &'static str, data: &[u8]) -> Zeroizing<String> {
    // Long enough from the beginning: growing would leave pieces of a secret behind.
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + 8 + data.len() * 8 / 5 + 1));
    bech32::encode_lower_to_fmt::<LongBech32, String>(&mut text, Hrp::parse_unchecked(prefix), data)
        .expect("the code has no greatest length, and writing to a String does not fail");
    text
}

/// Reads the data behind `prefix`, written in one case, upper or lower; says in words what is wrong otherwise.
pub(crate) fn decode(prefix: &'static str, text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let checked = CheckedHrpstring::new::<LongBech32>(text).map_err(|error| match error {
        CheckedHrpstringError::Parse(UncheckedHrpstringError::Char(error)) => match error {
            CharError::MixedCase => "it mixes capitals and small letters",
            CharError::InvalidChar(_) => "it holds a character that no key has",
            _ => "it does not look like a key",
        },
        CheckedHrpstringError::Checksum(_) => "its checksum is wrong; a character was changed or lost",
        _ => "it does not look like a key",
    })?;
    if checked.hrp() != Hrp::parse_unchecked(prefix) {
        return Err("it is a key of another kind of program");
    }
    let mut data = Zeroizing::new(Vec::with_capacity(text.len()));
    data.extend(checked.byte_iter());
    // Left-over bits must be zero and fewer than a character's: only the text that `encode` writes is a key.
    if encode(prefix, &data).eq_ignore_ascii_case(text) { Ok(data) } else { Err("its last characters are wrong") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_bip_173() {
        LongBech32::sanity_check();
        // From the valid strings of BIP 173.
        let text = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw";
        assert_eq!(
            decode("abcdef", text).unwrap().as_slice(),
            hex::decode("00443214c74254b635cf84653a56d7c675be77df").unwrap()
        );
        assert_eq!(encode("abcdef", &decode("abcdef", text).unwrap()).as_str(), text);
    }

    #[test]
    fn a_long_key_comes_back_and_one_changed_character_is_found() {
        let data: Vec<u8> = (0..1217_u32).map(|i| i.to_le_bytes()[0].wrapping_mul(37)).collect();
        let text = encode("tarseal", &data);
        assert_eq!(decode("tarseal", &text).unwrap().as_slice(), data);
        assert_eq!(decode("tarseal", &text.to_uppercase()).unwrap().as_slice(), data);
        for at in (8..text.len()).step_by(31) {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'q' { b'p' } else { b'q' };
            assert!(decode("tarseal", std::str::from_utf8(&changed).unwrap()).is_err(), "{at}");
        }
    }

    #[test]
    fn left_over_bits_must_be_zero() {
        use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
        let prefix = Hrp::parse_unchecked("tarseal");
        // One byte makes two characters with two bits to spare; the second text sets one of them.
        for (last, valid) in [(0_u8, true), (1, false)] {
            let mut characters: Vec<bech32::Fe32> = [7_u8].into_iter().bytes_to_fes().collect();
            characters[1] = bech32::Fe32::try_from(characters[1].to_u8() | last).unwrap();
            let text: String = characters.into_iter().with_checksum::<LongBech32>(&prefix).chars().collect();
            assert_eq!(decode("tarseal", &text).is_ok(), valid, "{text}");
        }
    }
}
