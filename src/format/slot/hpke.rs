//! HPKE in base mode with HKDF-SHA256 and AES-256-GCM (RFC 9180), over any of its key encapsulations.

use ::hpke::aead::AesGcm256;
use ::hpke::kdf::HkdfSha256;
use ::hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// Gives the public key of a secret one.
pub(super) fn public<K: Kem>(secret: &[u8; 32]) -> Vec<u8> {
    let secret = K::PrivateKey::from_bytes(secret).expect("every 32 bytes are a secret key of X25519 and of X-Wing");
    K::sk_to_pk(&secret).to_bytes().to_vec()
}

/// Whether the bytes are a public key of the right length that the encapsulation can read.
pub(super) fn is_public<K: Kem>(public: &[u8]) -> bool {
    K::PublicKey::from_bytes(public).is_ok()
}

/// Seals to a public key that was accepted before; gives enc | ct.
pub(super) fn seal<K: Kem>(public: &[u8], info: &[u8], plaintext: &[u8], mut rng: &mut dyn CryptoRng) -> Vec<u8> {
    let public = K::PublicKey::from_bytes(public).expect("a Recipient holds only a key that was accepted");
    let (enc, ct) =
        single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(&OpModeS::Base, &public, info, plaintext, &[], &mut rng)
            .expect("the key was accepted, and the text is short");
    [enc.to_bytes().as_slice(), &ct].concat()
}

/// Opens enc | ct; `None` when anything about it is wrong.
pub(super) fn open<K: Kem>(secret: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (enc, ct) = sealed.split_at_checked(<K::EncappedKey as Serializable>::size())?;
    let secret = K::PrivateKey::from_bytes(secret).ok()?;
    let enc = K::EncappedKey::from_bytes(enc).ok()?;
    single_shot_open::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, info, ct, &[]).ok().map(Zeroizing::new)
}
