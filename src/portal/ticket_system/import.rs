//! Closings out of a table, for ticket systems that cannot be asked.
//!
//! The first line names the columns: `ticket`, `closed_at`, and `event` if there is one. Nothing is taken from a table with a
//! bad line, unless it is asked for.

use std::collections::HashMap;

use super::error::TicketSystemsError;
use crate::clock::Timestamp;
use crate::ids::{SourceName, TenantId, TicketId};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::jobs::hide;
use crate::portal::store::events::{self, Event, Taken};
use crate::portal::store::{Connection, tickets};
use crate::track::deadline::{end_of_day, start_of_day};
use crate::track::history::Told;
use crate::track::policy::Zone;
use crate::wire::Moment;

/// The longest table in bytes.
pub(crate) const LIMIT: usize = 16 << 20;

/// How many bad lines are told one by one.
const BAD_LIMIT: usize = 1000;

/// How many lines are taken in one transaction.
const BATCH: usize = 200;

/// The longest name of an event in characters.
const EVENT_LIMIT: usize = 128;

/// How a table is taken.
#[derive(Clone, Debug)]
pub struct Import {
    /// Whose tickets they are; may be left out while there is only one tenant.
    pub tenant: Option<TenantId>,
    /// Which ticket system the table comes from.
    pub source: SourceName,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Take the good lines although there are bad ones.
    pub skip_bad: bool,
}

/// A line of which nothing can be taken.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BadLine {
    /// Its number; the names of the columns stand in line 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Lines that tell of a closing.
    pub lines: u64,
    /// Closings that were new; with a dry run, that would be.
    pub closed: u64,
    /// Closings that were known, or of tickets of which nothing is left.
    pub repeated: u64,
    /// How many lines are bad.
    pub bad_lines: u64,
    /// The first of them.
    pub bad: Vec<BadLine>,
    /// Whether anything was written.
    pub written: bool,
}

/// A line that could be read.
struct Line {
    number: u64,
    ticket: TicketId,
    closed_at: Moment,
    event: Option<String>,
}

/// Takes a table.
pub(crate) async fn run(
    app: &App,
    tenant: &TenantId,
    table: &[u8],
    import: &Import,
) -> Result<Result<Imported, TicketSystemsError>, ApiError> {
    let mut imported = Imported::default();
    let lines = match read(table, &mut imported) {
        Ok(lines) => lines,
        Err(fault) => return Ok(Err(fault)),
    };
    let now = app.clock.now();
    let mut connection = app.store.read(tenant).await?;
    let zone = app.policy(&mut connection, tenant).await?.zone;
    let mut good = Vec::with_capacity(lines.len());
    for line in lines {
        match check(app, &mut connection, tenant, &line, &zone, now).await? {
            Ok(Some(at)) => good.push((line, at)),
            Ok(None) => imported.repeated += 1,
            Err(why) => bad(&mut imported, line.number, why),
        }
    }
    imported.bad.sort_by_key(|bad| bad.line);
    if import.dry_run || imported.bad_lines > 0 && !import.skip_bad {
        for (line, at) in &good {
            let event = name(line, *at);
            let known = events::knows(&mut connection, tenant, &line.ticket, import.source.as_str(), &event).await?;
            if known { imported.repeated += 1 } else { imported.closed += 1 }
        }
        return Ok(Ok(imported));
    }
    drop(connection);
    imported.written = true;
    for batch in good.chunks(BATCH) {
        let mut transaction = app.store.begin(tenant).await?;
        for (line, at) in batch {
            match close(app, &mut transaction, tenant, &import.source, (line, *at), now).await? {
                Outcome::Done => imported.closed += 1,
                _ => imported.repeated += 1,
            }
        }
        transaction.commit().await?;
    }
    Ok(Ok(imported))
}

fn read(table: &[u8], imported: &mut Imported) -> Result<Vec<Line>, TicketSystemsError> {
    let unreadable = |what: &str| TicketSystemsError::Table(what.to_owned());
    // Spreadsheets write a byte order mark, and semicolons where the comma is part of numbers.
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let first = table.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(table);
    let headers = reader.headers().map_err(|_| unreadable("its first line is no text"))?.clone();
    let mut places = HashMap::new();
    for (place, header) in headers.iter().enumerate() {
        if !matches!(header, "ticket" | "closed_at" | "event") || places.insert(header, place).is_some() {
            return Err(unreadable("its first line names other columns than ticket, closed_at and event, once each"));
        }
    }
    let (Some(&ticket), Some(&closed_at)) = (places.get("ticket"), places.get("closed_at")) else {
        return Err(unreadable("its first line does not name the columns ticket and closed_at"));
    };
    let event = places.get("event").copied();
    let mut lines: Vec<Line> = Vec::new();
    let mut seen: HashMap<TicketId, u64> = HashMap::new();
    let mut record = csv::StringRecord::new();
    loop {
        let number = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(lines),
            Ok(true) => {}
            Err(fault) => {
                imported.lines += 1;
                let number = fault.position().map_or(number, csv::Position::line);
                match fault.kind() {
                    csv::ErrorKind::UnequalLengths { .. } => {
                        bad(imported, number, String::from("it has another number of columns than the first line"));
                    }
                    csv::ErrorKind::Utf8 { .. } => bad(imported, number, String::from("it is not UTF-8")),
                    _ => return Err(unreadable("it breaks off")),
                }
                continue;
            }
        }
        imported.lines += 1;
        let number = record.position().map_or(number, csv::Position::line);
        let field = |place: usize| record.get(place).unwrap_or_default();
        let read = line(number, field(ticket), field(closed_at), event.map(field));
        match read.and_then(|line| match seen.insert(line.ticket.clone(), number) {
            Some(before) => Err(format!("its ticket stands in line {before} already")),
            None => Ok(line),
        }) {
            Ok(line) => lines.push(line),
            Err(why) => bad(imported, number, why),
        }
    }
}

fn line(number: u64, ticket: &str, closed_at: &str, event: Option<&str>) -> Result<Line, String> {
    let ticket = ticket.parse().map_err(|fault: crate::ids::NotAnId| fault.to_string())?;
    let moment = closed_at.parse().map_err(|_| {
        let shown: String = closed_at.chars().take(40).collect();
        format!(
            "\"{}\" is neither a point in time nor a date (2026-12-03T14:20:01Z or 2026-12-03)",
            shown.escape_debug()
        )
    })?;
    let event = event.filter(|event| !event.is_empty());
    if event.is_some_and(|event| event.chars().count() > EVENT_LIMIT || event.chars().any(char::is_control)) {
        return Err(String::from("the name of its event is longer than 128 printable characters"));
    }
    Ok(Line { number, ticket, closed_at: moment, event: event.map(str::to_owned) })
}

fn bad(imported: &mut Imported, line: u64, why: String) {
    imported.bad_lines += 1;
    if imported.bad.len() < BAD_LIMIT {
        imported.bad.push(BadLine { line, why });
    }
}

/// When the ticket of a line counts as closed; `None` when nothing is left of the ticket, and why not when that cannot be.
async fn check(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    line: &Line,
    zone: &Zone,
    now: Timestamp,
) -> Result<Result<Option<Timestamp>, String>, ApiError> {
    let known = hide::known_as(app, connection, tenant, &line.ticket).await?;
    if known != line.ticket {
        return Ok(Ok(None));
    }
    let Some(known) = tickets::find(connection, tenant, &known).await? else {
        return Ok(Err(format!("there is no ticket {}", line.ticket)));
    };
    let at = match &line.closed_at {
        Moment::Instant(at) => *at,
        // The end of a day that has begun is no later than now, as with requests.
        Moment::Day(day) if start_of_day(*day, zone) <= now => end_of_day(*day, zone).min(now),
        Moment::Day(day) => end_of_day(*day, zone),
    };
    Ok(if at > now {
        Err(String::from("it was closed in the future"))
    } else if at < known.opened_at {
        Err(format!("it was closed before it was opened here, {}", known.opened_at))
    } else {
        Ok(Some(at))
    })
}

fn name(line: &Line, at: Timestamp) -> String {
    line.event.clone().unwrap_or_else(|| format!("closed-{}", at.seconds()))
}

async fn close(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    source: &SourceName,
    (line, at): (&Line, Timestamp),
    now: Timestamp,
) -> Result<Outcome, ApiError> {
    // What was read outside the transaction may have changed.
    let Some(known) = tickets::find(connection, tenant, &line.ticket).await? else { return Ok(Outcome::Repeated) };
    deadlines::settle(app, connection, tenant, &line.ticket).await?;
    let event = name(line, at);
    let event = Event { source: source.as_str(), name: &event, version: 0, told: Told::Closed, at };
    let outcome = match events::tell(connection, tenant, &line.ticket, &event).await? {
        Taken::New => Outcome::Done,
        Taken::Repeated => Outcome::Repeated,
        Taken::Outdated => Outcome::Outdated,
    };
    let what = (Act::CloseTicket, On::Ticket(line.ticket.as_str()), outcome);
    let why = format!("ticket system {source}");
    record(connection, tenant, now, Actor::Operator, what, Some(&why)).await?;
    if outcome == Outcome::Done {
        tickets::touch(connection, tenant, &line.ticket, at).await?;
        if known.merged_into.is_none() {
            deadlines::count_ticket(app, connection, tenant, &line.ticket, now).await?;
        }
    }
    Ok(outcome)
}
