//! Recipients and identities: the public key to seal to and the secret key that opens, and how they are written down.

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::bech32;
use super::error::KeyError;
use super::grant::Granted;
use super::key_file::{self, ProtectedKey};
use super::passphrase::Passphrase;
use super::sender::{self, SenderKey};
use super::slot::{ANONYMOUS, PART_LENGTH, SlotKind, fingerprint, key_digest, key_slot};
use crate::clock::Timestamp;
use crate::secret::{Secret, on_clean_stack};

const RECIPIENT_PREFIX: &str = "tarseal";
pub(crate) const SECRET_PREFIX: &str = "tarseal-secret-key-";

/// What a key pair is made of.
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

/// Whom a file is sealed to: a public key, a passphrase, or a key that both sides hold.
///
/// A public key as text is `tarseal1…`: 67 characters for X25519, 1 962 for X-Wing. The two others have no text; they come
/// from a [`Passphrase`] or from the [`Identity`] that opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(Lock);

/// What a recipient locks with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Lock {
    Public(KeyKind, Vec<u8>),
    Passphrase(Passphrase),
    SharedKey(Secret<[u8; 32]>),
}

impl Recipient {
    /// How a slot for it is locked.
    #[must_use]
    pub const fn kind(&self) -> SlotKind {
        match &self.0 {
            Lock::Public(KeyKind::X25519, _) => SlotKind::X25519,
            Lock::Public(KeyKind::XWing, _) => SlotKind::XWing,
            Lock::Passphrase(_) => SlotKind::Passphrase,
            Lock::SharedKey(_) => SlotKind::SharedKey,
        }
    }

    /// Whether it is a public key: anyone may know it, and a portal can seal a share to it.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.0, Lock::Public(..))
    }

    /// The first 8 bytes of a public key's digest: what a slot names the key by. Zero for the others, which no slot names.
    #[must_use]
    pub fn key_id(&self) -> [u8; 8] {
        match &self.0 {
            Lock::Public(kind, public) => {
                *key_digest(*kind as u8, public).first_chunk().expect("a digest has 32 bytes")
            }
            Lock::Passphrase(_) | Lock::SharedKey(_) => ANONYMOUS,
        }
    }

    /// The first 16 bytes of the key's digest in eight groups of four hexadecimal digits, to be compared over the telephone.
    /// Empty for a passphrase.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match &self.0 {
            Lock::Public(kind, public) => fingerprint(*kind as u8, public),
            Lock::Passphrase(_) => String::new(),
            Lock::SharedKey(key) => fingerprint(SlotKind::SharedKey as u8, key.expose()),
        }
    }

    pub(crate) const fn lock(&self) -> &Lock {
        &self.0
    }

    fn from_parts(kind: KeyKind, public: Vec<u8>) -> Result<Self, &'static str> {
        let slot = key_slot(kind);
        if public.len() != slot.public_length() {
            return Err("it is of the wrong length");
        }
        if slot.accepts(&public) {
            Ok(Self(Lock::Public(kind, public)))
        } else {
            Err("no secret can be agreed with this key")
        }
    }
}

impl From<Passphrase> for Recipient {
    fn from(passphrase: Passphrase) -> Self {
        Self(Lock::Passphrase(passphrase))
    }
}

impl Hash for Recipient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind().hash(state);
        self.key_id().hash(state);
    }
}

impl fmt::Display for Recipient {
    /// Writes a public key as its text, and for the others, which have none, what they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Lock::Public(kind, public) => {
                f.write_str(&bech32::encode(RECIPIENT_PREFIX, &[&[*kind as u8], public.as_slice()].concat()))
            }
            Lock::Passphrase(_) | Lock::SharedKey(_) => self.kind().fmt(f),
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({}, {})", self.kind(), self.fingerprint())
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
        if starts_with(text, sender::PREFIX) {
            return Err(KeyError::Recipient("it is a sender, whom nothing is sealed to"));
        }
        let data = bech32::decode(RECIPIENT_PREFIX, text).map_err(KeyError::Recipient)?;
        let (number, public) = data.split_first().ok_or(KeyError::Recipient("it is empty"))?;
        let kind = KeyKind::from_number(*number);
        let kind = kind.ok_or(KeyError::Recipient("it is of a kind this version does not know"))?;
        Self::from_parts(kind, public.to_vec()).map_err(KeyError::Recipient)
    }
}

/// What opens a file: a secret key, a passphrase, or a key that both sides hold. It is wiped when dropped and never printed.
#[derive(Clone)]
pub struct Identity(Opener, Option<Granted>);

/// What an identity opens with.
#[derive(Clone)]
pub(crate) enum Opener {
    KeyPair { kind: KeyKind, secret: Secret<[u8; 32]>, public: Vec<u8> },
    Passphrase(Passphrase),
    SharedKey(Secret<[u8; 32]>),
}

impl Identity {
    /// Draws a new key.
    pub fn generate(kind: KeyKind, rng: &mut dyn CryptoRng) -> Self {
        Self::from_secret(kind, random(rng))
    }

    /// Draws a new key for both sides to hold: whoever has it can seal and open.
    pub fn generate_shared(rng: &mut dyn CryptoRng) -> Self {
        Self(Opener::SharedKey(random(rng)), None)
    }

    /// What files are sealed to for this identity to open: for a key pair the public key, for the others themselves.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(match &self.0 {
            Opener::KeyPair { kind, public, .. } => Lock::Public(*kind, public.clone()),
            Opener::Passphrase(passphrase) => Lock::Passphrase(passphrase.clone()),
            Opener::SharedKey(key) => Lock::SharedKey(key.clone()),
        })
    }

    /// How the slots are locked that it opens.
    #[must_use]
    pub const fn kind(&self) -> SlotKind {
        match &self.0 {
            Opener::KeyPair { kind: KeyKind::X25519, .. } => SlotKind::X25519,
            Opener::KeyPair { kind: KeyKind::XWing, .. } => SlotKind::XWing,
            Opener::Passphrase(_) => SlotKind::Passphrase,
            Opener::SharedKey(_) => SlotKind::SharedKey,
        }
    }

    /// Writes the key file: two comment lines, then the secret in one line of capitals. Empty for a passphrase, which has no
    /// key file.
    #[must_use]
    pub fn to_text(&self, created: Timestamp) -> Secret<String> {
        on_clean_stack(|| match self.line() {
            Some(line) => key_text(created, &self.note(), &line),
            None => Secret::new(String::new()),
        })
    }

    pub(crate) const fn opener(&self) -> &Opener {
        &self.0
    }

    pub(super) fn with_grant(self, grant: Granted) -> Self {
        Self(self.0, Some(grant))
    }

    /// The vendor's part of the file with this digest of its header, if it was granted to the key.
    pub(super) fn grant_of(&self, file: &[u8; 32]) -> Option<&Secret<[u8; PART_LENGTH]>> {
        self.1.as_ref().filter(|grant| grant.file == *file).map(|grant| &grant.part)
    }

    /// The one line of its key file that is secret; a passphrase has none.
    pub(crate) fn line(&self) -> Option<Zeroizing<String>> {
        let (number, secret) = self.number_and_secret()?;
        Some(secret_line(number, secret))
    }

    /// What its key file says about it.
    pub(crate) fn note(&self) -> String {
        match &self.0 {
            Opener::SharedKey(_) => format!("shared key: {}", self.recipient().fingerprint()),
            _ => format!("recipient: {}", self.recipient()),
        }
    }

    pub(crate) fn number_and_secret(&self) -> Option<(u8, &[u8; 32])> {
        match &self.0 {
            Opener::KeyPair { kind, secret, .. } => Some((*kind as u8, secret.expose())),
            Opener::SharedKey(key) => Some((SlotKind::SharedKey as u8, key.expose())),
            Opener::Passphrase(_) => None,
        }
    }

    /// Takes a secret key by the number of its kind.
    pub(crate) fn from_number(number: u8, secret: Secret<[u8; 32]>) -> Option<Self> {
        match KeyKind::from_number(number) {
            Some(kind) => Some(Self::from_secret(kind, secret)),
            None if number == SlotKind::SharedKey as u8 => Some(Self(Opener::SharedKey(secret), None)),
            None => None,
        }
    }

    fn from_secret(kind: KeyKind, secret: Secret<[u8; 32]>) -> Self {
        let public = on_clean_stack(|| key_slot(kind).public(secret.expose()));
        Self(Opener::KeyPair { kind, secret, public }, None)
    }
}

impl From<Passphrase> for Identity {
    fn from(passphrase: Passphrase) -> Self {
        Self(Opener::Passphrase(passphrase), None)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(***, {:?})", self.recipient())
    }
}

impl FromStr for Identity {
    type Err = KeyError;

    /// Reads a key file that holds an identity in clear; blank lines and lines that begin with `#` do not matter.
    ///
    /// [`KeyFile`](super::KeyFile) reads the others too: protected ones, and the keys of senders.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        match read_key_line(text)? {
            (_, KeyLine::Identity(identity)) => Ok(identity),
            (line, KeyLine::Sender(_)) => Err(KeyError::SenderKeyGiven { line }),
            (line, KeyLine::Protected(_)) => Err(KeyError::Protected { line }),
        }
    }
}

/// Draws 32 bytes.
pub(crate) fn random(rng: &mut dyn CryptoRng) -> Secret<[u8; 32]> {
    let mut secret = Secret::new([0; 32]);
    rng.fill_bytes(secret.expose_mut());
    secret
}

/// Writes a secret key in one line of capitals.
pub(crate) fn secret_line(number: u8, secret: &[u8; 32]) -> Zeroizing<String> {
    let mut data = Zeroizing::new([0; 33]);
    data[0] = number;
    data[1..].copy_from_slice(secret);
    let mut line = bech32::encode(SECRET_PREFIX, data.as_slice());
    line.make_ascii_uppercase();
    line
}

/// Writes a key file: when it was made, what it is, and its one line.
pub(crate) fn key_text(created: Timestamp, note: &str, line: &str) -> Secret<String> {
    // Long enough from the beginning: growing would leave pieces of the secret behind.
    let mut text = String::with_capacity(4096);
    writeln!(text, "# created: {created}\n# {note}\n{line}").expect("writing to a String does not fail");
    Secret::new(text)
}

/// What the one line of a key file can be.
pub(crate) enum KeyLine {
    Identity(Identity),
    Sender(SenderKey),
    Protected(ProtectedKey),
}

/// Reads the one line of a key file that is a key, and says which line it is.
pub(crate) fn read_key_line(text: &str) -> Result<(usize, KeyLine), KeyError> {
    on_clean_stack(|| key_line(text))
}

fn key_line(text: &str) -> Result<(usize, KeyLine), KeyError> {
    let (line, text) = only_line(text)?;
    let refuse = |reason| KeyError::Identity { line, reason };
    if starts_with(text, RECIPIENT_PREFIX) || starts_with(text, sender::PREFIX) {
        return Err(KeyError::PublicGiven { line });
    }
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(refuse("a secret key is one line in capitals, TARSEAL-SECRET-KEY-1…"));
    }
    if starts_with(text, key_file::PROTECTED_PREFIX) {
        return Ok((line, KeyLine::Protected(ProtectedKey::read(text).map_err(refuse)?)));
    }
    let data = bech32::decode(SECRET_PREFIX, text).map_err(refuse)?;
    Ok((line, from_data(&data).map_err(refuse)?))
}

/// Finds the one line of a key file that is neither blank nor a comment, counted from 1.
pub(crate) fn only_line(text: &str) -> Result<(usize, &str), KeyError> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let mut keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let key = keys.next().ok_or(KeyError::Empty)?;
    match keys.next() {
        Some((line, _)) => Err(KeyError::SecondKey { line }),
        None => Ok(key),
    }
}

/// Takes a secret key out of its data: the number of its kind, then 32 bytes.
pub(crate) fn from_data(data: &[u8]) -> Result<KeyLine, &'static str> {
    let (number, bytes) = data.split_first().ok_or("it is empty")?;
    let mut secret = Secret::new([0; 32]);
    let length_fits = bytes.len() == secret.expose().len();
    if length_fits {
        secret.expose_mut().copy_from_slice(bytes);
    }
    let key = if *number == sender::NUMBER {
        KeyLine::Sender(SenderKey::from_seed(secret))
    } else {
        KeyLine::Identity(Identity::from_number(*number, secret).ok_or("it is of a kind this version does not know")?)
    };
    if length_fits { Ok(key) } else { Err("it is of the wrong length") }
}

/// Whether a text is a key with this prefix, in capitals or small letters.
pub(crate) fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..=prefix.len()).is_some_and(|start| {
        let (name, separator) = start.split_at(prefix.len());
        name.eq_ignore_ascii_case(prefix) && separator == "1"
    })
}

#[cfg(test)]
mod tests;
