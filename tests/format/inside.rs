//! What is refused inside a file that opens: frames, archive, manifest and signature of the cases.

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use tarseal::format::OpenError;
use tarseal::pack::{Limits, UnpackError};
use tarseal::pipeline::{OpenSnapshotError, check_snapshot, open_snapshot};
use tarseal::progress::Silent;

use crate::cases::{Case, kind};
use crate::peer::{peer_is_there, run};
use crate::support::try_open;

/// The word of a case for what became of the whole file.
fn word(error: &OpenSnapshotError<Infallible>) -> String {
    match error {
        OpenSnapshotError::Sealed(error) => kind(error),
        OpenSnapshotError::Unpack(error) => match error.reason() {
            UnpackError::Damaged(_) => "damaged",
            UnpackError::Limit(_) => "limit",
            UnpackError::Path(_) => "path",
            UnpackError::Manifest(_) => "manifest",
            UnpackError::Signature => "signature",
            other => panic!("no case has a word for {other:?}"),
        }
        .into(),
        other => panic!("no case has a word for {other:?}"),
    }
}

#[test]
fn every_case_is_read_to_its_end_or_refused_as_it_says() {
    let mut wrong = Vec::new();
    let mut told = 0;
    for case in Case::all() {
        let Some(archive) = case.word("archive") else { continue };
        told += 1;
        let share = |_: &_| Ok(case.share().unwrap());
        let limits = Limits::default();
        let result = check_snapshot(case.sealed.as_slice(), &[case.identity()], share, &limits, &Silent);
        let ended = result.as_ref().map_or_else(word, |_| "opened".into());
        if ended != archive {
            wrong.push(format!("{}: {ended} instead of {archive}: {result:?}", case.name));
        }
    }
    assert!(told >= 200, "only {told} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_refused_leaves_nothing_and_what_is_not_is_there() {
    let mut unpacked = 0;
    for case in Case::all() {
        let whole = case.word("archive").map(|archive| archive == "opened");
        let sealed = case.words["expect"] == "opened";
        // A few suffice: each waits for the disk.
        if whole == Some(true) && unpacked > 3 || sealed && whole.is_none() {
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("out");
        let share =
            |_: &_| Ok::<_, Infallible>(case.share().unwrap_or_else(|| tarseal::format::Share::from_bytes([0; 32])));
        let result =
            open_snapshot(case.sealed.as_slice(), &[case.identity()], share, &target, &Limits::default(), &Silent);
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        if whole == Some(true) {
            unpacked += 1;
            assert!(result.is_ok() && left == ["out"], "{}: {result:?}", case.name);
        } else {
            assert!(result.is_err() && left.is_empty(), "{}: {left:?}", case.name);
        }
    }
    assert!(unpacked > 3);
}

/// Takes the manifest and its signature out as `zstd -d | tar x` would.
fn unpack_by_others(plaintext: &[u8], directory: &Path) {
    let tar = zstd::decode_all(plaintext).unwrap();
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().starts_with(".tarseal") {
            assert!(entry.unpack_in(directory).unwrap());
        }
    }
}

#[test]
fn python_agrees_on_every_signature() {
    if !peer_is_there("python_agrees_on_every_signature") {
        return;
    }
    let (mut good, mut bad) = (0, 0);
    for case in Case::all() {
        let archive = case.word("archive").unwrap_or_default();
        if !case.name.starts_with("signature") || !["opened", "signature"].contains(&archive) {
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        let (plaintext, error) = try_open(&case.sealed, &[case.identity()], None);
        assert!(error.is_none(), "{}: {error:?}", case.name);
        unpack_by_others(&plaintext, directory.path());
        let sealed = directory.path().join("sealed");
        fs::write(&sealed, &case.sealed).unwrap();
        let arguments = ["--check-sender", sealed.to_str().unwrap(), directory.path().to_str().unwrap()];
        let checked = run("reader.py", &arguments);
        assert_eq!(checked.is_ok(), archive == "opened", "{}: {checked:?}", case.name);
        *if checked.is_ok() { &mut good } else { &mut bad } += 1;
    }
    assert!(good >= 1 && bad >= 6, "{good} {bad}");
}

#[test]
fn every_archive_that_is_read_here_is_read_by_other_tools() {
    for case in Case::all().iter().filter(|case| case.word("archive") == Some("opened")) {
        let (plaintext, _) = try_open(&case.sealed, &[case.identity()], case.share().as_ref());
        let tar = zstd::decode_all(plaintext.as_slice()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let paths: Vec<_> = tar::Archive::new(tar.as_slice())
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().into_owned())
            .collect();
        assert!(paths.contains(&".tarseal/manifest.json".into()), "{}: {paths:?}", case.name);
    }
}

#[test]
fn the_cases_know_errors_of_every_kind() {
    let cases = Case::all();
    for expected in ["opened", "damaged", "limit", "path", "manifest", "signature"] {
        assert!(cases.iter().any(|case| case.word("archive") == Some(expected)), "{expected}");
    }
    let error = OpenSnapshotError::<Infallible>::Sealed(OpenError::Truncated);
    assert_eq!(word(&error), "cut off");
}
