//! `portal reconcile`.

use std::path::Path;

use super::{failure, open_existing};
use crate::cli::Desk;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::count;

/// Compares what the database says with the files, both ways.
pub(super) fn run(data: &Path, older_than: u16, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let found = open_existing(data, desk)?.reconcile(older_than).map_err(|error| failure(&error))?;
    let agrees = found.agrees();
    for id in &found.without_bytes {
        desk.output.data(format!("{id}  no file"));
    }
    for id in &found.without_row {
        desk.output.data(format!("{id}  no row"));
    }
    let say = |number: u64, thing: &str, what: &str| {
        if number > 0 {
            desk.output.say(format!("{} {what}", count(number, thing)));
        }
    };
    say(found.removed, "file", &format!("that no row had known for {older_than} days removed."));
    say(found.came_back, "file", "of deleted snapshots had come back; removed.");
    say(found.foreign, "file or directory", "not called like the portal's, left alone.");
    say(found.shares, "share", "of nothing destroyed.");
    let (rows, files) = (count(found.rows, "snapshot"), count(found.files, "file"));
    desk.output.headline(if agrees { "AGREES." } else { "DIFFERS." }, &format!("{rows} and {files} compared."));
    Ok(Outcome::done(if agrees { "agrees" } else { "differs" })
        .with("rows", found.rows)
        .with("files", found.files)
        .with("without_bytes", found.without_bytes)
        .with("without_row", found.without_row)
        .with("removed", found.removed)
        .with("came_back", found.came_back)
        .with("foreign", found.foreign)
        .with("shares", found.shares)
        .with("hidden_tickets", found.hidden_tickets)
        .exit(if agrees { Exit::Done } else { Exit::Incomplete }))
}
