//! Requests beyond the journeys: who vouches, what is kept, and what a stranger's request cannot do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::desk::Desk;

const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";

/// A desk whose technician has a signing key and whose vendor has a root key and a list with the technician's key.
struct Shop {
    desk: Desk,
    words: String,
}

impl Shop {
    fn new() -> Self {
        let desk = Desk::new();
        let (root, list, to) = (desk.at("root.key"), desk.at("keys.list"), desk.at("recipient"));
        let made = ["key-list", "root", "-o", &root, "--name", "support.vendor.example", "--json"];
        let words = desk.technician(&made).ends(0).result()["words"].as_str().unwrap().to_owned();
        desk.technician(&["key-list", "new", &list, &to, "--root-key", &root]).ends(0);
        desk.technician(&["key", "new", "--sender", "-o", &desk.at("sender.key")]).ends(0);
        Self { desk, words }
    }

    fn pin(&self) {
        let list = self.desk.at("keys.list");
        self.desk.sender(&["vendor", "add", "acme", &list, "--root", &self.words]).ends(0);
    }

    /// Asks, signed by one key or the other; gives the code and the words of the signing key.
    fn ask(&self, with: &str, more: &[&str]) -> (String, String) {
        let key = self.desk.at(with);
        let flag = if with == "root.key" { "--root-key" } else { "--sender-key" };
        let all = [&["request", "--ticket", "4711", flag, &key, "--json"], more].concat();
        let result = self.desk.technician(&all).ends(0).result();
        (result["code"].as_str().unwrap().to_owned(), result["words"].as_str().unwrap().to_owned())
    }
}

#[test]
fn a_pinned_vendors_request_needs_no_words_and_no_options() {
    let shop = Shop::new();
    shop.pin();
    let (code, _) = shop.ask("root.key", &["--title", "Video drops", "--max-size", "5MB"]);
    let ran = shop.desk.sender(&["send", &code.to_lowercase(), LOG, "--yes"]).ends(0);
    let ran = ran.says("signed by acme (support.vendor.example)").says("Ticket     4711  \"Video drops\"");
    ran.says("at most 5.0 MB sealed").says("only with this key of acme").says("SENT.");
    let (key, into) = (shop.desk.at("me.key"), shop.desk.at("opened"));
    shop.desk.technician(&["fetch", "4711", "--reason", "x", "--key", &key, "-o", &into]).ends(0);
}

#[test]
fn a_request_to_seal_to_another_key_than_the_vendors_is_refused_whoever_signed_it() {
    let shop = Shop::new();
    shop.pin();
    let other = shop.desk.technician(&["key", "new", "--classic", "-o", &shop.desk.at("other.key")]).ends(0).out;
    let (code, _) = shop.ask("root.key", &["--to", other.trim()]);
    let ran = shop.desk.sender(&["send", &code, LOG, "--yes"]).ends(9).says("NOT SENT.");
    ran.says("not among the present keys of acme").says("nothing has left this computer");
    assert!(!Path::new(&shop.desk.at("sender/outgoing")).exists(), "nothing was collected");
}

#[test]
fn a_signing_key_is_believed_after_its_words_were_typed_once() {
    let shop = Shop::new();
    let (code, words) = shop.ask("sender.key", &[]);
    shop.desk.sender(&["send", &code, LOG, "--yes"]).ends(9).says("Nobody has said yet");
    let other = "legal winner thank year wave sausage worth useful";
    shop.desk.sender(&["send", &code, LOG, "--yes", "--signer", other]).ends(9).says("Somebody else made it");
    shop.desk.sender(&["send", &code, LOG, "--yes", "--signer", "no such thing"]).ends(2);
    let ran = shop.desk.sender(&["send", &code, LOG, "--yes", "--signer", &words]).ends(0).says("trusted from now on");
    assert!(!ran.err.contains(&words), "the words are typed, never shown");
    let (code, _) = shop.ask("sender.key", &[]);
    shop.desk.sender(&["send", &code, LOG, "--yes"]).ends(0).says("the key you have trusted since 21 Nov 2026");
}

#[test]
fn a_run_that_was_declined_begins_again_with_the_same_code_and_what_was_sent_ends_it() {
    let shop = Shop::new();
    let (code, words) = shop.ask("sender.key", &[]);
    let send = ["send", &code, LOG, "--signer", &words];
    shop.desk.sender_types(&send, "q\n").ends(5).says("NOTHING HAS LEFT THIS COMPUTER.");
    for directory in ["requests", "tokens", "signers"] {
        for entry in fs::read_dir(shop.desk.at(&format!("sender/{directory}"))).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{directory}");
        }
    }
    shop.desk.sender_types(&send, "4711\n").ends(0).says("SENT.");
    shop.desk.sender(&["send", &code, LOG, "--yes"]).ends(9).says("NOT SENT.").says("one code");
}

#[test]
fn what_is_larger_than_was_asked_for_stays_here() {
    let shop = Shop::new();
    let (code, words) = shop.ask("sender.key", &["--max-size", "1kB"]);
    let ran =
        shop.desk.sender(&["send", &code, LOG, "--yes", "--signer", &words]).ends(5).says("the request allows 1.0 kB");
    ran.says("nothing has left this computer");
    let left = fs::read_dir(shop.desk.at("sender/outgoing")).unwrap().count();
    assert_eq!(left, 0, "what was sealed is removed");
}

#[test]
fn a_request_names_no_file_of_the_senders() {
    let shop = Shop::new();
    let key = shop.desk.at("sender.key");
    for profile in ["./mine.toml", "/etc/passwd", "no-such-profile"] {
        let ask = ["request", "--ticket", "4711", "--sender-key", &key, "--profile", profile];
        shop.desk.technician(&ask).ends(2).says("NOT ASKED.").says("There is no built-in profile");
    }
}

#[test]
fn a_code_that_expired_or_was_taken_back_is_refused() {
    let shop = Shop::new();
    let (code, words) = shop.ask("sender.key", &["--valid", "2h"]);
    let list = shop.desk.technician(&["request", "--ticket", "4711", "--list", "--json"]).ends(0).result();
    let id = list["requests"][0]["id"].as_str().unwrap();
    shop.desk.technician(&["request", "--ticket", "4711", "--revoke", id]).ends(0).says("TAKEN BACK.");
    shop.desk
        .sender(&["send", &code, LOG, "--yes", "--signer", &words])
        .ends(10)
        .says("Ask the technician for a new one");
    let file = shop.desk.at("4711.tsreq");
    shop.ask("sender.key", &["--valid", "2h", "-o", &file]);
    shop.desk.forward(1);
    shop.desk.sender(&["send", &file, LOG, "--yes", "--signer", &words]).ends(13).says("expired");
    fs::write(&file, "{}").unwrap();
    shop.desk.sender(&["send", &file, LOG, "--yes"]).ends(6).says("is not a request");
    shop.desk.technician(&["request", "--ticket", "4711", "-o", &file]).ends(7).says("nothing is overwritten");
}

#[test]
fn deadlines_go_into_a_calendar_and_a_vendors_word_into_the_ledger() {
    let desk = Desk::new();
    desk.sender(&["send", LOG, "--ticket", "4711", "--yes"]).ends(0);
    let calendar = desk.sender(&["due", "--ical"]).ends(0).out;
    for line in [
        "BEGIN:VCALENDAR\r\n",
        "DTSTART;VALUE=DATE:20271121\r\n",
        "SUMMARY:4711-1 must be deleted by today\r\n",
        "DTSTAMP:20261121T090000Z\r\n",
    ] {
        assert!(calendar.contains(line), "{line} is not in\n{calendar}");
    }
    let letter = desk.sender(&["letter", "4711"]).ends(0).out;
    assert!(letter.contains("ticket 4711") && letter.contains("4711-1") && letter.contains("SHA-256"), "{letter}");
    fs::write(desk.at("mine.txt"), "Betreff: {ticket}\n{snapshots}\n").unwrap();
    let own = desk.sender(&["letter", "4711", "--template", &desk.at("mine.txt")]).ends(0).out;
    assert!(own.starts_with("Betreff: 4711\n  4711-1\n"), "{own}");
    desk.sender(&["letter", "4712"]).ends(10);

    desk.forward(400);
    desk.sender(&["due"]).ends(14);
    fs::write(desk.at("mail.eml"), "Dear Sir, it is gone.\n").unwrap();
    desk.sender(&["confirm", "4711", "--evidence", &desk.at("mail.eml")]).ends(0).says("not by a receipt");
    desk.sender(&["due"]).ends(0);
    let status = desk.sender(&["status", "4711"]).ends(0).out;
    assert!(status.contains("in writing") && status.contains("no receipt"), "{status}");
    let kept: Vec<_> = fs::read_dir(desk.at("sender/evidence")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    assert!(!desk.sender(&["due", "--ical"]).ends(0).out.contains("VEVENT"));
    desk.sender(&["confirm", "4712", "--evidence", &desk.at("mail.eml")]).ends(10);
    desk.sender(&["confirm", "4711", "--evidence", &desk.at("none")]).ends(10);
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    use tarseal::clock::{Clock as _, SystemClock};
    let mut desk = Desk::new();
    let looked = |desk: &Desk, code: u8| {
        let ran = desk.sender(&["doctor", "--ticket", "4711", "--json"]).ends(code);
        let of = |line: &str| -> (String, String) {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            (event["name"].as_str().unwrap_or("").into(), event["stands"].as_str().unwrap_or("").into())
        };
        ran.out.lines().map(of).collect::<std::collections::BTreeMap<_, _>>()
    };
    // The portal's clock is the machine's.
    assert_eq!(looked(&desk, 2)["clock"], "wrong");
    desk.clock.set(SystemClock.now());
    let all = looked(&desk, 0);
    for name in ["settings", "home", "disk", "portal", "clock", "receipts", "token", "recipients", "ledger"] {
        assert_eq!(all[name], "ok", "{name}");
    }
    let lines = desk.sender(&["doctor"]).ends(0).says("READY.").out;
    assert!(lines.lines().all(|line| line.starts_with("ok ")), "{lines}");

    fs::set_permissions(desk.at("upload.token"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(looked(&desk, 2)["token"], "wrong");
    let told = desk.sender(&["doctor"]).ends(2).out;
    assert!(told.contains("chmod 600"), "{told}");
    fs::set_permissions(desk.at("upload.token"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.technician(&["close", "4711"]).ends(0);
    assert_eq!(looked(&desk, 2)["token"], "wrong");
    let url = desk.url();
    desk.portal = None;
    desk.sender(&["doctor", "--portal", &url]).ends(2).says("missing or wrong");
    assert!(desk.sender(&["doctor"]).ends(2).out.contains("no portal is named"));
    fs::write(desk.at("sender/config.toml"), "portl = 1\n").unwrap();
    assert_eq!(looked(&desk, 2)["settings"], "wrong");
}

#[test]
fn a_code_is_taken_as_a_mail_changes_it_and_one_that_is_too_short_is_called_that() {
    let shop = Shop::new();
    shop.pin();
    let (code, _) = shop.ask("root.key", &[]);
    for wrong in [&code[..8], &format!("{}X{}", &code[..4], &code[4..])] {
        let ran = shop
            .desk
            .sender(&["send", wrong, LOG, "--yes"])
            .ends(2)
            .says("a request code has eight letters and digits");
        ran.says(wrong).says("read the code again").says("--ticket 4711");
        let upload = ["upload", LOG, "--request", wrong];
        shop.desk.sender(&upload).ends(2).says("a request code has eight letters and digits");
    }
    shop.desk.sender(&["send", "logs", "--yes"]).ends(2).says("There is no ticket to send for.");
    let pasted = code.replace('-', "\u{2013}");
    shop.desk.sender(&["send", &pasted, LOG, "--yes"]).ends(0).says("SENT.");
}
