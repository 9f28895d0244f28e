//! Key files: one secret key in one line, in clear or protected with a passphrase.

use std::str::FromStr;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::bech32;
use super::error::KeyError;
use super::key::{Identity, KeyLine, from_data, key_text, only_line, read_key_line, secret_line};
use super::passphrase::Passphrase;
use super::sender::{self, SenderKey};
use super::slot::{check_cost, open, seal};
use crate::clock::Timestamp;
use crate::secret::{Secret, on_clean_stack};

/// What the text of a protected key begins with.
pub(crate) const PROTECTED_PREFIX: &str = "tarseal-protected-key-";

/// What a protected key is locked for.
const INFO: &[u8] = b"tarseal/v1 key file\0";
/// Bytes of a protected key: what stands in front of the ciphertext, kind and secret, tag.
const PROTECTED_LENGTH: usize = 16 + 4 + 4 + 1 + 33 + 16;

/// A secret key of any kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SecretKey {
    /// It opens: a key pair's or a shared key.
    Identity(Identity),
    /// It signs.
    Sender(SenderKey),
}

impl SecretKey {
    /// Writes the key file: two comment lines, then the secret in one line of capitals.
    #[must_use]
    pub fn to_text(&self, created: Timestamp) -> Secret<String> {
        match self {
            Self::Identity(identity) => identity.to_text(created),
            Self::Sender(key) => key.to_text(created),
        }
    }

    /// Writes the key file with its secret sealed with a passphrase. `None` for an identity that is a passphrase itself.
    pub fn to_protected_text(
        &self,
        created: Timestamp,
        passphrase: &Passphrase,
        rng: &mut dyn CryptoRng,
    ) -> Option<Secret<String>> {
        let note = match self {
            Self::Identity(identity) => identity.note(),
            Self::Sender(key) => key.note(),
        };
        Some(key_text(created, &note, &self.protect(passphrase, rng)?))
    }

    /// Gives a key file this key in place of the one it holds, in clear or protected, and leaves its other lines as they are.
    ///
    /// Errors when the text is not a key file: none or more than one line that is not a comment; [`KeyError::Empty`] for an
    /// identity that is a passphrase itself.
    pub fn replace_in(
        &self,
        text: &str,
        passphrase: Option<&Passphrase>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Secret<String>, KeyError> {
        let (_, old) = only_line(text)?;
        let new = match passphrase {
            Some(passphrase) => self.protect(passphrase, rng),
            None => on_clean_stack(|| self.parts().map(|(number, secret)| secret_line(number, secret))),
        };
        let new = new.ok_or(KeyError::Empty)?;
        // Long enough from the beginning: growing would leave pieces of the secret behind.
        let mut replaced = String::with_capacity(text.len() + new.len());
        let (before, after) = text.split_once(old).ok_or(KeyError::Empty)?;
        for piece in [before, &new, after] {
            replaced.push_str(piece);
        }
        Ok(Secret::new(replaced))
    }

    /// The secret sealed with a passphrase, as the one line of a key file.
    fn protect(&self, passphrase: &Passphrase, rng: &mut dyn CryptoRng) -> Option<Zeroizing<String>> {
        let (number, secret) = self.parts()?;
        let sealed = on_clean_stack(|| {
            let mut data = Zeroizing::new([0; 33]);
            data[0] = number;
            data[1..].copy_from_slice(secret);
            seal(&passphrase.clone().into(), INFO, data.as_slice(), rng)
        });
        let mut line = bech32::encode(PROTECTED_PREFIX, &sealed);
        line.make_ascii_uppercase();
        Some(line)
    }

    fn parts(&self) -> Option<(u8, &[u8; 32])> {
        match self {
            Self::Identity(identity) => identity.number_and_secret(),
            Self::Sender(key) => Some((sender::NUMBER, key.seed())),
        }
    }
}

/// What a key file holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyFile {
    /// A secret key in clear.
    Clear(SecretKey),
    /// One that a passphrase protects.
    Protected(ProtectedKey),
}

impl FromStr for KeyFile {
    type Err = KeyError;

    /// Reads a key file: one secret key; blank lines and lines that begin with `#` do not matter.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Ok(match read_key_line(text)?.1 {
            KeyLine::Identity(identity) => Self::Clear(SecretKey::Identity(identity)),
            KeyLine::Sender(key) => Self::Clear(SecretKey::Sender(key)),
            KeyLine::Protected(key) => Self::Protected(key),
        })
    }
}

/// A secret key that a passphrase protects.
#[derive(Clone, Debug)]
pub struct ProtectedKey {
    sealed: Vec<u8>,
}

impl ProtectedKey {
    /// Opens it.
    ///
    /// [`KeyError::WrongPassphrase`] when it does not open: its checksum was right when it was read, so it was not damaged by
    /// accident. [`KeyError::Memory`] when the passphrase asks for memory that is not there.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<SecretKey, KeyError> {
        on_clean_stack(|| self.open(passphrase))
    }

    fn open(&self, passphrase: &Passphrase) -> Result<SecretKey, KeyError> {
        let data = open(&passphrase.clone().into(), INFO, &self.sealed).map_err(KeyError::Memory)?;
        let data = data.ok_or(KeyError::WrongPassphrase)?;
        match from_data(&data).map_err(KeyError::Unlocked)? {
            KeyLine::Identity(identity) => Ok(SecretKey::Identity(identity)),
            KeyLine::Sender(key) => Ok(SecretKey::Sender(key)),
            KeyLine::Protected(_) => Err(KeyError::Unlocked("it is protected twice")),
        }
    }

    /// Reads its one line; a cost past the limits is refused here.
    pub(crate) fn read(line: &str) -> Result<Self, &'static str> {
        let sealed = bech32::decode(PROTECTED_PREFIX, line)?.to_vec();
        if sealed.len() != PROTECTED_LENGTH {
            return Err("it is of the wrong length");
        }
        check_cost(&sealed)?;
        Ok(Self { sealed })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::format::{Cost, KeyKind};

    const CREATED: Timestamp = Timestamp::from_seconds(1_795_270_801);

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.as_bytes()).unwrap().with_cost(Cost::new(64, 1, 1).unwrap())
    }

    fn keys() -> Vec<SecretKey> {
        let rng = &mut StdRng::seed_from_u64(1);
        vec![
            SecretKey::Identity(Identity::generate(KeyKind::X25519, rng)),
            SecretKey::Identity(Identity::generate(KeyKind::XWing, rng)),
            SecretKey::Identity(Identity::generate_shared(rng)),
            SecretKey::Sender(SenderKey::generate(rng)),
        ]
    }

    fn protected(text: &str) -> ProtectedKey {
        match text.parse() {
            Ok(KeyFile::Protected(key)) => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_kind_of_key_comes_back_in_clear_and_protected() {
        for key in keys() {
            let clear = key.to_text(CREATED);
            let Ok(KeyFile::Clear(read)) = clear.expose().parse() else { panic!("{key:?}") };
            assert_eq!(read.parts(), key.parts());

            let text =
                key.to_protected_text(CREATED, &passphrase("correct horse"), &mut StdRng::seed_from_u64(2)).unwrap();
            let lines: Vec<&str> = text.expose().lines().collect();
            assert!(lines[2].starts_with("TARSEAL-PROTECTED-KEY-1") && lines.len() == 3, "{lines:?}");
            // What is not secret about a key can be read without the passphrase.
            assert_eq!(lines[..2], clear.expose().lines().collect::<Vec<_>>()[..2]);
            let secret = clear.expose().lines().last().unwrap();
            assert!(!text.expose().contains(&secret[25..50]));
            let read = protected(text.expose()).unlock(&passphrase("correct horse")).unwrap();
            assert_eq!(read.parts(), key.parts());
        }
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_a_damaged_line() {
        let key = &keys()[0];
        let text = key.to_protected_text(CREATED, &passphrase("correct horse"), &mut StdRng::seed_from_u64(2)).unwrap();
        let error = protected(text.expose()).unlock(&passphrase("correct hors")).unwrap_err();
        assert_eq!(error, KeyError::WrongPassphrase);
        let line = text.expose().lines().last().unwrap();
        for at in (30..line.len()).step_by(7) {
            let mut changed = line.as_bytes().to_vec();
            changed[at] = if changed[at] == b'Q' { b'P' } else { b'Q' };
            let error = std::str::from_utf8(&changed).unwrap().parse::<KeyFile>().unwrap_err();
            assert!(error.to_string().contains("its checksum is wrong"), "{error}");
        }
    }

    #[test]
    fn a_protected_line_of_another_length_or_cost_is_refused_before_anything_is_computed() {
        let sealed = |m: u32, length: usize| {
            let mut data = vec![7; length];
            data[16..25].copy_from_slice(&[&m.to_be_bytes()[..], &1_u32.to_be_bytes(), &[1]].concat());
            bech32::encode(PROTECTED_PREFIX, &data).to_uppercase()
        };
        assert!(sealed(64, PROTECTED_LENGTH).parse::<KeyFile>().is_ok());
        for (text, reason) in [
            (sealed(64, PROTECTED_LENGTH + 1), "it is of the wrong length"),
            (sealed(64, PROTECTED_LENGTH - 1), "it is of the wrong length"),
            (sealed(4 << 20, PROTECTED_LENGTH), "its passphrase asks for more than 1 GiB of memory"),
        ] {
            let error = text.parse::<KeyFile>().unwrap_err();
            assert_eq!(error, KeyError::Identity { line: 1, reason });
        }
    }

    #[test]
    fn what_is_sealed_for_another_purpose_is_no_key() {
        let slot = seal(&passphrase("p").into(), b"tarseal/v1 slot\0", &[1; 33], &mut StdRng::seed_from_u64(3));
        let line = bech32::encode(PROTECTED_PREFIX, &slot).to_uppercase();
        assert_eq!(protected(&line).unlock(&passphrase("p")).unwrap_err(), KeyError::WrongPassphrase);
        let unknown = seal(&passphrase("p").into(), INFO, &[7; 33], &mut StdRng::seed_from_u64(3));
        let line = bech32::encode(PROTECTED_PREFIX, &unknown).to_uppercase();
        let error = protected(&line).unlock(&passphrase("p")).unwrap_err();
        assert_eq!(error, KeyError::Unlocked("it is of a kind this version does not know"));
    }

    #[test]
    fn a_passphrase_is_put_on_changed_and_taken_off_and_the_rest_of_the_file_stays() {
        let rng = &mut StdRng::seed_from_u64(4);
        let key = &keys()[1];
        let clear = format!("# mine\r\n{}\r\n# kept in the safe\r\n", key.to_text(CREATED).expose());
        let once = key.replace_in(&clear, Some(&passphrase("one")), rng).unwrap();
        assert!(
            once.expose().starts_with("# mine\r\n# created") && once.expose().ends_with("\r\n# kept in the safe\r\n")
        );
        let twice = key.replace_in(once.expose(), Some(&passphrase("two")), rng).unwrap();
        assert!(protected(twice.expose()).unlock(&passphrase("one")).is_err());
        assert!(protected(twice.expose()).unlock(&passphrase("two")).is_ok());
        assert_eq!(key.replace_in(twice.expose(), None, rng).unwrap().expose(), &clear);
        assert!(key.replace_in("# no key\n", None, rng).is_err());
        assert!(SecretKey::Identity(passphrase("p").into()).replace_in(&clear, None, rng).is_err());
    }

    #[test]
    fn an_identity_in_clear_is_asked_for_by_those_who_need_one() {
        let [.., shared, sender] = &keys()[..] else { panic!("four keys") };
        assert!(shared.to_text(CREATED).expose().parse::<Identity>().is_ok());
        let error = sender.to_text(CREATED).expose().parse::<Identity>().unwrap_err();
        assert_eq!(error, KeyError::SenderKeyGiven { line: 3 });
        let text = shared.to_protected_text(CREATED, &passphrase("p"), &mut StdRng::seed_from_u64(5)).unwrap();
        assert_eq!(text.expose().parse::<Identity>().unwrap_err(), KeyError::Protected { line: 3 });
    }
}
