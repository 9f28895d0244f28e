//! Without a network: sealed into parts, carried, joined, sent from another computer, and the receipt brought back.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, files_below};

const LOGS: &str = "fixtures/machines/meeting/log";

/// A request's file, and the words of the key that signed it.
fn request(desk: &Desk) -> (String, String) {
    desk.technician(&["key", "new", "--sender", "-o", &desk.at("sender.key")]).ends(0);
    let file = desk.at("4711.tsreq");
    let ask = ["request", "--ticket", "4711", "--sender-key", &desk.at("sender.key"), "-o", &file, "--json"];
    let words = desk.technician(&ask).ends(0).result()["words"].as_str().unwrap().to_owned();
    (file, words)
}

/// Seals for the request into parts on a stick; gives the list's place and the check phrase.
fn carried(desk: &Desk, request: &str, words: &str) -> (String, String) {
    fs::create_dir_all(desk.at("stick")).unwrap();
    let whole = desk.at("stick/4711.tarseal");
    let seal = ["seal", request, LOGS, "-o", &whole, "--split", "1kB", "--signer", words, "--json"];
    let sealed = desk.as_person("offline", "none", &seal, "").ends(3).result();
    (sealed["file"].as_str().unwrap().to_owned(), sealed["check_phrase"].as_str().unwrap().to_owned())
}

#[test]
fn what_was_sealed_offline_goes_on_a_stick_and_its_receipt_comes_back() {
    let mut desk = Desk::new();
    let (request, words) = request(&desk);
    let portal = desk.portal.take();
    let (list, phrase) = carried(&desk, &request, &words);
    assert_eq!(phrase.split(' ').count(), 12);
    assert!(files_below(Path::new(&desk.at("stick"))).len() > 3);
    assert!(!Path::new(&desk.at("stick/4711.tarseal")).exists(), "the whole is not on the stick too");
    assert_eq!(files_below(Path::new(&desk.at("offline/spool"))), [], "nor is it left here");
    let url = portal.as_ref().unwrap().url().to_owned();
    let status = desk.as_person("offline", "none", &["status", "4711"], "").ends(0).out;
    assert!(status.contains("not sent yet:  tarseal upload") && status.contains("4711.tarseal.parts"), "{status}");

    // Another computer, which has the stick and the request's file, and no token.
    desk.portal = portal;
    let upload = ["upload", &list, "--request", &request, "--signer", &words];
    let ran = desk.as_person("courier", "none", &upload, "").ends(0).says("SENT.").says(&phrase);
    assert_eq!(files_below(Path::new(&desk.at("courier/outgoing"))), [], "{}", ran.err);
    let id = ran.out.trim().to_owned();
    let receipts = files_below(Path::new(&desk.at("courier/receipts")));
    let (_, receipt) = receipts.iter().find(|(name, _)| name.ends_with(".json")).unwrap();
    fs::write(desk.at("stick/receipt.json"), receipt).unwrap();

    // And back, where there is no network.
    let key = reqwest::blocking::get(format!("{url}/v1/receipt-key")).unwrap().text().unwrap();
    desk.portal = None;
    let file = desk.at("stick/receipt.json");
    let add = ["receipt", "add", &file, "--key", key.trim(), "--portal", &url];
    desk.as_person("offline", "none", &add, "").ends(0).says("ADDED.").says(&phrase);
    desk.as_person("offline", "none", &add, "").ends(0);
    let status = desk.as_person("offline", "none", &["status", "4711"], "").ends(0).out;
    assert!(status.contains("sent 21 Nov 2026") && status.contains(&id), "{status}");
    let ran = desk.as_person("offline", "none", &["receipt", "verify", &file], "").ends(0);
    assert!(ran.out.contains(&phrase), "{}", ran.out);

    // A receipt of somebody else's file is not the sender's.
    desk.as_person("other", "none", &add, "").ends(10).says("not sealed for a ticket here");
}

#[test]
fn parts_open_without_being_joined_and_a_wrong_part_opens_and_sends_nothing() {
    let desk = Desk::new();
    let (request, words) = request(&desk);
    let (list, _) = carried(&desk, &request, &words);
    let key = desk.at("me.key");
    desk.technician(&["verify", &list, "--key", &key]).ends(0).says("VERIFIED.");
    desk.technician(&["open", &list, "--key", &key, "-o", &desk.at("opened")]).ends(0);
    let log = format!("{LOGS}/unified_support.log");
    let ran = desk.technician(&["cat", &list, &log, "--key", &key]).ends(0);
    assert!(ran.out.contains("person-1"), "{}", ran.out);

    let second = desk.at("stick/4711.tarseal.002");
    let good = fs::read(&second).unwrap();
    let refused = |what: &str| {
        let into = desk.at("never");
        for ran in [
            desk.technician(&["open", &list, "--key", &key, "-o", &into]),
            desk.sender(&["upload", &list, "--ticket", "4711"]),
        ] {
            let ran = ran.ends(6).says(what).says("Nothing was joined.");
            assert!(ran.err.starts_with("NOT "), "{}", ran.err);
        }
        assert!(!Path::new(&into).exists());
    };
    fs::remove_file(&second).unwrap();
    refused("4711.tarseal.002, is missing.");
    fs::copy(desk.at("stick/4711.tarseal.003"), &second).unwrap();
    refused("is part 3 once more.");
    fs::write(&second, vec![7; good.len()]).unwrap();
    refused("was changed, or is of another snapshot.");
    fs::write(&second, good).unwrap();
    desk.sender(&["upload", &list, "--ticket", "4711"]).ends(0).says("SENT.");
}

#[test]
fn sealing_offline_takes_no_code_and_overwrites_nothing() {
    let mut desk = Desk::new();
    let (request, words) = request(&desk);
    let code: serde_json::Value = serde_json::from_str(&fs::read_to_string(&request).unwrap()).unwrap();
    desk.portal = None;
    let seal = |first: &str, more: &[&str]| {
        let all = [&["seal", first, LOGS, "--signer", &words], more].concat();
        desk.as_person("offline", "none", &all, "")
    };
    let whole = desk.at("4711.tarseal");
    seal(code["code"].as_str().unwrap(), &["-o", &whole]).ends(2).says("sealing uses no network");
    seal(&request, &["-o", "-", "--split", "1MB"]).ends(2);
    seal(&request, &["--split", "1MB"]).ends(2);
    seal(&request, &["-o", &whole, "--split", "1bytes"]).ends(2);
    seal(&request, &["-o", &whole, "--ticket", "4712"]).ends(2).says("The request is for ticket 4711");
    fs::write(desk.at("4711.tarseal.001"), "somebody's").unwrap();
    seal(&request, &["-o", &whole, "--split", "1MB"]).ends(7).says("nothing is overwritten");
    assert_eq!(fs::read(desk.at("4711.tarseal.001")).unwrap(), b"somebody's");
    fs::remove_file(desk.at("4711.tarseal.001")).unwrap();
    seal(&request, &["-o", &whole]).ends(3).says("Kept       until 90 days").says("by promise, not by key");
}
