//! `portal invite` and `portal user`.

use std::path::Path;

use serde_json::{Value, json};

use super::{failure, open, open_existing};
use crate::cli::Desk;
use crate::cli::args::UserCommand;
use crate::cli::command::sentence;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::shown;
use crate::ids::TenantId;
use crate::portal::Role;
use crate::portal::admin::MadeInvitation;

/// Invites somebody new.
pub(super) fn invite(role: &str, tenant: Option<&TenantId>, data: &Path, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let made = open(data, desk)?.invite(tenant, parse(role)?).map_err(|error| failure(&error))?;
    Ok(tell(&made, desk))
}

/// Lists users, changes them, or invites one to choose a new password.
pub(super) fn run(command: &UserCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        UserCommand::List { data } => list(data, desk),
        UserCommand::Reset { id, data } => {
            let made = open_existing(data, desk)?.reset_user(id).map_err(|error| failure(&error))?;
            Ok(tell(&made, desk))
        }
        UserCommand::Role { id, role, data } => {
            let role = parse(role)?;
            open_existing(data, desk)?.set_user_role(id, role).map_err(|error| failure(&error))?;
            desk.output.say(format!("User {} is of role {role} from now on, and on no ticket.", shown(id)));
            Ok(Outcome::done("changed").with("id", id).with("role", role))
        }
        UserCommand::Disable { id, data } => {
            open_existing(data, desk)?.disable_user(id).map_err(|error| failure(&error))?;
            desk.output.say(format!("User {} is refused from now on.", shown(id)));
            Ok(Outcome::done("disabled").with("id", id))
        }
        UserCommand::Enable { id, data } => {
            open_existing(data, desk)?.enable_user(id).map_err(|error| failure(&error))?;
            desk.output.say(format!("User {} may sign in again.", shown(id)));
            Ok(Outcome::done("enabled").with("id", id))
        }
    }
}

fn parse(role: &str) -> Result<Role, Failure> {
    role.parse().map_err(|error| Failure::usage(sentence(&format!("{error}"))))
}

fn tell(made: &MadeInvitation, desk: &Desk<'_>) -> Outcome {
    desk.output.data(made.invitation.expose());
    desk.output.say(format!("The invitation is good once, until {}. It is shown this once.", made.expires));
    let outcome = Outcome::done("invited").with("id", &made.id).with("expires", made.expires);
    // The result event carries the invitation only where standard output carries nothing else of it.
    if desk.manner.json { outcome.with("invitation", made.invitation.expose()) } else { outcome }
}

fn list(data: &Path, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let users = open_existing(data, desk)?.users().map_err(|error| failure(&error))?;
    let mut told: Vec<Value> = Vec::new();
    for user in &users {
        let state = user.disabled.map_or_else(String::new, |since| format!("  disabled {since}"));
        let role = user.role.to_string();
        desk.output.data(format!("{}  {role:<10}  {}  {}{state}", user.id, user.tenant, shown(&user.name)));
        told.push(json!({
            "id": user.id, "name": user.name, "role": role, "tenant": user.tenant, "disabled": user.disabled,
        }));
    }
    Ok(Outcome::done("ok").with("users", told))
}
