//! `portal sweep`.

use std::path::Path;

use super::{failure, open_existing};
use crate::cli::Desk;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, size};
use crate::clock::Timestamp;

/// Deletes what is due, or prints what would be at `as_of`.
pub(super) fn run(data: &Path, as_of: Option<Timestamp>, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let admin = open_existing(data, desk)?;
    let Some(as_of) = as_of else {
        let swept = admin.sweep().map_err(|error| failure(&error))?;
        let deleted = count(swept.deleted, "snapshot");
        desk.output
            .headline("SWEPT.", &format!("{deleted} deleted, {} failed, {} unfinished.", swept.failed, swept.expired));
        if let Some(jump) = admin.clock_jump().map_err(|error| failure(&error))? {
            return Err(super::clock::jumped(&jump));
        }
        if swept.failed > 0 {
            return Err(Failure::new(
                Exit::Temporary,
                format_args!("{} could not be done and will be tried again.", count(swept.failed, "deletion")),
            ));
        }
        return Ok(Outcome::done("swept").with("deleted", swept.deleted).with("expired", swept.expired));
    };
    let due = admin.sweep_preview(as_of).map_err(|error| failure(&error))?;
    for snapshot in &due {
        let length = size(snapshot.size);
        desk.output
            .data(format!("{}  {}  {}  {length}  due {}", snapshot.tenant, snapshot.ticket, snapshot.id, snapshot.due));
    }
    desk.output.say(format!("{} would be deleted at {as_of}. Nothing was done.", count(due.len() as u64, "snapshot")));
    let ids: Vec<_> = due.iter().map(|snapshot| snapshot.id).collect();
    Ok(Outcome::done("preview").with("snapshots", ids))
}
