//! Bearer secrets: 256 random bits with a prefix that says what they are, shown once, stored as their SHA-256.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};

use crate::secret::Secret;

/// What a token begins with, so that people and scanners of leaked secrets know it.
pub(crate) const TOKEN: &str = "tsl_";
/// What the secret of a session begins with.
pub(crate) const SESSION: &str = "tss_";
/// What an invitation begins with.
pub(crate) const INVITATION: &str = "tsi_";
/// What the secret of a device that someone signed in from begins with.
pub(crate) const DEVICE: &str = "tsd_";

/// The longest bearer text that is looked at.
pub(super) const MAX_LENGTH: usize = 128;

/// Draws a secret: its text, which is shown once, and an id for it, which is none.
pub(crate) fn draw(prefix: &str, rng: &mut dyn CryptoRng) -> (Secret<String>, String) {
    let mut bytes = Secret::new([0; 32]);
    rng.fill_bytes(bytes.expose_mut());
    let encoded = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.expose()));
    let text = Secret::new(format!("{prefix}{}", encoded.expose()));
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    (text, hex::encode(id))
}

/// Draws a new token.
pub(crate) fn new_token(rng: &mut dyn CryptoRng) -> (Secret<String>, String) {
    draw(TOKEN, rng)
}

/// The form in which a token is stored.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
