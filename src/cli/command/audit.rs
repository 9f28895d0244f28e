//! `audit`: fetch the portal's audit log, and verify it without the portal.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde_json::json;

use super::receipt::keys;
use super::remote::{self, connect, sentence};
use crate::cli::Desk;
use crate::cli::args::{AuditCommand, AuditExportArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private_with;
use crate::cli::output::{count, shown};
use crate::track::PortalKey;
use crate::track::log::export::{MAX_LINE, Report, Verifier};
use crate::track::log::{Head, LogError, checkpoint};

/// How many records are asked for at once.
const PAGE: &str = "200";

/// Runs one of the commands on the audit log.
pub fn run(command: &AuditCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        AuditCommand::Verify { file, key, checkpoint } => verify(file, key.as_deref(), checkpoint.as_deref(), desk),
        AuditCommand::Export(arguments) => export(arguments, desk),
    }
}

fn export(arguments: &AuditExportArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let remote = connect(&arguments.portal, desk)?;
    let time = |at: Option<crate::clock::Timestamp>| at.map(|at| at.to_string());
    let given = [
        ("ticket", arguments.ticket.as_ref().map(|ticket| ticket.as_str().to_owned())),
        ("act", arguments.act.clone()),
        ("from", time(arguments.from)),
        ("until", time(arguments.until)),
        ("format", Some(arguments.format.word().to_owned())),
        ("limit", Some(PAGE.to_owned())),
    ];
    let query: Vec<(&str, String)> =
        given.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    let mut bytes = 0_u64;
    let mut fetch = |out: &mut dyn Write| -> Result<(), Stopped> {
        let mut cursor = None;
        loop {
            let page = remote::patiently(|| remote.client.audit(&query, cursor.as_deref()))
                .map_err(|error| Stopped::Remote(Box::new(remote::failure(&error, remote.address.host()))))?;
            out.write_all(page.text.as_bytes()).map_err(Stopped::Local)?;
            bytes += page.text.len() as u64;
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    };
    let done = match &arguments.output {
        None => fetch(&mut desk.output.raw()),
        Some(file) => {
            let mut stopped = None;
            let written = write_private_with(file, |out| match fetch(out) {
                Ok(()) => Ok(()),
                Err(Stopped::Local(error)) => Err(error),
                Err(remote) => {
                    stopped = Some(remote);
                    Err(io::Error::other("the portal"))
                }
            });
            stopped.map_or_else(|| written.map_err(Stopped::Local), Err)
        }
    };
    match done {
        Err(Stopped::Remote(failure)) => return Err(*failure),
        // Who reads the output has had enough: `| head`.
        Err(Stopped::Local(error)) if arguments.output.is_none() && error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(Stopped::Local(error)) => return Err(Failure::local("The export was not written", &error)),
        Ok(()) => {}
    }
    let to = arguments.output.as_ref().map(|file| format!(" to {}", file.display())).unwrap_or_default();
    desk.output.headline("EXPORTED.", &format!("{}{to}.", count(bytes, "byte")));
    Ok(Outcome::done("exported").with("bytes", bytes).with("file", &arguments.output))
}

/// Why an export stopped.
enum Stopped {
    Local(io::Error),
    Remote(Box<Failure>),
}

fn verify(file: &Path, key: Option<&str>, witness: Option<&Path>, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let keys = keys(key, desk)?;
    let (report, key) = if file == Path::new("-") {
        let mut input = BufReader::new(&mut *desk.world.input);
        read(&mut input, &keys)?
    } else {
        let open = fs::File::open(file)
            .map_err(|error| Failure::local(format_args!("The export {}", file.display()), &error))?;
        read(&mut BufReader::new(open), &keys)?
    };
    if let Some(witness) = witness {
        same_tree(witness, &report.head, &key)?;
    }
    for found in &report.findings {
        let number = found.number.map_or_else(String::new, |number| format!("record {number}: "));
        desk.output.data(format!("line {}  {number}{}", found.line, shown(&found.what)));
        desk.output.event("finding", json!(found).as_object().cloned().unwrap_or_default());
    }
    let tenant = &report.statement.tenant;
    let only: Vec<String> =
        report.statement.only.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
    if report.findings.is_empty() {
        let all = if only.is_empty() { "all there were".to_owned() } else { format!("only {}", only.join(", ")) };
        desk.output.headline(
            "VALID.",
            &format!(
                "{} of {tenant}, {all}, in a log of {} signed by {}.",
                count(report.records, "record"),
                count(report.head.size, "record"),
                shown(key.name())
            ),
        );
        return Ok(Outcome::done("valid").with("report", &report).with("signed_by", key.name()));
    }
    let found = count(report.findings.len() as u64, "place");
    Err(Failure::new(Exit::Damaged, format_args!("The export is not what the portal signed: {found} of it differ."))
        .next("Do not rely on it. Fetch it again:  tarseal audit export"))
}

/// Reads an export with the first key that signed it.
fn read(input: &mut dyn BufRead, keys: &[PortalKey]) -> Result<(Report, PortalKey), Failure> {
    let first = line(input)?.ok_or_else(|| Failure::new(Exit::Damaged, "The export is empty."))?;
    let mut last = LogError::BadSignature;
    for key in keys {
        match Verifier::new(&first, key) {
            Ok(mut verifier) => {
                while let Some(text) = line(input)? {
                    verifier.line(&text);
                }
                return Ok((verifier.finish(), key.clone()));
            }
            Err(fault) => last = fault,
        }
    }
    Err(Failure::new(Exit::Damaged, sentence(&last.to_string()))
        .next("Only an export in the form json can be verified:  tarseal audit export --format json"))
}

fn line(input: &mut dyn BufRead) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    input
        .take(MAX_LINE as u64 + 1)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| Failure::local("The export was not read", &error))?;
    if bytes.len() > MAX_LINE {
        return Err(Failure::new(Exit::Damaged, "That is not an export: it has a line longer than 64 KiB."));
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| Failure::new(Exit::Damaged, "That is not an export: it is not text."))
}

/// Says that the export is of the tree that someone else saw.
fn same_tree(witness: &Path, head: &Head, key: &PortalKey) -> Result<(), Failure> {
    let mut note = String::new();
    fs::File::open(witness)
        .and_then(|open| open.take(checkpoint::MAX_LENGTH as u64 + 1).read_to_string(&mut note))
        .map_err(|error| Failure::local(format_args!("The checkpoint {}", witness.display()), &error))?;
    let seen = checkpoint::open(&note, key)
        .map_err(|fault| Failure::new(Exit::Damaged, format_args!("The checkpoint cannot be used: {fault}.")))?;
    if seen == *head {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Damaged,
        format_args!(
            "The export is of a log of {} records, the checkpoint of another one of {}.",
            head.size, seen.size
        ),
    )
    .next("Fetch both again, one after the other."))
}
