//! Slot kind 4: a 256-bit key that both sides hold. salt[32] | ct.

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::secret;
use crate::secret::Secret;

/// Bytes of the salt.
pub(super) const SALT: usize = 32;

/// Seals with the key.
pub(super) fn seal(key: &Secret<[u8; 32]>, info: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut salt = [0; SALT];
    rng.fill_bytes(&mut salt);
    [salt.as_slice(), &secret::seal(key.expose(), Some(&salt), info, plaintext)].concat()
}

/// Opens with the key; `None` when it is another one or anything about the text is different.
pub(super) fn open(key: &Secret<[u8; 32]>, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, text) = sealed.split_first_chunk::<SALT>()?;
    secret::open(key.expose(), Some(salt), info, text)
}
