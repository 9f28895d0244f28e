//! Receipts as the portal gives them out, and all that is refused.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::note::MAX_SIZE;
use super::*;
use crate::ids::TenantId;
use crate::ids::TicketId;
use crate::track::log::record::sample;
use crate::track::log::tree::{Tiles, Tree, leaf};
use crate::track::log::{Record, checkpoint};

/// The receipt as the portal gives it out, in a log of `others` records before and behind.
pub(crate) fn logged(receipt: &Receipt, key: &ReceiptKey, others: u64) -> String {
    let note = sign(receipt, key).unwrap();
    let (act, at) = match receipt.kind {
        Kind::Upload => ("store", receipt.uploaded),
        Kind::Deletion => ("delete", receipt.deleted.unwrap()),
    };
    let record = Record { act: act.into(), at, receipt: Some(digest(&note)), ..sample(others + 1) };
    prove(&note, &record, key, others)
}

fn prove(note: &str, record: &Record, key: &ReceiptKey, others: u64) -> String {
    let mut tree = Tree::new(0, Tiles::default());
    let line = record.line();
    for number in 1..=others {
        tree.append(leaf(&sample(number).line())).unwrap();
    }
    tree.append(leaf(&line)).unwrap();
    for number in 1..=others {
        tree.append(leaf(&sample(others + 1 + number).line())).unwrap();
    }
    let head = tree.head().unwrap();
    let mut tiles = Tiles::default();
    for (place, hashes) in tree.take_changed() {
        tiles.put(place, hashes);
    }
    let hashes = crate::track::log::tree::inclusion(others, head.size, &tiles).unwrap();
    with_proof(note, line, others, hashes, checkpoint::sign(&head, key).unwrap()).unwrap()
}

fn key(name: &str, seed: u64) -> ReceiptKey {
    ReceiptKey::generate(name, &mut StdRng::seed_from_u64(seed)).unwrap()
}

fn deletion() -> Receipt {
    let deleted: Timestamp = "2027-03-03T02:00:07Z".parse().unwrap();
    let steps = [Phase::ShareDestroyed, Phase::BytesGone, Phase::VerifiedAbsent, Phase::RowScrubbed];
    Receipt {
        version: 1,
        kind: Kind::Deletion,
        id: "ab".repeat(16),
        portal: String::from("support.vendor.example"),
        ticket: "cd".repeat(32),
        sha256: "ef".repeat(32),
        size: MAX_SIZE,
        uploaded: "2026-11-21T14:21:00Z".parse().unwrap(),
        closed: Some("2026-12-03T10:00:00Z".parse().unwrap()),
        due: "2027-03-04T00:00:00Z".parse().unwrap(),
        deleted: Some(deleted),
        reason: Some(DeletionReason::TicketClosed),
        steps: steps
            .into_iter()
            .map(|step| StepDone {
                step,
                store: String::from("files"),
                method: String::from("removed"),
                verified_at: deleted,
            })
            .collect(),
        backup_horizon_days: 7,
        policy_version: 1,
        grants: Some(2),
    }
}

fn upload() -> Receipt {
    let (deleted, reason, steps, grants) = (None, None, Vec::new(), None);
    Receipt { kind: Kind::Upload, closed: None, deleted, reason, steps, grants, ..deletion() }
}

#[test]
fn a_signed_receipt_verifies_with_the_portals_key() {
    let key = key("support.vendor.example", 1);
    for receipt in [upload(), deletion()] {
        let note = logged(&receipt, &key, 700);
        assert!(note.len() <= MAX_LENGTH);
        let portal_key: PortalKey = format!("{}\n", key.portal_key()).parse().unwrap();
        assert_eq!(verify(&note, &portal_key).unwrap(), receipt);
    }
}

#[test]
fn any_changed_byte_is_refused() {
    let key = key("support.vendor.example", 1);
    let note = logged(&deletion(), &key, 20);
    for index in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        for flip in [1, 0x20, 0x80] {
            bytes[index] ^= flip;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                assert!(verify(text, &key.portal_key()).is_err(), "byte {index}");
            }
            bytes[index] ^= flip;
        }
    }
    for length in 0..note.len() {
        if let Some(part) = note.get(..length) {
            assert!(verify(part, &key.portal_key()).is_err(), "cut to {length}");
        }
    }
}

#[test]
fn another_key_or_name_is_refused() {
    let note = logged(&upload(), &key("support.vendor.example", 1), 3);
    let same_name = key("support.vendor.example", 2).portal_key();
    assert!(matches!(verify(&note, &same_name), Err(ReceiptError::OtherKey { .. })));
    assert!(matches!(verify(&note, &key("other.example", 1).portal_key()), Err(ReceiptError::OtherKey { .. })));
}

#[test]
fn anything_before_or_after_a_receipt_is_refused() {
    let key = key("support.vendor.example", 1);
    let note = logged(&upload(), &key, 3);
    let signature = note.lines().last().unwrap();
    for changed in [
        format!("{note}\n"),
        format!("{note} "),
        format!("{note}{signature}\n"),
        format!("\n{note}"),
        format!("\u{feff}{note}"),
        note.replace('\n', "\r\n"),
        note.replacen('{', "{ ", 1),
    ] {
        assert!(verify(&changed, &key.portal_key()).is_err(), "{changed}");
    }
}

#[test]
fn a_note_that_the_portal_signed_is_not_a_receipt_for_that() {
    let key = key("support.vendor.example", 1);
    let canonical = serde_json_canonicalizer::to_string(&upload()).unwrap();
    let two_keys = canonical.replacen("\"version\":1", "\"version\":2,\"version\":1", 1);
    let unknown = canonical.replacen("\"version\":1", "\"version\":1,\"zeal\":1", 1);
    for text in [
        format!("{}\n1\nAA==\n", key.name()),
        format!("{two_keys}\n"),
        format!("{unknown}\n"),
        format!("{canonical} \n"),
    ] {
        let note = key.sign_text(&text).unwrap();
        let record = Record { receipt: Some(digest(&note)), act: String::from("store"), ..sample(1) };
        let whole = prove(&note, &record, &key, 0);
        assert!(matches!(verify(&whole, &key.portal_key()), Err(ReceiptError::Malformed(_))), "{whole}");
    }
}

#[test]
fn a_receipt_counts_only_with_the_proof_of_its_own_record() {
    let key = key("support.vendor.example", 1);
    let portal = key.portal_key();
    let (one, two) = (sign(&upload(), &key).unwrap(), sign(&deletion(), &key).unwrap());
    let record = Record { act: String::from("store"), at: upload().uploaded, receipt: Some(digest(&one)), ..sample(1) };
    let found = verify_logged(&prove(&one, &record, &key, 5), &portal).unwrap();
    assert_eq!((found.index, found.head.size, &found.record), (5, 11, &record));
    assert!(matches!(verify(&one, &portal), Err(ReceiptError::Malformed(_))), "no proof at all");
    for other in [
        Record { receipt: Some(digest(&two)), ..record.clone() },
        Record { receipt: None, ..record.clone() },
        Record { act: String::from("delete"), ..record.clone() },
        Record { at: record.at.plus_seconds(1), ..record.clone() },
        Record { outcome: String::from("denied"), ..record.clone() },
    ] {
        let whole = prove(&one, &other, &key, 5);
        assert!(matches!(verify(&whole, &portal), Err(ReceiptError::Unproved(_))), "{other:?}");
    }
    let stranger = ReceiptKey::generate("support.vendor.example", &mut StdRng::seed_from_u64(9)).unwrap();
    let foreign = prove(&one, &record, &stranger, 5);
    assert!(matches!(verify(&foreign, &portal), Err(ReceiptError::Unproved(LogError::BadSignature))));
    let (_, proof) =
        prove(&one, &record, &key, 5).split_once("\n\nc2sp").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let short = prove(&one, &record, &key, 4);
    let (note, _) = short.split_once("\n\nc2sp").unwrap();
    assert!(verify(&format!("{note}\n\nc2sp{proof}"), &portal).is_ok(), "the proof is whole by itself");
}

#[test]
fn a_receipt_with_the_longest_words_and_the_proof_of_a_huge_log_stays_short() {
    let key = key("support-portal.customer-care.vendor.example", 1);
    let receipt = Receipt { portal: key.name().to_owned(), ..deletion() };
    let note = sign(&receipt, &key).unwrap();
    let record = Record {
        tenant: "t".repeat(64).parse().unwrap(),
        number: 1 << 52,
        ticket: Some("x".repeat(64)),
        act: String::from("delete"),
        at: receipt.deleted.unwrap(),
        actor: String::from("worker"),
        role: String::from("worker"),
        address: None,
        request: None,
        receipt: Some(digest(&note)),
        ..sample(1)
    };
    let head = crate::track::log::Head { size: 1 << 33, root: [9; 32] };
    let checkpoint = checkpoint::sign(&head, &key).unwrap();
    assert!(with_proof(&note, record.line(), 1 << 32, vec![[7; 32]; 33], checkpoint).unwrap().len() <= MAX_LENGTH);
}

#[test]
fn a_receipt_that_says_half_of_it_is_not_signed() {
    let key = key("support.vendor.example", 1);
    for half in [
        Receipt { deleted: None, ..deletion() },
        Receipt { reason: None, ..deletion() },
        Receipt { steps: Vec::new(), ..deletion() },
        Receipt { grants: Some(0), ..upload() },
        Receipt { kind: Kind::Upload, ..deletion() },
        Receipt { size: MAX_SIZE + 1, ..deletion() },
        Receipt { sha256: String::from("EF"), ..deletion() },
        Receipt { portal: String::from("other.example"), ..deletion() },
        Receipt { version: 2, ..deletion() },
    ] {
        assert!(matches!(sign(&half, &key), Err(ReceiptError::Unsignable(_))), "{half:?}");
    }
}

#[test]
fn a_key_survives_its_text_and_is_not_printed() {
    for seed in 0..40 {
        let key = key("support.vendor.example/portal", seed);
        let text = key.to_text();
        let again: ReceiptKey = format!("{}\n", text.expose()).parse().unwrap();
        assert_eq!(again.portal_key(), key.portal_key());
        let printed = format!("{key:?}");
        assert!(!printed.contains(&text.expose()[text.expose().len() - 20..]));
    }
    for bad in ["", "two words", "a+b", "x\u{7}"] {
        assert!(ReceiptKey::generate(bad, &mut StdRng::seed_from_u64(0)).is_err(), "{bad:?}");
    }
    assert!("support.vendor.example+00000000+AAAA".parse::<PortalKey>().is_err());
}

#[test]
fn a_ticket_is_hidden_behind_the_key() {
    let (one, two) = (key("a.example", 1), key("a.example", 2));
    let tenant: TenantId = "acme".parse().unwrap();
    let ticket: TicketId = "4711".parse().unwrap();
    assert_eq!(one.hide_ticket(&tenant, &ticket), one.hide_ticket(&tenant, &ticket));
    assert_ne!(one.hide_ticket(&tenant, &ticket), two.hide_ticket(&tenant, &ticket));
    assert_ne!(one.hide_ticket(&tenant, &ticket), one.hide_ticket(&tenant, &"4712".parse().unwrap()));
    assert!(!one.hide_ticket(&tenant, &ticket).contains("4711"));
}
