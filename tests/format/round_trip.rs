//! What was sealed opens.

use std::io::{self, BufRead, Read, Write};

use proptest::prelude::*;
use tarseal::format::{
    Header, Identity, KeyKind, OpenError, OpenReader, SealError, SealOptions, SealWriter, Share, ShareField, SlotKind,
    open_sealed, seal_to,
};

use crate::support::{CREATED, PREFIX, SEALED_CHUNK, header_length, identity, open, rng, seal, share_field, text};

#[test]
fn every_length_around_the_edges_of_chunks_and_batches_comes_back() {
    let key = identity(KeyKind::X25519, 1);
    for full_chunks in [0, 1, 2, 7, 8, 9, 16, 17] {
        for delta in [-17_isize, -1, 0, 1, 16, 17] {
            let Some(length) = (full_chunks * 16_384_usize).checked_add_signed(delta) else { continue };
            let plaintext = text(length);
            let file = seal(&[key.recipient()], None, &plaintext, 2);
            let header_length = header_length(&file);
            assert_eq!(file.len(), header_length + PREFIX + length + 16 * (length / 16_384 + 1));
            assert_eq!(open(&file, std::slice::from_ref(&key), None), (plaintext, None), "{length}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn it_does_not_matter_in_which_pieces_bytes_come_and_go(
        pieces in prop::collection::vec(prop_oneof![0..40_usize, 16_370..16_400_usize, 30_000..150_000_usize], 0..6),
        flush: bool,
        step in prop_oneof![1_000..2_000_usize, 16_383..16_386_usize, Just(1_000_000_usize)],
        seed: u64,
    ) {
        let key = identity(KeyKind::X25519, seed);
        let recipients = [key.recipient()];
        let options = SealOptions { created: CREATED, recipients: &recipients, share: None };
        let mut writer = SealWriter::new(Vec::new(), &options, &mut rng(seed)).unwrap();
        let plaintext = text(pieces.iter().sum());
        let mut rest = plaintext.as_slice();
        for length in pieces {
            let (now, later) = rest.split_at(length);
            writer.write_all(now).unwrap();
            if flush {
                writer.flush().unwrap();
            }
            rest = later;
        }
        let file = writer.finish().unwrap();

        let mut file = file.as_slice();
        let header = Header::read(&mut file).unwrap();
        let mut reader = OpenReader::new(header, file, &[key], None).unwrap();
        let (mut opened, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            let length = reader.read(&mut buffer).unwrap();
            if length == 0 {
                break;
            }
            opened.extend_from_slice(&buffer[..length]);
        }
        prop_assert!(opened == plaintext);
    }
}

#[test]
fn a_file_may_be_read_line_by_line() {
    let key = identity(KeyKind::X25519, 1);
    let file = seal(&[key.recipient()], None, b"one\ntwo\n", 2);
    let mut file = file.as_slice();
    let header = Header::read(&mut file).unwrap();
    let reader = OpenReader::new(header, file, &[key], None).unwrap();
    let lines: io::Result<Vec<String>> = reader.lines().collect();
    assert_eq!(lines.unwrap(), ["one", "two"]);
}

#[test]
fn each_recipient_opens_and_nobody_else() {
    let keys: Vec<Identity> =
        (0..16).map(|seed| identity(if seed % 2 == 0 { KeyKind::XWing } else { KeyKind::X25519 }, seed)).collect();
    let mut recipients: Vec<_> = keys.iter().map(Identity::recipient).collect();
    recipients.push(recipients[3].clone());
    let file = seal(&recipients, None, b"for all of you", 3);
    let header = Header::read(&mut file.as_slice()).unwrap();
    assert_eq!(header.slot_kinds().count(), 16, "a recipient that is given twice gets one slot");
    assert_eq!(header.slot_kinds().next(), Some(SlotKind::XWing));
    for key in &keys {
        header.unlock(std::slice::from_ref(key)).unwrap();
        assert_eq!(open(&file, std::slice::from_ref(key), None), (b"for all of you".to_vec(), None));
    }
    let stranger = [identity(KeyKind::XWing, 99), identity(KeyKind::X25519, 99)];
    assert!(matches!(header.unlock(&stranger), Err(OpenError::NoKeyFits)));
    assert!(matches!(header.unlock(&[]), Err(OpenError::NoKeyFits)));
    assert_eq!(open(&file, &[stranger[0].clone(), keys[5].clone()], None).1, None);
}

#[test]
fn one_to_sixteen_recipients_and_an_honest_portal_are_taken() {
    let recipients: Vec<_> = (0..17).map(|seed| identity(KeyKind::X25519, seed).recipient()).collect();
    let try_to = |recipients, share| {
        SealWriter::new(Vec::new(), &SealOptions { created: CREATED, recipients, share }, &mut rng(1)).err()
    };
    assert!(matches!(try_to(&[], None), Some(SealError::NoRecipient)));
    assert!(try_to(&recipients[..16], None).is_none());
    assert!(matches!(try_to(&recipients, None), Some(SealError::TooManyRecipients(17))));
    let share = Share::random(&mut rng(1));
    let portal = "http://support.vendor.example".to_owned();
    let field = ShareField { portal, ..share_field() };
    assert!(matches!(try_to(&recipients[..1], Some((field, &share))), Some(SealError::Portal(_))));
}

#[test]
fn a_shared_file_opens_with_key_and_share_and_with_neither_alone() {
    for kind in [KeyKind::X25519, KeyKind::XWing] {
        let key = [identity(kind, 1)];
        let share = Share::random(&mut rng(2));
        let file = seal(&[key[0].recipient()], Some(&share), b"in two parts", 3);
        assert_eq!(Header::read(&mut file.as_slice()).unwrap().share, Some(share_field()));
        assert_eq!(open(&file, &key, Some(&share)), (b"in two parts".to_vec(), None));

        let Err(OpenError::ShareNeeded(field)) = open_parts(&file, &key, None) else {
            panic!("opened without the share")
        };
        assert_eq!(field, share_field());
        let other = Share::random(&mut rng(4));
        assert!(matches!(open_parts(&file, &key, Some(&other)), Err(OpenError::Commitment)));
        let stranger = [identity(kind, 9)];
        // A stranger learns that the key does not fit before anyone is asked for a share.
        assert!(matches!(open_parts(&file, &stranger, None), Err(OpenError::NoKeyFits)));
        assert!(matches!(open_parts(&file, &stranger, Some(&share)), Err(OpenError::NoKeyFits)));
    }
}

fn open_parts(mut file: &[u8], key: &[Identity], share: Option<&Share>) -> Result<(), OpenError> {
    let header = Header::read(&mut file)?;
    OpenReader::new(header, file, key, share).map(drop)
}

#[test]
fn a_file_without_a_share_does_not_care_for_one() {
    let key = [identity(KeyKind::X25519, 1)];
    let file = seal(&[key[0].recipient()], None, b"alone", 3);
    assert_eq!(open(&file, &key, Some(&Share::random(&mut rng(2)))), (b"alone".to_vec(), None));
}

#[test]
fn two_sealings_of_the_same_share_nothing() {
    let key = identity(KeyKind::X25519, 1);
    let one = seal(&[key.recipient()], None, &text(100), 2);
    let two = seal(&[key.recipient()], None, &text(100), 3);
    let common = one.windows(8).filter(|window| two.windows(8).any(|other| other == *window)).count();
    // Magic to first field, the creation time, and the key id are the same; nothing random is.
    assert!(common < 64, "{common}");
    assert_ne!(one[19..35], two[19..35]);
}

#[test]
fn a_secret_sealed_to_a_key_opens_for_its_purpose_only() {
    for kind in [KeyKind::X25519, KeyKind::XWing] {
        let key = identity(kind, 1);
        let sealed = seal_to(&key.recipient(), b"purpose", b"a share", &mut rng(2));
        assert_eq!(open_sealed(&key, b"purpose", &sealed).unwrap().expose(), b"a share");
        assert!(matches!(open_sealed(&key, b"another", &sealed), Err(OpenError::Unwrap)));
        assert!(matches!(open_sealed(&identity(kind, 3), b"purpose", &sealed), Err(OpenError::Unwrap)));
        for length in (0..sealed.len()).step_by(7) {
            assert!(matches!(open_sealed(&key, b"purpose", &sealed[..length]), Err(OpenError::Unwrap)));
        }
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(matches!(open_sealed(&key, b"purpose", &changed), Err(OpenError::Unwrap)));
    }
}

#[test]
fn a_writer_that_fails_is_not_asked_again() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let length = data.len().min(self.0);
            self.0 -= length;
            if length == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(length) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recipients = [identity(KeyKind::X25519, 1).recipient()];
    let options = SealOptions { created: CREATED, recipients: &recipients, share: None };
    assert!(matches!(SealWriter::new(Full(100), &options, &mut rng(1)), Err(SealError::Write(_))));

    let mut writer = SealWriter::new(Full(10 * SEALED_CHUNK), &options, &mut rng(1)).unwrap();
    let error = writer.write_all(&text(20 * SEALED_CHUNK)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(writer.write_all(b"more").is_err());
    assert!(writer.flush().is_err());
    assert!(writer.finish().is_err());
}
