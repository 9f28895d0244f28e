//! `portal backup`.

use super::{failure, open_existing};
use crate::cli::Desk;
use crate::cli::args::BackupArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, size};
use crate::portal::backup::{BackupOrder, Kind, Schedule};

/// Makes a backup and thins out the older ones.
pub(super) fn run(arguments: &BackupArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let order = BackupOrder {
        kind: if arguments.shares { Kind::Shares } else { Kind::Portal },
        to: arguments.to.clone(),
        schedule: Schedule { daily: arguments.daily, weekly: arguments.weekly, monthly: arguments.monthly },
    };
    let made = open_existing(&arguments.data, desk)?.backup(&order).map_err(|error| failure(&error))?;
    desk.output.data(made.path.display().to_string());
    if order.kind == Kind::Portal {
        let files = count(made.snapshots, "sealed file");
        let length = size(made.bytes);
        desk.output.say(format!("{files} ({length}), {} of them new; the shares are not in it.", made.fresh));
        if made.removed > 0 {
            desk.output.say(format!("{} removed here because they were deleted.", count(made.removed, "sealed file")));
        }
    }
    if made.thinned > 0 {
        desk.output.say(format!("{} removed.", count(made.thinned, "older backup")));
    }
    for id in &made.missing {
        desk.output.say(format!("The sealed file of {id} is not where it belongs. It is in no backup from now on."));
    }
    let exit = if made.missing.is_empty() { Exit::Done } else { Exit::Incomplete };
    Ok(Outcome::done("backed-up")
        .with("backup", made.path)
        .with("snapshots", made.snapshots)
        .with("bytes", made.bytes)
        .with("fresh", made.fresh)
        .with("missing", made.missing)
        .with("thinned", made.thinned)
        .with("removed", made.removed)
        .exit(exit))
}
