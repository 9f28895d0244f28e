//! `collect`: what would be collected. Collecting itself is the first step of `send` and `seal`.

use super::collected;
use crate::cli::args::{CollectArguments, PortalArguments, RulesArguments};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::settings::Settings;
use crate::cli::{Desk, rules};

/// Shows what a profile, or what was named, would give.
pub fn run(arguments: &CollectArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    if !arguments.dry_run {
        return Err(Failure::usage("`collect` only shows what would be collected: add --dry-run.")
            .next("To collect and make a sealed file of it:  tarseal seal --profile NAME --to RECIPIENT -o FILE"));
    }
    let settings = Settings::resolve(&PortalArguments::default(), &desk.home, desk.world)?;
    let rules = RulesArguments { profile: arguments.profile.clone(), watchlist: None, show_values: false };
    let profile = rules::profile(&rules, &settings)?;
    let found = collected::find(&arguments.paths, &arguments.window, &profile, true, desk)?;
    Ok(collected::tell_look(&found, &profile, desk))
}
