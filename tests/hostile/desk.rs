//! A technician's desk: a key, a place to open files in, and something beside it that no archive may touch.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::format::{Identity, KeyKind};
use tempfile::TempDir;

use crate::archive::sealed;

pub struct Desk {
    directory: TempDir,
    pub identity: Identity,
}

/// What is at each path: mode, size, links, and the content of a small file.
type Tree = BTreeMap<PathBuf, (u32, u64, u64, Vec<u8>)>;

impl Desk {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("hostile").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let identity = Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(7));
        let desk = Self { directory, identity };
        let key = desk.at("me.key");
        fs::write(&key, desk.identity.to_text("2026-11-21T09:00:00Z".parse().unwrap()).expose()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        // Notes of opened copies lie in the home: their directory stays, no note of what was refused does.
        for directory in ["home", "home/opened", "outside", "place"] {
            DirBuilder::new().mode(0o700).create(desk.at(directory)).unwrap();
        }
        fs::write(desk.at("outside/kept"), "untouched").unwrap();
        fs::write(desk.at("place/kept"), "untouched").unwrap();
        desk
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn outside(&self) -> String {
        self.at("outside").to_str().unwrap().to_owned()
    }

    /// Seals a stream and says where the sealed file is.
    pub fn seal(&self, stream: &[u8]) -> PathBuf {
        let path = self.at("case.tarseal");
        fs::write(&path, sealed(stream, &self.identity)).unwrap();
        path
    }

    /// The command that opens a sealed file into `place/opened`, run as `program`.
    pub fn open(&self, program: &Path, file: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .args(["open".as_ref(), file.as_os_str(), "--key".as_ref(), self.at("me.key").as_os_str()])
            .args(["-o".as_ref(), self.at("place/opened").as_os_str()])
            .current_dir(self.at("place"))
            .env_clear()
            .env("TARSEAL_HOME", self.at("home"));
        command
    }

    /// The command that reads a sealed file from standard input to its end.
    pub fn verify(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .args(["verify".as_ref(), "-".as_ref(), "--key".as_ref(), self.at("me.key").as_os_str()])
            .current_dir(self.at("place"))
            .env_clear()
            .env("TARSEAL_HOME", self.at("home"));
        command
    }

    /// Everything on the desk.
    pub fn tree(&self) -> Tree {
        let (mut tree, mut waiting) = (Tree::new(), vec![self.directory.path().to_owned()]);
        while let Some(path) = waiting.pop() {
            let data = path.symlink_metadata().unwrap();
            if data.is_dir() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            let content = if data.is_file() && data.size() < 1000 { fs::read(&path).unwrap() } else { Vec::new() };
            let size = if data.is_dir() { 0 } else { data.size() };
            tree.insert(path, (data.mode(), size, data.nlink(), content));
        }
        tree
    }
}

/// What is wrong with how the program took a hostile archive: it must refuse it as damaged, say so in plain text and where,
/// and leave the desk as it was. `says` is what it says when it reads from front to back.
pub fn faults(says: Option<&str>, output: &Output, before: &Tree, after: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let text = String::from_utf8_lossy(&output.stderr);
    must(output.status.code() == Some(6), "the exit code is not 6");
    must(text.starts_with("NOT OPENED. ") || text.starts_with("NOT VERIFIED. "), "it does not begin as it should");
    must(says.is_none_or(|says| text.contains(says)), &format!("{says:?} is not said"));
    must(says.is_none() || text.contains(" (entry "), "no place is said");
    must(text.len() < 800, "it says too much");
    let plain = |c: char| c == '\n' || !(c.is_control() || tarseal::item::is_bidi(c));
    must(std::str::from_utf8(&output.stderr).is_ok() && text.chars().all(plain), "it is no plain text");
    must(!text.lines().any(|line| line.starts_with("OPENED.")), "it says OPENED");
    must(!text.lines().any(|line| line.starts_with("VERIFIED.")), "it says VERIFIED");
    must(output.stdout.is_empty(), "there is something on standard output");
    must(before == after, "something was left or changed");
    if !faults.is_empty() {
        faults.push(format!("{text:?}"));
    }
    faults
}
