//! One small secret, sealed to one key: how a portal hands out a share without seeing it in clear on the way.

use rand::CryptoRng;

use super::error::OpenError;
use super::key::{Identity, Recipient};
use super::slot;
use crate::secret::{Secret, on_clean_stack};

/// Seals `secret` to one key as a slot of its kind would be: for a public key HPKE in base mode, enc | ct. Only the same
/// `info` opens it, so it says what the secret is for.
///
/// 48 bytes longer than the secret for X25519, 1 136 for X-Wing, 41 for a passphrase, 48 for a shared key.
pub fn seal_to(recipient: &Recipient, info: &[u8], secret: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    on_clean_stack(|| slot::seal(recipient, info, secret, rng))
}

/// Opens what [`seal_to`] sealed to this identity with the same `info`.
///
/// [`OpenError::Unwrap`] when it was sealed to another key or for another purpose, or is damaged; [`OpenError::Memory`]
/// when a passphrase asks for memory that is not there.
pub fn open_sealed(identity: &Identity, info: &[u8], sealed: &[u8]) -> Result<Secret<Vec<u8>>, OpenError> {
    let mut opened = on_clean_stack(|| slot::open(identity, info, sealed))?.ok_or(OpenError::Unwrap)?;
    Ok(Secret::new(std::mem::take(&mut *opened)))
}
