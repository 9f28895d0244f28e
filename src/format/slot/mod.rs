//! Slots: the vendor's part of the file key, locked once for each recipient.
//!
//! A kind of slot is one file here. Those that take a public key have a line in [`KEY_SLOTS`] as well; a passphrase and a
//! shared key are secrets that both sides have.

mod hpke;
mod passphrase;
mod secret;
mod shared_key;
mod x25519;
mod x_wing;

use std::fmt;

use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::{NoMemory, OpenError};
use super::key::{Identity, KeyKind, Lock, Opener, Recipient};
use crate::secret::Secret;

pub(crate) use passphrase::check_cost;

/// Length in bytes of the vendor's part, V, that every slot holds.
pub(crate) const PART_LENGTH: usize = 32;

/// A key id that names no key: the opener tries each of its own.
pub(crate) const ANONYMOUS: [u8; 8] = [0; 8];

/// How a slot is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotKind {
    /// To an X25519 key.
    X25519 = 1,
    /// To an X-Wing key (ML-KEM-768 and X25519).
    XWing = 2,
    /// With a passphrase.
    Passphrase = 3,
    /// With a key both sides hold.
    SharedKey = 4,
}

impl SlotKind {
    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::X25519),
            2 => Some(Self::XWing),
            3 => Some(Self::Passphrase),
            4 => Some(Self::SharedKey),
            _ => None,
        }
    }

    /// Length of the body in bytes; each kind has exactly one.
    pub(crate) const fn body_length(self) -> usize {
        const SEALED_PART: usize = PART_LENGTH + 16;
        match self {
            Self::X25519 => 32 + SEALED_PART,
            Self::XWing => 1120 + SEALED_PART,
            Self::Passphrase => passphrase::PREFIX + SEALED_PART,
            Self::SharedKey => shared_key::SALT + SEALED_PART,
        }
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X25519 => "an X25519 key",
            Self::XWing => "an X-Wing key",
            Self::Passphrase => "a passphrase",
            Self::SharedKey => "a shared key",
        })
    }
}

impl From<KeyKind> for SlotKind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::X25519 => Self::X25519,
            KeyKind::XWing => Self::XWing,
        }
    }
}

/// A slot as it stands in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: SlotKind,
    pub(crate) key_id: [u8; 8],
    pub(crate) body: Vec<u8>,
}

/// What a kind of public key can do: HPKE in base mode, empty aad (RFC 9180).
pub(crate) trait KeySlot: Sync {
    /// Its number.
    fn kind(&self) -> KeyKind;
    /// Length of its public key in bytes.
    fn public_length(&self) -> usize;
    /// The public key of a secret one.
    fn public(&self, secret: &[u8; 32]) -> Vec<u8>;
    /// Whether one can seal to this public key.
    fn accepts(&self, public: &[u8]) -> bool;
    /// Seals to a public key that was accepted; gives enc | ct.
    fn seal(&self, public: &[u8], info: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8>;
    /// Opens enc | ct; `None` when it is damaged or was sealed to another key or with another info.
    fn open(&self, secret: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
}

/// The kinds of keys there are, in the order of their numbers.
static KEY_SLOTS: [&dyn KeySlot; 2] = [&x25519::X25519, &x_wing::XWing];

/// Finds what a kind of key can do.
pub(crate) fn key_slot(kind: KeyKind) -> &'static dyn KeySlot {
    KEY_SLOTS.into_iter().find(|slot| slot.kind() == kind).expect("every KeyKind has its line in KEY_SLOTS")
}

/// Seals to a recipient of any kind.
pub(crate) fn seal(recipient: &Recipient, info: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    match recipient.lock() {
        Lock::Public(kind, public) => key_slot(*kind).seal(public, info, plaintext, rng),
        Lock::Passphrase(passphrase) => passphrase::seal(passphrase, info, plaintext, rng),
        Lock::SharedKey(key) => shared_key::seal(key, info, plaintext, rng),
    }
}

/// Opens with an identity of any kind; `None` when it was sealed to another, with another info, or is damaged.
pub(crate) fn open(identity: &Identity, info: &[u8], sealed: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, NoMemory> {
    match identity.opener() {
        Opener::KeyPair { kind, secret, .. } => Ok(key_slot(*kind).open(secret.expose(), info, sealed)),
        Opener::Passphrase(passphrase) => passphrase::open(passphrase, info, sealed),
        Opener::SharedKey(key) => Ok(shared_key::open(key, info, sealed)),
    }
}

/// Locks the vendor's part for one recipient. `public_digest` is SHA-256(PUB) of the header the slot will stand in.
pub(crate) fn lock(
    recipient: &Recipient,
    public_digest: &[u8; 32],
    part: &Secret<[u8; PART_LENGTH]>,
    rng: &mut dyn CryptoRng,
) -> Slot {
    let kind = recipient.kind();
    let body = seal(recipient, &info(kind, public_digest), part.expose(), rng);
    Slot { kind, key_id: recipient.key_id(), body }
}

/// Gets the vendor's part out of the first slot that one of the identities opens, or out of what was granted to one of them.
///
/// Slots that name one of the keys come first. When none of them opens the rest is tried too: a slot whose key id alone was
/// changed opens here and is found out by the payload's commitment, so that damage is not mistaken for a wrong key.
pub(crate) fn unlock(
    slots: &[Slot],
    public_digest: &[u8; 32],
    identities: &[Identity],
) -> Result<Secret<[u8; PART_LENGTH]>, OpenError> {
    let pairs = || slots.iter().flat_map(|slot| identities.iter().map(move |identity| (slot, identity)));
    let named = |(slot, identity): &(&Slot, &Identity)| {
        slot.key_id != ANONYMOUS && slot.key_id == identity.recipient().key_id()
    };
    let mut this_key = false;
    for (slot, identity) in pairs().filter(named).inspect(|_| this_key = true) {
        if let Some(part) = part_of(slot, public_digest, identity)? {
            return Ok(part);
        }
    }
    for (slot, identity) in pairs().filter(|pair| !named(pair)) {
        if let Some(part) = part_of(slot, public_digest, identity)? {
            return Ok(part);
        }
    }
    if let Some(part) = identities.iter().find_map(|identity| identity.grant_of(public_digest)) {
        return Ok(part.clone());
    }
    let given = |kind| identities.iter().any(|identity| identity.kind() == kind);
    let only = |kind| slots.iter().all(|slot| slot.kind == kind);
    Err(match () {
        () if this_key => OpenError::Slot,
        // A passphrase slot is alone, so one that was tried did not fit.
        () if only(SlotKind::Passphrase) && given(SlotKind::Passphrase) => OpenError::WrongPassphrase,
        () if only(SlotKind::Passphrase) => OpenError::NotGiven(SlotKind::Passphrase),
        () if only(SlotKind::SharedKey) && !given(SlotKind::SharedKey) => OpenError::NotGiven(SlotKind::SharedKey),
        () => OpenError::NoKeyFits,
    })
}

fn part_of(
    slot: &Slot,
    public_digest: &[u8; 32],
    identity: &Identity,
) -> Result<Option<Secret<[u8; PART_LENGTH]>>, NoMemory> {
    if slot.kind == identity.kind() { part(identity, &info(slot.kind, public_digest), &slot.body) } else { Ok(None) }
}

/// Opens a sealed part; `None` when it was sealed to another key, with another info, or is damaged.
pub(crate) fn part(
    identity: &Identity,
    info: &[u8],
    sealed: &[u8],
) -> Result<Option<Secret<[u8; PART_LENGTH]>>, NoMemory> {
    let Some(opened) = open(identity, info, sealed)? else { return Ok(None) };
    let mut part = Secret::new([0; PART_LENGTH]);
    if opened.len() != PART_LENGTH {
        return Ok(None);
    }
    part.expose_mut().copy_from_slice(&opened);
    Ok(Some(part))
}

/// SLOTINFO: what a slot is locked for.
fn info(kind: SlotKind, public_digest: &[u8; 32]) -> Vec<u8> {
    [b"tarseal/v1 slot\0".as_slice(), &[kind as u8], public_digest].concat()
}

/// SHA-256(kind | key), of which the first bytes are the key id of a public key and every key's fingerprint.
pub(crate) fn key_digest(kind: u8, key: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([kind]).chain_update(key).finalize().into()
}

/// The first 16 bytes of a key's digest in eight groups of four hexadecimal digits.
pub(crate) fn fingerprint(kind: u8, key: &[u8]) -> String {
    key_digest(kind, key)[..16].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
}
