use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;
use crate::format::key::{Identity, KeyKind};

const NAME: &str = "support.vendor.example";
const NOW: Timestamp = Timestamp::from_seconds(1_795_270_801);

fn root_key(seed: u64) -> RootKey {
    RootKey::generate(NAME, &mut StdRng::seed_from_u64(seed)).unwrap()
}

fn recipient(seed: u64) -> Recipient {
    Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(seed)).recipient()
}

/// A draft with the keys 1 and 2, good for a year.
fn draft() -> Draft {
    let mut draft = Draft::new(&root_key(1).root());
    for seed in [1, 2] {
        draft.add(recipient(seed), "support, Oslo", NOW, NOW.plus_days(365)).unwrap();
    }
    draft
}

fn first() -> KeyList {
    draft().sign(&root_key(1), NOW, 90).unwrap()
}

fn read(note: &str, root: &Root) -> Result<KeyList, KeyListError> {
    Claimed::read(note)?.trust(|found| found == root)
}

/// Signs whatever text is given, as a vendor with another program, or a faulty one, might.
fn signed(text: &str) -> String {
    root_key(1).sign(&format!("{text}\n")).unwrap()
}

fn text_of(list: &KeyList) -> String {
    serde_json_canonicalizer::to_string(&list.facts).unwrap()
}

#[test]
fn a_list_comes_back_whole_under_its_root() {
    let list = first();
    let root: Root = root_key(1).root().to_string().parse().unwrap();
    let again = read(list.note(), &root).unwrap();
    assert_eq!(again, list);
    assert_eq!((again.vendor(), again.version(), again.issued(), again.expires()), (NAME, 1, NOW, NOW.plus_days(90)));
    assert_eq!(again.recipients(NOW).unwrap(), [recipient(1), recipient(2)]);
}

#[test]
fn any_changed_byte_or_missing_end_is_refused() {
    let list = first();
    let note = list.note();
    for index in 0..note.len() {
        let mut bytes = note.as_bytes().to_vec();
        bytes[index] ^= 1 << (index % 7);
        if let Ok(changed) = std::str::from_utf8(&bytes) {
            assert!(read(changed, list.root()).is_err(), "byte {index}");
        }
        if index % 5 == 0 && note.is_char_boundary(index) {
            assert!(read(&note[..index], list.root()).is_err(), "cut at {index}");
        }
    }
    assert!(read(&format!("{note}\n"), list.root()).is_err());
    assert!(read(&format!("{note}{}", note.lines().last().unwrap()), list.root()).is_err());
}

#[test]
fn a_list_of_another_root_is_not_trusted() {
    let list = first();
    let error = read(list.note(), &root_key(2).root()).unwrap_err();
    assert!(matches!(error, KeyListError::OtherRoot(found) if found == root_key(1).root()));
    // A stranger names the trusted root and signs with a key of the same name.
    let forged = root_key(2).sign(&format!("{}\n", text_of(&list))).unwrap();
    assert!(matches!(read(&forged, list.root()), Err(KeyListError::Malformed(_))));
}

#[test]
fn what_contradicts_itself_or_is_written_in_another_way_is_refused() {
    let text = text_of(&first());
    let key = &first().facts.keys[0];
    let other = recipient(9);
    for (changed, fault) in [
        (text.replacen("\"edition\":1", "\"edition\":2", 1), "edition"),
        (text.replacen("\"edition\":1", "\"edition\":1,\"extra\":true", 1), "fields"),
        (text.replacen("\"purpose\":", "\"priority\":1,\"purpose\":", 1), "fields"),
        (text.replacen("tarseal-key-list", "tarseal-other", 1), "fields"),
        (text.replacen("\"version\":1", "\"version\":0", 1), "version"),
        (text.replacen("\"version\":1", "\"version\":9007199254740993", 1), "canonical"),
        (text.replacen("\"version\":1", "\"version\":-1", 1), "fields"),
        (text.replacen("\"version\":1", "\"version\":1.0", 1), "fields"),
        (text.replacen("\"version\":1", "\"version\":1,\"version\":1", 1), "fields"),
        (text.replacen(&format!("\"vendor\":\"{NAME}\""), "\"vendor\":\"other.example\"", 1), "another vendor"),
        (text.replacen('{', "{ ", 1), "canonical"),
        (text.replacen(&key.fingerprint, &other.fingerprint(), 1), "fingerprint"),
        (text.replacen(&key.recipient.to_string(), &other.to_string(), 1), "fingerprint"),
        (text.replacen(&key.recipient.to_string(), "tarseal1qqqq", 1), "fields"),
        (text.replacen("support, Oslo", "", 1), "one line"),
        (text.replacen("support, Oslo", "two\\nlines", 1), "one line"),
        (text.replacen("support, Oslo", "turned \u{202e}", 1), "one line"),
        (text.replacen("support, Oslo", &"x".repeat(201), 1), "one line"),
        (text.replacen("\"active\"", "\"resting\"", 1), "fields"),
        (text.replacen("\"active\"", "\"retired\"", 1), "since when"),
        (
            text.replacen("\"state\":\"active\"", "\"since\":\"2026-01-01T00:00:00Z\",\"state\":\"active\"", 1),
            "since when",
        ),
        (text.replacen(&NOW.plus_days(90).to_string(), &NOW.to_string(), 1), "expire"),
        (text.replacen(&NOW.plus_days(90).to_string(), &NOW.plus_days(401).to_string(), 1), "expire"),
        (text.replacen(&NOW.plus_days(365).to_string(), &NOW.to_string(), 1), "good until before"),
        ("[]".into(), "fields"),
        ("[".repeat(100_000), "fields"),
    ] {
        let error = read(&signed(&changed), &root_key(1).root()).unwrap_err();
        assert!(matches!(error, KeyListError::Malformed(_)), "{fault}: {error}");
        assert!(error.to_string().contains(fault), "{fault}: {error}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let root = root_key(1).root();
    assert!(matches!(read(&"x".repeat(MAX_LENGTH + 1), &root), Err(KeyListError::Malformed(_))));
    let with = |keys: u64, retired: u64| {
        let mut draft = Draft::new(&root);
        for seed in 0..keys {
            draft.add(recipient(seed), "p", NOW, NOW.plus_days(9)).unwrap();
            if seed < retired {
                draft.retire(&recipient(seed), NOW).unwrap();
            }
        }
        draft.sign(&root_key(1), NOW, 30)
    };
    assert!(matches!(with(0, 0), Err(KeyListError::Draft("it names no key"))));
    assert_eq!(with(16, 0).unwrap().recipients(NOW).unwrap().len(), 16);
    assert!(matches!(with(17, 0), Err(KeyListError::Draft("it names more than 16 active keys"))));
    assert!(with(256, 250).is_ok());
    assert!(matches!(with(257, 250), Err(KeyListError::Draft("it names more than 256 keys"))));
}

#[test]
fn a_list_full_of_the_largest_keys_is_within_the_length() {
    let large = Identity::generate(KeyKind::XWing, &mut StdRng::seed_from_u64(1)).recipient();
    let key = ListedKey {
        fingerprint: large.fingerprint(),
        recipient: large,
        purpose: "x".repeat(MAX_TEXT),
        not_before: NOW,
        not_after: NOW.plus_days(1),
        state: KeyState::Revoked,
        since: Some(NOW),
        reason: Some("x".repeat(MAX_TEXT)),
    };
    let one = serde_json_canonicalizer::to_string(&key).unwrap().len() + 1;
    assert!(one * MAX_KEYS + 20 * 1024 < MAX_LENGTH, "{one}");
}

#[test]
fn an_older_list_and_a_second_of_the_same_version_are_refused() {
    let one = first();
    let two = Draft::after(one.clone()).sign(&root_key(1), NOW.plus_days(1), 90).unwrap();
    assert_eq!(two.version(), 2);
    assert_eq!(two.succeeds(&one).unwrap(), Succession::Newer);
    assert_eq!(two.succeeds(&two).unwrap(), Succession::Same);
    assert!(matches!(one.succeeds(&two), Err(KeyListError::Rollback { kept: 2, found: 1 })));
    let other_two = Draft::after(one).sign(&root_key(1), NOW.plus_days(2), 90).unwrap();
    assert!(matches!(other_two.succeeds(&two), Err(KeyListError::TwoOfOneVersion(2))));
}

#[test]
fn what_was_revoked_stays_revoked() {
    let one = first();
    let mut draft = Draft::after(one.clone());
    draft.revoke(&recipient(1), "laptop lost", NOW).unwrap();
    assert!(draft.revoke(&recipient(1), "again", NOW).is_err());
    assert!(draft.retire(&recipient(1), NOW).is_err());
    assert!(draft.add(recipient(1), "back", NOW, NOW.plus_days(1)).is_err());
    let two = draft.sign(&root_key(1), NOW, 90).unwrap();
    assert_eq!(two.recipients(NOW).unwrap(), [recipient(2)]);
    assert_eq!(two.find(&recipient(1)).unwrap().reason.as_deref(), Some("laptop lost"));
    // The vendor goes back to an old copy and signs on from there.
    let mut stale = Draft::after(Draft::after(one).sign(&root_key(1), NOW, 90).unwrap());
    stale.retire(&recipient(2), NOW).unwrap();
    let three = stale.sign(&root_key(1), NOW, 90).unwrap();
    assert!(matches!(three.succeeds(&two), Err(KeyListError::Unrevoked(_))));
}

#[test]
fn a_list_is_good_from_its_issue_until_it_expires() {
    let list = first();
    assert!(list.check_time(NOW.plus_days(90).plus_seconds(-1)).is_ok());
    assert!(matches!(list.recipients(NOW.plus_days(90)), Err(KeyListError::Expired(_))));
    assert!(list.check_time(NOW.plus_seconds(-CLOCK_SKEW)).is_ok());
    assert!(matches!(list.recipients(NOW.plus_seconds(-CLOCK_SKEW - 1)), Err(KeyListError::NotYet(_))));
}

#[test]
fn only_active_keys_within_their_time_are_sealed_to() {
    let mut draft = draft();
    draft.add(recipient(3), "from next month", NOW.plus_days(30), NOW.plus_days(80)).unwrap();
    draft.retire(&recipient(1), NOW).unwrap();
    draft.revoke(&recipient(2), "stolen", NOW).unwrap();
    let list = draft.sign(&root_key(1), NOW, 90).unwrap();
    assert!(matches!(list.recipients(NOW), Err(KeyListError::NoKey { all_revoked: false })));
    assert_eq!(list.recipients(NOW.plus_days(30)).unwrap(), [recipient(3)]);
    assert!(matches!(list.recipients(NOW.plus_days(80)), Err(KeyListError::NoKey { .. })));
    let mut draft = Draft::after(list);
    for seed in [1, 3] {
        draft.revoke(&recipient(seed), "stolen", NOW).unwrap();
    }
    let list = draft.sign(&root_key(1), NOW, 90).unwrap();
    assert!(matches!(list.recipients(NOW.plus_days(30)), Err(KeyListError::NoKey { all_revoked: true })));
}

#[test]
fn a_root_leads_to_the_next_and_never_back() {
    let one = first();
    let mut draft = Draft::after(one.clone());
    draft.hand_over(&root_key(1), &root_key(2).root()).unwrap();
    assert!(draft.clone().sign(&root_key(1), NOW, 90).is_err(), "the new root signs");
    let two = draft.sign(&root_key(2), NOW, 90).unwrap();
    let mut draft = Draft::after(two.clone());
    draft.hand_over(&root_key(2), &root_key(3).root()).unwrap();
    let three = draft.sign(&root_key(3), NOW, 90).unwrap();

    // Whoever pinned the first root is led to the third, also without having seen the second.
    for pinned in [1, 2, 3] {
        let list = read(three.note(), &root_key(pinned).root()).unwrap();
        assert_eq!(list.root(), &root_key(3).root());
    }
    assert!(matches!(read(three.note(), &root_key(4).root()), Err(KeyListError::OtherRoot(_))));
    // Whoever arrived at the third takes nothing from the first or second any more.
    for older in [&one, &two] {
        assert!(matches!(read(older.note(), three.root()), Err(KeyListError::OtherRoot(_))));
    }
    // An old root, stolen, leads nobody on who has left it: its own handover is not the one in the chain.
    let mut stolen = Draft::after(one);
    stolen.hand_over(&root_key(1), &root_key(9).root()).unwrap();
    let stolen = stolen.sign(&root_key(9), NOW, 90).unwrap();
    assert!(matches!(read(stolen.note(), three.root()), Err(KeyListError::OtherRoot(_))));
}

#[test]
fn a_handover_that_is_forged_or_out_of_order_leads_nowhere() {
    let facts = |handovers: Vec<String>| Facts { handovers, ..first().facts };
    let list = |handovers| signed(&serde_json_canonicalizer::to_string(&facts(handovers)).unwrap());
    let over = |from: u64, to: u64| root_key(from).hand_over(&root_key(to).root()).unwrap();
    assert!(read(&list(vec![over(3, 2), over(2, 1)]), &root_key(3).root()).is_ok());
    // Signed by another than the one who hands over.
    let text = format!("tarseal root handover\n{}\n{}\n", root_key(3).root(), root_key(1).root());
    let forged = root_key(1).sign(&text).unwrap();
    let other_name = RootKey::generate("other.example", &mut StdRng::seed_from_u64(3)).unwrap();
    let renamed = other_name.hand_over(&root_key(1).root()).unwrap();
    for bad in [
        vec![forged],
        vec![renamed],
        vec![over(3, 2)],
        vec![over(2, 1), over(3, 2)],
        vec![over(1, 2), over(2, 1)],
        vec![over(3, 2), over(2, 3), over(3, 1)],
        vec![over(3, 1) + "\n"],
        vec![over(3, 1).replacen('\n', "\n\n", 1)],
        vec![first().note().to_owned()],
        vec!["x".repeat(3000)],
        (2..=18).map(|from| over(from + 1, from)).rev().chain([over(2, 1)]).collect(),
    ] {
        assert!(Claimed::read(&list(bad.clone())).is_err(), "{bad:?}");
    }
}

#[test]
fn a_root_key_comes_back_from_its_file_and_is_not_printed() {
    let key = root_key(1);
    let text = key.to_text(NOW);
    let again: RootKey = text.expose().parse().unwrap();
    assert_eq!(again.root(), key.root());
    let secret = text.expose().lines().last().unwrap().to_owned();
    assert!(!format!("{key:?}").contains(&secret[40..60]));
    for bad in ["", "# only a comment\n", &format!("{secret}\n{secret}\n"), &key.root().to_string()] {
        assert!(bad.parse::<RootKey>().is_err());
    }
    assert!(RootKey::generate("two words", &mut StdRng::seed_from_u64(1)).is_err());
}

/// Made by an earlier version of this program: what senders have pinned must go on being read.
#[test]
fn the_list_of_the_fixtures_is_read_from_its_first_root_on() {
    let note = include_str!("../../../fixtures/keys/vendor.list");
    let first_root: Root = include_str!("../../../fixtures/keys/vendor.root").parse().unwrap();
    let list = read(note, &first_root).unwrap();
    assert_eq!((list.vendor(), list.version(), list.note()), (NAME, 5, note));
    assert_ne!(*list.root(), first_root);
    let fingerprints: Vec<String> =
        list.recipients(list.issued()).unwrap().iter().map(Recipient::fingerprint).collect();
    let (alice, bob) = ("e7d1 5e83 cbcc 41b6 8536 cc0b 21cc 5c3f", "438c 392e 176e 98ce 9b32 6ba9 250d e534");
    assert_eq!(fingerprints, [alice, bob]);
    let carol = &list.keys()[0];
    assert_eq!((carol.state, carol.reason.as_deref()), (KeyState::Revoked, Some("laptop lost in a train")));
    assert_eq!(carol.recipient.words(), "crystal weather viable practice master leader rather client");
}

/// Whatever a vendor's own key signs: it is refused, or it says what it says in the one way of saying it.
#[test]
fn what_is_read_is_written_back_the_same_or_it_is_not_read() {
    use rand::RngExt as _;
    let mut rng = StdRng::seed_from_u64(7);
    let text = text_of(&first());
    let pieces = ["0", "9", "-", "\"", "\\", "\\u0000", "{", "}", "[", "]", ",", ":", "null", "1e9", "Z", "é", " "];
    let mut refused = 0;
    for _ in 0..1_000 {
        let mut changed = text.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..changed.len());
            if changed.is_char_boundary(at) && changed.is_char_boundary(at + 1) {
                let cut = if rng.random_bool(0.7) { at + 1 } else { at };
                changed.replace_range(at..cut, pieces[rng.random_range(0..pieces.len())]);
            }
        }
        match read(&signed(&changed), &root_key(1).root()) {
            Ok(list) => assert_eq!(text_of(&list), changed),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 900, "{refused}");
}
