//! `portal tickets`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{failure, open_existing};
use crate::cli::Desk;
use crate::cli::args::TicketsCommand;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::clock::Timestamp;
use crate::ids::{SourceName, TicketId};
use crate::portal::TicketSystemsError;
use crate::portal::admin::{AskedSource, CheckedSource, Finding, Import, check_ticket_systems};

/// Runs one of the commands on ticket systems.
pub(super) fn run(command: &TicketsCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        TicketsCommand::Check { config, ticket, source } => check(config, source.as_ref(), ticket.as_ref(), desk),
        TicketsCommand::Import { file, tenant, source, dry_run, skip_bad, data } => {
            let import =
                Import { tenant: tenant.clone(), source: source.clone(), dry_run: *dry_run, skip_bad: *skip_bad };
            take(file, &import, data, desk)
        }
        TicketsCommand::Status { data } => status(data, desk),
    }
}

/// The exit code for what the operator wrote down.
pub(super) const fn exit_of(fault: &TicketSystemsError) -> Exit {
    match fault {
        TicketSystemsError::File(..) | TicketSystemsError::Secret(..) => Exit::Local,
        TicketSystemsError::Table(_) => Exit::Damaged,
        _ => Exit::Usage,
    }
}

fn check(
    config: &Path,
    source: Option<&SourceName>,
    ticket: Option<&TicketId>,
    desk: &Desk<'_>,
) -> Result<Outcome, Failure> {
    let checked =
        check_ticket_systems(config, source, ticket, &*desk.world.clock).map_err(|fault| failure(&fault.into()))?;
    for source in &checked {
        desk.output.data(format!("{} ({}): {}", source.name, source.tenant, told(source, ticket)));
        desk.output.event("source", event(source));
    }
    let Some(worst) = checked.iter().filter_map(|source| exit_for(&source.finding)).max_by_key(|exit| rank(*exit))
    else {
        return Ok(Outcome::done("ok").with("sources", checked.len()));
    };
    let bad = checked.iter().filter(|source| exit_for(&source.finding).is_some()).count();
    let of = count(checked.len() as u64, "ticket system");
    Err(Failure::new(worst, format_args!("{bad} of {of} told nothing that a deadline could be counted from."))
        .next("Nothing was written. docs/TICKETS.md says what each word means."))
}

/// What came of one system, as a sentence.
fn told(source: &CheckedSource, ticket: Option<&TicketId>) -> String {
    let ticket = ticket.map_or("the ticket", TicketId::as_str);
    let said = match &source.finding {
        Finding::NotAsked => String::from("nothing was asked; name a ticket with --ticket"),
        Finding::Answers => String::from("it answers, and shows what must be there"),
        Finding::NotItsTicket => format!("{ticket} is none of its tickets: it has another prefix"),
        Finding::Missing => format!("it does not know {ticket}"),
        Finding::Ticket { state, word, closed_at, updated_at, merged_into } => {
            let at = |what: &str, at: &Option<Timestamp>| match at {
                Some(at) => format!(", {what} {at}"),
                None => format!(", not {what}"),
            };
            let into = merged_into.as_ref().map(|into| format!(" into {into}")).unwrap_or_default();
            let (closed, updated) = (at("closed", closed_at), at("touched", updated_at));
            format!("{ticket} is {state}{into} (in its words \"{}\"){closed}{updated}", shown(word))
        }
        Finding::Failed { word, what } => format!("{}: {}", word, shown(what)),
    };
    let hooks = if source.hooks { "" } else { "; no hooks" };
    format!("{said}{hooks}")
}

fn event(source: &CheckedSource) -> Map<String, Value> {
    let mut event = json!({ "name": source.name, "tenant": source.tenant, "hooks": source.hooks });
    let more = match &source.finding {
        Finding::NotAsked => json!({ "finding": "not-asked" }),
        Finding::Answers => json!({ "finding": "answers" }),
        Finding::NotItsTicket => json!({ "finding": "not-its-ticket" }),
        Finding::Missing => json!({ "finding": "missing" }),
        Finding::Ticket { state, word, closed_at, updated_at, merged_into } => json!({
            "finding": "ticket", "state": state, "word": word, "closed_at": closed_at, "updated_at": updated_at,
            "merged_into": merged_into,
        }),
        Finding::Failed { word, what } => json!({ "finding": "failed", "fault": word, "what": what }),
    };
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event.as_object().cloned().unwrap_or_default()
}

/// The exit code of what is not as it should be.
fn exit_for(finding: &Finding) -> Option<Exit> {
    match finding {
        Finding::Ticket { state: "unknown", .. } => Some(Exit::Damaged),
        Finding::Missing => Some(Exit::NotFound),
        Finding::Failed { word, .. } => Some(match *word {
            "refused" => Exit::Refused,
            "untrusted" => Exit::Tls,
            "unreachable" | "timed-out" | "broke-off" | "busy" | "failing" => Exit::Temporary,
            "nothing-there" => Exit::NotFound,
            _ => Exit::Damaged,
        }),
        _ => None,
    }
}

/// Which of several faults the command ends with: what a person must mend comes before what passes.
const fn rank(exit: Exit) -> u8 {
    match exit {
        Exit::Refused => 5,
        Exit::Tls => 4,
        Exit::Damaged => 3,
        Exit::NotFound => 2,
        _ => 1,
    }
}

fn take(file: &Path, import: &Import, data: &Path, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let admin = open_existing(data, desk)?;
    let imported = if file == Path::new("-") {
        admin.import_closings(&mut *desk.world.input, import)
    } else {
        let table = std::fs::File::open(file)
            .map_err(|error| Failure::local(format_args!("The table {}", file.display()), &error))?;
        admin.import_closings(table, import)
    };
    let imported = imported.map_err(|error| failure(&error))?;
    for bad in &imported.bad {
        desk.output.data(format!("line {}: {}", bad.line, shown(&bad.why)));
        desk.output.event("bad-line", json!(bad).as_object().cloned().unwrap_or_default());
    }
    let more = imported.bad_lines - imported.bad.len() as u64;
    if more > 0 {
        desk.output.say(format!("{} are not shown.", count(more, "bad line")));
    }
    let closed = count(imported.closed, "ticket");
    let bad = count(imported.bad_lines, "bad line");
    let outcome = |status| Outcome::done(status).with("imported", &imported);
    if import.dry_run && (imported.bad_lines == 0 || import.skip_bad) {
        desk.output.say(format!("{closed} would be closed, {} known already. Nothing was done.", imported.repeated));
        let exit = if imported.bad_lines > 0 { Exit::Incomplete } else { Exit::Done };
        return Ok(outcome("preview").exit(exit));
    }
    if !imported.written {
        return Err(Failure::new(Exit::Damaged, format_args!("{bad}, so nothing was taken from the table."))
            .next("Mend them, or take the others alone:  --skip-bad"));
    }
    desk.output.headline("IMPORTED.", &format!("{closed} closed, {} known already, {bad}.", imported.repeated));
    Ok(if imported.bad_lines > 0 { outcome("incomplete").exit(Exit::Incomplete) } else { outcome("imported") })
}

fn status(data: &Path, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let sources = open_existing(data, desk)?.asked_sources().map_err(|error| failure(&error))?;
    for source in &sources {
        desk.output.data(standing(source));
        let event = json!({
            "name": source.name, "tenant": source.tenant, "answered": source.answered, "failing": source.failing,
            "failures": source.failures, "fault": source.fault, "tickets": source.tickets, "unread": source.unread,
        });
        desk.output.event("source", event.as_object().cloned().unwrap_or_default());
    }
    if sources.is_empty() {
        desk.output.say("No ticket system was asked yet.");
    }
    Ok(Outcome::done("ok").with("sources", sources.len()))
}

fn standing(source: &AskedSource) -> String {
    let answered = source.answered.map_or_else(|| String::from("never"), |at| at.to_string());
    let failing = match (&source.fault, source.failing) {
        (Some(fault), Some(since)) => {
            format!(", fails since {since} ({}, {})", shown(fault), count(source.failures.into(), "time"))
        }
        _ => String::new(),
    };
    let tickets = count(source.tickets, "ticket");
    format!("{} ({}): {tickets}, {} unread, last answer {answered}{failing}", source.name, source.tenant, source.unread)
}
