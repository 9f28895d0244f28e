//! Numbers that depend on the ticket's key and look random without it.

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;

use crate::secret::Secret;

/// 32 random bytes that decide every computed stand-in of one ticket.
///
/// It stays with the sender and is destroyed at the deadline: without it nobody can tell whether a stand-in belongs to an
/// address they guess, and two tickets cannot be linked.
#[derive(Clone, Debug)]
pub struct TicketKey(Secret<[u8; 32]>);

impl TicketKey {
    /// Draws a key for a new ticket.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Secret::new([0; 32]);
        rng.fill_bytes(key.expose_mut());
        Self(key)
    }

    /// Takes a ticket's key up again.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Takes a ticket's key up again, by a copy in its own place; `None` unless there are 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Secret::new([0; 32]);
        let fits = bytes.len() == key.expose().len();
        fits.then(|| key.expose_mut().copy_from_slice(bytes))?;
        Some(Self(key))
    }

    /// Shows the bytes, to be stored beside the vault.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// What a number is computed for; two purposes never give the same numbers.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Net4 = 1,
    Host4 = 2,
    Net6 = 3,
    Host6 = 4,
    Mac = 5,
    Mark4 = 6,
    Mark6 = 7,
}

/// A pseudorandom function: AES-256 for short inputs, HMAC-SHA-256 for text, under keys derived from the ticket's.
pub(crate) struct Prf {
    cipher: Aes256,
    text_key: Secret<[u8; 32]>,
}

impl Prf {
    pub(crate) fn new(key: &TicketKey) -> Self {
        let derived = Hkdf::<Sha256>::new(None, key.expose());
        let mut cipher_key = Secret::new([0; 32]);
        let mut text_key = Secret::new([0; 32]);
        derived.expand(b"tarseal/v1 stand-in numbers", cipher_key.expose_mut()).expect("32 bytes are a valid length");
        derived.expand(b"tarseal/v1 stand-in texts", text_key.expose_mut()).expect("32 bytes are a valid length");
        Self { cipher: Aes256::new(cipher_key.expose().into()), text_key }
    }

    /// 16 bytes for a number; `round` gives another 16 for the same one.
    pub(crate) fn block(&self, purpose: Purpose, round: u32, number: u64) -> [u8; 16] {
        let mut block = [0; 16];
        block[0] = purpose as u8;
        block[4..8].copy_from_slice(&round.to_be_bytes());
        block[8..].copy_from_slice(&number.to_be_bytes());
        let mut block = block.into();
        self.cipher.encrypt_block(&mut block);
        block.into()
    }

    /// The first 8 of those bytes as a number.
    pub(crate) fn number(&self, purpose: Purpose, round: u32, number: u64) -> u64 {
        let block = self.block(purpose, round, number);
        u64::from_be_bytes(block[..8].try_into().expect("8 of 16 bytes"))
    }

    /// 32 bytes for a text.
    pub(crate) fn text(&self, label: &str, text: &[u8]) -> [u8; 32] {
        let input = [label.as_bytes(), b"\0", text].concat();
        Hkdf::<Sha256>::extract(Some(self.text_key.expose()), &input).0.into()
    }

    /// Exchanges a 64-bit number for another, one to one, `round` apart from other exchanges.
    pub(crate) fn exchange(&self, round: u32, number: u64) -> u64 {
        let (mut left, mut right) = split(number);
        for step in 0_u32..4 {
            let mixed = self.number(Purpose::Host6, round, u64::from(step) << 32 | u64::from(right));
            (left, right) = (right, left ^ split(mixed).1);
        }
        u64::from(left) << 32 | u64::from(right)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
const fn split(number: u64) -> (u32, u32) {
    ((number >> 32) as u32, number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_one_to_one_and_depends_on_the_key() {
        let prf = Prf::new(&TicketKey::from_bytes([7; 32]));
        let other = Prf::new(&TicketKey::from_bytes([8; 32]));
        let all: std::collections::BTreeSet<_> = (0..1000).map(|n| prf.exchange(1, n)).collect();
        assert_eq!(all.len(), 1000);
        assert_ne!(prf.exchange(1, 5), other.exchange(1, 5));
        assert_ne!(prf.text("a", b"x"), other.text("a", b"x"));
    }
}
