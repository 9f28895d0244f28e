//! A second implementation, from another hand and in another language, opens what is sealed here and seals what opens here.

use std::fmt::Write;
use std::fs;

use tarseal::format::{Header, KeyKind, Share};

use crate::cases::{Case, root};
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
fn python_agrees_on_every_case() {
    if !peer_is_there("python_agrees_on_every_case") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let cases = Case::all();
    let mut list = String::new();
    for case in &cases {
        let sealed = path(&case.name);
        fs::write(&sealed, &case.sealed).unwrap();
        let key = match case.word("passphrase") {
            None => root().join(&case.words["identity"]).to_str().unwrap().to_owned(),
            Some(words) => {
                let file = path(&format!("{}.words", case.name));
                fs::write(&file, words).unwrap();
                format!("passphrase:{file}")
            }
        };
        writeln!(list, "{key}\t{sealed}\t{}", case.word("share").unwrap_or_default()).unwrap();
    }
    fs::write(path("list"), list).unwrap();
    let answers = String::from_utf8(run("agree.py", &[&path("list")]).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(answers.lines()) {
        let (digest, ended) = answer.split_once(' ').unwrap();
        let agreed = match case.words["expect"].as_str() {
            "opened" => ended == "opened" && digest == case.words["plaintext"],
            _ => ended.starts_with("refused"),
        };
        if !agreed {
            wrong.push(format!("{}: {answer}", case.name));
        }
    }
    assert_eq!(answers.lines().count(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
