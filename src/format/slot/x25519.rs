//! Slot kind 1: DHKEM(X25519, HKDF-SHA256), RFC 9180 section 4.1.

use ::hpke::kem::X25519HkdfSha256;
use ::hpke::{Deserializable, Kem};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::{KeySlot, hpke};
use crate::format::key::KeyKind;

pub(super) struct X25519;

impl KeySlot for X25519 {
    fn kind(&self) -> KeyKind {
        KeyKind::X25519
    }

    fn public_length(&self) -> usize {
        32
    }

    fn public(&self, secret: &[u8; 32]) -> Vec<u8> {
        hpke::public::<X25519HkdfSha256>(secret)
    }

    fn accepts(&self, public: &[u8]) -> bool {
        contributes(public)
    }

    fn seal(&self, public: &[u8], info: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        hpke::seal::<X25519HkdfSha256>(public, info, plaintext, rng)
    }

    fn open(&self, secret: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        hpke::open::<X25519HkdfSha256>(secret, info, sealed)
    }
}

/// Whether the bytes are an X25519 key with which a secret can be agreed.
///
/// The few points of low order lead every secret to zero (RFC 7748, section 6.1), so one trial with any secret tells.
pub(super) fn contributes(public: &[u8]) -> bool {
    let (trial, _) = X25519HkdfSha256::derive_keypair(b"a trial, thrown away");
    <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(public)
        .is_ok_and(|public| X25519HkdfSha256::decap(&trial, None, &public).is_ok())
}
