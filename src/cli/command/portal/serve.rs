//! `portal serve`.

use std::sync::Arc;

use super::failure;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::{Desk, interrupt};
use crate::portal::{Config, LogFormat, Portal, start_logging};

/// Serves until interrupted.
pub(super) fn run(config: Config, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    interrupt::leave_to_the_command();
    let filter = desk.world.variable("TARSEAL_LOG").and_then(|filter| filter.into_string().ok());
    let format = if desk.manner.json { LogFormat::Json } else { LogFormat::Text };
    let quiet = desk.manner.quiet.then_some("warn");
    start_logging(format, filter.as_deref().or(quiet));
    let portal = Portal::start(config, Arc::clone(&desk.world.clock)).map_err(|error| failure(&error))?;
    desk.output.insist(format!("listening on {}", portal.url()));
    if let Some(url) = portal.metrics_url() {
        desk.output.say(format!("metrics are at {url}"));
    }
    desk.output.say(format!("receipts are signed with {}", portal.key()));
    if let Some(link) = portal.first_invitation() {
        let link = link.expose();
        desk.output.insist(format!("the first administrator's invitation, good once within 72 h: {link}"));
    }
    portal.wait().map_err(|error| failure(&error))?;
    Ok(Outcome::done("stopped"))
}
