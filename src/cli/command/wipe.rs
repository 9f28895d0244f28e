//! `open --wipe` and `open --purge`: opened copies are removed.

use std::path::Path;

use super::remote;
use crate::cli::Desk;
use crate::cli::args::PortalArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::opened::{self, OpenedCopy};
use crate::cli::output::shown;
use crate::cli::settings::Settings;

/// Removes the copies that lie in a directory, or belong to a ticket or a snapshot.
pub fn run(which: &Path, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let named = which.display().to_string();
    let directory = std::path::absolute(which).map_err(|error| Failure::local(shown(&named), &error))?;
    let is_meant = |copy: &OpenedCopy| {
        let of_ticket = copy.ticket.as_ref().is_some_and(|ticket| ticket.as_str() == named);
        copy.directory == directory || of_ticket || copy.snapshot.to_string() == named
    };
    let meant: Vec<OpenedCopy> = opened::all(desk)?.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format_args!("No copy that was opened here is called {}.", shown(&named)),
        )
        .left("Nothing was removed.")
        .next("What was opened here:  tarseal list --opened"));
    }
    let mut removed = Vec::new();
    for copy in &meant {
        copy.tell(&copy.remove(desk)?, desk);
        removed.push(&copy.directory);
    }
    let words =
        if removed.len() == 1 { "1 opened copy".to_owned() } else { format!("{} opened copies", removed.len()) };
    desk.output.headline("WIPED.", &format!("{words}."));
    Ok(Outcome::done("wiped").with("directories", removed))
}

/// Removes every copy whose day has come; a portal that the settings name is asked for news first.
pub fn purge(portal: &PortalArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(portal, &desk.home, desk.world)?;
    if settings.portal.is_some() && settings.token_file.is_some() && !opened::all(desk)?.is_empty() {
        let remote = remote::connect_to(remote::address(&settings)?, &settings, desk)?;
        opened::ask(&remote.client, desk)?;
    }
    let purged = opened::purge(desk)?;
    let left = opened::all(desk)?;
    let now = desk.world.clock.now();
    let overdue = left.iter().filter(|copy| copy.delete_by <= now).count();
    if overdue > 0 {
        return Err(Failure::new(
            Exit::Local,
            format_args!("{overdue} of the opened copies are overdue and could not be removed."),
        )
        .next("Remove them by hand:  tarseal list --opened"));
    }
    let words = |number: usize| if number == 1 { "1 copy".to_owned() } else { format!("{number} copies") };
    let rest = if left.is_empty() { String::new() } else { format!(", {} not due yet", words(left.len())) };
    desk.output.headline("PURGED.", &format!("{} removed{rest}.", words(purged.len())));
    let directories: Vec<_> = purged.iter().map(|copy| &copy.directory).collect();
    Ok(Outcome::done("purged").with("directories", directories).with("left", left.len()))
}
