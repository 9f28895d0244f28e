//! `portal token`.

use std::path::Path;

use serde_json::{Value, json};

use super::{failure, open, open_existing};
use crate::cli::Desk;
use crate::cli::args::TokenCommand;
use crate::cli::command::sentence;
use crate::cli::exit::{Failure, Outcome};
use crate::portal::admin::TokenOrder;

/// Makes, lists or revokes tokens.
pub(super) fn run(command: &TokenCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
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
