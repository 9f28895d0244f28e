//! A portal on `PostgreSQL` and a bucket whose database is put back by the database's own tools, as docs/BACKUPS.md says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tarseal::portal::admin::TokenOrder;
use tarseal::portal::backup::{BackupError, BackupOrder, Kind, PutBack, Schedule};
use tarseal::portal::{PortalError, Role};
use tarseal::track::receipt::verify;

use crate::bucket::put_into;
use crate::client::{Sample, announce, append, content, event, get, problem, request, store, told};
use crate::erasure::places;
use crate::support::database::TestDatabase;
use crate::support::{START, TICKET, TestPortal};

/// A program of the newest `PostgreSQL` of this machine.
fn tool(name: &str) -> Command {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path()).collect();
    versions.sort();
    Command::new(versions.last().unwrap().join("bin").join(name))
}

fn went_well(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A dump as the portal's role makes it: it says that it is for all tenants.
fn pg_dump() -> Command {
    let mut command = tool("pg_dump");
    command.env("PGOPTIONS", "-c tarseal.tenant=*").arg("--enable-row-security");
    command
}

/// Dumps a database: one schema alone, or all but it.
fn dump(database: &TestDatabase, which: &str, to: &Path) {
    went_well(pg_dump().args(["--format=custom", which, "--file"]).arg(to).arg(database.url()));
}

fn put_back(from: &Path, into: &TestDatabase) {
    went_well(tool("pg_restore").args(["--exit-on-error", "--no-owner", "--dbname", &into.url()]).arg(from));
}

#[test]
fn what_was_deleted_since_does_not_come_back_with_a_dump_of_the_database() {
    let Some(database) = TestDatabase::make() else { return };
    let s3 = std::env::var("TARSEAL_S3").ok().filter(|url| !url.is_empty());
    let mut portal = TestPortal::start_with(|config| {
        config.database = Some(database.url().parse().unwrap());
        if let Some(url) = &s3 {
            put_into(config, url, "tarseal");
        }
    });
    let (gone, kept) = (Sample::new(1, 50_000), Sample::new(2, 20_000));
    store(&portal, &gone);
    let mut order = TokenOrder::new(Role::Upload);
    order.ticket = Some("4712".parse().unwrap());
    let other = portal.admin().new_token(&order).unwrap().token.expose().clone();
    let former = std::mem::replace(&mut portal.upload, other);
    let announced = crate::client::post(&portal, &portal.upload, "/v1/tickets/4712/snapshots", &kept.announcement());
    let upload = announced.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(append(&portal, &upload, 0, &kept.bytes).status(), 204);
    portal.upload = former;
    // One that is on its way when the dump is made.
    let begun = Sample::new(3, 1000);
    append(&portal, &announce(&portal, &begun), 0, &begun.bytes[..500]);

    let dumps = tempfile::tempdir().unwrap();
    let (all_but_shares, shares) = (dumps.path().join("portal.dump"), dumps.path().join("shares.dump"));
    dump(&database, "--exclude-schema=tarseal_shares", &all_but_shares);
    event(&portal, "close", &json!({}));
    portal.days_pass(90);
    dump(&database, "--schema=tarseal_shares", &shares);
    let share = hex::encode(gone.share.unwrap());
    let plain = dumps.path().join("plain");
    for (dump, holds) in [(&all_but_shares, false), (&shares, true)] {
        went_well(tool("pg_restore").arg("--file").arg(&plain).arg(dump));
        let text = std::fs::read_to_string(&plain).unwrap();
        assert_eq!(text.contains(&share), holds, "{}", dump.display());
    }
    portal.days_pass(2);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    let receipt = |portal: &TestPortal| {
        let note = get(portal, "", &format!("/v1/snapshots/{}/receipt", gone.id)).text().unwrap();
        verify(&note, &portal.portal().key()).unwrap()
    };
    let stated = receipt(&portal);
    portal.stop();
    let data = portal.data().to_owned();

    // The server is lost, and the data directory but for a copy of its key and its tombstones.
    let fresh = TestDatabase::make().unwrap();
    put_back(&all_but_shares, &fresh);
    put_back(&shares, &fresh);
    let home = tempfile::tempdir().unwrap();
    let restored = home.path().join("data");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(data.join("receipt.key"), restored.join("receipt.key")).unwrap();
    if s3.is_none() {
        went_well(Command::new("cp").arg("-a").arg(data.join("blobs")).arg(&restored));
    }
    let change = |config: &mut tarseal::portal::Config| {
        config.data.clone_from(&restored);
        config.database = Some(fresh.url().parse().unwrap());
    };
    let good = PutBack { tombstones: vec![data], tombstones_lost: false, verify: true };
    let admin = portal.admin_with(change).unwrap();
    let refused = |order: &PutBack| match admin.settle(order).unwrap_err() {
        PortalError::Backup(fault) => fault,
        fault => panic!("{fault:?}"),
    };
    let nothing = PutBack { tombstones: Vec::new(), ..good.clone() };
    assert!(matches!(refused(&nothing), BackupError::TombstonesNeeded));
    let elsewhere = PutBack { tombstones: vec![dumps.path().to_owned()], ..good.clone() };
    assert!(matches!(refused(&elsewhere), BackupError::NoTombstones(_)));

    let told_of = admin.settle(&good).unwrap();
    assert_eq!((told_of.taken_at, told_of.deleted_again), (START.parse().unwrap(), 1));
    assert_eq!(
        (told_of.snapshots, told_of.bytes, &told_of.missing[..], told_of.without_share),
        (1, 20_000, &[][..], 0)
    );
    assert_eq!(admin.settle(&good).unwrap().deleted_again, 0, "again does no harm");
    drop(admin);
    let canaries: [&[u8]; 2] = [&gone.bytes[..64], &gone.share.unwrap()];
    assert_eq!(places(home.path(), &canaries), []);
    let everything = dumps.path().join("everything");
    went_well(pg_dump().arg("--file").arg(&everything).arg(fresh.url()));
    assert!(!std::fs::read_to_string(&everything).unwrap().contains(&share), "nor in the database");

    let old = portal.technician.clone();
    portal.restart_with(change);
    assert_eq!(told(get(&portal, &old, "/v1/tickets")).0, 401, "which tokens were revoked since is not known");
    let mut technician = TokenOrder::new(Role::Technician);
    technician.valid_seconds = Some(366 * 86_400);
    portal.technician = portal.admin_with(change).unwrap().new_token(&technician).unwrap().token.expose().clone();
    assert_eq!(problem(content(&portal, &gone).send().unwrap()).0, 410);
    assert_eq!(receipt(&portal), stated, "the receipt that was given is given again");
    assert_eq!(content(&portal, &kept).send().unwrap().bytes().unwrap(), kept.bytes);
    let path = format!("/v1/tickets/{TICKET}");
    assert_eq!(request(&portal, &portal.technician, "GET", &path).send().unwrap().status(), 200);
    assert!(matches!(portal.admin_with(change).unwrap().settle(&good), Err(PortalError::Locked)));
}

#[test]
fn files_of_sqlite_that_are_put_back_by_hand_beside_a_bucket_bring_nothing_back() {
    let Some(url) = crate::bucket::s3("files_of_sqlite_that_are_put_back_by_hand_beside_a_bucket_bring_nothing_back")
    else {
        return;
    };
    let mut portal = TestPortal::start_with(|config| {
        config.database = None;
        put_into(config, &url, "tarseal");
    });
    let (gone, kept) = (Sample::new(1, 50_000), Sample::new(2, 20_000));
    store(&portal, &gone);
    let places_of = portal.data().with_extension("backups");
    let back_up = |portal: &TestPortal, kind| {
        let order = BackupOrder { kind, to: places_of.clone(), schedule: Schedule::default() };
        portal.admin().backup(&order).unwrap().path
    };
    let (of_portal, of_shares) = (back_up(&portal, Kind::Portal), back_up(&portal, Kind::Shares));
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    event(&portal, "reopen", &json!({}));
    store(&portal, &kept);
    portal.stop();
    let data = portal.data().to_owned();
    let restored = data.with_extension("restored");
    std::fs::create_dir(&restored).unwrap();
    for file in [of_portal.join("portal.db"), of_shares.join("shares.db"), of_shares.join("receipt.key")] {
        std::fs::copy(&file, restored.join(file.file_name().unwrap())).unwrap();
    }
    let change = |config: &mut tarseal::portal::Config| config.data.clone_from(&restored);
    let order = PutBack { tombstones: vec![data], tombstones_lost: false, verify: true };
    let told_of = portal.admin_with(change).unwrap().settle(&order).unwrap();
    assert_eq!((told_of.deleted_again, told_of.snapshots, told_of.missing.len()), (1, 0, 0));
    assert_eq!(places(&restored, &[&gone.bytes[..64], &gone.share.unwrap()]), []);
    portal.set_clock("2099-01-01T00:00:00Z");
    let admin = portal.admin_with(change).unwrap();
    // What came after the backup has bytes and no row.
    assert_eq!(admin.reconcile(7).unwrap().removed, 1);
}
