//! A second implementation, from another hand and in another language, opens what is sealed here and seals what opens here.

use std::fs;
use std::path::Path;

use tarseal::format::{Header, KeyKind, Share};

use crate::peer::{peer_is_there, run};
use crate::support::{CREATED, identity, open, rng, seal, text};

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
