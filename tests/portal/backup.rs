//! Backups, what is put back from them, and what is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tarseal::ids::TicketId;
use tarseal::portal::admin::{TokenOrder, restore};
use tarseal::portal::backup::{BackedUp, BackupError, BackupOrder, Kind, RestoreOrder, Schedule};
use tarseal::portal::{PortalError, Role, Swept};
use tarseal::track::receipt::verify;
use tarseal::track::{Phase, RetentionPolicy};

use crate::client::{Sample, content, event, get, post, problem, request, store, told};
use crate::support::{START, TICKET, TestPortal};

/// A place of backups beside a portal's directory.
fn place(portal: &TestPortal) -> PathBuf {
    portal.data().parent().unwrap().join("backups")
}

fn back_up(portal: &TestPortal, kind: Kind) -> BackedUp {
    let order = BackupOrder { kind, to: place(portal), schedule: Schedule::default() };
    portal.admin().backup(&order).unwrap()
}

fn order(portal: &TestPortal, from: &BackedUp, shares: &BackedUp) -> RestoreOrder {
    RestoreOrder {
        from: from.path.clone(),
        data: portal.data().parent().unwrap().join("restored"),
        shares: Some(shares.path.clone()),
        without_shares: false,
        tombstones: vec![portal.data().to_owned()],
        tombstones_lost: false,
        verify: true,
    }
}

/// Stores a sample for another ticket of the tenant.
fn store_for(portal: &TestPortal, ticket: &str, sample: &Sample) {
    let mut order = TokenOrder::new(Role::Upload);
    order.ticket = Some(ticket.parse().unwrap());
    let token = portal.admin().new_token(&order).unwrap().token.expose().clone();
    let announced = post(portal, &token, &format!("/v1/tickets/{ticket}/snapshots"), &sample.announcement());
    assert_eq!(announced.status(), 201);
    let upload = announced.headers()["location"].to_str().unwrap().to_owned();
    let sent = request(portal, &token, "PATCH", &upload)
        .header("tus-resumable", "1.0.0")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .body(sample.bytes.clone())
        .send()
        .unwrap();
    assert_eq!(sent.status(), 204);
}

fn receipt(portal: &TestPortal, sample: &Sample) -> String {
    get(portal, "", &format!("/v1/snapshots/{}/receipt", sample.id)).text().unwrap()
}

/// A new technician's token, for a portal that refuses the old ones.
fn sign_in_again(portal: &mut TestPortal) {
    let mut order = TokenOrder::new(Role::Technician);
    order.valid_seconds = Some(366 * 86_400);
    portal.technician = portal.admin().new_token(&order).unwrap().token.expose().clone();
}

/// Every file beneath a directory that holds these bytes.
fn holding(root: &Path, canary: &[u8]) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![root.to_owned()]);
    while let Some(path) = left.pop() {
        let named = path.to_string_lossy().as_bytes().windows(canary.len()).any(|part| part == canary);
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        if named || std::fs::read(&path).is_ok_and(|bytes| bytes.windows(canary.len()).any(|part| part == canary)) {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_was_deleted_after_the_backup_does_not_come_back_and_its_receipt_stays() {
    let mut portal = TestPortal::start_in_files();
    let (gone, kept) = (Sample::new(1, 50_000), Sample::new(2, 20_000));
    store(&portal, &gone);
    store_for(&portal, "4712", &kept);
    let backup = back_up(&portal, Kind::Portal);
    assert_eq!((backup.snapshots, backup.bytes, backup.fresh, backup.missing.len()), (2, 70_000, 2, 0));
    event(&portal, "close", &json!({}));
    portal.days_pass(90);
    let shares = back_up(&portal, Kind::Shares);
    assert!(!holding(&place(&portal), &gone.share.unwrap()).is_empty(), "the test sees what is there");
    portal.days_pass(2);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    let stated = verify(&receipt(&portal, &gone), &portal.portal().key()).unwrap();
    assert!(stated.steps.iter().any(|step| step.step == Phase::BytesGone && step.store == "blobs+backups"));
    assert_eq!(
        holding(&place(&portal), &gone.bytes[..64]),
        Vec::<PathBuf>::new(),
        "the bytes left the backups as well"
    );

    portal.stop();
    portal.days_pass(1);
    let order = order(&portal, &backup, &shares);
    let restored = restore(&order, portal.clock.clone()).unwrap();
    assert_eq!(restored.taken_at, START.parse().unwrap());
    assert_eq!((restored.snapshots, restored.deleted_again, restored.without_share), (1, 1, 0));
    assert_eq!(restored.missing, []);
    assert_eq!(holding(&order.data, &gone.bytes[..64]), Vec::<PathBuf>::new());
    assert_eq!(holding(&order.data, &gone.share.unwrap()), Vec::<PathBuf>::new());

    let old = portal.technician.clone();
    portal.restart_with(|config| config.data = order.data.clone());
    assert_eq!(told(get(&portal, &old, "/v1/tickets")).0, 401, "what was revoked since is not known: all are refused");
    sign_in_again(&mut portal);
    assert_eq!(problem(content(&portal, &gone).send().unwrap()), (410, String::from("/problems/expired")));
    let again = verify(&receipt(&portal, &gone), &portal.portal().key()).unwrap();
    assert_eq!(again, stated, "the receipt that was given is given again");
    assert_eq!(content(&portal, &kept).send().unwrap().bytes().unwrap(), kept.bytes);
    assert_eq!(portal.portal().sweep().unwrap(), Swept::default());
}

#[test]
fn a_deletion_that_was_cut_off_ends_in_the_restored_portal() {
    let mut portal = TestPortal::start_in_files();
    let sample = Sample::new(1, 5000);
    store(&portal, &sample);
    let (backup, shares) = (back_up(&portal, Kind::Portal), back_up(&portal, Kind::Shares));
    // Something else holds the file's place: the share goes, the bytes do not, and there is no receipt.
    event(&portal, "close", &json!({}));
    portal.set_clock("2026-11-25T00:00:00Z");
    let (blob, _) = portal.files().into_iter().find(|(path, _)| path.to_string_lossy().contains(&sample.id)).unwrap();
    portal.stop();
    portal.set_clock("2027-02-20T00:00:00Z");
    std::fs::remove_file(&blob).unwrap();
    std::fs::create_dir(&blob).unwrap();
    assert_eq!(portal.admin().sweep().unwrap().failed, 1);
    portal.set_clock("2026-11-26T00:00:00Z");

    let order = order(&portal, &backup, &shares);
    let restored = restore(&order, portal.clock.clone()).unwrap();
    assert_eq!(
        (restored.snapshots, restored.deleted_again),
        (0, 1),
        "it had begun, so it ends, whatever the clock says"
    );
    assert_eq!(holding(&order.data, &sample.bytes[..64]), Vec::<PathBuf>::new());
    portal.restart_with(|config| config.data = order.data.clone());
    assert!(verify(&receipt(&portal, &sample), &portal.portal().key()).is_ok());
}

#[test]
fn a_database_that_was_put_back_by_hand_brings_nothing_back() {
    let mut portal = TestPortal::start_in_files();
    let sample = Sample::new(1, 5000);
    store(&portal, &sample);
    let backup = back_up(&portal, Kind::Portal);
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    portal.portal().sweep().unwrap();
    let stated = verify(&receipt(&portal, &sample), &portal.portal().key()).unwrap();
    portal.stop();
    let database = portal.data().join("portal.db");
    for log in ["portal.db-wal", "portal.db-shm"] {
        drop(std::fs::remove_file(portal.data().join(log)));
    }
    std::fs::copy(backup.path.join("portal.db"), &database).unwrap();
    portal.days_pass(3);
    portal.restart();
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 410, "refused from the first request on");
    portal.portal().sweep().unwrap();
    assert_eq!(verify(&receipt(&portal, &sample), &portal.portal().key()).unwrap(), stated);
}

#[test]
fn nothing_is_restored_that_might_bring_back_what_was_deleted() {
    let portal = TestPortal::start_in_files();
    store(&portal, &Sample::new(1, 5000));
    let (backup, shares) = (back_up(&portal, Kind::Portal), back_up(&portal, Kind::Shares));
    let good = order(&portal, &backup, &shares);
    let refused = |change: &dyn Fn(&mut RestoreOrder)| {
        let mut order = good.clone();
        change(&mut order);
        let refused = restore(&order, portal.clock.clone()).unwrap_err();
        let home = portal.data().parent().unwrap();
        assert!(order.data == portal.data() || !order.data.exists(), "nothing is left");
        assert!(!home.join("restored.restoring").exists(), "nothing is left");
        match refused {
            PortalError::Backup(fault) => fault,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refused(&|order| order.tombstones.clear()), BackupError::TombstonesNeeded));
    assert!(matches!(refused(&|order| order.shares = None), BackupError::SharesNeeded));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&|order| order.tombstones = vec![empty.path().into()]), BackupError::NoTombstones(_)));
    assert!(matches!(refused(&|order| order.from = empty.path().into()), BackupError::NotABackup(_)));
    assert!(matches!(refused(&|order| order.from.clone_from(&shares.path)), BackupError::OtherKind { .. }));
    assert!(matches!(refused(&|order| order.data = portal.data().into()), BackupError::Exists(_)));

    portal.days_pass(8);
    assert!(matches!(refused(&|_| ()), BackupError::SharesTooOld(_)));
    portal.days_pass(730);
    assert!(matches!(refused(&|_| ()), BackupError::TooOld(_)));
    portal.set_clock(START);
    let database = backup.path.join("portal.db");
    let mut bytes = std::fs::read(&database).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&database, bytes).unwrap();
    assert!(matches!(refused(&|_| ()), BackupError::Damaged(_)));
}

#[test]
fn a_sealed_file_that_is_damaged_in_the_backup_is_named_and_not_restored() {
    let portal = TestPortal::start_in_files();
    let (damaged, good) = (Sample::new(1, 5000), Sample::new(2, 5000));
    store(&portal, &damaged);
    store(&portal, &good);
    let (backup, shares) = (back_up(&portal, Kind::Portal), back_up(&portal, Kind::Shares));
    let blob = holding(&place(&portal), &damaged.bytes[..64]).remove(0);
    let mut bytes = damaged.bytes.clone();
    bytes[4000] ^= 1;
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, bytes).unwrap();
    let order = order(&portal, &backup, &shares);
    let restored = restore(&order, portal.clock.clone()).unwrap();
    assert_eq!((restored.snapshots, restored.missing), (1, vec![damaged.id.parse().unwrap()]));
    assert_eq!(holding(&order.data, &damaged.bytes[..64]), Vec::<PathBuf>::new());
}

#[test]
fn a_backup_is_for_its_owner_alone_and_a_failed_one_leaves_the_last() {
    let portal = TestPortal::start_in_files();
    let sample = Sample::new(1, 5000);
    store(&portal, &sample);
    let first = back_up(&portal, Kind::Portal);
    back_up(&portal, Kind::Shares);
    let mut left = vec![place(&portal)];
    while let Some(path) = left.pop() {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.file_name().unwrap() != "lock" {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    assert_eq!(holding(&first.path, &sample.share.unwrap()), Vec::<PathBuf>::new(), "shares are apart");

    portal.days_pass(1);
    let second = Sample::new(2, 5000);
    store(&portal, &second);
    let shelf = place(&portal).join("blobs/default").join(&second.id[..2]);
    std::fs::write(&shelf, b"in the way").unwrap();
    let order = BackupOrder { kind: Kind::Portal, to: place(&portal), schedule: Schedule::default() };
    assert!(portal.admin().backup(&order).is_err());
    let names = || {
        let names = std::fs::read_dir(place(&portal)).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().contains('-')).count()
    };
    assert_eq!(names(), 2, "the two of before and no half one");
    std::fs::remove_file(&shelf).unwrap();
    assert_eq!(portal.admin().backup(&order).unwrap().fresh, 1, "what lies there already is not copied again");

    let within = BackupOrder { to: portal.data().join("backups"), ..order.clone() };
    let refused = portal.admin().backup(&within);
    assert!(matches!(refused, Err(PortalError::Backup(BackupError::Within(_)))));
    let other = TestPortal::start_in_files();
    assert!(matches!(other.admin().backup(&order), Err(PortalError::Backup(BackupError::OtherPortal(_)))));
}

#[test]
fn older_backups_are_thinned_out_and_shares_live_for_seven_days() {
    let portal = TestPortal::start_in_files();
    store(&portal, &Sample::new(1, 100));
    for _ in 0..40 {
        back_up(&portal, Kind::Portal);
        back_up(&portal, Kind::Shares);
        portal.days_pass(1);
    }
    let names = std::fs::read_dir(place(&portal)).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    let count = |kind: &str| names.iter().filter(|name| name.starts_with(kind)).count();
    assert_eq!(count("shares-"), 7);
    // 2026-11-21 to 2026-12-30: seven days, three Sundays before them, the end of November.
    assert_eq!(count("portal-"), 7 + 3 + 1);
}

#[test]
fn where_backups_may_hold_nothing_there_is_no_receipt_until_they_do() {
    let mut portal = TestPortal::start_in_files();
    let tenant = "strict".parse().unwrap();
    let policy = RetentionPolicy { backup_horizon_days: 0, ..RetentionPolicy::default() };
    portal.admin().new_tenant(&tenant, &policy).unwrap();
    for (role, ticket) in [(Role::Upload, Some(TICKET)), (Role::Technician, None)] {
        let mut order = TokenOrder::new(role);
        order.tenant = Some(tenant.clone());
        order.ticket = ticket.map(|ticket| ticket.parse::<TicketId>().unwrap());
        order.valid_seconds = Some(366 * 86_400);
        let token = portal.admin().new_token(&order).unwrap().token.expose().clone();
        if ticket.is_some() { portal.upload = token } else { portal.technician = token }
    }
    let sample = Sample::new(1, 5000);
    store(&portal, &sample);
    back_up(&portal, Kind::Portal);
    back_up(&portal, Kind::Shares);
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    let away = place(&portal).with_extension("unmounted");
    std::fs::rename(place(&portal), &away).unwrap();
    let swept = portal.portal().sweep().unwrap();
    assert_eq!((swept.deleted, swept.failed), (0, 1));
    for _ in 0..4 {
        portal.portal().sweep().unwrap();
    }
    assert_eq!(get(&portal, "", "/healthz").text().unwrap(), "{\"status\":\"degraded\"}");

    std::fs::rename(&away, place(&portal)).unwrap();
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    assert_eq!(get(&portal, "", "/healthz").text().unwrap(), "{\"status\":\"ok\"}");
    assert_eq!(holding(&place(&portal), &sample.bytes[..64]), Vec::<PathBuf>::new());
    assert_eq!(holding(&place(&portal), &sample.share.unwrap()), Vec::<PathBuf>::new(), "nor do backups of shares");
    let receipt = verify(&receipt(&portal, &sample), &portal.portal().key()).unwrap();
    assert_eq!(receipt.backup_horizon_days, 0);
    assert!(receipt.steps.iter().any(|step| step.step == Phase::VerifiedAbsent && step.store == "blobs+backups"));
}

#[test]
fn files_and_rows_are_compared_both_ways() {
    let mut portal = TestPortal::start_in_files();
    let (lost, kept, gone) = (Sample::new(1, 500), Sample::new(2, 500), Sample::new(3, 500));
    store(&portal, &lost);
    store(&portal, &kept);
    store_for(&portal, "4712", &gone);
    portal.stop();
    let blob = |id: &str| portal.data().join("blobs/default").join(&id[..2]).join(format!("{id}.tarseal"));
    assert!(portal.admin().reconcile(7).unwrap().agrees());
    let sealed = std::fs::read(blob(&gone.id)).unwrap();
    std::fs::remove_file(blob(&lost.id)).unwrap();
    let stray = "ab".repeat(16);
    std::fs::create_dir_all(blob(&stray).parent().unwrap()).unwrap();
    std::fs::write(blob(&stray), b"nobody's").unwrap();
    std::fs::write(blob(&stray).with_extension("note"), b"somebody's").unwrap();
    std::fs::create_dir_all(portal.data().join("blobs/stranger/ab")).unwrap();
    std::fs::write(portal.data().join("blobs/stranger/ab").join(format!("{stray}.tarseal")), b"a stranger's").unwrap();

    // The file was written today by the clock of the disk; the portal's clock stands in the past.
    let found = portal.admin().reconcile(7).unwrap();
    assert_eq!(found.without_bytes, [lost.id.parse().unwrap()]);
    assert_eq!(found.without_row, [stray.parse().unwrap()]);
    assert_eq!((found.rows, found.files, found.removed, found.foreign), (3, 3, 0, 2));
    portal.set_clock("2099-01-01T00:00:00Z");
    let found = portal.admin().reconcile(7).unwrap();
    assert_eq!((found.removed, found.without_row.len(), found.foreign), (1, 0, 2));
    assert!(!blob(&stray).exists() && blob(&stray).with_extension("note").exists());
    assert!(blob(&kept.id).exists(), "what has a row stays");

    assert_eq!(portal.admin().sweep().unwrap().deleted, 3);
    std::fs::write(blob(&gone.id), sealed).unwrap();
    let found = portal.admin().reconcile(7).unwrap();
    assert_eq!((found.came_back, blob(&gone.id).exists()), (1, false), "what was deleted does not stay");
}
