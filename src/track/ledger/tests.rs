use std::path::PathBuf;
use std::thread;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;

use super::*;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::track::Phase;
use crate::track::policy::RetentionPolicy;
use crate::track::receipt::tests::logged;
use crate::track::receipt::{DeletionReason, Kind, PortalKey, Receipt, ReceiptKey, StepDone};

const PORTAL: &str = "https://support.vendor.example/";
const DAY: i64 = 86_400;

fn day(number: i64) -> Timestamp {
    Timestamp::EPOCH.plus_days(20_000 + number)
}

fn ticket(name: &str) -> TicketId {
    name.parse().unwrap()
}

fn key(seed: u64) -> ReceiptKey {
    ReceiptKey::generate("support.vendor.example", &mut StdRng::seed_from_u64(seed)).unwrap()
}

fn sealed(number: u8, name: &str) -> Sealed {
    Sealed {
        snapshot: FileId([number; 16]),
        ticket: ticket(name),
        size: 1000 + u64::from(number),
        sha256: hex::encode([number; 32]),
        file: Some(format!("/home/ann/{name}.tarseal")),
    }
}

fn note(number: u8, kind: Kind, signer: &ReceiptKey) -> String {
    let gone = kind == Kind::Deletion;
    let receipt = Receipt {
        version: 1,
        kind,
        id: hex::encode([number; 16]),
        portal: signer.name().to_owned(),
        ticket: signer.hide_ticket(&"acme".parse().unwrap(), &ticket("4711")),
        sha256: hex::encode([number; 32]),
        size: 1000 + u64::from(number),
        uploaded: day(0),
        closed: gone.then(|| day(10)),
        due: day(101),
        deleted: gone.then(|| day(100)),
        reason: gone.then_some(DeletionReason::TicketClosed),
        steps: if gone {
            [Phase::ShareDestroyed, Phase::BytesGone, Phase::VerifiedAbsent, Phase::RowScrubbed]
                .map(|step| StepDone {
                    step,
                    store: "files".to_owned(),
                    method: "removed".to_owned(),
                    verified_at: day(100),
                })
                .to_vec()
        } else {
            Vec::new()
        },
        backup_horizon_days: 7,
        policy_version: 1,
        grants: gone.then_some(0),
    };
    logged(&receipt, signer, 2)
}

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path(), &RetentionPolicy::default()).unwrap()
    }

    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// A ledger with one snapshot deleted and proved, one stored, one only sealed.
    fn lived_in(&self) -> Ledger {
        let mut ledger = self.open();
        let signer = key(1);
        ledger.pin(PORTAL, &signer.portal_key(), day(0)).unwrap();
        for number in 1..=2 {
            ledger.sealed(sealed(number, "4711"), day(0)).unwrap();
            ledger.uploading(&FileId([number; 16]), PORTAL, day(0)).unwrap();
            ledger.sent(&FileId([number; 16]), day(0), day(0)).unwrap();
            ledger.receipt(&FileId([number; 16]), &note(number, Kind::Upload, &signer), day(0)).unwrap();
        }
        ledger.sealed(sealed(3, "4712"), day(1)).unwrap();
        ledger.closed(&ticket("4711"), PORTAL, day(10), day(11)).unwrap();
        ledger.receipt(&FileId([1; 16]), &note(1, Kind::Deletion, &signer), day(101)).unwrap();
        ledger
    }
}

fn told(phase: Phase) -> Told {
    Told {
        phase,
        due_at: Some(day(101)),
        deleted_at: (phase == Phase::Deleted).then(|| day(100)),
        reads: 2,
        readers: None,
    }
}

#[test]
fn a_snapshot_is_followed_from_sealing_to_the_proof_that_it_is_gone() {
    let place = Place::new();
    let mut ledger = place.lived_in();
    let gone = ledger.snapshot(&FileId([1; 16])).unwrap().unwrap();
    assert_eq!((gone.phase(), gone.deleted_at()), (Phase::Deleted, Some(day(100))));
    assert!(gone.upload_receipt.is_some() && gone.deletion_receipt.is_some());
    let there = ledger.snapshot(&FileId([2; 16])).unwrap().unwrap();
    assert_eq!((there.phase(), there.sent_at(), there.closed_at()), (Phase::Stored, Some(day(0)), Some(day(10))));
    assert_eq!(there.due_at, Some(day(101)));
    assert_eq!(there.portal.as_deref(), Some(PORTAL));
    assert_eq!(ledger.of_ticket(&ticket("4711")).unwrap().len(), 2);
    let waiting = &ledger.of_ticket(&ticket("4712")).unwrap()[0];
    assert_eq!((waiting.phase(), waiting.due_at), (Phase::Uploading, None));
    assert_eq!(ledger.snapshots().unwrap().len(), 3);
    assert_eq!(ledger.verify().unwrap(), ledger.head().unwrap());

    ledger.told(&FileId([2; 16]), told(Phase::Stored), day(20)).unwrap();
    assert_eq!(ledger.snapshot(&FileId([2; 16])).unwrap().unwrap().reads(), 2);
    ledger.reopened(&ticket("4711"), PORTAL, day(30), day(30)).unwrap();
    let open = ledger.snapshot(&FileId([2; 16])).unwrap().unwrap();
    assert_eq!((open.closed_at(), open.due_at), (None, Some(day(365))), "only the hard cap is left");
    assert_eq!(ledger.snapshot(&FileId([1; 16])).unwrap().unwrap(), gone, "what is gone stays gone");
    ledger.verify().unwrap();
}

#[test]
fn an_upload_that_was_given_up_begins_anew() {
    let place = Place::new();
    let mut ledger = place.open();
    let one = sealed(1, "4711");
    let snapshot = one.snapshot;
    ledger.sealed(one, day(0)).unwrap();
    ledger.uploading(&snapshot, PORTAL, day(0)).unwrap();
    ledger.withdrawn(&snapshot, day(1)).unwrap();
    assert_eq!(ledger.snapshot(&snapshot).unwrap().unwrap().withdrawn, Some(day(1)));
    ledger.uploading(&snapshot, PORTAL, day(2)).unwrap();
    ledger.sent(&snapshot, day(2), day(2)).unwrap();
    assert_eq!(ledger.snapshot(&snapshot).unwrap().unwrap().withdrawn, None);
    ledger.withdrawn(&snapshot, day(3)).unwrap();
    assert_eq!(ledger.snapshot(&snapshot).unwrap().unwrap().withdrawn, Some(day(3)));
    ledger.verify().unwrap();
}

#[test]
fn the_ledger_is_the_same_after_it_was_closed_and_opened() {
    let place = Place::new();
    let before = place.lived_in().snapshots().unwrap();
    let mut again = place.open();
    assert_eq!(again.snapshots().unwrap(), before);
    again.verify().unwrap();
}

#[test]
fn what_says_nothing_new_is_not_written() {
    let place = Place::new();
    let mut ledger = place.lived_in();
    let head = ledger.head().unwrap();
    ledger.sealed(sealed(1, "4711"), day(50)).unwrap();
    ledger.uploading(&FileId([1; 16]), PORTAL, day(50)).unwrap();
    ledger.sent(&FileId([2; 16]), day(0), day(50)).unwrap();
    ledger.receipt(&FileId([2; 16]), &note(2, Kind::Upload, &key(1)), day(50)).unwrap();
    ledger.closed(&ticket("4711"), PORTAL, day(10), day(50)).unwrap();
    ledger.closed(&ticket("4711"), "https://elsewhere.example/", day(9), day(50)).unwrap();
    ledger.closed(&ticket("none"), PORTAL, day(9), day(50)).unwrap();
    assert_eq!(ledger.pin(PORTAL, &key(1).portal_key(), day(50)).unwrap(), Pinned::Same);
    assert_eq!(ledger.head().unwrap(), head);
    ledger.told(&FileId([2; 16]), told(Phase::Stored), day(50)).unwrap();
    ledger.told(&FileId([2; 16]), told(Phase::Stored), day(51)).unwrap();
    assert_eq!(ledger.head().unwrap().number, head.number + 1);
}

#[test]
fn a_receipt_counts_only_with_the_pinned_key_and_for_its_own_snapshot() {
    let place = Place::new();
    let mut ledger = place.open();
    let id = FileId([1; 16]);
    let good = note(1, Kind::Upload, &key(1));
    assert!(matches!(ledger.receipt(&id, &good, day(0)), Err(LedgerError::Unknown(_))));
    ledger.sealed(sealed(1, "4711"), day(0)).unwrap();
    ledger.uploading(&id, PORTAL, day(0)).unwrap();
    assert!(matches!(ledger.receipt(&id, &good, day(0)), Err(LedgerError::NoKey(_))));
    assert_eq!(ledger.pin(PORTAL, &key(1).portal_key(), day(0)).unwrap(), Pinned::First);
    let head = ledger.head().unwrap();
    assert!(matches!(ledger.receipt(&id, &note(1, Kind::Upload, &key(2)), day(0)), Err(LedgerError::Receipt(_))));
    assert!(matches!(
        ledger.receipt(&id, &note(2, Kind::Deletion, &key(1)), day(0)),
        Err(LedgerError::OtherReceipt(_))
    ));
    assert!(matches!(ledger.receipt(&id, &good.replace("1001", "1002"), day(0)), Err(LedgerError::Receipt(_))));
    assert_eq!(ledger.head().unwrap(), head, "nothing of it was written");
    ledger.receipt(&id, &good, day(0)).unwrap();
    assert_eq!(ledger.snapshot(&id).unwrap().unwrap().phase(), Phase::Stored);
}

#[test]
fn another_key_than_the_first_is_refused() {
    let place = Place::new();
    let mut ledger = place.open();
    ledger.pin(PORTAL, &key(1).portal_key(), day(0)).unwrap();
    assert!(matches!(ledger.pin(PORTAL, &key(2).portal_key(), day(1)), Err(LedgerError::KeyChanged { .. })));
    assert_eq!(ledger.pinned(PORTAL).unwrap(), Some(key(1).portal_key()));
    assert_eq!(ledger.pinned("https://elsewhere.example/").unwrap(), None::<PortalKey>);
    assert_eq!(ledger.pin("https://elsewhere.example/", &key(2).portal_key(), day(1)).unwrap(), Pinned::First);
}

#[test]
fn a_snapshot_has_one_size_and_one_digest() {
    let place = Place::new();
    let mut ledger = place.lived_in();
    let mut other = sealed(1, "4711");
    other.sha256 = hex::encode([9; 32]);
    assert!(matches!(ledger.sealed(other, day(2)), Err(LedgerError::Differs(_))));
    assert!(matches!(ledger.sealed(sealed(1, "4712"), day(2)), Err(LedgerError::Differs(_))));
}

#[test]
fn due_tells_near_from_overdue_from_unproved() {
    let place = Place::new();
    let mut ledger = place.lived_in();
    let standings = |ledger: &Ledger, now: Timestamp, within: i64| -> Vec<(Standing, FileId)> {
        ledger.due(now, within).unwrap().into_iter().map(|due| (due.standing, due.entry.snapshot)).collect()
    };
    let two = FileId([2; 16]);
    assert_eq!(standings(&ledger, day(80), 14 * DAY), []);
    assert_eq!(standings(&ledger, day(87), 14 * DAY), [(Standing::Due, two)]);
    assert_eq!(standings(&ledger, day(101).plus_seconds(-1), 0), []);
    assert_eq!(standings(&ledger, day(101), 0), [(Standing::Overdue, two)]);
    ledger.told(&two, told(Phase::Due), day(102)).unwrap();
    assert_eq!(
        standings(&ledger, day(102), 0),
        [(Standing::Overdue, two)],
        "a deletion that began is not one that ended"
    );
    ledger.told(&two, told(Phase::Deleted), day(103)).unwrap();
    assert_eq!(standings(&ledger, day(103), 0), [(Standing::Unconfirmed, two)]);
    assert_eq!(standings(&ledger, day(60), 0), [(Standing::Unconfirmed, two)], "whatever the window");
    assert_ne!(ledger.snapshot(&two).unwrap().unwrap().phase(), Phase::Deleted, "a word is no proof");
    ledger.receipt(&two, &note(2, Kind::Deletion, &key(1)), day(104)).unwrap();
    assert_eq!(standings(&ledger, day(200), 14 * DAY), []);
    ledger.verify().unwrap();
}

#[test]
fn a_portals_absurd_number_does_no_harm() {
    let place = Place::new();
    let mut ledger = place.lived_in();
    ledger.told(&FileId([2; 16]), Told { reads: u64::MAX, ..told(Phase::Stored) }, day(20)).unwrap();
    ledger.verify().unwrap();
    assert_eq!(place.open().snapshot(&FileId([2; 16])).unwrap().unwrap().reads(), (1 << 53) - 1);
}

#[test]
fn another_policy_counts_all_deadlines_anew() {
    let place = Place::new();
    let head = place.lived_in().head().unwrap();
    let policy = RetentionPolicy { after_close_days: 30, ..RetentionPolicy::default() };
    let mut ledger = Ledger::open(&place.path(), &policy).unwrap();
    assert_eq!(ledger.snapshot(&FileId([2; 16])).unwrap().unwrap().due_at, Some(day(41)));
    assert_eq!(ledger.due(day(41), 0).unwrap().len(), 1);
    assert_eq!(ledger.verify().unwrap(), head, "the chain is as it was");
}

#[test]
fn a_ledger_that_was_folded_by_older_rules_is_folded_anew() {
    let place = Place::new();
    let mut ledger = place.open();
    ledger.sealed(sealed(2, "4711"), day(0)).unwrap();
    ledger.uploading(&FileId([2; 16]), PORTAL, day(0)).unwrap();
    ledger.sent(&FileId([2; 16]), day(0), day(0)).unwrap();
    ledger.closed(&ticket("4711"), PORTAL, day(5), day(150)).unwrap();
    let entry = ledger.snapshot(&FileId([2; 16])).unwrap().unwrap();
    assert_eq!(entry.due_at, Some(day(158)), "closed long ago, told today: a week is left");
    ledger.verify().unwrap();
    drop(ledger);

    // As the first version counted it and wrote it down.
    let plain = serde_json::to_string(&RetentionPolicy::default()).unwrap();
    let mut shown = serde_json::to_value(&entry).unwrap();
    shown["due_at"] = serde_json::to_value(day(96)).unwrap();
    shown["state"].as_object_mut().unwrap().remove("not_before").unwrap();
    let raw = place.raw();
    raw.execute("UPDATE policy SET policy = ?1", [plain]).unwrap();
    raw.execute("UPDATE entry SET entry = ?1, attention_at = ?2", (shown.to_string(), day(96).seconds())).unwrap();
    drop(raw);
    let mut ledger = place.open();
    ledger.verify().unwrap();
    assert_eq!(ledger.snapshot(&FileId([2; 16])).unwrap().unwrap(), entry);
}

/// Applies one change to a copy of a good ledger and says that it was found.
fn is_found(change: &str) {
    let place = Place::new();
    place.lived_in().verify().unwrap();
    let changed = place.raw().execute_batch(change);
    changed.unwrap_or_else(|error| panic!("{change}: {error}"));
    let found = place.open().verify();
    assert!(matches!(found, Err(LedgerError::Changed { .. })), "{change}: {found:?}");
}

#[test]
fn every_edited_removed_or_moved_row_is_found() {
    let rows = Place::new().lived_in().head().unwrap().number;
    assert!(rows > 10);
    for row in 1..=rows {
        is_found(&format!("UPDATE record SET body = replace(body, '20', '21') WHERE number = {row}"));
        is_found(&format!("UPDATE record SET body = body || ' ' WHERE number = {row}"));
        is_found(&format!("UPDATE record SET hash = zeroblob(32) WHERE number = {row}"));
        is_found(&format!("UPDATE record SET previous = zeroblob(31) WHERE number = {row}"));
        is_found(&format!("DELETE FROM record WHERE number = {row}"));
        is_found(&format!("DELETE FROM record WHERE number >= {row}"));
        is_found(&format!(
            "DELETE FROM record WHERE number = {row}; UPDATE record SET number = number - 1 WHERE number > {row};"
        ));
        if row < rows {
            is_found(&format!(
                "UPDATE record SET number = 1000 WHERE number = {row};
                 UPDATE record SET number = {row} WHERE number = {row} + 1;
                 UPDATE record SET number = {row} + 1 WHERE number = 1000;"
            ));
        }
        is_found(&format!(
            "INSERT INTO record SELECT {rows} + 1, previous, body, hash FROM record WHERE number = {row}"
        ));
    }
    is_found("UPDATE head SET number = number + 1");
    is_found("UPDATE head SET hash = zeroblob(32)");
}

#[test]
fn what_is_shown_cannot_be_changed_behind_the_chain() {
    for change in [
        "UPDATE entry SET entry = replace(entry, 'stored', 'deleted') WHERE snapshot LIKE '02%'",
        "UPDATE entry SET attention_at = NULL",
        "UPDATE entry SET attention_at = attention_at + 86400",
        "UPDATE entry SET ticket = '4712'",
        "UPDATE entry SET portal = 'https://elsewhere.example/'",
        "DELETE FROM entry WHERE first = (SELECT max(first) FROM entry)",
        "INSERT INTO entry SELECT first + 1000, 'ff', ticket, portal, attention_at, entry FROM entry LIMIT 1",
        "UPDATE portal_key SET portal = 'https://elsewhere.example/'",
        "UPDATE portal_key SET first_seen = 0",
        "DELETE FROM portal_key",
    ] {
        is_found(change);
    }
    let other = key(2).portal_key();
    is_found(&format!("UPDATE portal_key SET key = '{other}'"));
}

#[test]
fn writers_at_the_same_time_make_one_chain() {
    let place = Place::new();
    drop(place.open());
    thread::scope(|scope| {
        for writer in 0..4u8 {
            let place = &place;
            scope.spawn(move || {
                let mut ledger = place.open();
                for number in 0..10 {
                    ledger.sealed(sealed(writer * 10 + number, "4711"), day(0)).unwrap();
                }
            });
        }
    });
    let mut ledger = place.open();
    assert_eq!(ledger.snapshots().unwrap().len(), 40);
    assert_eq!(ledger.verify().unwrap().number, 40);
}

#[test]
fn a_write_that_was_cut_off_leaves_nothing() {
    let place = Place::new();
    let head = place.lived_in().head().unwrap();
    // A process that dies before its transaction ends leaves a journal; the next one rolls it back.
    let raw = place.raw();
    raw.execute_batch("BEGIN IMMEDIATE; DELETE FROM record WHERE number > 3; UPDATE head SET number = 3;").unwrap();
    drop(raw);
    assert_eq!(place.open().verify().unwrap(), head);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let mode = || std::fs::metadata(place.path()).unwrap().permissions().mode() & 0o777;
    drop(place.open());
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(place.open());
    assert_eq!(mode(), 0o600);
}

#[test]
fn another_programs_file_is_left_alone() {
    let place = Place::new();
    place.raw().execute_batch("CREATE TABLE contacts (name TEXT)").unwrap();
    let open = || Ledger::open(&place.path(), &RetentionPolicy::default()).map(|_| ());
    assert!(matches!(open(), Err(LedgerError::NotALedger { .. })));
    std::fs::write(place.path(), "no database at all, and longer than a header, for sure".repeat(100)).unwrap();
    assert!(matches!(open(), Err(LedgerError::Database(_))));
    assert!(std::fs::read_to_string(place.path()).unwrap().starts_with("no database"));
    assert!(matches!(
        Ledger::open(&place.directory.path().join("none/ledger.db"), &RetentionPolicy::default()),
        Err(LedgerError::Local { .. })
    ));
}
