//! Passphrases, shared keys, protected key files and senders, as people use them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::desk::{Desk, Ran};
use crate::peer::{peer_is_there, run};

const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";
const PASSPHRASE: &str = "correct horse battery staple";

/// A file that is its owner's alone.
fn private(desk: &Desk, name: &str, text: &str) -> String {
    let path = desk.at(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn sealed(desk: &Desk, name: &str, arguments: &[&str]) -> String {
    let file = desk.at(name);
    desk.sender(&[&["seal", LOG, "-o", &file], arguments].concat()).ends(0).says("SEALED.");
    file
}

/// Opens into a directory of its own; a failure must leave none.
fn open(desk: &Desk, file: &str, arguments: &[&str]) -> Ran {
    let into = desk.at("opened");
    let _ = fs::remove_dir_all(&into);
    let ran = desk.technician(&[&["open", file, "-o", &into], arguments].concat());
    assert_eq!(Path::new(&into).exists(), ran.code == 0, "{}", ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains(PASSPHRASE));
    ran
}

#[test]
fn a_file_sealed_with_a_passphrase_opens_with_it_and_asks_for_it_at_a_terminal() {
    let desk = Desk::new();
    let right = private(&desk, "right", &format!("{PASSPHRASE}\n"));
    let wrong = private(&desk, "wrong", "correct horse\n");
    let file = sealed(&desk, "one.tarseal", &["--passphrase-file", &right]);
    open(&desk, &file, &["--passphrase-file", &right]).ends(0).says("OPENED.");
    open(&desk, &file, &["--passphrase-file", &wrong])
        .ends(12)
        .says("NOT OPENED.")
        .says("The passphrase does not open");
    open(&desk, &file, &[]).ends(2).says("--passphrase-file");
    // A key is no help, and is not said to be wrong.
    open(&desk, &file, &["--key", &desk.at("me.key")]).ends(2).says("--passphrase-file");

    let verify = ["verify", &file];
    desk.sender_types(&verify, &format!("{PASSPHRASE}\r\n")).ends(0).says("Passphrase of the sealed file:");
    desk.sender_types(&verify, "correct horse\n").ends(12).says("NOT VERIFIED.");
    desk.sender_types(&[&verify[..], &["--no-input"]].concat(), PASSPHRASE).ends(2);
    let typed = format!("{PASSPHRASE}\n");
    desk.sender_types(&["verify", &file, "--passphrase-file", "-"], &typed).ends(0);
}

#[test]
fn a_passphrase_is_set_by_typing_it_twice_or_by_a_file_that_is_private_and_holds_one_line() {
    let desk = Desk::new();
    let seal = |passphrase: &[&str], typed: &str| {
        let file = desk.at("typed.tarseal");
        let _ = fs::remove_file(&file);
        let ran = desk.sender_types(&[&["seal", LOG, "-o", &file], passphrase].concat(), typed);
        assert_eq!(Path::new(&file).exists(), ran.code == 0, "{}", ran.err);
        ran
    };
    seal(&["--passphrase"], &format!("{PASSPHRASE}\n{PASSPHRASE}\n")).ends(0).says("The same again:");
    open(&desk, &desk.at("typed.tarseal"), &["--passphrase-file", &private(&desk, "right", PASSPHRASE)]).ends(0);
    seal(&["--passphrase"], "one\ntwo\n").ends(2).says("different");
    seal(&["--passphrase"], "\n\n").ends(2).says("it is empty");
    seal(&["--passphrase", "--no-input"], "one\none\n").ends(2).says("--passphrase-file");
    seal(&["--passphrase", "--to", &desk.at("recipient")], "one\none\n").ends(2);

    for (text, says) in [("", "it is empty"), ("\n", "it is empty"), ("one\ntwo\n", "holds 2 lines")] {
        let file = private(&desk, "bad", text);
        seal(&["--passphrase-file", &file], "x").ends(2).says(says);
    }
    let shown = private(&desk, "shown", "one\n");
    fs::set_permissions(&shown, fs::Permissions::from_mode(0o640)).unwrap();
    seal(&["--passphrase-file", &shown], "x").ends(7).says("chmod 600");
}

#[test]
fn a_shared_key_seals_and_opens_on_both_sides() {
    let desk = Desk::new();
    let (key, other) = (desk.at("both.key"), desk.at("other.key"));
    let made = desk.sender(&["key", "new", "--shared", "-o", &key]).ends(0).says("by hand").out;
    desk.sender(&["key", "new", "--shared", "-o", &other]).ends(0);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&key).unwrap();
    assert!(!secret.lines().last().unwrap().is_empty() && !made.contains("TARSEAL"));
    let shown = desk.technician(&["key", "show", &key, "--json"]).ends(0).result();
    assert_eq!(shown["fingerprint"].as_str(), Some(made.trim()));
    desk.technician(&["key", "public", &key]).ends(2).says("nothing of that is public");

    let file = sealed(&desk, "one.tarseal", &["--shared-key", &key]);
    open(&desk, &file, &["--shared-key", &key]).ends(0);
    open(&desk, &file, &["--key", &key]).ends(0);
    open(&desk, &file, &["--shared-key", &other]).ends(9).says("None of the keys");
    open(&desk, &file, &["--key", &desk.at("me.key")]).ends(9).says("--shared-key FILE");
    open(&desk, &file, &["--shared-key", &desk.at("me.key")]).ends(2).says("is not a shared key");
    open(&desk, &file, &[]).ends(2).says("--key FILE");
    desk.sender(&["seal", LOG, "-o", &desk.at("x"), "--shared-key", &desk.at("me.key")]).ends(2);

    let both = sealed(&desk, "two.tarseal", &["--shared-key", &key, "--to", &desk.at("recipient")]);
    open(&desk, &both, &["--shared-key", &key]).ends(0);
    open(&desk, &both, &["--key", &desk.at("me.key")]).ends(0);
}

#[test]
fn a_key_file_is_protected_its_passphrase_changed_and_taken_off() {
    let desk = Desk::new();
    let (one, two) = (private(&desk, "one", PASSPHRASE), private(&desk, "two", "another one\n"));
    let key = desk.at("safe.key");
    let new = ["key", "new", "-o", &key, "--passphrase-file", &one];
    let recipient = desk.technician(&new).ends(0).out;
    let text = fs::read_to_string(&key).unwrap();
    assert!(text.contains("TARSEAL-PROTECTED-KEY-1") && !text.contains("TARSEAL-SECRET-KEY-1"), "{text}");
    assert!(text.contains(&format!("# recipient: {}", recipient.trim())));

    let file = sealed(&desk, "one.tarseal", &["--to", recipient.trim()]);
    open(&desk, &file, &["--key", &key, "--passphrase-file", &one]).ends(0);
    open(&desk, &file, &["--key", &key, "--passphrase-file", &two]).ends(12).says("does not open");
    open(&desk, &file, &["--key", &key]).ends(2).says("--passphrase-file");
    let typed = format!("{PASSPHRASE}\n");
    desk.sender_types(&["verify", &file, "--key", &key], &typed).ends(0).says("safe.key:");

    let link = desk.at("link.key");
    std::os::unix::fs::symlink(&key, &link).unwrap();
    let change = ["key", "passphrase", &link, "--passphrase-file", &one, "--new-passphrase-file", &two];
    desk.technician(&change).ends(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    desk.technician(&change).ends(12);
    let public = ["key", "public", &key, "--passphrase-file", &two];
    assert_eq!(desk.technician(&public).ends(0).out, recipient);

    desk.technician(&["key", "passphrase", &key, "--passphrase-file", &two, "--remove"]).ends(0);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let clear = fs::read_to_string(&key).unwrap();
    assert!(clear.starts_with(&text[..text.find("TARSEAL").unwrap()]) && clear.contains("TARSEAL-SECRET-KEY-1"));
    open(&desk, &file, &["--key", &key]).ends(0);
    desk.technician(&["key", "passphrase", &key, "--remove"]).ends(2).says("is not protected");
    desk.sender_types(&["key", "passphrase", &key], "one\ntwo\n").ends(2);
    assert_eq!(fs::read_to_string(&key).unwrap(), clear, "a change that failed changes nothing");
}

#[test]
fn a_required_sender_keeps_everybody_elses_files_out() {
    let desk = Desk::new();
    let key = desk.at("sender.key");
    let sender = desk.sender(&["key", "new", "--sender", "-o", &key]).ends(0).out;
    let sender = sender.trim();
    assert!(sender.starts_with("tarseal-sender1"));
    assert_eq!(desk.sender(&["key", "public", &key]).ends(0).out.trim(), sender);
    let other = desk.sender(&["key", "new", "--sender", "-o", &desk.at("other.key")]).ends(0).out;
    let fingerprint = desk.technician(&["key", "show", sender, "--json"]).ends(0).result()["fingerprint"].clone();
    let secret = desk.sender(&["key", "show", &key, "--json"]).ends(0).result();
    assert_eq!((&secret["fingerprint"], secret["secret"].as_bool()), (&fingerprint, Some(true)));

    let signed = sealed(&desk, "signed.tarseal", &["--sender-key", &key]);
    let unsigned = sealed(&desk, "unsigned.tarseal", &[]);
    let me = desk.at("me.key");
    let requiring = |file: &str, sender: &str| open(&desk, file, &["--key", &me, "--require-sender", sender]);
    requiring(&signed, sender).ends(0).says(fingerprint.as_str().unwrap());
    requiring(&signed, other.trim()).ends(9).says("another sender").says(fingerprint.as_str().unwrap());
    requiring(&unsigned, sender).ends(9).says("not signed");
    let known = desk.at("known");
    fs::write(&known, format!("# those I know\n{other}{sender}\n")).unwrap();
    requiring(&signed, &known).ends(0);
    requiring(&signed, &desk.at("recipient")).ends(2).says("holds no sender");
    requiring(&signed, fs::read_to_string(desk.at("recipient")).unwrap().trim()).ends(2).says("signs nothing");

    open(&desk, &signed, &["--key", &me]).ends(0).says(fingerprint.as_str().unwrap());
    let verified = desk.technician(&["verify", &signed, "--key", &me, "--json"]).ends(0).result();
    assert_eq!(verified["sender"].as_str(), Some(sender));
    let verified = desk.technician(&["verify", &unsigned, "--key", &me, "--json"]).ends(0).result();
    assert!(verified["sender"].is_null());
    desk.technician(&["verify", &unsigned, "--key", &me, "--require-sender", sender]).ends(9).says("NOT VERIFIED.");

    fs::create_dir_all(desk.at("technician")).unwrap();
    fs::write(desk.at("technician/config.toml"), format!("require_sender = ['{sender}']\n")).unwrap();
    open(&desk, &signed, &["--key", &me]).ends(0);
    open(&desk, &unsigned, &["--key", &me]).ends(9);
}

#[test]
fn a_key_is_not_taken_for_one_of_another_kind() {
    let desk = Desk::new();
    let (key, me) = (desk.at("sender.key"), desk.at("me.key"));
    let sender = desk.sender(&["key", "new", "--sender", "-o", &key]).ends(0).out;
    let file = sealed(&desk, "one.tarseal", &[]);
    open(&desk, &file, &["--key", &key]).ends(2).says("it signs, and opens nothing");
    desk.sender(&["seal", LOG, "-o", &desk.at("x"), "--sender-key", &me]).ends(2).says("it does not sign");
    desk.sender(&["seal", LOG, "-o", &desk.at("x"), "--to", sender.trim()]).ends(2).says("whom nothing is sealed to");
    desk.sender(&["key", "new", "--sender", "--shared", "-o", &desk.at("y")]).ends(2);
    assert!(!Path::new(&desk.at("x")).exists() && !Path::new(&desk.at("y")).exists());
}

#[test]
fn what_is_sent_is_signed_with_the_senders_key_of_the_settings() {
    let desk = Desk::new();
    let key = desk.at("sender.key");
    let passphrase = private(&desk, "passphrase", PASSPHRASE);
    let sender = desk.sender(&["key", "new", "--sender", "-o", &key, "--passphrase-file", &passphrase]).ends(0).out;
    fs::create_dir_all(desk.at("sender")).unwrap();
    fs::write(desk.at("sender/config.toml"), format!("sender_key = '{key}'\n")).unwrap();
    let send = ["send", LOG, "--ticket", "4711", "--yes", "--sender-passphrase-file", &passphrase];
    desk.sender(&send).ends(0).says("SENT.");
    let (me, into) = (desk.at("me.key"), desk.at("fetched"));
    let fetch = ["fetch", "4711", "--reason", "x", "--key", &me, "-o", &into, "--require-sender"];
    let other = desk.sender(&["key", "new", "--sender", "-o", &desk.at("other.key")]).ends(0).out;
    desk.technician(&[&fetch[..], &[other.trim()]].concat()).ends(9).says("NOT FETCHED.");
    assert!(!Path::new(&into).exists());
    desk.technician(&["fetch", "4711", "--reason", "x", "--require-sender", sender.trim()]).ends(2).says("--key FILE");
    desk.technician(&[&fetch[..], &[sender.trim()]].concat()).ends(0);
    let reviews: Vec<_> = fs::read_dir(desk.at("sender/reviews")).unwrap().collect();
    let page = fs::read_to_string(reviews[0].as_ref().unwrap().path()).unwrap();
    assert!(page.contains("Signed by"));
}

#[test]
fn python_checks_the_signature_of_what_is_signed_here() {
    if !peer_is_there("python_checks_the_signature_of_what_is_signed_here") {
        return;
    }
    let desk = Desk::new();
    let key = desk.at("sender.key");
    desk.sender(&["key", "new", "--sender", "-o", &key]).ends(0);
    let file = sealed(&desk, "one.tarseal", &["--sender-key", &key]);
    open(&desk, &file, &["--key", &desk.at("me.key")]).ends(0);
    let check = || run("reader.py", &["--check-sender", &file, &desk.at("opened")]);
    assert!(String::from_utf8(check().unwrap()).unwrap().starts_with("signed by "));
    let manifest = desk.at("opened/.tarseal/manifest.json");
    let changed = fs::read_to_string(&manifest).unwrap().replacen("true", "false", 1);
    fs::write(&manifest, changed).unwrap();
    assert!(check().is_err());
}
