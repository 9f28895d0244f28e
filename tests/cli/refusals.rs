//! What goes wrong, in words a clerk knows, with the exit code a script knows, and with nothing left half done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::desk::Desk;

const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";

fn sealed(desk: &Desk) -> Vec<u8> {
    let file = desk.at("one.tarseal");
    desk.sender(&["seal", LOG, "-o", &file]).ends(0);
    fs::read(file).unwrap()
}

#[test]
fn a_wrong_key_opens_nothing() {
    let desk = Desk::new();
    sealed(&desk);
    desk.technician(&["key", "new", "-o", &desk.at("other.key")]).ends(0);
    let (file, key, into) = (desk.at("one.tarseal"), desk.at("other.key"), desk.at("opened"));
    desk.technician(&["open", &file, "--key", &key, "-o", &into]).ends(9).says("NOT OPENED.");
    assert!(!Path::new(&into).exists());
}

#[test]
fn a_changed_bit_or_a_missing_end_opens_nothing() {
    let desk = Desk::new();
    let whole = sealed(&desk);
    let (file, key, into) = (desk.at("bad.tarseal"), desk.at("me.key"), desk.at("opened"));
    let beside = |desk: &Desk| {
        fs::read_dir(desk.dir.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains("opened"))
            .count()
    };
    let mut cases: Vec<Vec<u8>> = Vec::new();
    for at in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        cases.push(changed);
    }
    for length in [0, 1, 13, 14, 200, whole.len() / 2, whole.len() - 17, whole.len() - 1] {
        cases.push(whole[..length].to_vec());
    }
    cases.push([whole.as_slice(), b"\0"].concat());
    for (number, case) in cases.iter().enumerate() {
        fs::write(&file, case).unwrap();
        let ran = desk.technician(&["open", &file, "--key", &key, "-o", &into]);
        // A slot that was changed is a slot for somebody else: then no key fits.
        assert!(ran.code == 6 || ran.code == 9, "case {number} ended with {}:\n{}", ran.code, ran.err);
        assert_eq!(beside(&desk), 0, "case {number} left something");
    }
}

#[test]
fn an_unknown_ticket_is_told_before_anything_is_read() {
    let desk = Desk::new();
    desk.sender(&["send", LOG, "--ticket", "4712", "--yes"]).ends(10).says("NOT SENT.");
    assert!(!Path::new(&desk.at("sender/outgoing")).exists());
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let desk = Desk::new();
    let list = desk.operator(&["token", "list", "--json"]).ends(0).result();
    let upload = list["tokens"].as_array().unwrap().iter().find(|token| token["role"] == "upload").unwrap();
    desk.operator(&["token", "revoke", upload["id"].as_str().unwrap()]).ends(0);
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(9).says("NOT SENT.");
}

#[test]
fn a_closed_ticket_takes_nothing() {
    let desk = Desk::new();
    desk.technician(&["close", "4711"]).ends(0);
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(5).says("NOT SENT.").says("closed");
}

#[test]
fn an_unreachable_portal_is_temporary() {
    let mut desk = Desk::new();
    let url = desk.url();
    desk.portal = None;
    let token = desk.at("upload.token");
    let recipient = desk.at("recipient");
    let send = ["send", LOG, "--ticket", "4711", "--yes", "--portal", &url, "--token-file", &token, "--to", &recipient];
    desk.sender(&send).ends(75).says("NOT SENT.").says("cannot be reached");
}

#[test]
fn plain_http_goes_to_this_computer_only() {
    let desk = Desk::new();
    let send = ["send", LOG, "--ticket", "4711", "--yes", "--portal", "http://support.vendor.example"];
    desk.sender(&send).ends(2).says("NOT SENT.");
}

#[test]
fn empty_input_is_wrong_usage() {
    let desk = Desk::new();
    fs::create_dir(desk.at("empty")).unwrap();
    desk.sender(&["send", &desk.at("empty"), "--ticket", "4711", "--yes"]).ends(2).says("NOT SENT.");
    desk.sender(&["send", &desk.at("not-there"), "--ticket", "4711", "--yes"]).ends(10).says("NOT SENT.");
}

#[test]
fn a_file_in_the_way_is_never_overwritten() {
    let desk = Desk::new();
    fs::write(desk.at("one.tarseal"), "mine").unwrap();
    desk.sender(&["seal", LOG, "-o", &desk.at("one.tarseal")]).ends(7).says("NOT SEALED.");
    assert_eq!(fs::read(desk.at("one.tarseal")).unwrap(), b"mine");
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let desk = Desk::new();
    fs::set_permissions(desk.at("upload.token"), fs::Permissions::from_mode(0o644)).unwrap();
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(7).says("chmod 600");
}

#[test]
fn the_token_goes_only_to_the_portal_of_the_settings() {
    let desk = Desk::new();
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(0);
    desk.technician(&["fetch", "4711", "--reason", "copy", "-o", &desk.at("copies")]).ends(0);
    let copy = fs::read_dir(desk.at("copies")).unwrap().next().unwrap().unwrap().path();
    let (copy, key, into) = (copy.to_str().unwrap(), desk.at("me.key"), desk.at("opened"));
    let elsewhere = ["open", copy, "--key", &key, "-o", &into, "--reason", "x", "--portal", "http://127.0.0.1:9"];
    desk.technician(&elsewhere).ends(9).says("Your token was not sent.");
    assert!(!Path::new(&into).exists());
}

#[test]
fn a_policy_of_the_machine_holds_against_the_user() {
    let desk = Desk::new();
    fs::write(desk.at("etc.toml"), "[policy]\nallow_no_redact = false\nreview_required = true\n").unwrap();
    fs::create_dir_all(desk.at("sender")).unwrap();
    fs::write(desk.at("sender/config.toml"), "[policy]\nallow_no_redact = true\nreview_required = false\n").unwrap();
    desk.sender(&["seal", LOG, "--no-redact", "-o", &desk.at("x.tarseal")]).ends(5).says("NOT SEALED.");
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(5).says("NOT SENT.");
}

#[test]
fn wrong_settings_name_the_file_and_the_line() {
    let desk = Desk::new();
    fs::create_dir_all(desk.at("sender")).unwrap();
    fs::write(desk.at("sender/config.toml"), "portal = 'https://a.example'\n\nportl = 'x'\n").unwrap();
    desk.sender(&["config", "show"]).ends(2).says("config.toml, line 3");
}

/// A file system of one megabyte. Only an administrator may make one; elsewhere the test says that it was skipped.
struct SmallDisk(String);

impl SmallDisk {
    fn new(at: String) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", &at]).output();
        if mounted.is_ok_and(|ran| ran.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED a_full_disk_leaves_nothing_half_written: a small file system cannot be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let desk = Desk::new();
    let Some(disk) = SmallDisk::new(desk.at("small")) else { return };
    let mut noise = vec![0; 4 << 20];
    StdRng::seed_from_u64(3).fill_bytes(&mut noise);
    fs::write(desk.at("noise"), &noise).unwrap();

    let sealed = format!("{}/noise.tarseal", disk.0);
    let seal = ["seal", &desk.at("noise"), "--no-redact", "-o", &sealed];
    desk.sender(&seal).ends(7).says("NOT SEALED.").says("The disk is full").says("Nothing has left this computer");
    assert!(fs::read_dir(&disk.0).unwrap().next().is_none());

    desk.sender(&["seal", &desk.at("noise"), "--no-redact", "-o", &desk.at("noise.tarseal")]).ends(0);
    let (key, into) = (desk.at("me.key"), format!("{}/opened", disk.0));
    desk.technician(&["open", &desk.at("noise.tarseal"), "--key", &key, "-o", &into]).ends(7).says("NOT OPENED.");
    assert!(fs::read_dir(&disk.0).unwrap().next().is_none());
}

#[test]
fn an_unreadable_file_is_listed_and_the_rest_is_sent() {
    let desk = Desk::new();
    fs::create_dir(desk.at("logs")).unwrap();
    fs::write(desk.at("logs/good.log"), "2026-11-20 all is well\n").unwrap();
    fs::write(desk.at("logs/core"), [0_u8, 1, 2, 3, 255].repeat(100)).unwrap();
    fs::write(desk.at("logs/cut.log.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 75]).unwrap();
    std::os::unix::fs::symlink("/etc/shadow", desk.at("logs/link")).unwrap();
    desk.sender(&["send", &desk.at("logs"), "--ticket", "4711", "--yes"])
        .ends(3)
        .says("SENT.")
        .says("logs/core")
        .says("logs/cut.log.gz")
        .says("logs/link");
    let (key, into) = (desk.at("me.key"), desk.at("opened"));
    desk.technician(&["fetch", "4711", "--reason", "x", "--key", &key, "-o", &into]).ends(0);
    let names: Vec<String> = crate::desk::files_below(Path::new(&into)).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().any(|name| name.ends_with("good.log")) && names.len() == 3, "{names:?}");
}

#[test]
fn what_never_began_is_not_called_sent() {
    let desk = Desk::new();
    desk.sender(&["resume", "4711"]).ends(10).says("NOT SENT.");
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(0);
    let again = desk.sender(&["resume", "4711", "--json"]).ends(0).result();
    assert_eq!(again["already_sent"], true);
}

#[test]
fn a_failed_fetch_leaves_no_directory_in_the_way() {
    let desk = Desk::new();
    for _ in 0..2 {
        desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(0);
    }
    desk.keep_token("auditor.token", &["--role", "auditor"]);
    let (key, into, token) = (desk.at("me.key"), desk.at("opened"), desk.at("auditor.token"));
    let fetch = ["fetch", "4711", "--reason", "x", "--key", &key, "-o", &into];
    desk.technician(&[&fetch[..], &["--token-file", &token]].concat()).ends(9).says("NOT FETCHED.");
    desk.technician(&["fetch", "4711", "--reason", " ", "--key", &key, "-o", &into]).ends(2);
    assert!(!Path::new(&into).exists());
    desk.technician(&fetch).ends(0);
}

#[test]
fn a_ticket_cannot_be_closed_before_it_was_opened() {
    let desk = Desk::new();
    desk.technician(&["close", "4711", "--at", "2001-01-01T00:00:00Z"]).ends(2).says("NOT CLOSED.");
    desk.technician(&["close", "4711", "--at", "2101-01-01T00:00:00Z"]).ends(2).says("NOT CLOSED.");
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(0);
}

#[test]
fn a_token_without_a_tenant_is_made_only_where_there_is_one() {
    let desk = Desk::new();
    desk.operator(&["token", "new", "--role", "staff"]).ends(2).says("more than one tenant");
}

#[test]
fn a_file_that_becomes_shorter_is_left_out() {
    use tarseal::item::{Content, Item, Reason};
    struct Short;
    impl Content for Short {
        fn open(&self) -> std::io::Result<Box<dyn std::io::Read + Send>> {
            Err(std::io::Error::other(tarseal::item::BecameShorter))
        }
    }
    let rules = tarseal::redact::Rules::default();
    let item = Item { path: "a.log".parse().unwrap(), size: 9, modified: None, content: Box::new(Short) };
    let left_out = tarseal::redact::Survey::new(&rules).read(&item).unwrap_err();
    assert_eq!(left_out.reason, Reason::BecameShorter);
}

#[test]
fn json_is_json_also_when_the_usage_is_wrong() {
    let desk = Desk::new();
    let result = desk.sender(&["seal", "--json"]).ends(2).result();
    assert_eq!((result["event"].as_str(), result["exit"].as_u64()), (Some("result"), Some(2)));
    let found = desk.sender_types(&["redact", "-", "--json"], "mail to q@amt.example\n").ends(0);
    let first: serde_json::Value = serde_json::from_str(found.out.lines().next().unwrap()).unwrap();
    assert_eq!((first["start"].as_u64(), first["end"].as_u64()), (Some(8), Some(21)));
    assert!(!found.out.contains("amt.example"));
}

#[test]
fn a_file_that_is_not_there_ends_with_one_code() {
    let desk = Desk::new();
    let (missing, key, out) = (desk.at("missing"), desk.at("me.key"), desk.at("out"));
    for command in [
        &["send", &missing, "--ticket", "4711", "--yes"][..],
        &["send", LOG, "--ticket", "4711", "--yes", "--watchlist", &missing],
        &["send", LOG, "--ticket", "4711", "--yes", "--token-file", &missing],
        &["seal", &missing, "-o", &out],
        &["seal", LOG, "--to", &missing, "-o", &out],
        &["redact", &missing],
        &["upload", &missing, "--ticket", "4711"],
        &["upload", &missing, "--request", "missing.tsreq"],
        &["receipt", "verify", &missing, "--key", &missing],
        &["open", &missing, "--key", &key],
        &["verify", &missing, "--key", &key],
        &["list", &missing, "--key", &key],
        &["key", "show", &missing],
        &["profile", "check", &missing],
    ] {
        desk.sender(command).ends(10);
    }
}

#[test]
fn what_keeps_nothing_needs_no_home() {
    let mut desk = Desk::new();
    desk.variables = vec![("TARSEAL_HOME".into(), "".into())];
    assert!(desk.sender(&["completions", "bash"]).ends(0).out.contains("tarseal"));
    assert!(desk.sender(&["man", "send"]).ends(0).out.contains(".TH"));
    desk.sender(&["status"]).ends(2).says("TARSEAL_HOME");
}
