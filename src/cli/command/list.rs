//! `list`: what is in a sealed file, and what was left out and why.

use super::input::{Input, Sealed};
use super::open::{snapshot_failure, tell_sender, tell_unredacted};
use crate::cli::Desk;
use crate::cli::args::InspectArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::shown;
use crate::format::Sender;
use crate::pack::{Limits, Manifest};
use crate::pipeline::{Parts, check_snapshot};

/// Lists a snapshot. Where it can, it reads the manifest alone; a stream is read to its end.
pub fn run(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let (manifest, sender) = read(arguments, desk)?;
    for entry in &manifest.entries {
        desk.output.data(format!("{:>14}  {}", entry.size, shown(entry.path.as_str())));
    }
    for left_out in &manifest.left_out {
        desk.output.data(format!("{:>14}  {}  ({})", "left out", shown(&left_out.path), left_out.reason.words()));
    }
    tell_unredacted(&manifest, desk);
    tell_sender(sender.as_ref(), desk);
    Ok(Outcome::done("ok").with("manifest", manifest).with("sender", sender.map(|sender| sender.to_string())))
}

fn read(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<(Manifest, Option<Sender>), Failure> {
    let Sealed { input, identities, share } = Sealed::find(arguments, desk)?;
    let ask = |header: &_| share.fetch(header, &identities);
    let limits = Limits::default();
    match input {
        Input::Anywhere(input) => Parts::open(input, &identities, ask, &limits).map(|parts| {
            let sender = parts.sender;
            (parts.into_manifest(), sender)
        }),
        Input::Stream(input) => {
            check_snapshot(input, &identities, ask, &limits, &desk.bars).map(|opened| (opened.manifest, opened.sender))
        }
    }
    .map_err(snapshot_failure)
}
