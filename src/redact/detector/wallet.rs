//! Addresses of wallets: Bitcoin and its kin by their checksum, Ethereum's with capitals as a checksum or beside a word.

use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::before;

pub(crate) struct Wallet;

impl Detector for Wallet {
    fn at_long_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let word = &line.text[start..end];
        let found = match word {
            [b'0', b'x', hex @ ..] if hex.len() == 40 => ethereum(hex, &line.text[start.saturating_sub(40)..start]),
            [b'b' | b'B' | b't' | b'T', b'c' | b'C' | b'b' | b'B', b'1', ..] => segwit(word),
            _ => (26..=35).contains(&word.len()) && base58_check(word),
        };
        if found && !matches!(before(line.text, 0, start), b'+' | b'/' | b'-' | b'_') {
            hits.push(start, end, Category::Bank, Form::Drop, rank::NUMBER + 1);
        }
    }
}

/// A version, 20 bytes and four of the double hash of both (Bitcoin developer reference, "Address Conversion").
fn base58_check(word: &[u8]) -> bool {
    let mut bytes = [0; 25];
    // Base58 has no 0, O, I, l.
    if word.iter().any(|b| matches!(b, b'0' | b'O' | b'I' | b'l')) || bs58::decode(word).onto(&mut bytes) != Ok(25) {
        return false;
    }
    let (body, check) = bytes.split_at(21);
    Sha256::digest(Sha256::digest(body))[..4] == *check
}

/// Bech32 (BIP 173, BIP 350).
fn segwit(word: &[u8]) -> bool {
    (14..=90).contains(&word.len()) && std::str::from_utf8(word).is_ok_and(|word| bech32::segwit::decode(word).is_ok())
}

/// EIP-55: a letter is a capital where the hash of the address in small letters has 8 or more; without capitals a word before
/// it must say what it is.
fn ethereum(hex: &[u8], before: &[u8]) -> bool {
    if !hex.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let small = hex.to_ascii_lowercase();
    if hex == small || hex.iter().all(|b| !b.is_ascii_lowercase()) {
        let before = before.to_ascii_lowercase();
        return ["wallet", "ethereum", "eth ", "eth:", "erc20"]
            .iter()
            .any(|word| memchr::memmem::find(&before, word.as_bytes()).is_some());
    }
    let hash = Keccak256::digest(&small);
    hex.iter().enumerate().all(|(place, b)| {
        let nibble = if place % 2 == 0 { hash[place / 2] >> 4 } else { hash[place / 2] & 15 };
        b.is_ascii_digit() || b.is_ascii_uppercase() == (nibble >= 8)
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_wallet_is_known_by_its_checksum() {
        for address in [
            "1J6oiffNi9ro6dypeCxkYKJoJKHYsbC2fV",
            "36Em9PavZkfT4CLaNqQbPrEHjQk2dh4757",
            "bc1qhwfnw7rp2208r3w68t8nrct68yw6hpt0qgx3ly",
            "bc1phwfnw7rp2208r3w68t8nrct68yw6hpt0azlth7fdnlq2fumdsrzql34n3w",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", // EIP-55
        ] {
            finds(&format!("to {address}."), &[(address, "bank")]);
        }
        finds(
            "wallet 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            &[("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "bank")],
        );
    }

    #[test]
    fn hashes_and_wrong_checksums_stay() {
        for line in [
            "1J6oiffNi9ro6dypeCxkYKJoJKHYsbC2fW",
            "bc1qhwfnw7rp2208r3w68t8nrct68yw6hpt0qgx3lz",
            "0x5aAeb6053F3E94C9b9A09f33669435E7ef1BeAed",
            "at 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
