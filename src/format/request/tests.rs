use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;
use crate::format::key_list::RootKey;
use crate::format::{Identity, KeyKind, SenderKey};

const NOW: &str = "2026-11-21T09:00:00Z";

fn recipient(seed: u64) -> Recipient {
    Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(seed)).recipient()
}

fn asked() -> Asked {
    let issued: Timestamp = NOW.parse().unwrap();
    Asked {
        portal: "https://support.vendor.example/".into(),
        ticket: "4711".parse().unwrap(),
        title: Some("Video drops after ten minutes".into()),
        profile: Some("pexip-infinity".into()),
        last_seconds: Some(86_400),
        since: None,
        until: None,
        max_bytes: Some(500 << 20),
        recipients: vec![recipient(1)],
        issued,
        expires: issued.plus_seconds(48 * 3600),
    }
}

fn technician() -> SenderKey {
    SenderKey::generate(&mut StdRng::seed_from_u64(1))
}

#[test]
fn a_request_comes_back_under_the_key_that_signed_it() {
    let (key, root) = (technician(), RootKey::generate("vendor.example", &mut StdRng::seed_from_u64(2)).unwrap());
    for key in [RequestKey::Sender(&key), RequestKey::Root(&root)] {
        let note = asked().sign(&key).unwrap();
        let claimed = ClaimedRequest::read(&note).unwrap();
        assert_eq!(*claimed.signer(), key.signer());
        assert_eq!(claimed.clone().trust(|signer| *signer == key.signer()).unwrap(), asked());
        assert!(matches!(claimed.trust(|_| false), Err(RequestError::OtherSigner(signer)) if signer == key.signer()));
    }
}

#[test]
fn one_changed_bit_and_any_cut_are_refused() {
    let note = asked().sign(&RequestKey::Sender(&technician())).unwrap();
    for bit in (0..note.len() * 8).step_by(3) {
        let mut bytes = note.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(ClaimedRequest::read(&changed).is_err(), "bit {bit}");
        }
    }
    for end in (0..note.len()).filter(|end| note.is_char_boundary(*end)) {
        assert!(ClaimedRequest::read(&note[..end]).is_err(), "cut at {end}");
    }
    let other = SenderKey::generate(&mut StdRng::seed_from_u64(9)).sender().to_string();
    let swapped = note.replace(&technician().sender().to_string(), &other);
    assert!(matches!(ClaimedRequest::read(&swapped), Err(RequestError::Malformed(_))));
}

#[test]
fn a_key_list_is_no_request() {
    let root = RootKey::generate("vendor.example", &mut StdRng::seed_from_u64(2)).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let mut draft = crate::format::key_list::Draft::new(&root.root());
    draft.add(recipient(1), "support", now, now.plus_days(9)).unwrap();
    let list = draft.sign(&root, now, 9).unwrap();
    assert!(ClaimedRequest::read(list.note()).is_err());
    let note = asked().sign(&RequestKey::Root(&root)).unwrap();
    assert!(crate::format::key_list::Claimed::read(&note).is_err());
}

#[test]
fn what_cannot_be_meant_is_not_signed() {
    let key = technician();
    let refused = |change: fn(&mut Asked)| {
        let mut changed = asked();
        change(&mut changed);
        assert!(matches!(changed.sign(&RequestKey::Sender(&key)), Err(RequestError::Draft(_))));
    };
    refused(|asked| asked.title = Some("two\nlines".into()));
    refused(|asked| asked.title = Some("\u{202e}turned".into()));
    refused(|asked| asked.profile = Some("../../etc/passwd".into()));
    refused(|asked| asked.profile = Some("./mine.toml".into()));
    refused(|asked| asked.since = Some(asked.issued));
    refused(|asked| asked.last_seconds = Some(0));
    refused(|asked| asked.max_bytes = Some(0));
    refused(|asked| asked.recipients.clear());
    refused(|asked| asked.recipients = vec![recipient(1), recipient(1)]);
    refused(|asked| asked.expires = asked.issued);
    refused(|asked| asked.expires = asked.issued.plus_days(8));
    refused(|asked| (asked.last_seconds, asked.since, asked.until) = (None, Some(asked.issued), Some(asked.issued)));
}

#[test]
fn a_request_is_good_from_its_issue_until_it_expires() {
    let asked = asked();
    let at = |seconds: i64| asked.check_time(asked.issued.plus_seconds(seconds));
    assert!(at(0).is_ok() && at(-3600).is_ok() && at(48 * 3600 - 1).is_ok());
    assert!(matches!(at(48 * 3600), Err(RequestError::Expired(_))));
    assert!(matches!(at(-3601), Err(RequestError::NotYet(_))));
}
