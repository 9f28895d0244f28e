//! Signed text: a signed note (<https://c2sp.org/signed-note>) with exactly one Ed25519 signature.
//!
//! Receipts and key lists are such notes. A key is bound to a name, and as text it has the form that signed-note tools use.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signer as _, SigningKey};
use rand::CryptoRng;
use signed_note::{Note, Signature, StandardVerifier, Verifier as _, VerifierList};

use crate::item::is_bidi;
use crate::secret::Secret;

/// The longest name of a key in bytes.
const MAX_NAME: usize = 200;

/// The algorithm's byte in front of a key.
const ED25519: u8 = 1;

/// Why a note or its key is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoteError {
    /// Not a note, or one that is written in another way than here.
    #[error("{0}")]
    Malformed(&'static str),
    /// Signed by a key other than the one that was expected.
    #[error("it is signed by another key")]
    OtherKey {
        /// The name beside the signature.
        found: String,
    },
    /// The signature does not belong to this text.
    #[error("the signature does not fit")]
    BadSignature,
    /// A text that is not a key.
    #[error("this is not a key")]
    BadKey,
}

/// Signs notes. As text it is `PRIVATE+KEY+name+hash+base64`.
pub(crate) struct NoteKey {
    name: String,
    seed: Secret<[u8; 32]>,
}

impl NoteKey {
    /// Draws a new key for `name` (1 to 200 bytes, no white space, no `+`, no control or direction characters).
    pub(crate) fn generate(name: &str, rng: &mut dyn CryptoRng) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::BadKey);
        }
        let mut seed = Secret::new([0; 32]);
        rng.fill_bytes(seed.expose_mut());
        Ok(Self { name: name.to_owned(), seed })
    }

    /// The key of another purpose under a name of this one; the name is a constant that can be one.
    pub(crate) fn from_seed(name: &'static str, seed: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), seed: Secret::new(*seed) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn seed(&self) -> &[u8; 32] {
        self.seed.expose()
    }

    /// The key that verifies what this one signs.
    pub(crate) fn verifier(&self) -> NoteVerifier {
        NoteVerifier(format!("{}+{:08x}+{}", self.name, self.id(), BASE64_STANDARD.encode(self.public_bytes())))
    }

    pub(crate) fn to_text(&self) -> Secret<String> {
        let mut private = Secret::new([ED25519; 33]);
        private.expose_mut()[1..].copy_from_slice(self.seed.expose());
        let encoded = Secret::new(BASE64_STANDARD.encode(private.expose()));
        // Long enough from the beginning: growing would leave pieces of the secret behind.
        let mut text = Secret::new(String::with_capacity(self.name.len() + 128));
        for part in ["PRIVATE+KEY+", &self.name, "+", &format!("{:08x}", self.id()), "+", encoded.expose()] {
            text.expose_mut().push_str(part);
        }
        text
    }

    /// Signs `text`, which ends with a line end and holds no other control character.
    pub(crate) fn sign(&self, text: &str) -> Result<String, NoteError> {
        let signature = self.signing_key().sign(text.as_bytes()).to_vec();
        let signature = Signature::new(self.name.clone(), self.id(), signature);
        let note = signature.and_then(|signature| Note::new(text.as_bytes(), &[signature]));
        let note = note.map_err(|_| NoteError::Malformed("it cannot be written as a signed note"))?;
        String::from_utf8(note.to_bytes()).map_err(|_| NoteError::Malformed("it is not text"))
    }

    fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(self.seed.expose())
    }

    /// What a signature names the key by.
    fn id(&self) -> u32 {
        signed_note::key_id(&self.name, &self.public_bytes())
    }

    /// The algorithm's byte and the public key.
    fn public_bytes(&self) -> [u8; 33] {
        let public = self.signing_key().verifying_key().to_bytes();
        let mut bytes = [ED25519; 33];
        bytes[1..].copy_from_slice(&public);
        bytes
    }
}

impl FromStr for NoteKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        // PRIVATE+KEY+name+hash+base64, and Base64 itself may hold a '+'.
        let parts: Vec<&str> = text.trim_end().splitn(5, '+').collect();
        let ["PRIVATE", "KEY", name, id, encoded] = parts.as_slice() else { return Err(NoteError::BadKey) };
        let mut private = Secret::new([0; 48]);
        let length = BASE64_STANDARD.decode_slice(encoded, private.expose_mut());
        if length != Ok(33) || private.expose()[0] != ED25519 || !is_name(name) {
            return Err(NoteError::BadKey);
        }
        let mut seed = Secret::new([0; 32]);
        seed.expose_mut().copy_from_slice(&private.expose()[1..33]);
        let key = Self { name: (*name).to_owned(), seed };
        if *id == format!("{:08x}", key.id()) { Ok(key) } else { Err(NoteError::BadKey) }
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteKey({}, ***)", self.name)
    }
}

/// Verifies notes. As text it is `name+hash+base64`, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoteVerifier(String);

impl NoteVerifier {
    /// Verifies what the key that belongs to `public` signed under a constant name.
    pub(crate) fn of(name: &'static str, public: &[u8; 32]) -> Self {
        let mut bytes = [ED25519; 33];
        bytes[1..].copy_from_slice(public);
        let id = signed_note::key_id(name, &bytes);
        Self(format!("{name}+{id:08x}+{}", BASE64_STANDARD.encode(bytes)))
    }

    pub(crate) fn name(&self) -> &str {
        self.0.split('+').next().unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the text of a note that this key signed. A second signature, another spelling of the same note, anything
    /// before or after: refused.
    pub(crate) fn open<'note>(&self, note: &'note str) -> Result<&'note str, NoteError> {
        let parsed = Note::from_bytes(note.as_bytes()).map_err(|_| NoteError::Malformed("it is not a signed note"))?;
        if parsed.to_bytes() != note.as_bytes() {
            return Err(NoteError::Malformed("it is not written the one way it is written here"));
        }
        let verifier = StandardVerifier::new(&self.0).map_err(|_| NoteError::BadKey)?;
        let (text, signature) = parts(note)?;
        if signature.name() != verifier.name() || signature.id() != verifier.key_id() {
            return Err(NoteError::OtherKey { found: signature.name().to_owned() });
        }
        parsed.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|_| NoteError::BadSignature)?;
        Ok(text)
    }
}

impl FromStr for NoteVerifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let text = text.trim_end();
        let verifier = StandardVerifier::new(text).map_err(|_| NoteError::BadKey)?;
        // A key has one spelling, so that two of them can be compared as text.
        let written = text[verifier.name().len()..].starts_with(&format!("+{:08x}+", verifier.key_id()));
        if written && is_name(verifier.name()) { Ok(Self(text.to_owned())) } else { Err(NoteError::BadKey) }
    }
}

/// The text of a note before its signature is looked at: for what must be read to know whose signature it should be.
pub(crate) fn unverified_text(note: &str) -> Result<&str, NoteError> {
    parts(note).map(|(text, _)| text)
}

/// Takes a note apart at the empty line before its one signature.
fn parts(note: &str) -> Result<(&str, Signature), NoteError> {
    let malformed = NoteError::Malformed("it does not have exactly one signature");
    let Some((text, line)) = note.rsplit_once("\n\n") else { return Err(malformed) };
    match line.strip_suffix('\n') {
        // The text keeps its own line end.
        Some(line) if !line.contains('\n') => match Signature::from_bytes(line.as_bytes()) {
            Ok(signature) => Ok((&note[..=text.len()], signature)),
            Err(_) => Err(malformed),
        },
        _ => Err(malformed),
    }
}

fn is_name(name: &str) -> bool {
    signed_note::is_key_name_valid(name)
        && name.len() <= MAX_NAME
        && !name.chars().any(|character| character.is_control() || is_bidi(character))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn key(name: &str, seed: u64) -> NoteKey {
        NoteKey::generate(name, &mut StdRng::seed_from_u64(seed)).unwrap()
    }

    #[test]
    fn a_note_opens_with_its_key_alone() {
        let vendor = key("vendor.example", 1);
        let note = vendor.sign("one\n\ntwo\n").unwrap();
        assert_eq!(vendor.verifier().open(&note).unwrap(), "one\n\ntwo\n");
        assert_eq!(unverified_text(&note).unwrap(), "one\n\ntwo\n");
        assert!(matches!(key("vendor.example", 2).verifier().open(&note), Err(NoteError::OtherKey { .. })));
        assert!(matches!(key("other.example", 1).verifier().open(&note), Err(NoteError::OtherKey { .. })));
    }

    #[test]
    fn a_note_with_any_bit_changed_or_any_end_cut_does_not_open() {
        let vendor = key("vendor.example", 1);
        let note = vendor.sign("what holds\n").unwrap();
        for bit in 0..note.len() * 8 {
            let mut bytes = note.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(vendor.verifier().open(&changed).is_err(), "bit {bit}");
            }
        }
        for end in (0..note.len()).filter(|end| note.is_char_boundary(*end)) {
            assert!(vendor.verifier().open(&note[..end]).is_err(), "cut at {end}");
        }
        for more in ["\n", " ", "x", "— vendor.example AAAAAAAA\n"] {
            assert!(vendor.verifier().open(&format!("{note}{more}")).is_err());
        }
    }

    #[test]
    fn keys_come_back_from_their_text_and_the_secret_is_not_printed() {
        let vendor = key("vendor.example", 1);
        let text = vendor.to_text();
        let again: NoteKey = text.expose().parse().unwrap();
        assert_eq!(again.seed(), vendor.seed());
        assert_eq!(vendor.verifier().as_str().parse::<NoteVerifier>().unwrap(), vendor.verifier());
        assert!(!format!("{vendor:?}").contains(&text.expose()[30..50]));
    }

    /// The example of Go's package `golang.org/x/mod/sumdb/note`, where the format comes from.
    #[test]
    fn notes_are_those_of_the_published_example() {
        let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let key: NoteKey = secret.parse().unwrap();
        assert_eq!(key.to_text().expose(), secret);
        assert_eq!(key.verifier().as_str(), public);
        let note = key.sign(text).unwrap();
        assert_eq!(note, format!("{text}\n\u{2014} PeterNeumann {signature}\n"));
        assert_eq!(public.parse::<NoteVerifier>().unwrap().open(&note).unwrap(), text);
        let other_id = secret.replace("c74f20a3", "c74f20a4");
        for bad in [&other_id, &secret[8..], &secret[..70], "PRIVATE+KEY+a+00000000+AQ==", ""] {
            assert!(bad.parse::<NoteKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_has_one_spelling() {
        let text = key("vendor.example", 1).verifier().as_str().to_owned();
        let hash = text.split('+').nth(1).unwrap();
        assert!(hash.bytes().any(|byte| byte.is_ascii_lowercase()), "this key shows it");
        assert!(text.replace(hash, &hash.to_uppercase()).parse::<NoteVerifier>().is_err());
        assert!(format!("{text}\n").parse::<NoteVerifier>().is_ok());
    }

    #[test]
    fn a_name_that_could_mislead_is_refused() {
        for bad in ["", "a b", "a+b", "a\u{7}", "a\u{202e}b", &"x".repeat(201)] {
            assert!(NoteKey::generate(bad, &mut StdRng::seed_from_u64(1)).is_err(), "{bad:?}");
        }
    }
}
