//! Sealing with a secret that both sides have: HKDF-SHA256 makes a key that is used once, AES-256-GCM does the rest.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

const TAG: usize = 16;
/// Each key seals one text, because its salt is drawn afresh; so the nonce may be fixed.
const NONCE: [u8; 12] = [0; 12];

/// Seals under the key of `secret`, `salt` and `info`; gives the ciphertext and its tag. The salt, or the one that went into
/// the secret, must be fresh.
pub(super) fn seal(secret: &[u8; 32], salt: Option<&[u8]>, info: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(plaintext.len() + TAG);
    sealed.extend_from_slice(plaintext);
    let tag = cipher(secret, salt, info)
        .encrypt_inout_detached(&NONCE.into(), info, InOutBuf::from(sealed.as_mut_slice()))
        .expect("a short text is far below the 64 GiB that AES-GCM can take");
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens what [`seal`] sealed; `None` when anything about it is different.
pub(super) fn open(secret: &[u8; 32], salt: Option<&[u8]>, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (text, tag) = sealed.split_last_chunk::<TAG>()?;
    let mut text = Zeroizing::new(text.to_vec());
    cipher(secret, salt, info)
        .decrypt_inout_detached(&NONCE.into(), info, InOutBuf::from(text.as_mut_slice()), &(*tag).into())
        .ok()?;
    Some(text)
}

fn cipher(secret: &[u8; 32], salt: Option<&[u8]>, info: &[u8]) -> Aes256Gcm {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(salt, secret).expand(info, key.as_mut_slice()).expect("32 bytes are within 255 blocks");
    Aes256Gcm::new_from_slice(key.as_slice()).expect("32 bytes are a key of AES-256")
}
