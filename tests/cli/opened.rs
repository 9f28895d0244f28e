//! What the technician has opened: until when, and how it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

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
    let ran = desk.technician(&["open", "--wipe", "4711"]).ends(7);
    ran.says("NOT WIPED.").says("something else lies there").says("Of the others, 1 opened copy went.");
    assert!(!Path::new(&desk.at("two")).exists());
    assert_eq!(fs::read(desk.at("three/thesis")).unwrap(), b"of years");
    // It stays noted, until somebody says that it is gone.
    let listed = desk.technician(&["list", "--opened"]).ends(0).out;
    assert!(listed.contains(&desk.at("three")) && listed.contains("moved or removed"), "{listed}");
    assert!(Path::new(&desk.at("moved")).exists(), "what was moved is the technician's to remove, and that was said");
    let ran = desk.technician(&["open", "--wipe", "4711", "--yes", "--json"]).ends(0);
    assert_eq!(ran.result()["forgotten"][0], desk.at("three"));
    ran.says("FORGOTTEN. 1 opened copy; nothing was removed.");
    desk.technician(&["open", "--wipe", "4711"]).ends(10);
    assert_eq!(fs::read(desk.at("three/thesis")).unwrap(), b"of years");
}

#[test]
fn a_copy_that_somebody_removed_is_not_said_to_be_wiped() {
    let desk = sent();
    fetch(&desk, "copy");
    fs::remove_dir_all(desk.at("copy")).unwrap();
    let ran = desk.technician(&["open", "--wipe", "4711"]).ends(0);
    ran.says("was not there any more").says("NOT THERE. Nothing was left to be removed.");
    desk.technician(&["open", "--wipe", "4711"]).ends(10);
}

#[test]
fn a_copy_is_wiped_by_whatever_way_it_is_named() {
    let desk = sent();
    std::os::unix::fs::symlink(desk.dir.path(), desk.at("way")).unwrap();
    for name in ["technician/../copy", "way/copy", "way/technician/../copy/."] {
        fetch(&desk, "copy");
        desk.technician(&["open", "--wipe", &desk.at(name)]).ends(0).says("WIPED. 1 opened copy.");
        assert!(!Path::new(&desk.at("copy")).exists());
    }
    fetch(&desk, "way/technician/../copy");
    desk.technician(&["open", "--wipe", &desk.at("copy")]).ends(0).says("WIPED.");
    fetch(&desk, "copy");
    fs::remove_dir_all(desk.at("copy")).unwrap();
    desk.technician(&["open", "--wipe", &desk.at("way/copy")]).ends(0).says("NOT THERE.");
}

/// A directory that cannot be removed as long as this lives: its user may not write, or, for an administrator, who may do
/// everything, something is mounted on it.
struct Stubborn(String);

impl Stubborn {
    fn new(at: String, test: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            fs::set_permissions(&at, fs::Permissions::from_mode(0o500)).unwrap();
            return Some(Self(at));
        }
        mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs", &at], test).then_some(Self(at))
    }
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        if rustix::process::geteuid().is_root() {
            let _ = Command::new("umount").arg(&self.0).status();
        } else {
            let _ = fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700));
        }
    }
}

fn mount(arguments: &[&str], test: &str) -> bool {
    let mounted = Command::new("mount").args(arguments).output().is_ok_and(|ran| ran.status.success());
    if !mounted {
        eprintln!("SKIPPED {test}: nothing can be mounted here");
    }
    mounted
}

#[test]
fn a_removal_that_breaks_off_is_known_and_taken_up_again() {
    let desk = sent();
    fetch(&desk, "copy");
    let inner = desk.at("copy/fixtures/machines/meeting/log");
    let Some(stubborn) = Stubborn::new(inner.clone(), "a_removal_that_breaks_off_is_known_and_taken_up_again") else {
        return;
    };
    for _ in 0..2 {
        let ran = desk.technician(&["open", "--wipe", "4711"]).ends(7);
        ran.says("NOT WIPED.").says("could not be removed: fixtures/machines/meeting/log");
        assert!(Path::new(&inner).exists() && Path::new(&desk.at("copy/DELETE-BY")).exists());
        assert!(!Path::new(&desk.at("copy/.tarseal")).exists(), "one error does not save the rest");
        let listed = desk.technician(&["list", "--opened"]).ends(0).out;
        assert!(listed.trim().ends_with("of ticket 4711"), "{listed}");
    }
    drop(stubborn);
    desk.technician(&["open", "--wipe", "4711"]).ends(0).says("WIPED. 1 opened copy.");
    assert!(!Path::new(&desk.at("copy")).exists());
}

/// A disk that is attached as long as this lives; what is on it stays on it.
struct Attached(String);

impl Attached {
    fn new(disk: &str, at: String) -> Self {
        assert!(Command::new("mount").args(["--bind", disk, &at]).status().unwrap().success());
        Self(at)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_copy_on_a_disk_that_is_away_on_the_day_goes_when_it_is_back() {
    let desk = sent();
    for name in ["disk", "usb"] {
        fs::create_dir(desk.at(name)).unwrap();
    }
    let disk = desk.at("disk");
    let test = "a_copy_on_a_disk_that_is_away_on_the_day_goes_when_it_is_back";
    if !mount(&["-t", "ramfs", "ramfs", &disk], test) {
        return;
    }
    let _disk = Attached(disk.clone());
    let attached = Attached::new(&disk, desk.at("usb"));
    fetch(&desk, "usb/copy");
    drop(attached);
    let listed = desk.technician(&["list", "--opened"]).ends(0).out;
    assert!(listed.contains("its disk is not there"), "{listed}");
    desk.technician(&["open", "--wipe", "4711"]).ends(7).says("NOT WIPED.").says("Attach the disk.");
    desk.forward(400);
    desk.technician(&["open", "--purge"]).ends(7).says("OVERDUE.").says("the disk that holds it is not there");
    let attached = Attached::new(&disk, desk.at("usb"));
    desk.technician(&["list", "--opened"]).ends(0).says("was removed");
    assert!(!Path::new(&desk.at("usb/copy")).exists());
    drop(attached);
}

#[test]
fn what_is_due_goes_whatever_is_wrong_with_settings_and_portal() {
    type Fault = (&'static str, fn(&Desk), u8);
    let faults: [Fault; 5] = [
        ("there is no token", |desk| fs::remove_file(desk.at("technician.token")).unwrap(), 10),
        (
            "others can read the token",
            |desk| fs::set_permissions(desk.at("technician.token"), fs::Permissions::from_mode(0o644)).unwrap(),
            7,
        ),
        ("there is no certificate", |desk| settings(desk, "ca_file = '/not/there.pem'\n"), 10),
        (
            "the portal is not one",
            |desk| settings(desk, "policy = { allow_portals = ['http://support.example'] }\n"),
            2,
        ),
        ("a key is wrong", |desk| settings(desk, "portl = 'x'\n"), 2),
    ];
    let desk = sent();
    let token = fs::read(desk.at("technician.token")).unwrap();
    for (name, fault, code) in faults {
        // One is due; the other is not, and asked about.
        fetch(&desk, "due");
        fetch(&desk, "later");
        change_note(&desk, &desk.at("due"), |note| note["delete_by"] = "2026-11-20T00:00:00Z".into());
        fault(&desk);
        desk.technician(&["open", "--purge"])
            .ends(code)
            .says("was removed")
            .says("PURGED. 1 copy removed, 1 copy not due yet.");
        assert!(!Path::new(&desk.at("due")).exists(), "{name}");
        let _ = fs::remove_file(desk.at("technician/config.toml"));
        let _ = fs::remove_file(desk.at("technician.token"));
        fs::write(desk.at("technician.token"), &token).unwrap();
        fs::set_permissions(desk.at("technician.token"), fs::Permissions::from_mode(0o600)).unwrap();
        desk.technician(&["open", "--wipe", "4711"]).ends(0);
    }
}

#[test]
fn what_is_due_goes_also_when_the_portal_is_away() {
    let mut desk = sent();
    fetch(&desk, "due");
    fetch(&desk, "later");
    change_note(&desk, &desk.at("due"), |note| note["delete_by"] = "2026-11-20T00:00:00Z".into());
    let portal = ["--portal", &desk.url(), "--token-file", &desk.at("technician.token")];
    desk.portal = None;
    desk.technician(&[&["list", "--mine"], &portal[..]].concat()).ends(75).says("was removed");
    assert!(!Path::new(&desk.at("due")).exists());
    let purge = desk.technician(&[&["open", "--purge"], &portal[..]].concat()).ends(75);
    purge.says("cannot be reached").says("PURGED. 0 copies removed, 1 copy not due yet.");
}

#[test]
fn a_note_that_cannot_be_read_hides_no_other() {
    let desk = sent();
    fetch(&desk, "copy");
    fs::write(desk.at("technician/opened/00.json"), "{").unwrap();
    let listed = desk.technician(&["list", "--opened"]).ends(6).says("00.json is damaged");
    assert!(listed.out.contains(&desk.at("copy")), "{}", listed.out);
    fetch(&desk, "another");
    desk.technician(&["open", "--wipe", &desk.at("another")]).ends(0).says("00.json is damaged");
    desk.forward(400);
    desk.technician(&["open", "--purge"]).ends(6).says("was removed").says("PURGED. 1 copy removed.");
    assert!(!Path::new(&desk.at("copy")).exists());
}

#[test]
fn a_copy_that_a_killed_run_made_and_did_not_note_is_noted_by_the_next() {
    let desk = sent();
    fetch(&desk, "copy");
    change_note(&desk, &desk.at("copy"), |note| note["begun"] = true.into());
    fs::remove_file(desk.at("copy/DELETE-BY")).unwrap();
    let listed = desk.technician(&["list", "--opened"]).ends(0).says("was opened by a run that was killed");
    assert!(listed.out.contains(&desk.at("copy")), "{}", listed.out);
    assert!(Path::new(&desk.at("copy/DELETE-BY")).exists());
    desk.technician(&["open", "--wipe", &desk.at("copy")]).ends(0).says("WIPED. 1 opened copy.");

    // What is there and was not opened here is left alone.
    fetch(&desk, "copy");
    change_note(&desk, &desk.at("copy"), |note| note["begun"] = true.into());
    fs::remove_dir_all(desk.at("copy")).unwrap();
    for name in ["copy", "copy.partial-Ab12C", "copy.partial-backup"] {
        fs::create_dir(desk.at(name)).unwrap();
        fs::write(desk.at(&format!("{name}/thesis")), "of years").unwrap();
    }
    assert_eq!(desk.technician(&["list", "--opened"]).ends(0).out, "");
    assert!(Path::new(&desk.at("copy.partial-Ab12C/thesis")).exists());
    assert!(Path::new(&desk.at("copy.partial-backup/thesis")).exists());
    assert!(!Path::new(&desk.at("copy/DELETE-BY")).exists());
    assert!(fs::read_dir(desk.at("technician/opened")).unwrap().next().is_none());
}

/// Changes the note of the copy in a directory.
fn change_note(desk: &Desk, directory: &str, change: impl Fn(&mut serde_json::Value)) {
    for entry in fs::read_dir(desk.at("technician/opened")).unwrap() {
        let path = entry.unwrap().path();
        let mut note: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if note["directory"] == directory {
            change(&mut note);
            fs::write(&path, note.to_string()).unwrap();
        }
    }
}

fn settings(desk: &Desk, text: &str) {
    fs::write(desk.at("technician/config.toml"), text).unwrap();
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
    let desk = sent();
    fetch(&desk, "copy");
    let inner = desk.at("copy/fixtures/machines/meeting/log");
    let Some(stubborn) = Stubborn::new(inner, "a_copy_that_cannot_be_removed_is_told_until_it_is") else { return };
    desk.forward(400);
    desk.technician(&["open", "--purge"]).ends(7).says("OVERDUE.").says("NOT PURGED.");
    drop(stubborn);
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
