//! Every small attack, through the program itself.

use std::fs::File;
use std::path::Path;

use crate::archive::{end, file, framed, manifest};
use crate::cases;
use crate::desk::{Desk, faults};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tarseal"))
}

#[test]
fn every_attack_is_refused_and_leaves_nothing() {
    let desk = Desk::new();
    let cases = cases::all(&desk.outside());
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    for case in cases {
        let file = desk.seal(&case.stream);
        let before = desk.tree();
        let output = desk.open(program(), &file).output().unwrap();
        let mut found = faults(None, &output, &before, &desk.tree());
        let piped = desk.open(program(), Path::new("-")).stdin(File::open(&file).unwrap()).output().unwrap();
        found.extend(faults(None, &piped, &before, &desk.tree()));
        // Read from front to back, the fault itself is met, and where it stands is said.
        let read = desk.verify(program()).stdin(File::open(&file).unwrap()).output().unwrap();
        found.extend(faults(Some(case.says), &read, &before, &desk.tree()));
        if !found.is_empty() {
            wrong.push(format!("{}: {}", case.name, found.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_attacks_are_made_of_opens_when_nothing_is_wrong() {
    let desk = Desk::new();
    let long = "d/".repeat(60) + "Zo\u{eb}.log";
    let content = vec![7; 5 << 20];
    let files: [(&str, &[u8]); 3] = [("a", b""), ("dir/b", &content), (&long, b"x")];
    let tar =
        [file("a", b""), file("dir/b", &content), crate::archive::long_file(&long, b"x"), manifest(&files), end()];
    let output = desk.open(program(), &desk.seal(&framed(&tar.concat()))).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, content) in files {
        assert!(std::fs::read(desk.at("place/opened").join(name)).unwrap() == content, "{name}");
    }
}
