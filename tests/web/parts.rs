//! A sealed file that came in parts, brought to the portal with nothing but a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use tarseal::format::{Identity, KeyKind};

use crate::browser::is_clean;
use crate::driver::{Browser, Wish};
use crate::support::{TICKET, TestPortal};

/// A clerk's computer without a network, and the stick on which its files are carried.
struct Clerk(tempfile::TempDir);

impl Clerk {
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program there; returns what it wrote to standard output.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarseal"));
        let ran = command.args(arguments).current_dir(self.0.path()).env("TARSEAL_HOME", self.at("home")).output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Seals a file to four parts and their list; returns the check phrase.
    fn seal_in_parts(&self) -> String {
        let rng = &mut StdRng::seed_from_u64(8);
        let mut bytes = vec![0; 35_000];
        rng.fill_bytes(&mut bytes);
        fs::write(self.at("core.bin"), bytes).unwrap();
        let vendor = Identity::generate(KeyKind::X25519, rng).recipient().to_string();
        let told = self.run(&[
            "seal",
            "core.bin",
            "--ticket",
            TICKET,
            "--to",
            &vendor,
            "--no-redact",
            "-o",
            "4711.tarseal",
            "--split",
            "10kB",
            "--json",
        ]);
        let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        last["check_phrase"].as_str().unwrap().to_owned()
    }
}

fn paths(files: &[PathBuf]) -> Vec<&Path> {
    files.iter().map(PathBuf::as_path).collect()
}

#[test]
fn parts_are_joined_in_a_browser_and_only_if_each_is_as_it_was_cut() {
    let Some(browser) = Browser::start("parts_are_joined_in_a_browser", Wish::default()) else { return };
    let portal = TestPortal::start();
    let clerk = Clerk(tempfile::tempdir().unwrap());
    let phrase = clerk.seal_in_parts();
    let part = |number: usize| clerk.at(&format!("4711.tarseal.{number:03}"));
    let all: Vec<_> = (1..=4).map(part).chain([clerk.at("4711.tarseal.parts")]).collect();
    assert!(all.iter().all(|file| file.exists()) && !part(5).exists());

    let page = format!("{}/upload?ticket={TICKET}", portal.url());
    let send = |files: &[PathBuf]| {
        browser.go(&page);
        browser.drop_files("#drop", &paths(files));
        browser.wait_for("#said", "press Send.");
        browser.type_in("#token", &portal.upload);
        browser.click("#send");
    };
    // The first part alone begins like a whole file.
    send(&all[..1]);
    browser.wait_for("#said", "Choose all of its parts, and their list too");
    send(&all[..4]);
    browser.wait_for("#said", "Choose all of its parts, and their list too");
    send(&[part(1), part(3), part(4), all[4].clone()]);
    browser.wait_for("#said", "is missing");
    assert!(browser.text("#said").contains("Part 2 of 4"), "{}", browser.text("#said"));
    let stranger = clerk.at("core.bin");
    send(&[&all[..], &[stranger]].concat());
    browser.wait_for("#said", "is no part of");

    let third = fs::read(part(3)).unwrap();
    let mut changed = third.clone();
    changed[5000] ^= 1;
    for (bytes, words) in [
        (changed, "was changed, or is of another snapshot"),
        (fs::read(part(1)).unwrap(), "is part 1 once more"),
        (third[..4000].to_vec(), "is cut off"),
    ] {
        fs::write(part(3), bytes).unwrap();
        send(&all);
        browser.wait_for("#said", words);
        let said = browser.text("#said");
        assert!(said.starts_with("Part 3 of 4") && said.ends_with("Nothing was sent."), "{said}");
    }
    fs::write(part(3), third).unwrap();
    let list = fs::read_to_string(&all[4]).unwrap();
    for broken in ["[]".to_owned(), list.replace("\"edition\": 1", "\"edition\": 2"), list[..200].to_owned()] {
        fs::write(&all[4], broken).unwrap();
        send(&all);
        browser.wait_for("#said", "is not the list of a sealed file in parts");
    }
    fs::write(&all[4], list).unwrap();

    // Chosen in any order.
    let mut turned = all.clone();
    turned.reverse();
    send(&turned);
    browser.wait_for("#said", "Sent.");
    assert!(browser.text("#facts").contains(&phrase), "{} {phrase}", browser.text("#facts"));

    // The receipt goes back on the stick: the clerk's computer knows the file by it.
    let place = browser.run("return document.querySelector('#receipt').href", &[]);
    let receipt = reqwest::blocking::get(place.as_str().unwrap()).unwrap().text().unwrap();
    fs::write(clerk.at("receipt.txt"), &receipt).unwrap();
    let key = reqwest::blocking::get(format!("{}/v1/receipt-key", portal.url())).unwrap().text().unwrap();
    fs::write(clerk.at("portal.key"), key).unwrap();
    let added =
        clerk.run(&["receipt", "add", "receipt.txt", "--key", "portal.key", "--portal", &portal.url(), "--json"]);
    assert!(added.contains("\"added\""), "{added}");
    browser.go(&format!("{}/receipt", portal.url()));
    browser.run("document.querySelector('textarea').value = arguments[0]", &[receipt.into()]);
    browser.click("main form button");
    browser.wait_for("main", &phrase);
    is_clean(&browser, &portal.url(), &[]);
}
