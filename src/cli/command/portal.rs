//! `portal`: serve and administer the support portal.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::remote::sentence;
use crate::cli::args::{PortalCommand, TenantCommand, TokenCommand};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, size};
use crate::cli::{Desk, interrupt};
use crate::clock::Timestamp;
use crate::portal::admin::{Admin, TokenOrder};
use crate::portal::{Config, LogFormat, Portal, PortalError, start_logging};
use crate::track::RetentionPolicy;

/// Runs one of the operator's commands.
pub fn run(command: &PortalCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        PortalCommand::Serve { data, listen, tls_cert, tls_key, behind_proxy } => {
            let mut config = Config::new(data, *listen);
            config.tls = tls_cert.clone().zip(tls_key.clone());
            config.behind_proxy = *behind_proxy;
            serve(config, desk)
        }
        PortalCommand::Tenant(command) => tenant(command, desk),
        PortalCommand::Token(command) => token(command, desk),
        PortalCommand::Sweep { data, as_of } => sweep(data, *as_of, desk),
    }
}

fn serve(config: Config, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    interrupt::leave_to_the_command();
    let filter = desk.world.variable("TARSEAL_LOG").and_then(|filter| filter.into_string().ok());
    let format = if desk.manner.json { LogFormat::Json } else { LogFormat::Text };
    let quiet = desk.manner.quiet.then_some("warn");
    start_logging(format, filter.as_deref().or(quiet));
    let portal = Portal::start(config, Arc::clone(&desk.world.clock)).map_err(|error| failure(&error))?;
    desk.output.insist(format!("listening on {}", portal.url()));
    desk.output.say(format!("receipts are signed with {}", portal.key()));
    portal.wait().map_err(|error| failure(&error))?;
    Ok(Outcome::done("stopped"))
}

/// Opens the directory of a portal that is there.
fn open_existing(data: &Path, desk: &Desk<'_>) -> Result<Admin, Failure> {
    if !data.is_dir() {
        return Err(Failure::new(Exit::NotFound, format_args!("There is no portal in {}.", data.display())));
    }
    open(data, desk)
}

/// Opens the directory of a portal; makes it when it is not there.
fn open(data: &Path, desk: &Desk<'_>) -> Result<Admin, Failure> {
    Admin::open(data, Arc::clone(&desk.world.clock)).map_err(|error| failure(&error))
}

fn failure(error: &PortalError) -> Failure {
    let exit = match error {
        PortalError::TenantUnknown(_) | PortalError::TokenUnknown(_) => Exit::NotFound,
        PortalError::Insecure(_)
        | PortalError::TenantExists(_)
        | PortalError::TicketNeeded
        | PortalError::TenantNeeded => Exit::Usage,
        PortalError::Locked => Exit::Locked,
        PortalError::Certificate(_) => Exit::Tls,
        _ => Exit::Local,
    };
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    Failure::new(exit, sentence(&format!("{error}{cause}")))
}

fn tenant(command: &TenantCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        TenantCommand::New { name, data } => {
            open(data, desk)?.new_tenant(name, &RetentionPolicy::default()).map_err(|error| failure(&error))?;
            desk.output.say(format!("Tenant {name} is there."));
            Ok(Outcome::done("made").with("tenant", name))
        }
        TenantCommand::List { data } => {
            let tenants = open_existing(data, desk)?.tenants().map_err(|error| failure(&error))?;
            for tenant in &tenants {
                desk.output.data(tenant.as_str());
            }
            Ok(Outcome::done("ok").with("tenants", tenants))
        }
    }
}

fn token(command: &TokenCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        TokenCommand::New { role, tenant, ticket, expires, data } => {
            let role = role.parse().map_err(|error| Failure::usage(sentence(&format!("{error}"))))?;
            let order = TokenOrder {
                role,
                tenant: tenant.clone(),
                ticket: ticket.clone(),
                valid_seconds: Some(u64::from(*expires) * 3600),
                max_bytes: None,
            };
            let made = open(data, desk)?.new_token(&order).map_err(|error| failure(&error))?;
            desk.output.data(made.token.expose());
            desk.output.say(format!("Token {} is good until {}. It is shown this once.", made.id, made.expires));
            // The result event carries the token only where standard output carries nothing else of it.
            let outcome = Outcome::done("made").with("id", &made.id).with("expires", made.expires);
            Ok(if desk.manner.json { outcome.with("token", made.token.expose()) } else { outcome })
        }
        TokenCommand::List { data } => list(data, desk),
        TokenCommand::Revoke { id, data } => {
            open_existing(data, desk)?.revoke(id).map_err(|error| failure(&error))?;
            desk.output.say(format!("Token {id} is refused from now on."));
            Ok(Outcome::done("revoked").with("id", id))
        }
    }
}

fn list(data: &Path, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let tokens = open_existing(data, desk)?.tokens().map_err(|error| failure(&error))?;
    let mut told: Vec<Value> = Vec::new();
    for token in &tokens {
        let ticket = token.ticket.as_ref().map_or("-", |ticket| ticket.as_str());
        let state = match token.revoked {
            Some(at) => format!("revoked {at}"),
            None => format!("until {}", token.expires),
        };
        desk.output.data(format!("{}  {:<10}  {}  {ticket}  {state}", token.id, token.role.to_string(), token.tenant));
        told.push(json!({
            "id": token.id, "role": token.role.to_string(), "tenant": token.tenant, "ticket": token.ticket,
            "expires": token.expires, "revoked": token.revoked,
        }));
    }
    Ok(Outcome::done("ok").with("tokens", told))
}

fn sweep(data: &Path, as_of: Option<Timestamp>, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let admin = open_existing(data, desk)?;
    let Some(as_of) = as_of else {
        let swept = admin.sweep().map_err(|error| failure(&error))?;
        let deleted = count(swept.deleted, "snapshot");
        desk.output
            .headline("SWEPT.", &format!("{deleted} deleted, {} failed, {} unfinished.", swept.failed, swept.expired));
        if swept.failed > 0 {
            return Err(Failure::new(
                Exit::Temporary,
                format_args!("{} could not be done and will be tried again.", count(swept.failed, "deletion")),
            ));
        }
        return Ok(Outcome::done("swept").with("deleted", swept.deleted).with("expired", swept.expired));
    };
    let due = admin.sweep_preview(as_of).map_err(|error| failure(&error))?;
    for snapshot in &due {
        let length = size(snapshot.size);
        desk.output
            .data(format!("{}  {}  {}  {length}  due {}", snapshot.tenant, snapshot.ticket, snapshot.id, snapshot.due));
    }
    desk.output.say(format!("{} would be deleted at {as_of}. Nothing was done.", count(due.len() as u64, "snapshot")));
    let ids: Vec<_> = due.iter().map(|snapshot| snapshot.id).collect();
    Ok(Outcome::done("preview").with("snapshots", ids))
}
