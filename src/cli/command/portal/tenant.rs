//! `portal tenant`.

use super::{failure, open, open_existing};
use crate::cli::Desk;
use crate::cli::args::TenantCommand;
use crate::cli::exit::{Failure, Outcome};
use crate::track::RetentionPolicy;

/// Adds a tenant, or lists them.
pub(super) fn run(command: &TenantCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
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
