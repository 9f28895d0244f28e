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

/// A public key to seal to. As text `tarseal1…`: 67 characters for X25519, 1 962 for X-Wing.
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const CREATED: Timestamp = Timestamp::from_seconds(1_795_270_801);

    fn identity(kind: KeyKind, seed: u64) -> Identity {
        Identity::generate(kind, &mut StdRng::seed_from_u64(seed))
    }

    /// The one line of a key file that is secret.
    fn secret_line(identity: &Identity) -> String {
        let text = identity.to_text(CREATED);
        text.expose().lines().last().unwrap().to_owned()
    }

    #[test]
    fn a_key_comes_back_from_its_text() {
        for kind in [KeyKind::X25519, KeyKind::XWing] {
            let identity = identity(kind, 1);
            let read: Identity = identity.to_text(CREATED).expose().parse().unwrap();
            assert_eq!(read.secret(), identity.secret());
            assert_eq!(read.recipient(), identity.recipient());
            assert_eq!(read.kind(), kind);

            let text = identity.recipient().to_string();
            assert!(text.starts_with("tarseal1"));
            assert_eq!(text.parse::<Recipient>().unwrap(), identity.recipient());
            assert_eq!(text.to_uppercase().parse::<Recipient>().unwrap(), identity.recipient());
            assert_eq!(format!(" {text}\r\n").parse::<Recipient>().unwrap(), identity.recipient());
        }
        assert_eq!(identity(KeyKind::X25519, 1).recipient().to_string().len(), 67);
        assert_eq!(identity(KeyKind::XWing, 1).recipient().to_string().len(), 1_962);
    }

    #[test]
    fn a_key_file_says_when_it_was_made_and_for_whom() {
        let identity = identity(KeyKind::X25519, 1);
        let text = identity.to_text(CREATED);
        let lines: Vec<&str> = text.expose().lines().collect();
        assert_eq!(lines[0], format!("# created: {CREATED}"));
        assert_eq!(lines[1], format!("# recipient: {}", identity.recipient()));
        assert!(lines[2].starts_with("TARSEAL-SECRET-KEY-1"));
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_key_file_may_hold_blank_lines_comments_and_line_ends_of_any_system() {
        let identity = identity(KeyKind::XWing, 2);
        let text = format!("\r\n# a note\r\n\r\n  {}  \r\n# more\r\n\r\n", secret_line(&identity));
        assert_eq!(text.parse::<Identity>().unwrap().recipient(), identity.recipient());
    }

    #[test]
    fn a_wrong_key_file_is_refused_by_line_and_its_secret_is_not_repeated() {
        let identity = identity(KeyKind::X25519, 3);
        let secret = secret_line(&identity);
        let changed = secret.replace(&secret[30..31], if &secret[30..31] == "Q" { "P" } else { "Q" });
        let mixed = format!("{}{}", &secret[..40], secret[40..].to_lowercase());
        let unknown = bech32::encode(SECRET_PREFIX, &[[7].as_slice(), &[1; 32]].concat()).to_uppercase();
        let short = bech32::encode(SECRET_PREFIX, &[[1].as_slice(), &[1; 31]].concat()).to_uppercase();
        let other = bech32::encode("age-secret-key-", &[1; 32]).to_uppercase();
        for (text, expected) in [
            (String::new(), "the key file holds no secret key"),
            (format!("# {secret}"), "the key file holds no secret key"),
            (format!("{secret}\n\n{secret}"), "line 3 of the key file is a second key"),
            (format!("# x\n{changed}"), "line 2 of the key file is not a secret key: its checksum is wrong"),
            (mixed, "line 1 of the key file is not a secret key: a secret key is one line in capitals"),
            (secret.to_lowercase(), "line 1 of the key file is not a secret key: a secret key is one line in capitals"),
            (secret[..50].to_owned(), "line 1 of the key file is not a secret key: its checksum is wrong"),
            (unknown, "line 1 of the key file is not a secret key: it is of a kind this version does not know"),
            (short, "line 1 of the key file is not a secret key: it is of the wrong length"),
            (other, "line 1 of the key file is not a secret key: it is a key of another kind of program"),
            (identity.recipient().to_string(), "line 1 of the key file is a recipient"),
            ("-----BEGIN PRIVATE KEY-----".to_owned(), "line 1 of the key file is not a secret key"),
        ] {
            let error = text.parse::<Identity>().unwrap_err();
            let message = format!("{error} {error:?}");
            assert!(error.to_string().starts_with(expected), "{error}");
            for piece in text.lines().filter(|line| line.len() > 40) {
                assert!(!message.to_uppercase().contains(&piece.to_uppercase()[20..32]), "{message}");
            }
        }
    }

    #[test]
    fn a_wrong_recipient_is_refused() {
        let good = identity(KeyKind::X25519, 4);
        let encode = |data: &[u8]| bech32::encode(RECIPIENT_PREFIX, data).to_string();
        let text = good.recipient().to_string();
        for (text, expected) in [
            (secret_line(&good), KeyError::SecretGiven.to_string()),
            (secret_line(&good).to_lowercase(), KeyError::SecretGiven.to_string()),
            (String::new(), "this is not a recipient (tarseal1…): it does not look like a key".to_owned()),
            (
                format!("{}X{}", &text[..20], &text[21..]),
                "this is not a recipient (tarseal1…): it mixes capitals and small letters".to_owned(),
            ),
            (
                encode(&[[9].as_slice(), good.recipient().public()].concat()),
                "this is not a recipient (tarseal1…): it is of a kind this version does not know".to_owned(),
            ),
            (
                encode(&[[2].as_slice(), good.recipient().public()].concat()),
                "this is not a recipient (tarseal1…): it is of the wrong length".to_owned(),
            ),
            (
                encode(&[[1].as_slice(), &[0; 32]].concat()),
                "this is not a recipient (tarseal1…): no secret can be agreed with this key".to_owned(),
            ),
            (
                encode(&[[2].as_slice(), &[0xff; 1184], identity(KeyKind::X25519, 5).recipient().public()].concat()),
                "this is not a recipient (tarseal1…): no secret can be agreed with this key".to_owned(),
            ),
        ] {
            assert_eq!(text.parse::<Recipient>().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_fingerprint_is_eight_groups_and_begins_with_the_key_id() {
        let recipient = identity(KeyKind::XWing, 6).recipient();
        let fingerprint = recipient.fingerprint();
        assert_eq!(fingerprint.split(' ').count(), 8);
        assert!(fingerprint.replace(' ', "").starts_with(&hex::encode(recipient.key_id())));
        assert_ne!(fingerprint, identity(KeyKind::XWing, 7).recipient().fingerprint());
    }

    #[test]
    fn an_identity_is_not_printed() {
        let identity = identity(KeyKind::X25519, 8);
        let printed = format!("{identity:?}");
        assert!(printed.starts_with("Identity(***, "));
        assert!(!printed.contains(&hex::encode(identity.secret())));
    }
}
