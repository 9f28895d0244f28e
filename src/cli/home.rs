//! Where this program keeps things on the sender's and technician's computer.
//!
//! Configuration and state are apart (XDG), or both below `TARSEAL_HOME`. The state directory is 0700; nothing is written
//! under `/tmp`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::world::World;
use crate::secret::Secret;

/// A secret file larger than this is something else.
const SECRET_LIMIT: u64 = 64 * 1024;

/// The two directories.
#[derive(Clone, Debug)]
pub struct Home {
    config: PathBuf,
    state: PathBuf,
}

impl Home {
    /// Finds the directories: `TARSEAL_HOME`, else `XDG_CONFIG_HOME` and `XDG_STATE_HOME`, else below `HOME`.
    pub fn find(world: &World) -> Result<Self, Failure> {
        if let Some(home) = world.path_variable("TARSEAL_HOME") {
            return Ok(Self { config: home.clone(), state: home });
        }
        let below_home = |rest: &str| world.path_variable("HOME").map(|home| home.join(rest));
        let config = world.path_variable("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
        let state = world.path_variable("XDG_STATE_HOME").or_else(|| below_home(".local/state"));
        match (config, state) {
            (Some(config), Some(state)) => Ok(Self { config: config.join("tarseal"), state: state.join("tarseal") }),
            _ => Err(Failure::usage("There is no home directory: HOME is not set.")
                .next("Set TARSEAL_HOME to a directory of your own.")),
        }
    }

    /// The user's configuration file; it need not be there.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// A place below the state directory, whether something is there or not.
    #[must_use]
    pub fn place(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// A directory below the state directory, made if it is not there, readable by the user alone.
    pub fn directory(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.place(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::local(format_args!("{} could not be made", path.display()), &error))?;
        Ok(path)
    }

    /// The sender's ledger.
    pub fn ledger(&self) -> Result<PathBuf, Failure> {
        Ok(self.directory("")?.join("ledger.db"))
    }

    /// The sender's own identity: vaults and ticket keys are sealed to it.
    pub fn identity(&self) -> Result<PathBuf, Failure> {
        Ok(self.directory("")?.join("identity"))
    }
}

/// Reads a secret from a file that only its owner can read, or from standard input for `-`.
pub fn read_secret(path: &Path, what: &str, world: &mut World) -> Result<Secret<String>, Failure> {
    if path == Path::new("-") {
        return read_text(&mut *world.input, what, "standard input");
    }
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::local(format_args!("The {what} {shown}"), &error))?;
    let metadata = file.metadata().map_err(|error| Failure::local(format_args!("The {what} {shown}"), &error))?;
    if metadata.is_dir() {
        return Err(Failure::local(format_args!("The {what} {shown}"), &io::ErrorKind::IsADirectory.into()));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Failure::new(Exit::Local, format_args!("Others on this computer can read the {what} {shown}."))
            .next(format!("Make it yours alone:  chmod 600 {shown}")));
    }
    read_text(file, what, &shown)
}

fn read_text(input: impl Read, what: &str, shown: &str) -> Result<Secret<String>, Failure> {
    // Room for the largest secret from the start, so that growing leaves no copy behind.
    let mut text = Secret::new(String::with_capacity(usize::try_from(SECRET_LIMIT).expect("64 KiB fit") + 1));
    input
        .take(SECRET_LIMIT + 1)
        .read_to_string(text.expose_mut())
        .map_err(|error| Failure::local(format_args!("The {what} {shown}"), &error))?;
    if text.expose().len() as u64 > SECRET_LIMIT {
        return Err(Failure::usage(format_args!("{shown} is too large to be a {what}.")));
    }
    Ok(text)
}

/// Writes a new file that only its owner can read; nothing is overwritten, and it is on the disk when this returns.
pub fn write_private_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // A half-written key file would stand in the way of the next try.
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a file that only its owner can read, all or nothing.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_private_with(path, |output| output.write_all(bytes))
}

/// The same with what `write` writes.
pub fn write_private_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    let mut output = BufWriter::new(&file);
    let written = write(&mut output).and_then(|()| output.flush());
    if let Err(error) = written.and_then(|()| file.sync_all()) {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    fs::rename(&new, path)?;
    sync_parent(path)
}

/// Makes a rename or removal in a file's directory durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}
