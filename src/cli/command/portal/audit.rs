//! `portal audit`.

use std::path::Path;

use serde_json::json;

use super::{failure, open_existing};
use crate::cli::Desk;
use crate::cli::args::{EraseArguments, PortalAuditCommand};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::track::log::Field;

/// Runs one of the commands on the portal's own audit log.
pub(super) fn run(command: &PortalAuditCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        PortalAuditCommand::Verify { data, checkpoint } => verify(data, checkpoint.as_deref(), desk),
        PortalAuditCommand::Rebuild { data } => {
            let records = open_existing(data, desk)?.audit_rebuild().map_err(|error| failure(&error))?;
            desk.output.headline("REBUILT.", &format!("The tree over {}, as it was signed.", count(records, "record")));
            Ok(Outcome::done("rebuilt").with("records", records))
        }
        PortalAuditCommand::Erase(arguments) => erase(arguments, desk),
    }
}

fn erase(arguments: &EraseArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let EraseArguments { name, address, reason, tenant, data } = arguments;
    let told = [(Field::Name, name), (Field::Address, address), (Field::Reason, reason)];
    let told = told.into_iter().find_map(|(field, value)| Some((field, value.as_deref()?)));
    let (field, value) = told.expect("one of the three is required");
    let erased = open_existing(data, desk)?.audit_erase(tenant, field, value).map_err(|error| failure(&error))?;
    let records = count(erased, "record");
    desk.output.headline("ERASED.", &format!("The {} is in no record any more; it was in {records}.", field.word()));
    Ok(Outcome::done("erased").with("records", erased))
}

fn verify(data: &Path, checkpoint: Option<&Path>, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let witness = checkpoint
        .map(|file| {
            std::fs::read_to_string(file)
                .map_err(|error| Failure::local(format_args!("The checkpoint {}", file.display()), &error))
        })
        .transpose()?;
    let verified = open_existing(data, desk)?.audit_verify(witness.as_deref()).map_err(|error| failure(&error))?;
    for finding in &verified.findings {
        desk.output.data(shown(finding));
        desk.output.event("finding", json!({ "what": finding }).as_object().cloned().unwrap_or_default());
    }
    if verified.waiting > 0 {
        desk.output.say(format!("{} not in the log yet; nothing protects them.", count(verified.waiting, "record")));
    }
    if verified.findings.is_empty() {
        let (records, receipts) = (count(verified.records, "record"), count(verified.receipts, "receipt"));
        desk.output.headline("VALID.", &format!("{records} and {receipts} are as they were logged."));
        return Ok(Outcome::done("valid").with("verified", &verified));
    }
    let found = count(verified.findings.len() as u64, "place");
    Err(Failure::new(Exit::Damaged, format_args!("The audit log is not what was signed: {found} of it differ."))
        .next("Keep this directory as it is, and compare it with the last backup."))
}
