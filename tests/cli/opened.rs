//! What the technician has opened: until when, and how it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::desk::Desk;

/// `TMPFS_MAGIC` of linux/magic.h.
const TMPFS: rustix::fs::FsWord = 0x0102_1994;
const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";

fn sent() -> Desk {
    let desk = Desk::new();
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(0);
    desk
}

fn fetch(desk: &Desk, into: &str) {
    let (key, into) = (desk.at("me.key"), desk.at(into));
    let ran = desk.technician(&["fetch", "4711", "--reason", "audio drops", "--key", &key, "-o", &into]).ends(0);
    ran.says("To remove it before:  tarseal open --wipe");
}

#[test]
fn an_opened_copy_is_private_and_says_by_when_it_must_be_gone() {
    let desk = sent();
    fetch(&desk, "copy");
    let mode = fs::metadata(desk.at("copy")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let marker = fs::read_to_string(desk.at("copy/DELETE-BY")).unwrap();
    assert!(marker.starts_with("2027-11-21T09:00:00Z\n"), "{marker}");
    assert!(marker.contains("ticket    4711"), "{marker}");
    let listed = desk.technician(&["list", "--opened"]).ends(0).out;
    assert!(listed.contains(&desk.at("copy")) && listed.contains("of ticket 4711"), "{listed}");
}

#[test]
fn a_copy_is_wiped_when_asked_and_what_lies_in_its_place_stays() {
    let desk = sent();
    fetch(&desk, "one");
    fetch(&desk, "two");
    fetch(&desk, "three");
    desk.technician(&["open", "--wipe", &desk.at("one")]).ends(0).says("WIPED. 1 opened copy.");
    assert!(!Path::new(&desk.at("one")).exists() && Path::new(&desk.at("two")).exists());
    desk.technician(&["open", "--wipe", &desk.at("one")]).ends(10).says("NOT WIPED.");

    fs::rename(desk.at("three"), desk.at("moved")).unwrap();
    fs::create_dir(desk.at("three")).unwrap();
    fs::write(desk.at("three/thesis"), "of years").unwrap();
    let ran = desk.technician(&["open", "--wipe", "4711"]).ends(0);
    ran.says("lies something else").says("WIPED. 2 opened copies.");
    assert!(!Path::new(&desk.at("two")).exists());
    assert_eq!(fs::read(desk.at("three/thesis")).unwrap(), b"of years");
    desk.technician(&["open", "--wipe", "4711"]).ends(10);
    assert!(Path::new(&desk.at("moved")).exists(), "what was moved is the technician's to remove, and that was said");
}

#[test]
fn a_copy_goes_at_the_deadline_that_the_portal_moved() {
    let desk = sent();
    fetch(&desk, "copy");
    desk.technician(&["close", "4711"]).ends(0);
    let listed = desk.technician(&["list", "--mine"]).ends(0);
    assert!(listed.out.contains("4711") && listed.out.contains("20 Feb 2027"), "{}", listed.out);
    assert!(fs::read_to_string(desk.at("copy/DELETE-BY")).unwrap().starts_with("2027-02-20T00:00:00Z"));
    desk.technician(&["open", "--purge"]).ends(0).says("PURGED. 0 copies removed, 1 copy not due yet.");
    desk.forward(91);
    // Any command of a technician's ends what is due, without a network.
    desk.technician(&["list", "--opened"]).ends(0).says("was removed (due 20 Feb 2027)");
    assert!(!Path::new(&desk.at("copy")).exists());
}

#[test]
fn a_copy_of_what_was_withdrawn_goes_at_once() {
    let desk = sent();
    fetch(&desk, "copy");
    desk.sender(&["withdraw", "4711", "--yes"]).ends(0);
    desk.technician(&["open", "--purge"]).ends(0).says("PURGED. 1 copy removed");
    assert!(!Path::new(&desk.at("copy")).exists());
    let listed = desk.technician(&["list", "--mine"]).ends(0).says("holds nothing for you");
    assert_eq!(listed.out, "");
}

#[test]
fn a_copy_that_cannot_be_removed_is_told_until_it_is() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root can remove everything");
        return;
    }
    let desk = sent();
    fetch(&desk, "copy");
    let inner = desk.at("copy/fixtures/machines/meeting/log");
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o500)).unwrap();
    desk.forward(400);
    desk.technician(&["open", "--purge"]).ends(7).says("OVERDUE.").says("NOT PURGED.");
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o700)).unwrap();
    desk.technician(&["list", "--opened"]).ends(0).says("was removed");
}

#[test]
fn a_snapshot_opens_into_memory_where_there_is_some() {
    let mut desk = sent();
    let key = desk.at("me.key");
    let open = |desk: &Desk| desk.technician(&["fetch", "4711", "--reason", "x", "--key", &key, "--memory"]);
    open(&desk).ends(7).says("names no directory in memory").says("Nothing was opened.");
    desk.variables.push(("XDG_RUNTIME_DIR".into(), desk.dir.path().into()));
    if rustix::fs::statfs(desk.dir.path()).is_ok_and(|disk| disk.f_type != TMPFS) {
        open(&desk).ends(7).says("does not lie in memory");
    }
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: there is no /dev/shm");
        return;
    };
    desk.variables[0].1 = memory.path().into();
    let opened = open(&desk).ends(0).out;
    assert_eq!(opened.trim(), memory.path().join("tarseal/4711").to_str().unwrap());
    assert!(memory.path().join("tarseal/4711").join(LOG).exists());
    desk.technician(&["open", "--wipe", "4711"]).ends(0);
    assert!(!memory.path().join("tarseal/4711").exists());
}
