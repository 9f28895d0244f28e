//! `verify`: a sealed file read from end to end, nothing written.

use super::input::Sealed;
use super::open::{snapshot_failure, tell_manifest};
use crate::cli::Desk;
use crate::cli::args::InspectArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::pack::Limits;
use crate::pipeline::{Opened, check_snapshot};

/// Checks a sealed file: every chunk, every file's digest, the manifest.
pub fn verify(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let Opened { created, manifest, sender, .. } = read(arguments, desk)?;
    desk.output.headline("VERIFIED.", "Complete, and nothing was changed.");
    desk.output.data(format!("sealed    {created} by {}", shown(&manifest.tool)));
    if let Some(ticket) = &manifest.ticket {
        desk.output.data(format!("ticket    {ticket}"));
    }
    let signed = sender.map_or_else(
        || "by nobody: nothing proves who sealed it".to_owned(),
        |sender| format!("by the sender with the fingerprint {}", sender.fingerprint()),
    );
    desk.output.data(format!("signed    {signed}"));
    desk.output.data(format!(
        "manifest  {}, {} left out",
        count(manifest.entries.len() as u64, "file"),
        manifest.left_out.len()
    ));
    tell_manifest(&manifest, desk);
    Ok(Outcome::done("verified")
        .with("files", manifest.entries.len())
        .with("left_out", manifest.left_out.len())
        .with("redacted", manifest.redacted)
        .with("sender", sender.map(|sender| sender.to_string())))
}

fn read(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Opened, Failure> {
    let Sealed { input, identities, share } = Sealed::find(arguments, desk)?;
    let ask = |header: &_| share.fetch(header, &identities);
    check_snapshot(input.into_stream(), &identities, ask, &Limits::default(), &desk.bars).map_err(snapshot_failure)
}
