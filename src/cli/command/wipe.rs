//! `open --wipe` and `open --purge`: opened copies are removed.

use std::path::Path;

use super::remote;
use crate::cli::Desk;
use crate::cli::args::PortalArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::opened::{self, OpenedCopy, Purge, Removal, resolved};
use crate::cli::output::shown;
use crate::cli::settings::Settings;

/// Removes the copies that lie in a directory, or belong to a ticket or a snapshot.
pub fn run(which: &Path, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let named = which.display().to_string();
    let absolute = std::path::absolute(which).map_err(|error| Failure::local(shown(&named), &error))?;
    let place = resolved(&absolute);
    let is_meant = |copy: &OpenedCopy| {
        let of_ticket = copy.ticket.as_ref().is_some_and(|ticket| ticket.as_str() == named);
        let is_there = copy.directory == absolute || resolved(&copy.directory) == place;
        is_there || of_ticket || copy.snapshot.to_string() == named
    };
    let mut warnings = Purge::default();
    let unclear = opened::sweep(desk);
    let noted = opened::all(desk);
    for fault in unclear.iter().chain(&noted.faults) {
        warnings.warn(fault, desk);
    }
    let meant: Vec<OpenedCopy> = noted.copies.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format_args!("No copy that was opened here is called {}.", shown(&named)),
        )
        .left("Nothing was removed.")
        .next("What was opened here:  tarseal list --opened"));
    }
    let mut done = Done::default();
    for copy in meant {
        done.remove(copy, desk);
    }
    done.end(desk)
}

/// What came of removing copies, one after the other.
#[derive(Default)]
struct Done {
    removed: Vec<OpenedCopy>,
    not_there: Vec<OpenedCopy>,
    forgotten: Vec<OpenedCopy>,
    failures: Vec<Failure>,
}

impl Done {
    /// Removes a copy. One that is elsewhere is forgotten only if a person says that it is gone.
    fn remove(&mut self, copy: OpenedCopy, desk: &mut Desk<'_>) {
        match copy.remove(desk) {
            Ok(removal @ Removal::Removed) => {
                copy.tell(&removal, desk);
                self.removed.push(copy);
            }
            Ok(removal @ Removal::NotThere) => {
                copy.tell(&removal, desk);
                self.not_there.push(copy);
            }
            Ok(removal @ (Removal::Other | Removal::Away)) => match forget(&copy, &removal, desk) {
                Ok(true) => self.forgotten.push(copy),
                Ok(false) => self.failures.push(copy.stays(&removal)),
                Err(failure) => self.failures.push(failure),
            },
            Err(failure) => self.failures.push(failure),
        }
    }

    fn end(self, desk: &Desk<'_>) -> Result<Outcome, Failure> {
        let Self { removed, not_there, forgotten, failures } = self;
        let removed_words = copies(removed.len());
        let mut failures = failures.into_iter();
        if let Some(mut first) = failures.next() {
            if !removed.is_empty() {
                first = first.left(format!("Of the others, {removed_words} went."));
            }
            for other in failures {
                first.what = format!("{}\n{}", first.what, other.what);
                first.next.extend(other.next);
            }
            return Err(first);
        }
        let (status, headline, words) = if !removed.is_empty() {
            ("wiped", "WIPED.", format!("{removed_words}."))
        } else if !forgotten.is_empty() {
            ("forgotten", "FORGOTTEN.", format!("{}; nothing was removed.", copies(forgotten.len())))
        } else {
            ("not_there", "NOT THERE.", "Nothing was left to be removed.".to_owned())
        };
        desk.output.headline(headline, &words);
        let directories = |copies: Vec<OpenedCopy>| copies.into_iter().map(|copy| copy.directory).collect::<Vec<_>>();
        Ok(Outcome::done(status)
            .with("directories", directories(removed))
            .with("not_there", directories(not_there))
            .with("forgotten", directories(forgotten)))
    }
}

/// Forgets a copy that does not lie where it was put, if a person says that there is none any more.
fn forget(copy: &OpenedCopy, removal: &Removal, desk: &mut Desk<'_>) -> Result<bool, Failure> {
    if desk.manner.yes {
        copy.tell(removal, desk);
    } else {
        let why = copy.stays(removal).what;
        let answer = desk.ask(&format!("{why} Is there no copy any more, and may it be forgotten? Type yes:"))?;
        if answer.as_deref() != Some("yes") {
            return Ok(false);
        }
    }
    copy.forget(desk).map(|()| true)
}

fn copies(number: usize) -> String {
    if number == 1 { "1 opened copy".to_owned() } else { format!("{number} opened copies") }
}

/// Removes every copy whose day has come: what is noted as due first, whatever else is wrong; then what the portal's news, if the
/// settings name a portal, make due.
pub fn purge(portal: &PortalArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut purge = Purge::default();
    purge.run(desk);
    if !opened::all(desk).copies.is_empty() {
        for fault in news(portal, desk).unwrap_or_else(|failure| vec![failure]) {
            purge.warn(&fault, desk);
        }
        purge.run(desk);
    }
    let left = opened::all(desk).copies;
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
    desk.output.headline("PURGED.", &format!("{} removed{rest}.", words(purge.removed.len())));
    let directories: Vec<_> = purge.removed.iter().map(|copy| &copy.directory).collect();
    Ok(Outcome::done("purged")
        .exit(purge.fault.unwrap_or(Exit::Done))
        .with("directories", directories)
        .with("left", left.len()))
}

/// Asks the portal of the settings for news of the copies; gives what went wrong.
fn news(portal: &PortalArguments, desk: &mut Desk<'_>) -> Result<Vec<Failure>, Failure> {
    let settings = Settings::resolve(portal, &desk.home, desk.world)?;
    if settings.portal.is_none() || settings.token_file.is_none() {
        return Ok(Vec::new());
    }
    let remote = remote::connect_to(remote::address(&settings)?, &settings, desk)?;
    let host = remote.address.host();
    Ok(opened::ask(&remote.client, |error| remote::failure(error, host), desk))
}
