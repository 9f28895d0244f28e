//! `portal`: serve and administer the support portal. One file per subcommand.

mod audit;
mod backup;
mod clock;
mod reconcile;
mod restore;
mod serve;
mod settle;
mod sweep;
mod tenant;
mod tickets;
mod token;
mod user;

use std::path::Path;
use std::sync::Arc;

use super::remote::sentence;
use crate::cli::Desk;
use crate::cli::args::PortalCommand;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::portal::admin::Admin;
use crate::portal::backup::BackupError;
use crate::portal::{Config, DatabaseUrl, PortalError};
use crate::secret::Secret;

/// Runs one of the operator's commands.
pub fn run(command: &PortalCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        PortalCommand::Serve(arguments) => serve::run(arguments, desk),
        PortalCommand::Tenant(command) => tenant::run(command, desk),
        PortalCommand::Token(command) => token::run(command, desk),
        PortalCommand::Invite { role, tenant, data } => user::invite(role, tenant.as_ref(), data, desk),
        PortalCommand::User(command) => user::run(command, desk),
        PortalCommand::Clock(command) => clock::run(command, desk),
        PortalCommand::Sweep { data, as_of } => sweep::run(data, *as_of, desk),
        PortalCommand::Audit(command) => audit::run(command, desk),
        PortalCommand::Backup(arguments) => backup::run(arguments, desk),
        PortalCommand::Restore(arguments) => restore::run(arguments, desk),
        PortalCommand::Settle(arguments) => settle::run(arguments, desk),
        PortalCommand::Reconcile { data, older_than } => reconcile::run(data, *older_than, desk),
        PortalCommand::Tickets(command) => tickets::run(command, desk),
    }
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
    Admin::with(&configured(data, desk)?, Arc::clone(&desk.world.clock)).map_err(|error| failure(&error))
}

/// What the environment says of the portal in a directory.
fn configured(data: &Path, desk: &Desk<'_>) -> Result<Config, Failure> {
    let mut config = Config::new(data, ([127, 0, 0, 1], 0).into());
    config.database = address("TARSEAL_DATABASE", "TARSEAL_DATABASE_FILE", desk)?;
    config.shares_database = address("TARSEAL_SHARES_DATABASE", "TARSEAL_SHARES_DATABASE_FILE", desk)?;
    config.blobs = desk.world.variable("TARSEAL_BLOBS").map(|text| text.into_string().unwrap_or_default());
    config.blobs_key = desk.world.path_variable("TARSEAL_BLOBS_KEY");
    Ok(config)
}

/// The address of a database from one variable, or from the file that another one names.
fn address(variable: &str, file_variable: &str, desk: &Desk<'_>) -> Result<Option<DatabaseUrl>, Failure> {
    let text = if let Some(text) = desk.world.variable(variable) {
        text.into_string().unwrap_or_default()
    } else if let Some(path) = desk.world.path_variable(file_variable) {
        std::fs::read_to_string(&path)
            .map_err(|fault| Failure::new(Exit::Local, format_args!("{}: {fault}.", path.display())))?
    } else {
        return Ok(None);
    };
    let text = Secret::new(text);
    let address = text.expose().trim().parse();
    address.map(Some).map_err(|fault| Failure::new(Exit::Usage, sentence(&format!("{variable}: {fault}"))))
}

fn failure(error: &PortalError) -> Failure {
    let exit = match error {
        PortalError::TenantUnknown(_) | PortalError::TokenUnknown(_) | PortalError::UserUnknown(_) => Exit::NotFound,
        PortalError::Insecure(_)
        | PortalError::BlobsAddress(_)
        | PortalError::TenantExists(_)
        | PortalError::TicketNeeded
        | PortalError::NotForPeople
        | PortalError::Proxy(_)
        | PortalError::TenantNeeded
        | PortalError::Records(..)
        | PortalError::OtherDatabase(_)
        | PortalError::SeesEverything(_)
        | PortalError::Address(_)
        | PortalError::OtherBlobs(_)
        | PortalError::OtherFiles(_) => Exit::Usage,
        PortalError::Locked | PortalError::Backup(BackupError::Busy(_)) => Exit::Locked,
        PortalError::Backup(fault) => exit_of(fault),
        PortalError::TicketSystems(fault) => tickets::exit_of(fault),
        PortalError::Certificate(_) => Exit::Tls,
        _ => Exit::Local,
    };
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    Failure::new(exit, sentence(&format!("{error}{cause}")))
}

fn exit_of(fault: &BackupError) -> Exit {
    match fault {
        BackupError::NotABackup(_) | BackupError::NoTombstones(_) => Exit::NotFound,
        BackupError::Damaged(_) | BackupError::Inconsistent(_) | BackupError::OtherKind { .. } => Exit::Damaged,
        BackupError::TooOld(_) | BackupError::SharesTooOld(_) => Exit::Expired,
        BackupError::File(..) => Exit::Local,
        _ => Exit::Usage,
    }
}
