//! What two people compare over the telephone to know that they mean the same key.

use std::fmt;
use std::iter;

use bip39::Language;
use sha2::{Digest, Sha256};

use super::key::Recipient;
use super::sender::Sender;

/// How many words are told: 8 of 11 bits each.
const WORDS: usize = 8;
/// How many words a sealed file is checked by.
const CHECK_WORDS: usize = 12;
/// How many bytes of the digest the words cover: 88 bits.
const WORD_BYTES: usize = 11;

/// The first 128 bits of a key's SHA-256.
///
/// It is shown as eight groups of four hexadecimal digits, and its first 88 bits as eight words of the English list of
/// BIP-39: 2048 common words, no two of which begin with the same four letters. Who wants another key with the same
/// words must try 2^88 keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a text, such as a root key written in one line.
    pub(crate) fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self(*digest.first_chunk().expect("a digest has 32 bytes"))
    }

    /// The first 88 bits as eight words with spaces between them.
    #[must_use]
    pub fn words(&self) -> String {
        words(&self.0[..WORD_BYTES], WORDS)
    }

    /// Whether `text` writes this fingerprint: as 32 hexadecimal digits or as eight words, in any case, with spaces or
    /// hyphens wherever they stand. `None` when it writes no fingerprint at all.
    #[must_use]
    pub fn is(&self, text: &str) -> Option<bool> {
        Some(match Written::read(text)? {
            Written::Digits(digits) => digits == self.0,
            Written::Words(words) => (0..WORDS).map(|number| self.eleven_bits(number)).eq(words),
        })
    }

    /// Whether `text` writes a fingerprint, of whatever key.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        Written::read(text).is_some()
    }

    /// The `number`th eleven bits, from the front.
    fn eleven_bits(&self, number: usize) -> u16 {
        eleven_bits(&self.0[..WORD_BYTES], number)
    }
}

/// The `number`th eleven bits of `bytes`, from the front.
fn eleven_bits(bytes: &[u8], number: usize) -> u16 {
    let bit = number * 11;
    let bytes = bytes.iter().copied().chain(iter::repeat(0));
    let window = bytes.skip(bit / 8).take(3).fold(0_u32, |window, byte| (window << 8) | u32::from(byte));
    u16::try_from((window >> (13 - bit % 8)) & 0x7ff).expect("eleven bits fit")
}

/// The first `count` times eleven bits of `bytes` as words.
fn words(bytes: &[u8], count: usize) -> String {
    let list = Language::English.word_list();
    let words: Vec<&str> = (0..count).map(|number| list[usize::from(eleven_bits(bytes, number))]).collect();
    words.join(" ")
}

/// The first 132 bits of a sealed file's SHA-256 as twelve words, of the list that fingerprints use: who compares them compares
/// the files. To make another file with the same words takes 2^132 tries.
#[must_use]
pub fn check_phrase(sha256: &[u8; 32]) -> String {
    words(sha256, CHECK_WORDS)
}

/// [`check_phrase`] of a SHA-256 in hexadecimal; nothing of what is none.
#[must_use]
pub fn check_phrase_of(sha256: &str) -> Option<String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(sha256, &mut bytes).ok()?;
    Some(check_phrase(&bytes))
}

/// A fingerprint as somebody wrote it.
enum Written {
    Digits([u8; 16]),
    Words(Vec<u16>),
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        let parts = || text.split(|c: char| c.is_whitespace() || c == '-').filter(|part| !part.is_empty());
        let mut digits = [0; 16];
        if hex::decode_to_slice(parts().collect::<String>(), &mut digits).is_ok() {
            return Some(Self::Digits(digits));
        }
        let words = parts().map(|word| Language::English.find_word(&word.to_ascii_lowercase()));
        let words: Vec<u16> = words.take(WORDS + 1).collect::<Option<_>>()?;
        (words.len() == WORDS).then_some(Self::Words(words))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<String> = self.0.chunks(2).map(hex::encode).collect();
        f.write_str(&groups.join(" "))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Recipient {
    /// The first 88 bits of the key's fingerprint as eight words, to be compared over the telephone. Empty where there is no
    /// fingerprint.
    #[must_use]
    pub fn words(&self) -> String {
        self.told().map_or_else(String::new, |fingerprint| fingerprint.words())
    }

    /// Whether `text` writes this key's fingerprint, in digits or in words; `None` when it writes no fingerprint at all.
    #[must_use]
    pub fn is_written(&self, text: &str) -> Option<bool> {
        self.told()?.is(text)
    }

    fn told(&self) -> Option<Fingerprint> {
        let mut digits = [0; 16];
        hex::decode_to_slice(self.fingerprint().replace(' ', ""), &mut digits).ok()?;
        Some(Fingerprint(digits))
    }
}

impl Sender {
    /// The first 88 bits of the key's fingerprint as eight words, to be compared over the telephone.
    #[must_use]
    pub fn words(&self) -> String {
        self.told().words()
    }

    pub(super) fn told(&self) -> Fingerprint {
        let mut digits = [0; 16];
        let text = self.fingerprint().replace(' ', "");
        hex::decode_to_slice(text, &mut digits).expect("a fingerprint is 32 hexadecimal digits");
        Fingerprint(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of BIP-39's own test vectors begin with the same bits: entropy first, checksum last.
    #[test]
    fn words_are_those_of_the_published_list() {
        let of = |bytes: &str| Fingerprint(hex::decode(bytes).unwrap().try_into().unwrap()).words();
        assert_eq!(of("00000000000000000000000000000000"), ["abandon"; 8].join(" "));
        assert_eq!(of("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f"), "legal winner thank year wave sausage worth useful");
        assert_eq!(of("80808080808080808080808080808080"), "letter advice cage absurd amount doctor acoustic avoid");
        assert_eq!(of("ffffffffffffffffffffffffffffffff"), ["zoo"; 8].join(" "));
    }

    #[test]
    fn a_fingerprint_is_known_in_digits_and_in_words_and_by_no_other() {
        let fingerprint = Fingerprint::of("vendor.example+00000000+AAAA");
        let (digits, words) = (fingerprint.to_string(), fingerprint.words());
        for text in [digits.clone(), digits.replace(' ', ""), digits.to_uppercase(), format!("  {words} ")] {
            assert_eq!(fingerprint.is(&text), Some(true), "{text}");
        }
        assert_eq!(fingerprint.is(&words.to_uppercase().replace(' ', "-")), Some(true));
        let other = Fingerprint::of("other");
        assert_eq!(fingerprint.is(&other.words()), Some(false));
        assert_eq!(fingerprint.is(&other.to_string()), Some(false));
        for text in ["", "tarseal1qq", "zoo zoo", "legal winner thank year wave sausage worth usefull", "abcd"] {
            assert_eq!(fingerprint.is(text), None, "{text}");
        }
    }

    #[test]
    fn the_words_of_a_recipient_are_those_of_its_fingerprint() {
        let recipient: Recipient = include_str!("../../fixtures/keys/bob.key")
            .lines()
            .find_map(|line| line.strip_prefix("# recipient: "))
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(recipient.words(), "drum gift entire conduct trumpet guard holiday estate");
        assert_eq!(recipient.is_written(&recipient.words()), Some(true));
        assert_eq!(recipient.is_written(&recipient.fingerprint()), Some(true));
    }

    #[test]
    fn every_bit_of_the_first_88_changes_a_word_and_no_later_one_does() {
        let fingerprint = Fingerprint::of("a key");
        for bit in 0..128 {
            let mut changed = fingerprint;
            changed.0[bit / 8] ^= 0x80 >> (bit % 8);
            assert_eq!(changed.words() != fingerprint.words(), bit < 88, "bit {bit}");
        }
    }
}
