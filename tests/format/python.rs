//! A second implementation, from another hand and in another language, opens what is sealed here and seals what opens here.
//!
//! It runs where `TARSEAL_PYTHON` (default `python3`) has `cryptography` 50 or later. Elsewhere these tests say on standard
//! error that they were skipped; with `TARSEAL_REQUIRE_PEERS=1` they fail instead.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use tarseal::format::{Header, KeyKind, Share};

use crate::support::{CREATED, identity, open, rng, seal, text};

fn python() -> String {
    env::var("TARSEAL_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether the peer is there; says so when it is not.
fn peer_is_there(test: &str) -> bool {
    let check = "import cryptography as c; assert int(c.__version__.split('.')[0]) >= 50, c.__version__";
    let missing = match Command::new(python()).args(["-c", check]).output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no reason given").to_owned(),
        Err(error) => error.to_string(),
    };
    assert!(
        env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"),
        "{test} needs {} with cryptography 50 or later: {missing}",
        python()
    );
    eprintln!("SKIPPED {test}: {} with cryptography 50 or later is not there ({missing})", python());
    false
}

/// Runs a peer script; gives its standard output or what it complained of.
fn run(script: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format").join(script);
    let output = Command::new(python()).arg("-B").arg(script).args(arguments).output().unwrap();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn python_opens_what_is_sealed_here() {
    if !peer_is_there("python_opens_what_is_sealed_here") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let share = Share::random(&mut rng(7));
    for (kind, seed) in [(KeyKind::X25519, 1), (KeyKind::XWing, 2)] {
        let key = identity(kind, seed);
        fs::write(path("key"), key.to_text(CREATED).expose()).unwrap();
        for (length, share) in [(0, None), (100, Some(&share)), (3 * 16_384, None), (200_001, Some(&share))] {
            let plaintext = text(length);
            let mut file = seal(&[identity(KeyKind::XWing, 9).recipient(), key.recipient()], share, &plaintext, seed);
            let hex = share.map(|share| hex::encode(share.expose())).unwrap_or_default();
            fs::write(path("file"), &file).unwrap();
            let opened = run("reader.py", &[&path("key"), &path("file"), &hex]).unwrap();
            assert!(opened == plaintext, "{kind} {length}");

            // The peer is no judge if it takes everything.
            *file.last_mut().unwrap() ^= 1;
            fs::write(path("file"), &file).unwrap();
            assert!(run("reader.py", &[&path("key"), &path("file"), &hex]).is_err(), "{kind} {length}");
        }
    }
}

#[test]
fn what_python_seals_opens_here() {
    if !peer_is_there("what_python_seals_opens_here") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let share = Share::random(&mut rng(7));
    let portal = "https://support.vendor.example";
    for (kind, seed) in [(KeyKind::X25519, 1), (KeyKind::XWing, 2)] {
        let key = [identity(kind, seed)];
        let recipient = key[0].recipient().to_string();
        for (length, share) in [(0, None), (100, Some(&share)), (3 * 16_384, None), (200_001, Some(&share))] {
            let plaintext = text(length);
            fs::write(path("plaintext"), &plaintext).unwrap();
            let hex = share.map(|share| hex::encode(share.expose()));
            let mut arguments = vec![recipient.clone(), path("plaintext"), path("file")];
            arguments.extend(hex.into_iter().flat_map(|hex| [hex, portal.to_owned()]));
            run("writer.py", &arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            let file = fs::read(path("file")).unwrap();
            let header = Header::read(&mut file.as_slice()).unwrap();
            assert_eq!(header.share.map(|field| field.portal), share.map(|_| portal.to_owned()));
            assert!(open(&file, &key, share) == (plaintext, None), "{kind} {length}");
        }
    }
}

#[test]
fn python_agrees_on_every_case_that_is_not_about_words() {
    if !peer_is_there("python_agrees_on_every_case_that_is_not_about_words") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let sealed = directory.path().join("file");
    // Rules about the meaning of a field's text, which the short reader leaves out.
    let left_out = ["plain_http", "year_10000"];
    for entry in fs::read_dir(root.join("fixtures/format")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "case") || left_out.contains(&name.as_str()) {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let words = std::str::from_utf8(&bytes[..end]).unwrap();
        let word = |name: &str| words.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        fs::write(&sealed, &bytes[end + 2..]).unwrap();
        let key = root.join(word("identity").unwrap());
        let arguments = [key.to_str().unwrap(), sealed.to_str().unwrap(), word("share").unwrap_or_default()];
        let opened = run("reader.py", &arguments);
        assert_eq!(opened.is_ok(), word("expect") == Some("opened"), "{name}: {opened:?}");
    }
}
