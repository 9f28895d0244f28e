use proptest::prelude::*;

use super::*;

fn slot(kind: SlotKind, fill: u8) -> Slot {
    Slot { kind, key_id: [fill; 8], body: vec![fill; kind.body_length()] }
}

fn sample(share: bool, sender: bool, slots: Vec<Slot>) -> Header {
    let share = share.then(|| ShareField {
        id: ShareId([3; 16]),
        not_after: Timestamp::from_seconds(1_800_000_000),
        portal: "https://support.vendor.example".to_owned(),
    });
    let created = Timestamp::from_seconds(1_795_270_801);
    Header::new(FileId([1; 16]), created, share, sender.then_some(Sender::from_bytes([4; 32])), |_| slots)
}

/// A header of any fields in any order, with every length as it should be.
fn assemble(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut encoded = Vec::new();
    fields.iter().for_each(|(kind, value)| put_field(&mut encoded, *kind, &[value]));
    [MAGIC.as_slice(), &[1, 1], &length_bytes(encoded.len()), &encoded].concat()
}

fn refusal(bytes: &[u8]) -> String {
    Header::read(&mut &*bytes).unwrap_err().to_string()
}

const SHARE_VALUE: &[u8] = b"iiiiiiiiiiiiiiii\0\0\0\0\x70\0\0\0https://vendor.example";

#[test]
fn a_header_says_the_same_after_it_was_written_and_read() {
    for (share, sender) in [(false, false), (true, false), (false, true), (true, true)] {
        let header = sample(share, sender, vec![slot(SlotKind::XWing, 1), slot(SlotKind::SharedKey, 0)]);
        let with_payload = [header.as_bytes(), b"payload"].concat();
        let mut source = with_payload.as_slice();
        assert_eq!(Header::read(&mut source).unwrap(), header);
        assert_eq!(source, b"payload");
        assert_eq!(header.length(), header.as_bytes().len() as u64);
    }
}

#[test]
fn slots_are_bound_to_everything_before_them() {
    let digest = |share, sender| sample(share, sender, vec![slot(SlotKind::X25519, 1)]).public_digest;
    assert_ne!(digest(false, false), digest(true, false));
    assert_ne!(digest(false, false), digest(false, true));
}

#[test]
fn a_header_that_breaks_a_rule_is_refused_and_says_which() {
    let x25519 = [[1; 9].as_slice(), &[2; 80]].concat();
    let cost = |m: u32, t: u32, p: u8| {
        [[3].as_slice(), &[0; 8], &[2; 16], &m.to_be_bytes(), &t.to_be_bytes(), &[p], &[2; 48]].concat()
    };
    let passphrase = cost(65_536, 3, 4);
    let named = [[3].as_slice(), &[1; 8], &passphrase[9..]].concat();
    let shared = [[4].as_slice(), &[0; 8], &[2; 80]].concat();
    let named_shared = [[4].as_slice(), &[1; 8], &[2; 80]].concat();
    let (id, created, far): (&[u8], &[u8], &[u8]) = (&[1; 16], &[0, 0, 0, 0, 0x70, 0, 0, 0], &[0xff; 8]);
    let http = b"iiiiiiiiiiiiiiii\0\0\0\0\x70\0\0\0http://vendor.example".as_slice();
    let long = [SHARE_VALUE, &[b'/'; 512]].concat();
    let not_text = [&SHARE_VALUE[..24], b"https://\xff"].concat();
    let good = |slots: &[&[u8]]| {
        let mut fields = vec![(1, id), (2, created)];
        fields.extend(slots.iter().map(|slot| (5, *slot)));
        assemble(&fields)
    };
    assert!(Header::read(&mut good(&[&x25519]).as_slice()).is_ok());
    assert!(Header::read(&mut good(&[x25519.as_slice(); 16]).as_slice()).is_ok());
    assert!(Header::read(&mut good(&[&passphrase]).as_slice()).is_ok());
    assert!(Header::read(&mut good(&[&cost(1 << 20, 16, 16)]).as_slice()).is_ok());
    assert!(Header::read(&mut good(&[&shared, &x25519]).as_slice()).is_ok());
    for (bytes, reason) in [
        (assemble(&[(2, created), (5, &x25519)]), "the file id is missing"),
        (assemble(&[(1, id), (5, &x25519)]), "the creation time is missing"),
        (assemble(&[(2, created), (1, id), (5, &x25519)]), "the file id is missing"),
        (assemble(&[(1, &id[1..]), (2, created), (5, &x25519)]), "a field has the wrong length"),
        (assemble(&[(1, id), (2, &created[1..]), (5, &x25519)]), "a field has the wrong length"),
        (assemble(&[(1, id), (2, far), (5, &x25519)]), "a time is after the year 9999"),
        (assemble(&[(1, id), (1, id), (2, created), (5, &x25519)]), "the creation time is missing"),
        (
            assemble(&[(1, id), (2, created), (2, created), (5, &x25519)]),
            "a field is unknown, out of order or there twice",
        ),
        (
            assemble(&[(1, id), (2, created), (5, &x25519), (4, &[0; 32])]),
            "a field is unknown, out of order or there twice",
        ),
        (assemble(&[(1, id), (2, created), (5, &x25519), (6, b"")]), "a field is unknown, out of order or there twice"),
        (assemble(&[(1, id), (2, created), (3, http), (5, &x25519)]), "the portal's address is not https"),
        (assemble(&[(1, id), (2, created), (3, &long), (5, &x25519)]), "the portal's address is longer than 512 bytes"),
        (assemble(&[(1, id), (2, created), (3, &not_text), (5, &x25519)]), "the portal's address is not text"),
        (assemble(&[(1, id), (2, created), (3, &[0; 23]), (5, &x25519)]), "the share field has the wrong length"),
        (assemble(&[(1, id), (2, created), (4, &[0; 31]), (5, &x25519)]), "the sender's key has the wrong length"),
        (good(&[]), "it has no slot"),
        (good(&[x25519.as_slice(); 17]), "it has more than 16 slots"),
        (good(&[&x25519[1..]]), "a slot has the wrong length"),
        (good(&[b""]), "a slot has the wrong length"),
        (good(&[&[[9].as_slice(), &x25519[1..]].concat()]), "a slot is of an unknown kind"),
        (good(&[&passphrase, &x25519]), "a passphrase slot is not alone or names a key"),
        (good(&[&passphrase, &passphrase]), "a passphrase slot is not alone or names a key"),
        (good(&[&shared, &passphrase]), "a passphrase slot is not alone or names a key"),
        (good(&[&named]), "a passphrase slot is not alone or names a key"),
        (good(&[&named_shared]), "a shared-key slot names a key"),
        (good(&[&cost((1 << 20) + 1, 3, 4)]), "its passphrase asks for more than 1 GiB of memory"),
        (good(&[&cost(4 << 20, 3, 4)]), "its passphrase asks for more than 1 GiB of memory"),
        (good(&[&cost(65_536, 17, 4)]), "its passphrase asks for more than 16 passes"),
        (good(&[&cost(65_536, 3, 17)]), "its passphrase asks for more than 16 lanes"),
        (good(&[&cost(31, 3, 4)]), "its passphrase asks for less than Argon2 can do"),
        (good(&[&cost(65_536, 0, 4)]), "its passphrase asks for less than Argon2 can do"),
        (good(&[&cost(65_536, 3, 0)]), "its passphrase asks for less than Argon2 can do"),
    ] {
        assert_eq!(refusal(&bytes), format!("the header is damaged: {reason}"));
    }
}

#[test]
fn a_length_past_the_end_is_refused() {
    let mut bytes = sample(false, false, vec![slot(SlotKind::X25519, 1)]).as_bytes().to_vec();
    bytes[PREAMBLE + 4] = 0xff;
    assert_eq!(refusal(&bytes), "the header is damaged: a field runs past its end");
    bytes[PREAMBLE - 4..PREAMBLE].copy_from_slice(&65_537_u32.to_be_bytes());
    assert_eq!(refusal(&bytes), "the header is damaged: it is longer than 65 536 bytes");
}

#[test]
fn other_files_and_later_versions_are_told_apart() {
    let mut bytes = sample(false, false, vec![slot(SlotKind::X25519, 1)]).as_bytes().to_vec();
    assert!(matches!(Header::read(&mut b"PK\x03\x04".as_slice()), Err(OpenError::NotSealed)));
    assert!(matches!(Header::read(&mut b"".as_slice()), Err(OpenError::Truncated)));
    bytes[9] = 2;
    assert!(matches!(Header::read(&mut bytes.as_slice()), Err(OpenError::Version { version: 1, suite: 2 })));
    bytes[8] = 2;
    assert!(matches!(Header::read(&mut bytes.as_slice()), Err(OpenError::Version { version: 2, suite: 2 })));
}

#[test]
fn a_header_cut_off_anywhere_is_truncated() {
    let header = sample(true, true, vec![slot(SlotKind::X25519, 1)]);
    for length in 0..header.as_bytes().len() {
        assert!(matches!(Header::read(&mut &header.as_bytes()[..length]), Err(OpenError::Truncated)), "{length}");
    }
}

proptest! {
    #[test]
    fn there_is_one_way_to_write_each_header(
        share: bool,
        sender: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut bytes = sample(share, sender, vec![slot(SlotKind::X25519, 1)]).as_bytes().to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(read) = Header::read(&mut bytes.as_slice()) {
            let again = Header::new(read.file_id, read.created, read.share.clone(), read.sender, |_| read.slots.clone());
            prop_assert_eq!(again.as_bytes(), read.as_bytes());
            prop_assert!(bytes.starts_with(read.as_bytes()));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fall_over(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let length = length_bytes(tail.len());
        let _ = Header::read(&mut [MAGIC.as_slice(), &[1, 1], &length, &tail].concat().as_slice());
    }
}
