//! `list` and `verify`: a sealed file read from end to end, nothing written.

use super::key::read_identities;
use super::open::{open_input, snapshot_failure, tell_manifest};
use super::share::ShareDesk;
use crate::cli::Desk;
use crate::cli::args::InspectArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::pack::Limits;
use crate::pipeline::{Opened, check_snapshot};

/// Lists what is in a sealed file.
pub fn list(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let manifest = read(arguments, desk)?.manifest;
    for entry in &manifest.entries {
        desk.output.data(format!("{:>14}  {}", entry.size, shown(entry.path.as_str())));
    }
    tell_manifest(&manifest, desk);
    Ok(Outcome::done("ok").with("manifest", manifest))
}

/// Checks a sealed file: every chunk, every file's digest, the manifest.
pub fn verify(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let Opened { created, manifest, .. } = read(arguments, desk)?;
    desk.output.headline("VERIFIED.", "Complete, and nothing was changed.");
    desk.output.data(format!("sealed    {created} by {}", shown(&manifest.tool)));
    if let Some(ticket) = &manifest.ticket {
        desk.output.data(format!("ticket    {ticket}"));
    }
    desk.output.data(format!(
        "manifest  {}, {} left out",
        count(manifest.entries.len() as u64, "file"),
        manifest.left_out.len()
    ));
    tell_manifest(&manifest, desk);
    Ok(Outcome::done("verified")
        .with("files", manifest.entries.len())
        .with("left_out", manifest.left_out.len())
        .with("redacted", manifest.redacted))
}

fn read(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Opened, Failure> {
    let identities = read_identities(&arguments.key, desk)?;
    let input = open_input(&arguments.file, desk)?;
    let share = ShareDesk::new(&arguments.portal, arguments.reason.as_deref(), desk)?;
    check_snapshot(input, &identities, |header| share.fetch(header, &identities), &Limits::default(), &desk.bars)
        .map_err(snapshot_failure)
}
