//! Slot kind 2, the default: X-Wing, ML-KEM-768 and X25519 together (HPKE KEM 0x647a).
//!
//! It holds as long as either of the two does, so what is recorded today stays closed to a later quantum computer.

use ::hpke::kem::XWing as XWingKem;
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::{KeySlot, hpke, x25519};
use crate::format::key::KeyKind;

/// Length in bytes of the ML-KEM-768 encapsulation key, which stands first.
const ML_KEM_LENGTH: usize = 1184;

pub(super) struct XWing;

impl KeySlot for XWing {
    fn kind(&self) -> KeyKind {
        KeyKind::XWing
    }

    fn public_length(&self) -> usize {
        ML_KEM_LENGTH + 32
    }

    fn public(&self, secret: &[u8; 32]) -> Vec<u8> {
        hpke::public::<XWingKem>(secret)
    }

    fn accepts(&self, public: &[u8]) -> bool {
        public.get(ML_KEM_LENGTH..).is_some_and(x25519::contributes) && hpke::is_public::<XWingKem>(public)
    }

    fn seal(&self, public: &[u8], info: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        hpke::seal::<XWingKem>(public, info, plaintext, rng)
    }

    fn open(&self, secret: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        hpke::open::<XWingKem>(secret, info, sealed)
    }
}
