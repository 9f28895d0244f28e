//! Slot kind 3: a passphrase. salt[16] | m u32 | t u32 | p u8 | ct.

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::secret;
use crate::format::error::NoMemory;
use crate::format::passphrase::{Cost, Passphrase, SALT};

/// Bytes in front of the ciphertext.
pub(super) const PREFIX: usize = SALT + Cost::LENGTH;

/// Seals with a passphrase, at the cost it carries. Takes the memory of that cost and panics where there is none.
pub(super) fn seal(passphrase: &Passphrase, info: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut salt = [0; SALT];
    rng.fill_bytes(&mut salt);
    let cost = passphrase.cost();
    let key = passphrase.derive(&salt, cost).expect("a sender chooses a cost that the computer can bear");
    [salt.as_slice(), &cost.encode(), &secret::seal(key.expose(), None, info, plaintext)].concat()
}

/// Opens with a passphrase; `None` when it is another one, or anything about the text is different, or its cost is past a
/// limit.
pub(super) fn open(
    passphrase: &Passphrase,
    info: &[u8],
    sealed: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, NoMemory> {
    let Ok((salt, cost, text)) = split(sealed) else { return Ok(None) };
    let key = passphrase.derive(salt, cost)?;
    Ok(secret::open(key.expose(), None, info, text))
}

/// Refuses a body whose cost is past a limit, and says which. Nothing is computed.
pub(crate) fn check_cost(sealed: &[u8]) -> Result<(), &'static str> {
    split(sealed).map(drop)
}

fn split(sealed: &[u8]) -> Result<(&[u8; SALT], Cost, &[u8]), &'static str> {
    const SHORT: &str = "it is of the wrong length";
    let (salt, rest) = sealed.split_first_chunk().ok_or(SHORT)?;
    let (cost, text) = rest.split_first_chunk().ok_or(SHORT)?;
    Ok((salt, Cost::decode(cost)?, text))
}
