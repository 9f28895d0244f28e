//! How hard and how surely: levels, waiting for the disk, and what a killed run leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::desk::Desk;

const LOG: &str = "fixtures/machines/meeting/log/unified_support.log";

#[test]
fn a_level_is_one_of_nine_and_changes_nothing_that_is_opened() {
    let desk = Desk::new();
    let recipient = desk.at("recipient");
    for level in ["1", "9"] {
        let (file, into) = (desk.at(&format!("{level}.tarseal")), desk.at(level));
        desk.sender(&["seal", LOG, "--to", &recipient, "--no-redact", "--level", level, "-o", &file]).ends(0);
        desk.technician(&["open", &file, "--key", &desk.at("me.key"), "-o", &into]).ends(0);
        let opened = fs::read(Path::new(&into).join(LOG)).unwrap();
        assert!(opened == fs::read(LOG).unwrap(), "level {level}");
    }
    for level in ["0", "10", "-1", "fast"] {
        let seal = ["seal", LOG, "--to", &recipient, &format!("--level={level}"), "-o", &desk.at("none.tarseal")];
        desk.sender(&seal).ends(2).says("from 1 to 9");
        assert!(!Path::new(&desk.at("none.tarseal")).exists());
    }
}

#[test]
fn opening_can_wait_for_the_disk() {
    let desk = Desk::new();
    let (file, into) = (desk.at("one.tarseal"), desk.at("opened"));
    desk.sender(&["seal", LOG, "--to", &desk.at("recipient"), "-o", &file]).ends(0);
    desk.technician(&["open", &file, "--key", &desk.at("me.key"), "-o", &into, "--sync"]).ends(0).says("OPENED.");
    assert!(Path::new(&into).join(LOG).exists());
}

#[test]
fn a_killed_run_leaves_a_partial_name_for_its_owner_alone_and_does_not_stand_in_the_way() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarseal"));
        command.args(arguments).env("TARSEAL_HOME", at("home")).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    let made = program(&["key", "new", "-o", &at("me.key")]).output().unwrap();
    fs::write(at("recipient"), made.stdout).unwrap();
    let mut noise = vec![0; 1 << 20];
    StdRng::seed_from_u64(1).fill_bytes(&mut noise);
    fs::write(at("noise.bin"), noise.repeat(48)).unwrap();

    fs::create_dir(at("out")).unwrap();
    let seal = ["seal", &at("noise.bin"), "--no-redact", "--to", &at("recipient"), "-o", &at("out/noise.tarseal")];
    let (name, mode) = killed(program(&seal).spawn().unwrap(), &dir.path().join("out"));
    assert!(name.starts_with("noise.tarseal.partial-"), "{name}");
    assert_eq!(mode, 0o600);
    assert!(program(&seal).status().unwrap().success());

    fs::create_dir(at("in")).unwrap();
    let open = ["open", &at("out/noise.tarseal"), "--key", &at("me.key"), "-o", &at("in/noise")];
    let (name, mode) = killed(program(&open).spawn().unwrap(), &dir.path().join("in"));
    assert!(name.starts_with("noise.partial-"), "{name}");
    assert_eq!(mode, 0o700);
    assert!(program(&open).status().unwrap().success());
}

/// Kills a run as soon as something is in `directory`; gives its name and its mode.
fn killed(mut run: Child, directory: &Path) -> (String, u32) {
    let patience = Instant::now() + Duration::from_secs(60);
    while fs::read_dir(directory).unwrap().next().is_none() {
        assert!(Instant::now() < patience, "nothing is written");
        thread::sleep(Duration::from_millis(1));
    }
    run.kill().unwrap();
    assert!(!run.wait().unwrap().success(), "it was done before it was killed");
    let left: Vec<_> = fs::read_dir(directory).unwrap().map(Result::unwrap).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    (left[0].file_name().into_string().unwrap(), left[0].metadata().unwrap().permissions().mode() & 0o777)
}
