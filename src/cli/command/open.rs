//! `open`: a sealed file into a new directory.

use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::input::{Input, address, reading_failure};
use super::opening::Opening;
use super::remote::sentence;
use super::share::ShareDesk;
use crate::cli::args::OpenArguments;
use crate::cli::exit::{Exit, Failure, Outcome, plain_io};
use crate::cli::interrupt::Unfinished;
use crate::cli::opened::{Begun, OpenedCopy, Purge};
use crate::cli::output::{count, shown};
use crate::cli::requests::when;
use crate::cli::{Desk, opened};
use crate::format::{Header, Identity, OpenError, Sender, SlotKind};
use crate::pack::{Limits, Manifest, UnpackError, bring_to_disk};
use crate::pipeline::{OpenSnapshotError, Opened, open_snapshot_ahead};

/// Bytes that are read at a time from what comes only once.
const SPOOL_BUFFER: usize = 128 << 10;

/// Opens a sealed file into a directory that is not there yet.
pub fn run(arguments: &OpenArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let Some(file) = &arguments.file else { return super::wipe::purge(&arguments.portal, desk) };
    if arguments.wipe {
        return super::wipe::run(file, desk);
    }
    Purge::default().run(desk);
    let mut opening = Opening::read(&arguments.keys, desk)?;
    let destination = match &arguments.output {
        Some(directory) => directory.clone(),
        None if arguments.memory => {
            let name = named_after(file)?;
            opened::in_memory(&name.to_string_lossy(), desk)?
        }
        None => named_after(file)?,
    };
    refuse_existing(&destination)?;
    let share = ShareDesk::new(&arguments.portal, arguments.reason.as_deref(), desk)?;
    let input = Input::open(file, &arguments.portal, &share, desk)?;
    let (opened, begun) = match input {
        Input::Stream(stream) => open_spooled_into(stream, &mut opening, &share, &destination, desk)?,
        Input::Anywhere(anywhere) => open_ahead_into(anywhere, &mut opening, &share, &destination, desk)?,
    };
    let copy = begun.finish(&opened, share.due(&opened), desk)?;
    if arguments.sync {
        bring_to_disk(&destination).map_err(|error| Failure::local(destination.display(), &error))?;
    }
    desk.output.data(destination.display().to_string());
    tell_opened(&opened, &copy, desk);
    Ok(Outcome::done("opened")
        .with("directory", &copy.directory)
        .with("delete_by", copy.delete_by)
        .with("files", opened.manifest.entries.len())
        .with("left_out", opened.manifest.left_out.len())
        .with("redacted", opened.manifest.redacted)
        .with("sender", opened.sender.as_ref().map(ToString::to_string)))
}

/// Opens a sealed file that comes once, from front to back, into `destination`; nothing is left there if it fails.
///
/// Its header is looked at first. Then it is kept, still sealed, in a file without a name beside the destination: only from its
/// end can be told what it holds, and whether that is more than anybody should unpack.
fn open_spooled_into(
    input: impl Read,
    opening: &mut Opening,
    share: &ShareDesk,
    destination: &Path,
    desk: &mut Desk<'_>,
) -> Result<(Opened, Begun), Failure> {
    let (header, mut input) = Header::peek(input).map_err(|error| open_failure(&error))?;
    let identities = share.with_grant(&header, opening.identities(&header, desk)?)?;
    let beside = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: io::Error| {
        Failure::local(format_args!("The sealed file could not be kept in {}", beside.display()), &error)
            .left("Nothing of it was kept.")
            .next("Make room or choose another place:  -o DIR")
    };
    let mut spool = tempfile::tempfile_in(beside).map_err(failed)?;
    let mut buffer = vec![0; SPOOL_BUFFER];
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(reading_failure(&error)),
        };
        spool.write_all(&buffer[..length]).map_err(failed)?;
    }
    spool.rewind().map_err(failed)?;
    unseal(spool, &header, &identities, share, destination, desk)
}

/// Opens a sealed file that can be read from its end into `destination`; nothing is left there if it fails. What comes of it is
/// to be finished.
pub fn open_ahead_into(
    mut input: impl Read + Seek,
    opening: &mut Opening,
    share: &ShareDesk,
    destination: &Path,
    desk: &mut Desk<'_>,
) -> Result<(Opened, Begun), Failure> {
    let header = Header::read(&mut input).map_err(|error| open_failure(&error))?;
    input.rewind().map_err(|error| open_failure(&OpenError::Read(error)))?;
    let identities = share.with_grant(&header, opening.identities(&header, desk)?)?;
    unseal(input, &header, &identities, share, destination, desk)
}

fn unseal(
    input: impl Read + Seek,
    header: &Header,
    identities: &[Identity],
    share: &ShareDesk,
    destination: &Path,
    desk: &mut Desk<'_>,
) -> Result<(Opened, Begun), Failure> {
    let begun = opened::begin(header, destination, desk)?;
    let _unfinished = Unfinished::note(destination);
    let ask = |header: &Header| share.fetch(header, identities);
    match open_snapshot_ahead(input, identities, ask, destination, &Limits::default(), &desk.bars) {
        Ok(opened) => Ok((opened, begun)),
        Err(error) => {
            begun.abandon(desk);
            Err(snapshot_failure(error))
        }
    }
}

/// Why a snapshot was not opened, in words and with its exit code.
pub fn snapshot_failure(error: OpenSnapshotError<Failure>) -> Failure {
    match error {
        OpenSnapshotError::Share(failure) => failure,
        OpenSnapshotError::Sealed(error) => open_failure(&error),
        OpenSnapshotError::Unpack(error) => unpack_failure(&error),
        #[expect(
            unreachable_patterns,
            reason = "the enum is non-exhaustive for other crates; a new variant lands here"
        )]
        other => Failure::new(Exit::Bug, sentence(&other.to_string())),
    }
}

/// Says what was opened.
pub fn tell_opened(opened: &Opened, copy: &OpenedCopy, desk: &Desk<'_>) {
    let destination = &copy.directory;
    let manifest = &opened.manifest;
    tell_manifest(manifest, desk);
    tell_sender(opened.sender.as_ref(), desk);
    desk.output
        .headline("OPENED.", &format!("{} in {}", count(manifest.entries.len() as u64, "file"), destination.display()));
    desk.output.say(format!(
        "Gone by {}. To remove it before:  tarseal open --wipe {}",
        when(copy.delete_by),
        destination.display()
    ));
}

/// Says who signed a snapshot, if somebody did.
pub fn tell_sender(sender: Option<&Sender>, desk: &Desk<'_>) {
    if let Some(sender) = sender {
        desk.output.say(format!("Signed by the sender with the fingerprint {}.", sender.fingerprint()));
    }
}

/// Says what a technician should know about a snapshot: whether it was redacted, and what is not in it.
pub fn tell_manifest(manifest: &Manifest, desk: &Desk<'_>) {
    tell_unredacted(manifest, desk);
    if !manifest.left_out.is_empty() {
        desk.output.say(format!(
            "The sender left out {}; the manifest says why.",
            count(manifest.left_out.len() as u64, "file")
        ));
    }
}

/// Says that a snapshot was not redacted.
pub fn tell_unredacted(manifest: &Manifest, desk: &Desk<'_>) {
    if !manifest.redacted {
        desk.output.say("The sender sealed it WITHOUT redaction: it holds personal data as it was.");
    }
}

/// Refuses to open into something that is there.
pub fn refuse_existing(destination: &Path) -> Result<(), Failure> {
    if destination.symlink_metadata().is_ok() {
        return Err(exists(destination));
    }
    Ok(())
}

fn named_after(file: &Path) -> Result<PathBuf, Failure> {
    let named = crate::cli::parts::is_list(file).then(|| file.with_extension(""));
    let file = named.as_deref().unwrap_or(file);
    match file.file_stem() {
        Some(stem) if file != Path::new("-") && address(file)?.is_none() && Path::new(stem) != file => Ok(stem.into()),
        _ => Err(Failure::usage("There is no directory to open it into.").next("Name one:  -o DIR")),
    }
}

/// Why a sealed file did not open, in words and with its exit code.
pub fn open_failure(error: &OpenError) -> Failure {
    let text = sentence(&error.to_string());
    match error {
        OpenError::NoKeyFits => Failure::new(
            Exit::Refused,
            "None of the keys opens this file: it was sealed to others.",
        )
        .next("Ask the sender which recipient it was sealed to, and compare with:  tarseal key show FILE")
        .next("If somebody passed it on to you, the portal has the rest:  --portal URL --token-file FILE --reason WHY"),
        OpenError::NotGiven(SlotKind::SharedKey) => {
            Failure::new(Exit::Refused, "This file was sealed with a key that both sides hold.")
                .next("Name the file that holds it:  --shared-key FILE")
        }
        OpenError::NotGiven(_) => {
            Failure::new(Exit::Refused, text).next("Give the passphrase in a file:  --passphrase-file FILE")
        }
        OpenError::WrongPassphrase => Failure::new(Exit::WrongPassphrase, "The passphrase does not open this file.")
            .next("If you are sure of it, the file was changed on its way: fetch or copy it again."),
        OpenError::Memory(_) => Failure::new(Exit::Local, text).next("Open it on a computer with more memory."),
        OpenError::Unsigned => Failure::new(Exit::Refused, "This file is not signed, and you require a sender.")
            .left("Nothing of it was opened."),
        OpenError::OtherSender(sender) => Failure::new(
            Exit::Refused,
            format_args!(
                "This file names another sender than you require, with the fingerprint {}.",
                sender.fingerprint()
            ),
        )
        .left("Nothing of it was opened.")
        .next("If you know that sender, and compared the fingerprint:  --require-sender SENDER"),
        OpenError::Read(error) => reading_failure(error),
        OpenError::ShareNeeded(_) => Failure::new(Exit::Refused, text),
        _ => Failure::new(Exit::Damaged, text).left("Nothing of it was kept.").next("Fetch or copy the file again."),
    }
}

/// Why the inside of a sealed file was refused.
pub fn unpack_failure(error: &UnpackError) -> Failure {
    match error {
        UnpackError::Destination { path, source } => {
            Failure::new(Exit::Local, format_args!("{} could not be written: {}.", path.display(), plain_io(source)))
                .left("Nothing of it was kept.")
                .next("Make room or choose another place:  -o DIR")
        }
        UnpackError::DestinationExists(path) => exists(path),
        UnpackError::Input(source) => match OpenError::from_io(source) {
            Some(error) => open_failure(error),
            None => reading_failure(source),
        },
        _ => Failure::new(Exit::Damaged, sentence(&shown(&error.to_string()))).left("Nothing of it was kept."),
    }
}

fn exists(destination: &Path) -> Failure {
    Failure::new(Exit::Local, format_args!("{} is there already, and nothing is overwritten.", destination.display()))
        .next("Name a directory that is not there yet:  -o DIR")
}
