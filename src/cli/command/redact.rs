//! `redact`: a filter, text in and redacted text out.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde_json::json;

use super::remote::sentence;
use super::snapshot::{completeness, stand_in_key, tell_left_out};
use crate::cli::Desk;
use crate::cli::args::{PortalArguments, RedactArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::given::Numbering;
use crate::cli::home::write_private_new;
use crate::cli::keeping;
use crate::cli::output::count;
use crate::cli::rules;
use crate::cli::settings::Settings;
use crate::redact::{Counts, FILTER_WINDOW, Learned, RedactError, Redactor};
use crate::spool::Spools;

/// Redacts standard input or a file to standard output.
pub fn run(arguments: &RedactArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(&PortalArguments::default(), &desk.home, desk.world)?;
    let rules = rules::profile(&arguments.rules, &settings)?.rules;
    let ticket = arguments.ticket.as_ref();
    let own = if ticket.is_some() { Some(keeping::own_identity(desk)?) } else { None };
    let key = stand_in_key(ticket, own.as_ref(), desk)?;
    let input = input(arguments.file.as_deref(), desk)?;
    let (numbering, given) = ticket.map(|ticket| Numbering::take(ticket, desk)).transpose()?.unzip();

    let spools = Spools::new(&desk.home.directory("outgoing")?, &mut *desk.world.rng);
    let mut redactor =
        Redactor::new(rules, Learned::default(), key).after(given.unwrap_or_default()).with_spools(spools);
    let counts = if desk.manner.json {
        tell_findings(&mut redactor, input, desk)
    } else if arguments.dry_run {
        redactor.filter(input, std::io::sink())
    } else {
        redactor.filter(input, desk.output.raw())
    };
    // Some of it may stand in the output already, also where the rest failed.
    if let Some(numbering) = numbering.filter(|_| !arguments.dry_run) {
        numbering.keep(redactor.given(), desk)?;
    }
    if matches!(&counts, Err(RedactError::Write(error)) if error.kind() == ErrorKind::BrokenPipe) {
        // Who reads the output has had enough: `| head`.
        return Ok(Outcome::done("redacted").with("complete", false));
    }
    let counts = counts.map_err(|error| {
        if let RedactError::Gate(hit) = &error {
            desk.show_value(arguments.rules.show_values, hit);
        }
        failure(&error)
    })?;

    let left_out = redactor.take_left_out();
    tell_left_out(&left_out, desk);
    let total: u64 = counts.values().sum();
    for (category, number) in &counts {
        desk.output.say(format!("  {:<18} {number:>9}", category.word()));
    }
    desk.output.say(format!("{} replaced.", count(total, "finding")));
    if let Some(report) = &arguments.report {
        let text = serde_json::to_vec_pretty(&json!({ "findings": counts })).expect("counts are plain values");
        write_private_new(report, &text)
            .map_err(|error| Failure::local(format_args!("The report {}", report.display()), &error))?;
    }
    Ok(Outcome { exit: completeness(&left_out, None), ..Outcome::done("redacted").with("findings", counts) })
}

/// Tells where personal values stand, never the values: one event for each, in the order of the text.
fn tell_findings(redactor: &mut Redactor, input: impl Read, desk: &Desk<'_>) -> Result<Counts, RedactError> {
    let mut text = Vec::new();
    input.take(FILTER_WINDOW as u64 + 1).read_to_end(&mut text).map_err(RedactError::Read)?;
    if text.len() > FILTER_WINDOW {
        return Err(RedactError::TooLarge);
    }
    let counts = redactor.filter(text.as_slice(), std::io::sink())?;
    for finding in redactor.findings(&text)? {
        let fields = json!({ "start": finding.start, "end": finding.end, "category": finding.category });
        desk.output.event("finding", fields.as_object().cloned().unwrap_or_default());
    }
    Ok(counts)
}

fn input(file: Option<&Path>, desk: &mut Desk<'_>) -> Result<Box<dyn Read>, Failure> {
    match file {
        Some(path) if path != Path::new("-") => File::open(path)
            .map(|file| Box::new(file) as Box<dyn Read>)
            .map_err(|error| Failure::local(path.display(), &error)),
        _ => Ok(desk.world.take_input()),
    }
}

fn failure(error: &RedactError) -> Failure {
    match error {
        RedactError::Gate(hit) => rules::gate_failure(hit)
            .left("What was written before that line passed the gate; the rest was not written."),
        RedactError::Read(error) => Failure::local("Reading failed", error),
        RedactError::Write(error) => Failure::local("The redacted text could not be written", error)
            .left("What was written before passed the gate; the rest was not written."),
        other => Failure::new(Exit::Damaged, sentence(&other.to_string())),
    }
}
