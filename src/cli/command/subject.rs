//! `subject`: where a person occurs in what was sent from here. Vaults and ledger are searched on this computer; nothing leaves
//! it, and nothing is shown but tickets, snapshots and stand-ins.

use std::io::Read as _;
use std::path::Path;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{ledger, names};
use crate::cli::args::{FindArguments, PersonArguments, SubjectCommand, SubjectExportArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::write_private_new;
use crate::cli::output::{count, shown};
use crate::cli::{Desk, keeping};
use crate::clock::Timestamp;
use crate::format::Identity;
use crate::ids::{FileId, TicketId};
use crate::redact::{Category, VaultEntry};
use crate::send::PortalAddress;
use crate::track::Phase;
use crate::track::ledger::Entry;
use crate::wire::subject::{About, MOST_SNAPSHOTS, MOST_STAND_INS, NewSubjectRequest, is_stand_in};

/// The longest statement and the longest list of values that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// Runs a command about a person.
pub fn run(command: &SubjectCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        SubjectCommand::Find(arguments) => find(arguments, desk),
        SubjectCommand::Export(arguments) => export(arguments, desk),
    }
}

/// A snapshot in which the person occurs.
struct Hit {
    entry: Entry,
    found: Vec<VaultEntry>,
}

/// What a search over everything on this computer found.
struct Search {
    hits: Vec<Hit>,
    /// Snapshots that are somewhere and of which nothing here says what is in them.
    unsearched: Vec<Entry>,
    /// How many vaults were read.
    read: u64,
}

fn find(arguments: &FindArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let search = search(&arguments.person, desk)?;
    for hit in &search.hits {
        let entry = &hit.entry;
        let stand_ins: Vec<&str> = hit.found.iter().map(|found| found.stand_in.as_str()).collect();
        if arguments.output.as_deref().is_none_or(|path| path != Path::new("-")) {
            desk.output.data(format!(
                "{}  {}  {:<9}  {}",
                entry.ticket,
                entry.snapshot,
                state(entry),
                shown(&stand_ins.join(" "))
            ));
        }
        let fields = serde_json::json!({
            "ticket": entry.ticket, "snapshot": entry.snapshot, "state": state(entry), "portal": entry.portal,
            "due_at": entry.due_at, "stand_ins": stand_ins,
        });
        desk.output.event("found", fields.as_object().cloned().unwrap_or_default());
    }
    let complete = tell_unsearched(&search, desk);
    if search.hits.is_empty() {
        return Err(nobody(&search));
    }
    let mut tickets: Vec<&TicketId> = search.hits.iter().map(|hit| &hit.entry.ticket).collect();
    tickets.sort();
    tickets.dedup();
    let (snapshots, tickets) = (search.hits.len() as u64, tickets.len() as u64);
    let stand_ins: u64 = search.hits.iter().map(|hit| hit.found.len() as u64).sum();
    desk.output.headline(
        "FOUND",
        &format!(
            "in {} of {}, behind {}.",
            count(snapshots, "snapshot"),
            count(tickets, "ticket"),
            count(stand_ins, "stand-in")
        ),
    );
    let outcome = Outcome::done("found")
        .exit(complete)
        .with("snapshots", snapshots)
        .with("tickets", tickets)
        .with("stand_ins", stand_ins)
        .with("unsearched", search.unsearched.len());
    match &arguments.output {
        None => Ok(outcome),
        Some(path) => {
            let lodged = write_request(arguments, &search, path, desk)?;
            Ok(outcome.with("request", path).with("in_request", lodged))
        }
    }
}

/// Writes the body that is lodged at the portal; returns how many snapshots it names.
fn write_request(
    arguments: &FindArguments,
    search: &Search,
    path: &Path,
    desk: &mut Desk<'_>,
) -> Result<usize, Failure> {
    let wanted = arguments.portal.as_deref().map(address).transpose()?;
    let sent: Vec<(&Hit, &String)> =
        search.hits.iter().filter_map(|hit| Some((hit, hit.entry.portal.as_ref()?))).collect();
    let mut portals: Vec<&String> = sent.iter().map(|(_, portal)| *portal).collect();
    portals.sort();
    portals.dedup();
    if portals.is_empty() {
        return Err(Failure::new(Exit::NotFound, "The person occurs in nothing that was sent to a portal.")
            .next("What was only sealed lies here:  tarseal status"));
    }
    if wanted.is_none() && portals.len() > 1 {
        let mut failure = Failure::usage("The snapshots went to several portals. Each wants a request of its own.");
        for portal in portals {
            failure = failure.next(format!("--portal {}", shown(portal)));
        }
        return Err(failure);
    }
    let mut about = Vec::new();
    for (hit, portal) in &sent {
        if wanted.as_ref().is_some_and(|wanted| wanted != *portal) {
            continue;
        }
        let stand_ins = hit.found.iter().map(|found| &found.stand_in).filter(|text| is_stand_in(text));
        about.push(About {
            ticket: hit.entry.ticket.clone(),
            snapshot: Some(hit.entry.snapshot),
            stand_ins: stand_ins.take(MOST_STAND_INS).map(|text| Zeroizing::new(text.clone())).collect(),
        });
    }
    let named = about.len();
    if named == 0 {
        return Err(Failure::new(Exit::NotFound, "The person occurs in nothing that was sent to that portal."));
    }
    if named > MOST_SNAPSHOTS {
        let most = format_args!("The person occurs in {named} snapshots; a request names {MOST_SNAPSHOTS} at most.");
        return Err(Failure::new(Exit::Usage, most).next("Lodge it by hand, ticket by ticket: docs/RIGHTS.md."));
    }
    let request = NewSubjectRequest {
        kind: arguments.kind.ok_or_else(|| Failure::usage("Say what is asked for:  --kind deletion"))?,
        received_at: arguments.received,
        reference: None,
        statement: arguments.statement.as_deref().map(|path| text(path, "statement", desk)).transpose()?,
        about,
    };
    let mut body = serde_json::to_string_pretty(&request).map_err(|error| Failure::new(Exit::Bug, error))?;
    body.push('\n');
    write(path, body.as_bytes(), "The request was not written", desk)?;
    desk.output.say(format!(
        "The request names {}. It says who they are by stand-ins alone.",
        count(named as u64, "snapshot")
    ));
    desk.output.say("The data-protection officer lodges it:  POST /v1/subject-requests  (docs/RIGHTS.md)");
    Ok(named)
}

/// What this computer keeps about a person. Its keys do not change their meaning.
#[derive(Serialize)]
struct Export<'s> {
    export: u8,
    made_at: Timestamp,
    /// Every value that stands for the person in a snapshot that is still somewhere.
    rows: Vec<Row<'s>>,
    /// Snapshots of which nothing here says what is in them.
    unsearched: Vec<FileId>,
}

#[derive(Serialize)]
struct Row<'s> {
    ticket: &'s TicketId,
    snapshot: &'s FileId,
    stand_in: &'s str,
    value: &'s str,
    category: Category,
    portal: Option<&'s str>,
    sealed_at: Timestamp,
    sent_at: Option<Timestamp>,
    ticket_closed_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    reads: u64,
}

fn export(arguments: &SubjectExportArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let search = search(&arguments.person, desk)?;
    let complete = tell_unsearched(&search, desk);
    if search.hits.is_empty() {
        return Err(nobody(&search));
    }
    let mut rows = Vec::new();
    for Hit { entry, found } in &search.hits {
        rows.extend(found.iter().map(|found| Row {
            ticket: &entry.ticket,
            snapshot: &entry.snapshot,
            stand_in: &found.stand_in,
            value: &found.value,
            category: found.category,
            portal: entry.portal.as_deref(),
            sealed_at: entry.sealed_at,
            sent_at: entry.sent_at(),
            ticket_closed_at: entry.closed_at(),
            due_at: entry.due_at,
            reads: entry.reads(),
        }));
    }
    let unsearched = search.unsearched.iter().map(|entry| entry.snapshot).collect();
    let export = Export { export: 1, made_at: desk.world.clock.now(), rows, unsearched };
    let text = serde_json_canonicalizer::to_string(&export).map_err(|error| Failure::new(Exit::Bug, error))?;
    let path = arguments.output.as_deref().unwrap_or(Path::new("-"));
    if !desk.manner.json || path != Path::new("-") {
        write(path, format!("{text}\n").as_bytes(), "The export was not written", desk)?;
    }
    let rows = export.rows.len();
    desk.output.headline(
        "EXPORTED.",
        &format!("{} of {}.", count(rows as u64, "row"), count(search.hits.len() as u64, "snapshot")),
    );
    desk.output.say("What the portal keeps, its data-protection officer exports there.");
    let outcome =
        Outcome::done("exported").exit(complete).with("rows", rows).with("unsearched", search.unsearched.len());
    Ok(if desk.manner.json && path == Path::new("-") { outcome.with("export", &export) } else { outcome })
}

/// Reads every vault on this computer and keeps what stands for the person.
fn search(person: &PersonArguments, desk: &mut Desk<'_>) -> Result<Search, Failure> {
    let own = keeping::own_identity(desk)?;
    let needles = needles(person, &own, desk)?;
    let entries = ledger::open(desk)?.snapshots().map_err(|error| ledger::failure(&error))?;
    let mut search = Search { hits: Vec::new(), unsearched: Vec::new(), read: 0 };
    // What was given up before it was sent is nowhere any more.
    let is_somewhere =
        |entry: &Entry| entry.phase() != Phase::Deleted && (entry.file.is_some() || !ledger::is_given_up(entry));
    for entry in entries.into_iter().filter(is_somewhere) {
        let Some(vault) = keeping::open_vault(&entry.snapshot, &own, desk)? else {
            search.unsearched.push(entry);
            continue;
        };
        search.read += 1;
        let mut found = Vec::new();
        for kept in vault {
            let kept = kept?;
            let value = plain(&kept.value);
            if needles.iter().any(|needle| needle.fits(&value)) {
                found.push(kept);
            }
        }
        if !found.is_empty() {
            found.sort();
            search.hits.push(Hit { entry, found });
        }
    }
    search.hits.sort_by(|a, b| (&a.entry.ticket, a.entry.sealed_at).cmp(&(&b.entry.ticket, b.entry.sealed_at)));
    Ok(search)
}

/// What a person is known by, in one spelling.
struct Needle(Zeroizing<String>);

impl Needle {
    fn new(text: &str) -> Option<Self> {
        let plain = plain(text);
        (!plain.is_empty()).then_some(Self(plain))
    }

    /// Whether it is the value, which is in that spelling too, or stands in it between other words.
    fn fits(&self, value: &str) -> bool {
        let needle = self.0.as_str();
        value.match_indices(needle).any(|(at, _)| {
            let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !joins(value[..at].chars().next_back()) && !joins(value[at + needle.len()..].chars().next())
        })
    }
}

/// One spelling: small letters, composed (NFKC), one blank between words.
fn plain(text: &str) -> Zeroizing<String> {
    let lower: Zeroizing<String> = Zeroizing::new(text.nfkc().flat_map(char::to_lowercase).nfkc().collect());
    Zeroizing::new(lower.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn needles(person: &PersonArguments, own: &Identity, desk: &mut Desk<'_>) -> Result<Vec<Needle>, Failure> {
    let mut values: Vec<Zeroizing<String>> = Vec::new();
    for value in &person.values {
        if value == "-" {
            let lines = text(Path::new("-"), "list of values", desk)?;
            values.extend(lines.lines().map(|line| Zeroizing::new(line.to_owned())));
        } else {
            values.push(Zeroizing::new(value.clone()));
        }
    }
    if let (Some(stand_in), Some(ticket)) = (&person.stand_in, &person.ticket) {
        values.push(behind(stand_in, ticket, person.snapshot.as_ref(), own, desk)?);
    }
    let needles: Vec<Needle> = values.iter().filter_map(|value| Needle::new(value)).collect();
    if needles.is_empty() {
        return Err(Failure::usage("There is nothing to look for: no name, address or number was given."));
    }
    Ok(needles)
}

/// Who stands behind a stand-in of a ticket, or of one snapshot. Two snapshots may call two people the same: then it must be said
/// which is meant.
fn behind(
    stand_in: &str,
    ticket: &TicketId,
    snapshot: Option<&FileId>,
    own: &Identity,
    desk: &Desk<'_>,
) -> Result<Zeroizing<String>, Failure> {
    let mut found: Vec<(FileId, Zeroizing<String>)> = Vec::new();
    for file in names::kept(ticket, desk)? {
        if snapshot.is_some_and(|snapshot| *snapshot != file) {
            continue;
        }
        let Some(vault) = keeping::open_vault(&file, own, desk)? else { continue };
        for kept in vault {
            let kept = kept?;
            if kept.stand_in.eq_ignore_ascii_case(stand_in) {
                found.push((file, Zeroizing::new(kept.value)));
            }
        }
    }
    let Some((_, first)) = found.first() else {
        let nobody = format_args!("Nobody stands behind \"{}\" in ticket {ticket}.", shown(stand_in));
        return Err(Failure::new(Exit::NotFound, nobody));
    };
    if found.iter().all(|(_, value)| plain(value) == plain(first)) {
        return Ok(first.clone());
    }
    let several = format_args!("\"{}\" is not the same person in every snapshot of ticket {ticket}.", shown(stand_in));
    Err(found
        .iter()
        .fold(Failure::usage(several), |failure, (file, _)| failure.next(format!("Say which:  --snapshot {file}"))))
}

/// Says which snapshots nothing here can search; the exit code says so too.
fn tell_unsearched(search: &Search, desk: &Desk<'_>) -> Exit {
    if search.unsearched.is_empty() {
        return Exit::Done;
    }
    desk.output.insist(format!(
        "{} could not be searched: nothing here says what is in them. They were sent without redaction, or their vault is gone.",
        count(search.unsearched.len() as u64, "snapshot")
    ));
    for entry in &search.unsearched {
        desk.output.insist(format!("  {}  {}  {}", entry.ticket, entry.snapshot, state(entry)));
        let fields = serde_json::json!({ "ticket": entry.ticket, "snapshot": entry.snapshot, "state": state(entry) });
        desk.output.event("unsearched", fields.as_object().cloned().unwrap_or_default());
    }
    Exit::Incomplete
}

fn nobody(search: &Search) -> Failure {
    let failure = Failure::new(
        Exit::NotFound,
        format_args!("The person was not found in the {} on this computer.", count(search.read, "vault")),
    );
    match search.unsearched.len() {
        0 => failure.next(
            "Values that are dropped and not replaced (a profile says which) stand in no vault and in no snapshot.",
        ),
        some => failure.next(format!("{} could not be searched.", count(some as u64, "snapshot"))),
    }
}

fn state(entry: &Entry) -> &'static str {
    if entry.sent_at().is_none() { "not sent" } else { entry.phase().word() }
}

fn address(text: &str) -> Result<String, Failure> {
    let address: PortalAddress = text.parse().map_err(|error| Failure::usage(format_args!("--portal: {error}.")))?;
    Ok(address.as_str().to_owned())
}

/// Reads a short text from a file, or from standard input for `-`.
fn text(path: &Path, what: &str, desk: &mut Desk<'_>) -> Result<Zeroizing<String>, Failure> {
    let local = |error: &std::io::Error| Failure::local(format_args!("The {what} {}", path.display()), error);
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        desk.world.take_input().take(LARGEST + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).map_err(|error| local(&error))?.take(LARGEST + 1).read_to_string(&mut text)
    };
    read.map_err(|error| local(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(Failure::usage(format_args!("The {what} is longer than 64 KiB.")));
    }
    Ok(text)
}

/// Writes a new file that its owner alone reads, or standard output for `-`.
fn write(path: &Path, bytes: &[u8], failed: &str, desk: &Desk<'_>) -> Result<(), Failure> {
    if path == Path::new("-") {
        if desk.manner.json {
            return Err(Failure::usage("With --json, standard output holds JSON lines: name a file with -o."));
        }
        desk.output.bytes(bytes);
        return Ok(());
    }
    write_private_new(path, bytes).map_err(|error| Failure::local(format_args!("{failed}: {}", path.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(needle: &str, value: &str) -> bool {
        Needle::new(needle).unwrap().fits(&plain(value))
    }

    #[test]
    fn a_person_is_found_in_any_spelling_and_between_other_words() {
        for (needle, value) in [
            ("Ottilie Habersaat", "OTTILIE  HABERSAAT"),
            ("ottilie habersaat", "Dr. Ottilie\tHabersaat, Room 4"),
            ("Jérôme", "Je\u{301}ro\u{302}me"),
            ("o.habersaat@min.example", "sip:o.habersaat@min.example:5061"),
            ("habersaat", "o.habersaat"),
            ("198.51.100.7", "198.51.100.7"),
            ("Ｏttilie", "ottilie"),
        ] {
            assert!(fits(needle, value), "{needle} in {value}");
        }
        for (needle, value) in [
            ("Habersaat", "Habersaater"),
            ("198.51.100.7", "198.51.100.70"),
            ("anna", "hannah"),
            ("Ottilie Habersaat", "Ottilie"),
        ] {
            assert!(!fits(needle, value), "{needle} in {value}");
        }
        assert!(Needle::new(" \t").is_none(), "nothing is in everything");
    }
}
