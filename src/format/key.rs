//! Recipients and identities: the public key to seal to and the secret key that opens, and how they are written down.

use std::fmt::{self, Write};
use std::str::FromStr;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::bech32;
use super::error::KeyError;
use super::slot::{key_digest, key_slot};
use crate::clock::Timestamp;
use crate::secret::Secret;

const RECIPIENT_PREFIX: &str = "tarseal";
const SECRET_PREFIX: &str = "tarseal-secret-key-";

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// X25519 alone: short to write down, no defence against a quantum computer.
    X25519 = 1,
    /// X-Wing: ML-KEM-768 and X25519 together. The default.
    XWing = 2,
}

impl KeyKind {
    const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::X25519),
            2 => Some(Self::XWing),
            _ => None,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X25519 => "X25519",
            Self::XWing => "X-Wing",
        })
    }
}

/// A public key to seal to. As text `tarseal1…`: 70 characters for X25519, 1 962 for X-Wing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient {
    kind: KeyKind,
    public: Vec<u8>,
}

impl Recipient {
    /// What the key is made of.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The first 8 bytes of the key's digest: what a slot names the key by.
    #[must_use]
    pub fn key_id(&self) -> [u8; 8] {
        let digest = key_digest(self.kind, &self.public);
        *digest.first_chunk().expect("a digest has 32 bytes")
    }

    /// The first 16 bytes of the key's digest in eight groups of four hexadecimal digits, to be compared over the telephone.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = key_digest(self.kind, &self.public);
        digest[..16].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    fn from_parts(kind: KeyKind, public: Vec<u8>) -> Result<Self, &'static str> {
        let slot = key_slot(kind);
        if public.len() != slot.public_length() {
            return Err("it is of the wrong length");
        }
        if slot.accepts(&public) { Ok(Self { kind, public }) } else { Err("no secret can be agreed with this key") }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode(RECIPIENT_PREFIX, &[&[self.kind as u8], self.public.as_slice()].concat()))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({}, {})", self.kind, self.fingerprint())
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    /// Reads `tarseal1…`, in small letters or all in capitals; white space around it does not matter.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if starts_with(text, SECRET_PREFIX) {
            return Err(KeyError::SecretGiven);
        }
        let data = bech32::decode(RECIPIENT_PREFIX, text).map_err(KeyError::Recipient)?;
        let (kind, public) = split(&data).map_err(KeyError::Recipient)?;
        Self::from_parts(kind, public.to_vec()).map_err(KeyError::Recipient)
    }
}

/// A secret key that opens. It is wiped when dropped and never printed.
#[derive(Clone)]
pub struct Identity {
    secret: Secret<[u8; 32]>,
    recipient: Recipient,
}

impl Identity {
    /// Draws a new key.
    pub fn generate(kind: KeyKind, rng: &mut dyn CryptoRng) -> Self {
        let mut secret = Secret::new([0; 32]);
        rng.fill_bytes(secret.expose_mut());
        Self::from_secret(kind, secret)
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.recipient.clone()
    }

    /// What the key is made of.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.recipient.kind
    }

    /// Writes the key file: two comment lines, then the secret in one line of capitals.
    #[must_use]
    pub fn to_text(&self, created: Timestamp) -> Secret<String> {
        let mut data = Zeroizing::new([0; 33]);
        data[0] = self.kind() as u8;
        data[1..].copy_from_slice(self.secret.expose());
        let mut secret = bech32::encode(SECRET_PREFIX, data.as_slice());
        secret.make_ascii_uppercase();
        // Long enough from the beginning: growing would leave pieces of the secret behind.
        let mut text = String::with_capacity(4096);
        writeln!(text, "# created: {created}\n# recipient: {}\n{}", self.recipient, *secret)
            .expect("writing to a String does not fail");
        Secret::new(text)
    }

    pub(crate) fn key_id(&self) -> [u8; 8] {
        self.recipient.key_id()
    }

    pub(crate) const fn secret(&self) -> &[u8; 32] {
        self.secret.expose()
    }

    fn from_secret(kind: KeyKind, secret: Secret<[u8; 32]>) -> Self {
        let public = key_slot(kind).public(secret.expose());
        Self { secret, recipient: Recipient { kind, public } }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(***, {:?})", self.recipient)
    }
}

impl FromStr for Identity {
    type Err = KeyError;

    /// Reads a key file: one secret key; blank lines and lines that begin with `#` do not matter.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut found = None;
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if found.is_some() {
                return Err(KeyError::SecondKey { line });
            }
            found = Some(read_secret(line, text)?);
        }
        found.ok_or(KeyError::Empty)
    }
}

fn read_secret(line: usize, text: &str) -> Result<Identity, KeyError> {
    let refuse = |reason| KeyError::Identity { line, reason };
    if starts_with(text, RECIPIENT_PREFIX) && !starts_with(text, SECRET_PREFIX) {
        return Err(KeyError::PublicGiven { line });
    }
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(refuse("a secret key is one line in capitals, TARSEAL-SECRET-KEY-1…"));
    }
    let data = bech32::decode(SECRET_PREFIX, text).map_err(refuse)?;
    let (kind, bytes) = split(&data).map_err(refuse)?;
    let mut secret = Secret::new([0; 32]);
    if bytes.len() != secret.expose().len() {
        return Err(refuse("it is of the wrong length"));
    }
    secret.expose_mut().copy_from_slice(bytes);
    Ok(Identity::from_secret(kind, secret))
}

/// Takes the data of a key apart: its kind, then its bytes.
fn split(data: &[u8]) -> Result<(KeyKind, &[u8]), &'static str> {
    let (number, bytes) = data.split_first().ok_or("it is empty")?;
    let kind = KeyKind::from_number(*number).ok_or("it is of a kind this version does not know")?;
    Ok((kind, bytes))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..=prefix.len()).is_some_and(|start| {
        let (name, separator) = start.split_at(prefix.len());
        name.eq_ignore_ascii_case(prefix) && separator == "1"
    })
}
