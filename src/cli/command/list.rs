//! `list`: what is in a sealed file, and what was left out and why.

use super::input::{Input, Sealed};
use super::open::{snapshot_failure, tell_unredacted};
use crate::cli::Desk;
use crate::cli::args::InspectArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::shown;
use crate::pack::{Limits, Manifest};
use crate::pipeline::{Parts, check_snapshot};

/// Lists a snapshot. Where it can, it reads the manifest alone; a stream is read to its end.
pub fn run(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let manifest = read(arguments, desk)?;
    for entry in &manifest.entries {
        desk.output.data(format!("{:>14}  {}", entry.size, shown(entry.path.as_str())));
    }
    for left_out in &manifest.left_out {
        desk.output.data(format!("{:>14}  {}  ({})", "left out", shown(&left_out.path), left_out.reason.words()));
    }
    tell_unredacted(&manifest, desk);
    Ok(Outcome::done("ok").with("manifest", manifest))
}

fn read(arguments: &InspectArguments, desk: &mut Desk<'_>) -> Result<Manifest, Failure> {
    let Sealed { input, identities, share } = Sealed::find(arguments, desk)?;
    let ask = |header: &_| share.fetch(header, &identities);
    match input {
        Input::Anywhere(input) => Parts::open(input, &identities, ask, &Limits::default()).map(Parts::into_manifest),
        Input::Stream(input) => {
            check_snapshot(input, &identities, ask, &Limits::default(), &desk.bars).map(|opened| opened.manifest)
        }
    }
    .map_err(snapshot_failure)
}
