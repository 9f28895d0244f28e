//! Keys as files and text.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::desk::Desk;

#[test]
fn a_key_file_is_private_and_never_overwritten() {
    let desk = Desk::new();
    let file = desk.at("new.key");
    let made = desk.technician(&["key", "new", "-o", &file]).ends(0).out;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(made.starts_with("tarseal1"));
    assert_eq!(desk.technician(&["key", "public", &file]).ends(0).out, made);
    let before = fs::read(&file).unwrap();
    desk.technician(&["key", "new", "-o", &file]).ends(7);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_key_and_its_recipient_show_the_same_fingerprint() {
    let desk = Desk::new();
    for kind in [&[][..], &["--classic"]] {
        let file = desk.at(&format!("{}.key", kind.len()));
        let new: Vec<&str> = ["key", "new", "-o", &file].iter().chain(kind).copied().collect();
        let recipient = desk.technician(&new).ends(0).out;
        let secret = desk.technician(&["key", "show", &file, "--json"]).ends(0).result();
        let public = desk.technician(&["key", "show", recipient.trim(), "--json"]).ends(0).result();
        assert_eq!(secret["fingerprint"], public["fingerprint"]);
        assert_eq!(secret["secret"], true);
        assert_eq!(public["secret"], false);
    }
}

#[test]
fn a_mistyped_recipient_is_refused() {
    let desk = Desk::new();
    let mut text = fs::read_to_string(desk.at("recipient")).unwrap().trim().to_owned();
    let last = if text.ends_with('q') { 'p' } else { 'q' };
    text.pop();
    text.push(last);
    desk.sender(&["seal", "Cargo.toml", "--to", &text, "-o", &desk.at("x.tarseal")]).ends(2).says("NOT SEALED.");
}

#[test]
fn what_is_no_secret_is_not_told_to_be_made_private() {
    let desk = Desk::new();
    fs::create_dir(desk.at("logs")).unwrap();
    let (log, logs) = (desk.at("recipient"), desk.at("logs"));
    let ran = desk.sender(&["send", &log, "--ticket", "4711", "--yes", "--token-file", &logs]).ends(7);
    assert!(ran.err.contains("it is a directory") && !ran.err.contains("chmod"), "{}", ran.err);
    desk.technician(&["key", "new", "--sender", "-o", &desk.at("sender.key")]).ends(0);
    let sender = desk.technician(&["key", "public", &desk.at("sender.key")]).ends(0).out;
    fs::write(desk.at("sender.pub"), sender).unwrap();
    let sealed = desk.at("one.tarseal");
    desk.sender(&["seal", &log, "-o", &sealed]).ends(0);
    for (public, what) in [("recipient", "holds a recipient"), ("sender.pub", "holds a sender")] {
        let ran = desk.technician(&["open", &sealed, "--key", &desk.at(public)]).ends(2).says(what);
        assert!(!ran.err.contains("chmod"), "{}", ran.err);
        let seal = ["seal", &log, "--sender-key", &desk.at(public), "-o", &desk.at("two.tarseal")];
        desk.sender(&seal).ends(2).says(what);
    }
}
