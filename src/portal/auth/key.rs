//! The key of sign-ins: a file beside the database, so that a copy of the database alone gives neither passwords to try nor
//! second factors.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use hkdf::Hkdf;
use rand::Rng as _;
use sha2::Sha256;

use crate::portal::app::system_rng;
use crate::portal::draft;
use crate::secret::Secret;

/// The file beneath the data directory. Several processes on one database need the same one.
const FILE: &str = "sign-in.key";

/// Bytes of the nonce in front of what is sealed.
const NONCE: usize = 12;

/// 32 random bytes of which every other key of sign-ins is made.
pub(super) struct SignInKey(Secret<[u8; 32]>);

impl SignInKey {
    /// Reads the key, or draws it when there is none. Two that draw at once end up with one key.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => return Self::parse(&Secret::new(text)),
            Err(fault) if fault.kind() == ErrorKind::NotFound => {}
            Err(fault) => return Err(fault),
        }
        let mut key = Secret::new([0; 32]);
        system_rng().fill_bytes(key.expose_mut());
        let text = Secret::new(format!("{}\n", hex::encode(key.expose())));
        match draft::write_first(data, FILE, text.expose().as_bytes()) {
            Ok(()) => Ok(Self(key)),
            Err(fault) if fault.kind() == ErrorKind::AlreadyExists => Self::open(data),
            Err(fault) => Err(fault),
        }
    }

    fn parse(text: &Secret<String>) -> io::Result<Self> {
        let mut key = Secret::new([0; 32]);
        let text = text.expose();
        hex::decode_to_slice(text.trim(), key.expose_mut())
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "sign-in.key is not 64 hexadecimal digits"))?;
        Ok(Self(key))
    }

    /// A key for one purpose.
    fn of(&self, purpose: &[u8]) -> Secret<[u8; 32]> {
        let mut key = Secret::new([0; 32]);
        let from = self.0.expose();
        Hkdf::<Sha256>::new(None, from).expand(purpose, key.expose_mut()).expect("32 bytes are within HKDF's length");
        key
    }

    /// What is mixed into passwords.
    pub(super) fn pepper(&self) -> Secret<[u8; 32]> {
        self.of(b"tarseal/portal/password")
    }

    /// What codes of requests are hashed with.
    pub(super) fn codes(&self) -> Secret<[u8; 32]> {
        self.of(b"tarseal/portal/request-code")
    }

    /// What second factors are sealed with.
    pub(super) fn factors(&self) -> FactorKey {
        FactorKey(self.of(b"tarseal/portal/factor"))
    }

    /// What the challenges of passkeys are sealed with.
    pub(super) fn challenges(&self) -> FactorKey {
        FactorKey(self.of(b"tarseal/portal/challenge"))
    }

    /// What texts about people are sealed with.
    pub(super) fn texts(&self) -> FactorKey {
        FactorKey(self.of(b"tarseal/portal/text"))
    }
}

/// Seals what must not stand in the database in clear.
pub(crate) struct FactorKey(Secret<[u8; 32]>);

impl FactorKey {
    /// Seals a factor for its owner: nonce, ciphertext, tag.
    pub(super) fn seal(&self, owner: &str, factor: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        system_rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: factor, aad: owner.as_bytes() };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).expect("a factor is shorter than AES-GCM's limit");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed for that owner.
    pub(super) fn open(&self, owner: &str, sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        self.cipher().decrypt(&(*nonce).into(), payload).ok().map(Secret::new)
    }

    fn cipher(&self) -> Aes256Gcm {
        let key = self.0.expose();
        Aes256Gcm::new(key.into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_drawn_once_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let first = SignInKey::open(data.path()).unwrap();
        let second = SignInKey::open(data.path()).unwrap();
        assert_eq!(first.0, second.0);
        let file = data.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
        fs::write(&file, "not a key").unwrap();
        assert!(SignInKey::open(data.path()).is_err());
    }

    #[test]
    fn a_sealed_factor_opens_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let key = SignInKey::open(data.path()).unwrap().factors();
        let sealed = key.seal("acme/ada", b"twenty bytes of key!");
        assert_eq!(key.open("acme/ada", &sealed).unwrap().expose().as_slice(), b"twenty bytes of key!");
        assert!(key.open("acme/bob", &sealed).is_none());
        assert!(key.open("acme/ada", &sealed[..sealed.len() - 1]).is_none());
        assert!(key.open("acme/ada", b"short").is_none());
    }
}
