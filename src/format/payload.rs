//! The payload: Cobblestone-256, the chunked encryption of <https://c2sp.org/chunked-encryption> with AES-256-GCM.
//!
//!     payload = salt[24] | commitment[32] | chunks
//!
//! A chunk is 16 KiB of plaintext and a tag; the last one is always shorter, and empty when the plaintext is a multiple of
//! 16 KiB. Each is sealed under its own number, so one that was moved, doubled or left out does not open. The commitment holds
//! the file key to the header: it is checked before any chunk.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Plaintext bytes in every chunk but the last.
pub(crate) const CHUNK: usize = 16 * 1024;
/// Bytes of the tag behind each chunk.
pub(crate) const TAG: usize = 16;
/// Bytes of every sealed chunk but the last.
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG;
/// Bytes before the first chunk: salt and commitment.
pub(crate) const PREFIX: usize = SALT + COMMITMENT;
/// Most chunks in a file.
pub(crate) const MAX_CHUNKS: u64 = 1 << 38;

const SALT: usize = 24;
const COMMITMENT: usize = 32;
const NONCE: usize = 12;
const KEY: usize = 32;
const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The commitment is that of another key or another header.
#[derive(Debug)]
pub(crate) struct OtherCommitment;

/// Seals and opens single chunks of one payload. The key is wiped when this is dropped.
pub(crate) struct ChunkCipher {
    cipher: Aes256Gcm,
    base_nonce: [u8; NONCE],
}

impl ChunkCipher {
    /// Begins a payload under a fresh salt; gives the bytes that stand before its first chunk.
    pub(crate) fn begin(file_key: &Secret<[u8; 32]>, context: &[u8], rng: &mut dyn CryptoRng) -> (Self, [u8; PREFIX]) {
        let mut prefix = [0; PREFIX];
        let (salt, commitment) = prefix.split_at_mut(SALT);
        rng.fill_bytes(salt);
        let (cipher, own) = derive(file_key, context, salt);
        commitment.copy_from_slice(&own);
        (cipher, prefix)
    }

    /// Takes up a payload that begins with `prefix`, if this key and context made it.
    pub(crate) fn resume(
        file_key: &Secret<[u8; 32]>,
        context: &[u8],
        prefix: &[u8; PREFIX],
    ) -> Result<Self, OtherCommitment> {
        let (salt, commitment) = prefix.split_at(SALT);
        let (cipher, own) = derive(file_key, context, salt);
        if bool::from(own.ct_eq(commitment)) { Ok(cipher) } else { Err(OtherCommitment) }
    }

    /// Seals a chunk where it stands and gives its tag. No number may be used twice.
    pub(crate) fn seal(&self, number: u64, chunk: &mut [u8]) -> [u8; TAG] {
        self.cipher
            .encrypt_inout_detached(&self.nonce(number).into(), &[], InOutBuf::from(chunk))
            .expect("a chunk is far below the 64 GiB that AES-GCM can take")
            .into()
    }

    /// Opens a chunk where it stands, its tag behind it; gives the length of its plaintext.
    ///
    /// `None` when it is not the chunk of this number; its bytes are then still sealed.
    pub(crate) fn open(&self, number: u64, sealed: &mut [u8]) -> Option<usize> {
        let (chunk, tag) = sealed.split_last_chunk_mut::<TAG>()?;
        let length = chunk.len();
        self.cipher
            .decrypt_inout_detached(&self.nonce(number).into(), &[], InOutBuf::from(chunk), &(*tag).into())
            .is_ok()
            .then_some(length)
    }

    fn nonce(&self, number: u64) -> [u8; NONCE] {
        let mut nonce = self.base_nonce;
        for (byte, counter) in nonce[NONCE - 8..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= counter;
        }
        nonce
    }
}

fn derive(file_key: &Secret<[u8; 32]>, context: &[u8], salt: &[u8]) -> (ChunkCipher, [u8; COMMITMENT]) {
    // HMAC fills a short key with zeros; filling it here gives the same bytes and the 64 that `from_prk` asks for.
    let mut key = Zeroizing::new([0; 64]);
    key[..KEY].copy_from_slice(file_key.expose());
    let expand = Hkdf::<Sha512>::from_prk(key.as_slice()).expect("64 bytes are the length of SHA-512");
    let mut output = Zeroizing::new([0; KEY + NONCE + COMMITMENT]);
    expand.expand_multi_info(&[LABEL, salt, context], output.as_mut_slice()).expect("76 bytes are within 255 blocks");

    let (key, rest) = output.split_at(KEY);
    let (nonce, commitment) = rest.split_at(NONCE);
    let cipher = Aes256Gcm::new_from_slice(key).expect("32 bytes are a key of AES-256");
    let mut base_nonce = [0; NONCE];
    base_nonce.copy_from_slice(nonce);
    let mut own = [0; COMMITMENT];
    own.copy_from_slice(commitment);
    (ChunkCipher { cipher, base_nonce }, own)
}
