//! Files that a passphrase or a key of both sides opens.

use std::fs;

use proptest::prelude::*;
use tarseal::format::{
    Cost, Header, Identity, KeyKind, OpenError, Passphrase, Recipient, SealError, SealOptions, SealWriter, SlotKind,
    open_sealed, seal_to,
};

use crate::peer::{peer_is_there, run};
use crate::support::{CREATED, Pieces, identity, open, rng, seal, text};

/// Quick to compute: what a test is about is not how long a guess takes.
fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes()).unwrap().with_cost(Cost::new(64, 2, 2).unwrap())
}

fn shared(seed: u64) -> Identity {
    Identity::generate_shared(&mut rng(seed))
}

#[test]
fn a_file_opens_with_its_passphrase_and_with_no_other() {
    let plaintext = text(40_000);
    let file = seal(&[passphrase("correct horse").into()], None, &plaintext, 1);
    let header = Header::read(&mut file.as_slice()).unwrap();
    assert_eq!(header.slot_kinds().collect::<Vec<_>>(), [SlotKind::Passphrase]);
    let right = Identity::from(Passphrase::new(b"correct horse\n").unwrap());
    header.unlock(std::slice::from_ref(&right)).unwrap();
    assert_eq!(open(&file, &[right], None), (plaintext, None));

    let wrong = Identity::from(passphrase("correct hors"));
    assert!(matches!(header.unlock(&[wrong, shared(1)]), Err(OpenError::WrongPassphrase)));
    let keys = [identity(KeyKind::X25519, 1), shared(1)];
    assert!(matches!(header.unlock(&keys), Err(OpenError::NotGiven(SlotKind::Passphrase))));
    assert!(matches!(header.unlock(&[]), Err(OpenError::NotGiven(SlotKind::Passphrase))));
}

#[test]
fn the_cost_that_is_the_default_opens_too() {
    let file = seal(&[Passphrase::new(b"correct horse").unwrap().into()], None, b"text", 1);
    let body = &Pieces::of(&file).fields[2].1[9..];
    assert_eq!(body[16..25], [0, 1, 0, 0, 0, 0, 0, 8, 4], "64 MiB, 8 passes, 4 lanes");
    let right = Identity::from(Passphrase::new(b"correct horse").unwrap());
    assert_eq!(open(&file, &[right], None), (b"text".to_vec(), None));
}

#[test]
fn a_file_opens_with_the_key_of_both_sides_alone_or_beside_public_keys() {
    let (both, technician) = (shared(1), identity(KeyKind::XWing, 2));
    let alone = seal(&[both.recipient()], None, b"text", 3);
    assert_eq!(open(&alone, std::slice::from_ref(&both), None), (b"text".to_vec(), None));
    let beside = seal(&[technician.recipient(), both.recipient()], None, b"text", 3);
    for key in [&both, &technician] {
        assert_eq!(open(&beside, std::slice::from_ref(key), None), (b"text".to_vec(), None));
    }
    assert_eq!(open(&beside, &[shared(9), both], None).1, None);

    let header = Header::read(&mut alone.as_slice()).unwrap();
    assert!(matches!(header.unlock(&[shared(9)]), Err(OpenError::NoKeyFits)));
    assert!(matches!(header.unlock(&[technician]), Err(OpenError::NotGiven(SlotKind::SharedKey))));
    let header = Header::read(&mut beside.as_slice()).unwrap();
    assert!(matches!(header.unlock(&[Identity::from(passphrase("p"))]), Err(OpenError::NoKeyFits)));
}

#[test]
fn a_passphrase_is_the_only_recipient() {
    let key = identity(KeyKind::X25519, 1);
    let try_to = |recipients: &[Recipient]| {
        let options = SealOptions { created: CREATED, recipients, share: None };
        SealWriter::new(Vec::new(), &options, &mut rng(1)).err()
    };
    let one = Recipient::from(passphrase("one"));
    assert!(try_to(&[one.clone(), one.clone()]).is_none(), "the same twice is one");
    for others in [
        vec![one.clone(), key.recipient()],
        vec![one.clone(), passphrase("two").into()],
        vec![shared(1).recipient(), one],
    ] {
        assert!(matches!(try_to(&others), Some(SealError::PassphraseNotAlone)));
    }
}

#[test]
fn two_sealings_with_the_same_secret_share_no_salt_and_no_slot() {
    for recipient in [passphrase("p").into(), shared(1).recipient()] {
        let slot = |seed| Pieces::of(&seal(std::slice::from_ref(&recipient), None, b"", seed)).fields[2].1.clone();
        let (one, two) = (slot(1), slot(2));
        assert_eq!(one[..9], two[..9], "the kind, and no key id");
        assert_eq!(one[1..9], [0; 8]);
        assert!(one[9..25] != two[9..25] && one[34..] != two[34..]);
    }
}

#[test]
fn a_cost_past_the_limits_is_refused_without_a_passphrase_and_before_anything_is_computed() {
    let file = seal(&[passphrase("p").into()], None, b"", 1);
    // 4 GiB would take seconds to fill, and more memory than there may be.
    for (at, value) in [(25, 0x00), (25, 0xff), (29, 0xff), (33, 17), (33, 0)] {
        let mut pieces = Pieces::of(&file);
        pieces.fields[2].1[at] = value;
        if value == 0 && at == 25 {
            pieces.fields[2].1[25..29].copy_from_slice(&(4_u32 << 20).to_be_bytes());
        }
        let changed = pieces.join();
        assert!(matches!(Header::read(&mut changed.as_slice()), Err(OpenError::Header(_))), "{at} {value}");
    }
    // A body that comes on another way than through a header is measured as well.
    let mut sealed = seal_to(&passphrase("p").into(), b"purpose", b"secret", &mut rng(2));
    assert_eq!(open_sealed(&passphrase("p").into(), b"purpose", &sealed).unwrap().expose(), b"secret");
    sealed[16..20].copy_from_slice(&(4_u32 << 20).to_be_bytes());
    assert!(matches!(open_sealed(&passphrase("p").into(), b"purpose", &sealed), Err(OpenError::Unwrap)));
}

#[test]
fn a_secret_sealed_with_a_passphrase_or_a_shared_key_opens_for_its_purpose_only() {
    for (key, other) in [(Identity::from(passphrase("p")), passphrase("q").into()), (shared(1), shared(2))] {
        let sealed = seal_to(&key.recipient(), b"purpose", b"secret", &mut rng(2));
        assert_eq!(open_sealed(&key, b"purpose", &sealed).unwrap().expose(), b"secret");
        assert!(matches!(open_sealed(&key, b"another", &sealed), Err(OpenError::Unwrap)));
        assert!(matches!(open_sealed(&other, b"purpose", &sealed), Err(OpenError::Unwrap)));
        for length in 0..sealed.len() {
            assert!(matches!(open_sealed(&key, b"purpose", &sealed[..length]), Err(OpenError::Unwrap)));
        }
    }
}

#[test]
fn a_header_that_was_changed_does_not_open_with_the_right_secret() {
    for key in [Identity::from(passphrase("p")), shared(1)] {
        let file = seal(&[key.recipient()], None, b"text", 3);
        assert_eq!(open(&file, std::slice::from_ref(&key), None), (b"text".to_vec(), None));
        // Every byte of file id, time and slot, but the cost's: a changed one may take half a minute to try.
        for at in (14..crate::support::header_length(&file)).filter(|at| {
            key.kind() == SlotKind::SharedKey || !(14 + 21 + 13 + 5 + 9 + 16..14 + 21 + 13 + 5 + 9 + 25).contains(at)
        }) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            let (plaintext, reason) = open(&changed, std::slice::from_ref(&key), None);
            assert!(plaintext.is_empty() && reason.is_some(), "byte {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_passphrase_opens_what_it_sealed(text in prop::collection::vec(any::<u8>(), 1..100), seed: u64) {
        let Ok(passphrase) = Passphrase::new(&text) else { return Ok(()) };
        let passphrase = passphrase.with_cost(Cost::new(8, 1, 1).unwrap());
        let file = seal(&[passphrase.into()], None, b"text", seed);
        prop_assert_eq!(open(&file, &[Passphrase::new(&text).unwrap().into()], None).1, None);
    }
}

#[test]
fn python_opens_what_is_sealed_with_a_passphrase_or_a_shared_key() {
    if !peer_is_there("python_opens_what_is_sealed_with_a_passphrase_or_a_shared_key") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let both = shared(1);
    fs::write(path("shared.key"), both.to_text(CREATED).expose()).unwrap();
    fs::write(path("passphrase"), "correct hørse\n").unwrap();
    fs::write(path("other"), "correct horse\n").unwrap();
    let by_passphrase = format!("passphrase:{}", path("passphrase"));
    for (key, opener) in [(Identity::from(passphrase("correct hørse")), by_passphrase), (both, path("shared.key"))] {
        let plaintext = text(20_000);
        fs::write(path("file"), seal(&[key.recipient()], None, &plaintext, 4)).unwrap();
        assert!(run("reader.py", &[&opener, &path("file")]).unwrap() == plaintext, "{opener}");
        assert!(run("reader.py", &[&format!("passphrase:{}", path("other")), &path("file")]).is_err(), "{opener}");
    }
}
