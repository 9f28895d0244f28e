//! `fetch`: the snapshots of a ticket from the portal, opened when a key is given.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::open::{open_ahead_into, refuse_existing, tell_opened};
use super::opening::Opening;
use super::remote::{self, Remote};
use super::share::ShareDesk;
use crate::cli::args::FetchArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::sync_parent;
use crate::cli::interrupt::Unfinished;
use crate::cli::opened::Purge;
use crate::cli::output::{count, size};
use crate::cli::{Desk, opened};
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::pack::bring_to_disk;
use crate::progress::{Progress, Step};
use crate::wire::{Snapshot, SnapshotState};

/// How often a broken download is taken up again before the command gives up.
const TRIES: u32 = 5;

/// Fetches every stored snapshot of a ticket.
pub fn run(arguments: &FetchArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    if arguments.reason.trim().is_empty() {
        return Err(Failure::usage("The portal records why a snapshot is read.").next("Say why:  --reason WHY"));
    }
    Purge::default().run(desk);
    let mut opening = Opening::read(&arguments.keys, desk)?;
    if arguments.memory && opening.is_empty() {
        return Err(Failure::usage("Only what is opened goes into memory, and nothing was named that opens it.")
            .next("Name the file that holds your identity:  --key FILE"));
    }
    let remote = Rc::new(remote::connect(&arguments.portal, desk)?);
    let snapshots = stored(&remote, &arguments.ticket)?;
    let directory = match &arguments.output {
        Some(directory) => directory.clone(),
        None if arguments.memory => opened::in_memory(arguments.ticket.as_str(), desk)?,
        None => arguments.ticket.as_str().into(),
    };
    if opening.is_empty() {
        if !arguments.keys.require_sender.is_empty() {
            return Err(Failure::usage(
                "Whose file it is shows when it is opened, and nothing was named that opens it.",
            )
            .next("Name the file that holds your identity:  --key FILE"));
        }
        let files = fetch_sealed(&remote, &snapshots, &directory, arguments, desk)?;
        desk.output.headline(
            "FETCHED.",
            &format!("{}, still sealed, in {}", count(files.len() as u64, "snapshot"), directory.display()),
        );
        return Ok(Outcome::done("fetched").with("files", files));
    }
    refuse_existing(&directory)?;
    let fetched = fetch_opened(&remote, &snapshots, &mut opening, &directory, arguments, desk);
    if fetched.is_err() {
        // Only when it is empty: what was opened before the failure stays.
        let _ = fs::remove_dir(&directory);
    }
    let fetched = fetched?;
    desk.output.data(directory.display().to_string());
    let sender = fetched.first().and_then(|first| first.sender.clone());
    let same = fetched.iter().all(|one| one.sender == sender);
    Ok(Outcome::done("opened")
        .with("directory", directory)
        .with("delete_by", fetched.iter().map(|one| one.delete_by).min())
        .with("files", fetched.iter().map(|one| one.files).sum::<usize>())
        .with("left_out", fetched.iter().map(|one| one.left_out).sum::<usize>())
        .with("redacted", fetched.iter().all(|one| one.redacted))
        .with("sender", sender.filter(|_| same))
        .with("snapshots", fetched.len())
        .with("opened", fetched))
}

/// One snapshot that was fetched and opened, as the result tells it.
#[derive(Serialize)]
struct Fetched {
    snapshot: FileId,
    directory: PathBuf,
    delete_by: Timestamp,
    files: usize,
    left_out: usize,
    redacted: bool,
    sender: Option<String>,
}

/// Fetches and opens each snapshot: one becomes the directory itself, several become directories in it.
fn fetch_opened(
    remote: &Rc<Remote>,
    snapshots: &[Snapshot],
    opening: &mut Opening,
    directory: &Path,
    arguments: &FetchArguments,
    desk: &mut Desk<'_>,
) -> Result<Vec<Fetched>, Failure> {
    let keep = desk.home.directory("fetched")?;
    let several = snapshots.len() > 1;
    if several {
        fs::create_dir(directory).map_err(|error| Failure::local(directory.display(), &error))?;
    }
    let mut fetched = Vec::new();
    let share = ShareDesk::with(Rc::clone(remote), &arguments.reason);
    for snapshot in snapshots {
        let sealed = download(remote, snapshot, &keep, &arguments.reason, desk)?;
        let file = fs::File::open(&sealed).map_err(|error| Failure::local(sealed.display(), &error))?;
        let destination = if several { directory.join(snapshot.id.to_string()) } else { directory.to_owned() };
        let noted = open_ahead_into(file, opening, &share, &destination, desk).and_then(|(opened, begun)| {
            let copy = begun.finish(&opened, snapshot.due_at, desk)?;
            // The sealed file goes, so what was opened must stay.
            bring_to_disk(&destination).map_err(|error| Failure::local(destination.display(), &error))?;
            Ok((opened, copy))
        });
        // Opened or not, the sealed file has done its work; the snapshot itself is at the portal.
        fs::remove_file(&sealed).map_err(|error| Failure::local(sealed.display(), &error))?;
        let (opened, copy) = noted?;
        tell_opened(&opened, &copy, desk);
        fetched.push(Fetched {
            snapshot: snapshot.id,
            directory: copy.directory,
            delete_by: copy.delete_by,
            files: opened.manifest.entries.len(),
            left_out: opened.manifest.left_out.len(),
            redacted: opened.manifest.redacted,
            sender: opened.sender.as_ref().map(ToString::to_string),
        });
    }
    Ok(fetched)
}

/// The snapshots of a ticket that can be read, the oldest first; at least one.
pub fn stored(remote: &Remote, ticket: &TicketId) -> Result<Vec<Snapshot>, Failure> {
    let all = remote.client.snapshots(ticket).map_err(|error| remote::failure(&error, remote.address.host()))?;
    let gone = all.iter().any(|snapshot| matches!(snapshot.state, SnapshotState::Deleting | SnapshotState::Deleted));
    let restricted = all.iter().any(|snapshot| snapshot.state == SnapshotState::Restricted);
    let readable = |snapshot: &Snapshot| matches!(snapshot.state, SnapshotState::Stored | SnapshotState::Held);
    let stored: Vec<Snapshot> = all.into_iter().filter(readable).collect();
    if !stored.is_empty() {
        return Ok(stored);
    }
    Err(if restricted {
        Failure::new(
            Exit::Refused,
            format_args!("A hold keeps the snapshots of ticket {}; nobody may read them.", ticket),
        )
    } else if gone {
        Failure::new(Exit::Expired, format_args!("The snapshots of ticket {} were deleted at their deadline.", ticket))
            .next(format!("The receipt says when:  tarseal proof {ticket} -o FILE"))
    } else {
        Failure::new(Exit::NotFound, format_args!("Nothing is stored for ticket {} yet.", ticket))
    })
}

fn fetch_sealed(
    remote: &Remote,
    snapshots: &[Snapshot],
    directory: &Path,
    arguments: &FetchArguments,
    desk: &Desk<'_>,
) -> Result<Vec<PathBuf>, Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::local(directory.display(), &error))?;
    let mut files = Vec::new();
    for snapshot in snapshots {
        let file = download(remote, snapshot, directory, &arguments.reason, desk)?;
        desk.output.data(file.display().to_string());
        files.push(file);
    }
    Ok(files)
}

/// Downloads one sealed file into `directory`; it appears under its name only when its digest is right.
fn download(
    remote: &Remote,
    snapshot: &Snapshot,
    directory: &Path,
    reason: &str,
    desk: &Desk<'_>,
) -> Result<PathBuf, Failure> {
    let done = directory.join(format!("{}-{}.tarseal", snapshot.ticket, snapshot.id));
    let partial = done.with_extension("tarseal.partial");
    let _unfinished = Unfinished::note(&done);
    let local = |error: &std::io::Error| Failure::local(partial.display(), error);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)
        .map_err(|error| local(&error))?;
    desk.bars.begin(Step::Fetch, Some(snapshot.size));
    let result = receive(remote, snapshot, reason, &mut file, desk).and_then(|digest| {
        if digest == snapshot.sha256 {
            Ok(())
        } else {
            Err(Failure::new(Exit::Damaged, "The bytes that arrived are not the bytes that were sent.")
                .next("Fetch it again."))
        }
    });
    desk.bars.end(&size(snapshot.size));
    let kept = result.and_then(|()| {
        file.sync_all()
            .and_then(|()| fs::rename(&partial, &done))
            .and_then(|()| sync_parent(&done))
            .map_err(|error| local(&error))
    });
    match kept {
        Ok(()) => Ok(done),
        Err(failure) => {
            // The failure that matters is the first one.
            let _ = fs::remove_file(&partial);
            Err(failure)
        }
    }
}

/// Receives the content, taking up again where a connection broke, and gives its SHA-256.
fn receive(
    remote: &Remote,
    snapshot: &Snapshot,
    reason: &str,
    file: &mut fs::File,
    desk: &Desk<'_>,
) -> Result<String, Failure> {
    let mut hasher = Sha256::new();
    let mut received = 0;
    let mut tries = 0;
    let mut buffer = vec![0; 256 * 1024];
    while received < snapshot.size {
        let content = remote.client.content(&snapshot.id, reason, received);
        let mut content = match content {
            Ok(content) => content,
            Err(error) if error.is_temporary() && tries < TRIES => {
                tries += 1;
                continue;
            }
            Err(error) => return Err(remote::failure(&error, remote.address.host())),
        };
        while received < snapshot.size {
            let length = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(_) if tries < TRIES => break,
                Err(error) => {
                    return Err(Failure::new(Exit::Temporary, format_args!("The connection broke: {error}."))
                        .next("Fetch it again."));
                }
            };
            let bytes = &buffer[..length];
            hasher.update(bytes);
            file.write_all(bytes).map_err(|error| Failure::local("The sealed file could not be written", &error))?;
            received += length as u64;
            desk.bars.advance(length as u64);
        }
        if received < snapshot.size {
            tries += 1;
            if tries > TRIES {
                return Err(Failure::new(Exit::Temporary, "The connection broke again and again.")
                    .next("Fetch it again later."));
            }
        }
    }
    Ok(hex::encode(hasher.finalize()))
}
