//! Python's `cryptography` opens what `tarseal seal` wrote, public tools unpack it, and `tarseal open` opens what Python wrote.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::desk::{Desk, files_below};
use crate::peer::{peer_is_there, run};

const SOURCE: &str = "fixtures/machines/meeting";

#[test]
fn a_vendor_without_this_program_can_read_and_write_the_file() {
    if !peer_is_there("a_vendor_without_this_program_can_read_and_write_the_file") {
        return;
    }
    let desk = Desk::new();
    for kind in [&[][..], &["--classic"]] {
        let name = |what: &str| desk.at(&format!("{}{what}", kind.len()));
        let (key, sealed, plain, again) = (name("key"), name("sealed"), name("plain.tar.zst"), name("again"));
        let new: Vec<&str> = ["key", "new", "-o", &key].iter().chain(kind).copied().collect();
        let recipient = desk.technician(&new).ends(0).out.trim().to_owned();
        desk.sender(&["seal", SOURCE, "--no-redact", "--to", &recipient, "-o", &sealed]).ends(0);

        let inside = run("reader.py", &[&key, &sealed]).unwrap();
        fs::write(&plain, &inside).unwrap();
        assert_eq!(unpacked_by_tar(&plain, &name("by-tar")), files_below(Path::new(SOURCE)));

        run("writer.py", &[&recipient, &plain, &again]).unwrap();
        let opened = name("opened");
        desk.technician(&["open", &again, "--key", &key, "-o", &opened]).ends(0);
        assert_eq!(files_below(&Path::new(&opened).join(SOURCE)), files_below(Path::new(SOURCE)));
    }
}

/// What `zstd -d` and `tar` make of the inside.
fn unpacked_by_tar(archive: &str, into: &str) -> Vec<(String, Vec<u8>)> {
    fs::create_dir(into).unwrap();
    let script = r#"set -o pipefail; zstd -dc "$1" | tar -x -C "$2""#;
    let ran = Command::new("bash").args(["-c", script, "unpack", archive, into]).output().unwrap();
    assert!(ran.status.success(), "zstd and tar: {}", String::from_utf8_lossy(&ran.stderr));
    files_below(&Path::new(into).join(SOURCE))
}
