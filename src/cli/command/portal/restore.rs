//! `portal restore`.

use std::path::Path;
use std::sync::Arc;

use super::failure;
use crate::cli::Desk;
use crate::cli::args::RestoreArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, size};
use crate::portal::admin;
use crate::portal::backup::{RestoreOrder, Restored};

/// Makes a data directory out of a backup.
pub(super) fn run(arguments: &RestoreArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let order = RestoreOrder {
        from: arguments.from.clone(),
        data: arguments.data.clone(),
        shares: arguments.shares.clone(),
        without_shares: arguments.without_shares,
        tombstones: arguments.tombstones.clone(),
        tombstones_lost: arguments.tombstones_lost,
        verify: arguments.verify,
    };
    let restored = admin::restore(&order, Arc::clone(&desk.world.clock)).map_err(|error| failure(&error))?;
    told(restored, &arguments.data, "restored", desk)
}

/// Tells what was put back.
pub(super) fn told(restored: Restored, data: &Path, done: &'static str, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    desk.output.data(data.display().to_string());
    let say = |line: String| desk.output.say(line);
    let (snapshots, length) = (count(restored.snapshots, "snapshot"), size(restored.bytes));
    say(format!("{snapshots} ({length}) as of {}.", restored.taken_at));
    say(format!("{} deleted again.", count(restored.deleted_again, "snapshot")));
    say(format!("{} refused from now on; make new ones.", count(restored.revoked_tokens, "token")));
    say(format!("Tickets that were closed or reopened since {} have to be told of it again.", restored.taken_at));
    if restored.without_share > 0 {
        say(format!("{} cannot be opened: the shares are not there.", count(restored.without_share, "snapshot")));
    }
    if restored.ended_uploads > 0 {
        say(format!("{} under way then must begin anew.", count(restored.ended_uploads, "upload")));
    }
    for id in &restored.missing {
        say(format!("The sealed file of {id} is missing or damaged."));
    }
    let whole = restored.missing.is_empty() && restored.unfinished_deletions == 0;
    Ok(Outcome::done(done)
        .with("data", data)
        .with("taken_at", restored.taken_at)
        .with("snapshots", restored.snapshots)
        .with("bytes", restored.bytes)
        .with("deleted_again", restored.deleted_again)
        .with("unfinished_deletions", restored.unfinished_deletions)
        .with("without_share", restored.without_share)
        .with("revoked_tokens", restored.revoked_tokens)
        .with("ended_uploads", restored.ended_uploads)
        .with("missing", restored.missing)
        .exit(if whole { Exit::Done } else { Exit::Incomplete }))
}
