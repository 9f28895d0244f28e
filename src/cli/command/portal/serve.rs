//! `portal serve`.

use std::sync::Arc;

use super::{configured, failure};
use crate::cli::args::ServeArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::{Desk, interrupt};
use crate::portal::{Config, LogFormat, Portal, start_logging};

/// Serves until interrupted.
pub(super) fn run(arguments: &ServeArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let config = with(arguments, configured(&arguments.data, desk)?);
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

/// What was typed, over what the environment says.
fn with(arguments: &ServeArguments, mut config: Config) -> Config {
    config.listen = arguments.listen;
    config.url.clone_from(&arguments.url);
    config.database = arguments.database.clone().or(config.database);
    config.shares_database = arguments.shares_database.clone().or(config.shares_database);
    config.tls = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    config.behind_proxy = arguments.behind_proxy;
    config.trusted_proxies.clone_from(&arguments.trusted_proxy);
    config.metrics = arguments.metrics;
    config.records.clone_from(&arguments.records);
    config.ticket_systems.clone_from(&arguments.ticket_systems);
    if arguments.blobs.is_some() {
        config.blobs.clone_from(&arguments.blobs);
        config.blobs_key.clone_from(&arguments.blobs_key);
    }
    config
}
