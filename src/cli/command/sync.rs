//! `sync`: asks the portals for news. What one of them does not answer keeps nobody from asking the others.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::ledger::{self, as_told, gone, label, portal_of, portals};
use super::readers::readers;
use super::remote::{self, Remote};
use crate::cli::args::SyncArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::count;
use crate::cli::settings::Settings;
use crate::cli::{Desk, requests};
use crate::clock::Timestamp;
use crate::send::{Client, PortalAddress, SendError};
use crate::track::Phase;
use crate::track::ledger::{Entry, Ledger, LedgerError};
use crate::wire::TicketState;

/// Asks the portals for news of everything that is not proved gone.
pub fn run(arguments: &SyncArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    let open: Vec<Entry> = ledger::entries(arguments.ticket.as_ref(), desk)?
        .into_iter()
        .filter(|entry| entry.sent_at().is_some() && entry.phase() != Phase::Deleted)
        .collect();
    remote::aim(&mut settings, portals(&open))?;
    let mut round = Round::default();
    for entry in &open {
        round.ask(entry, &settings, desk)?;
    }
    Ok(round.end(desk))
}

/// What came of asking about one snapshot.
enum Heard {
    /// The portal told how it is.
    Told,
    /// The portal proved that it is gone.
    Gone,
    /// The portal tells nothing to the token, or without one, and has no receipt of its deletion yet. A token that it
    /// refused altogether is told.
    Nothing { refused: Option<Failure> },
}

/// All that is asked in one run.
#[derive(Default)]
struct Round {
    asked: u64,
    deleted: u64,
    unanswered: u64,
    /// The portals that did not answer; they are not waited for again.
    away: HashMap<String, Failure>,
    /// The worst that failed.
    exit: Option<Exit>,
    next: BTreeSet<String>,
    refused: Option<Failure>,
}

impl Round {
    /// Asks about one snapshot and counts whatever the answer is; a failure only where this computer's ledger cannot be read.
    fn ask(&mut self, entry: &Entry, settings: &Settings, desk: &mut Desk<'_>) -> Result<(), Failure> {
        self.asked += 1;
        let portal = entry.portal.as_deref().unwrap_or_default();
        let heard = match self.away.get(portal) {
            Some(away) => Err(Failure::new(away.exit, &away.what)),
            None => ask(entry, settings, desk),
        };
        match heard {
            Ok(Heard::Told) => {}
            Ok(Heard::Gone) => self.deleted += 1,
            Ok(Heard::Nothing { refused }) => {
                self.unanswered += 1;
                let why = match &refused {
                    Some(failure) => failure.what.clone(),
                    None => "No token is for it, and no receipt says that it is gone.".to_owned(),
                };
                not_answered(entry, &why, desk);
                self.refused = self.refused.take().or(refused);
            }
            Err(failure) => {
                self.unanswered += 1;
                not_answered(entry, &failure.what, desk);
                desk.output.insist(format!("{}  {}", label(&entry.ticket, &entry.snapshot, desk)?, failure.what));
                self.exit = Some(self.exit.map_or(failure.exit, |exit| exit.worse(failure.exit)));
                self.next.extend(failure.next.iter().cloned());
                if matches!(failure.exit, Exit::Temporary | Exit::Tls) {
                    self.away.entry(portal.to_owned()).or_insert(failure);
                }
            }
        }
        Ok(())
    }

    /// Says how it went. Where a token was refused and nobody answered at all, that is a failure too.
    fn end(mut self, desk: &Desk<'_>) -> Outcome {
        let nobody = self.unanswered == self.asked;
        let refused = self.refused.take();
        if let (true, None, Some(refused)) = (nobody, self.exit, &refused) {
            desk.output.insist(&refused.what);
            self.exit = Some(refused.exit);
            self.next.extend(refused.next.iter().cloned());
        }
        let (headline, status) = match self.exit {
            None => ("SYNCED.", "synced"),
            Some(_) if nobody => ("NOT SYNCED.", "failed"),
            Some(_) => ("SYNCED IN PART.", "partly-synced"),
        };
        let unanswered = match self.unanswered {
            0 => String::new(),
            number => format!(", {number} not answered"),
        };
        let asked = count(self.asked, "snapshot");
        desk.output.headline(headline, &format!("{asked} asked for, {} newly deleted{unanswered}.", self.deleted));
        if self.unanswered > 0 && self.exit.is_none() {
            let why = refused.map_or_else(|| "No token is for those.".to_owned(), |refused| refused.what);
            desk.output.say(format!("{why} Whether their tickets were closed is not known."));
            desk.output.say("Their receipts come without a token, once they are deleted.");
        }
        for line in &self.next {
            desk.output.insist(line);
        }
        let outcome = Outcome::done(status)
            .exit(self.exit.unwrap_or(Exit::Done))
            .with("asked", self.asked)
            .with("deleted", self.deleted)
            .with("not_answered", self.unanswered);
        if self.next.is_empty() { outcome } else { outcome.with("next", self.next) }
    }
}

fn not_answered(entry: &Entry, why: &str, desk: &Desk<'_>) {
    let fields = json!({ "ticket": entry.ticket, "snapshot": entry.snapshot, "portal": entry.portal, "why": why });
    desk.output.event("not_answered", fields.as_object().cloned().unwrap_or_default());
}

/// Asks one portal about one snapshot.
fn ask(entry: &Entry, settings: &Settings, desk: &mut Desk<'_>) -> Result<Heard, Failure> {
    let address = portal_of(entry, settings)?
        .ok_or_else(|| Failure::new(Exit::Damaged, "The ledger does not say which portal it was sent to."))?;
    let remote = reach(address, entry, settings, desk)?;
    let id = &entry.snapshot;
    let now = desk.world.clock.now();
    let told = |error: &SendError| remote::failure(error, remote.remote.address.host());
    let recorded = |error: LedgerError| ledger::failure(&error);
    let (snapshot, refused) = match remote.remote.client.snapshot(id) {
        Ok(snapshot) => (Some(snapshot), None),
        // A token is for one ticket, and may be long expired. The receipt is told without one.
        Err(SendError::NotFound(_)) => (None, None),
        Err(error @ SendError::Refused(_)) => (None, remote.is_of_the_settings.then(|| told(&error))),
        Err(error) => return Err(told(&error)),
    };
    if let Some(snapshot) = &snapshot {
        follow_ticket(entry, &remote.remote, &mut ledger::open(desk)?, now)?;
        let mut heard = as_told(snapshot);
        // The log is asked only when there is something new in it: that it is read is an act of its own.
        heard.readers = match entry.told {
            Some((_, before)) if before.reads == snapshot.reads => before.readers,
            _ if snapshot.reads == 0 => None,
            _ => readers(&remote.remote, &entry.ticket, id).map_err(|error| told(&error))?,
        };
        ledger::open(desk)?.told(id, heard, now).map_err(recorded)?;
    }
    let anyone = remote::client(remote.remote.address.clone(), None, settings)?;
    if let Some(note) = receipt(&anyone, id).map_err(|error| told(&error))? {
        let mut ledger = ledger::open(desk)?;
        ledger.receipt(id, &note, now).map_err(recorded)?;
        let is_gone = ledger.snapshot(id).map_err(recorded)?.is_some_and(|entry| entry.phase() == Phase::Deleted);
        drop(ledger);
        if is_gone {
            let kept = gone(entry, &note, desk)?;
            let label = label(&entry.ticket, id, desk)?;
            desk.output.say(format!("{label}  {id}  DELETED, receipt in {}", kept.shown().display()));
            let fields = json!({
                "ticket": entry.ticket, "snapshot": id, "receipt": kept.proof, "receipt_page": kept.page,
            });
            desk.output.event("deleted", fields.as_object().cloned().unwrap_or_default());
            return Ok(Heard::Gone);
        }
    }
    Ok(if snapshot.is_some() { Heard::Told } else { Heard::Nothing { refused } })
}

/// The way to a portal, and whose token is shown there.
struct Way {
    remote: Remote,
    is_of_the_settings: bool,
}

/// Connects with the token that is for the snapshot; without one where none is.
fn reach(address: PortalAddress, entry: &Entry, settings: &Settings, desk: &mut Desk<'_>) -> Result<Way, Failure> {
    if remote::token_is_for(&address, settings) || requests::kept_token(&entry.ticket, &address, desk)?.is_some() {
        let remote = remote::connect_for(address, &entry.ticket, settings, desk)?;
        return Ok(Way { is_of_the_settings: !remote.by_code, remote });
    }
    let client = remote::client(address.clone(), None, settings)?;
    Ok(Way { remote: Remote { address, client, by_code: false }, is_of_the_settings: false })
}

/// Tells the ledger when the ticket was closed or opened again.
fn follow_ticket(entry: &Entry, remote: &Remote, ledger: &mut Ledger, now: Timestamp) -> Result<(), Failure> {
    let ticket = match remote.client.ticket(&entry.ticket) {
        Ok(ticket) => ticket,
        Err(error) => return Err(remote::failure(&error, remote.address.host())),
    };
    let portal = remote.address.as_str();
    match (ticket.state, ticket.closed_at, entry.closed_at()) {
        (TicketState::Closed, Some(closed), known) if known != Some(closed) => {
            ledger.closed(&entry.ticket, portal, closed, now)
        }
        (TicketState::Open, _, Some(_)) => ledger.reopened(&entry.ticket, portal, now, now),
        _ => Ok(()),
    }
    .map_err(|error| ledger::failure(&error))
}

fn receipt(client: &Client, id: &crate::ids::FileId) -> Result<Option<String>, SendError> {
    match client.receipt(id) {
        Ok(note) => Ok(Some(note)),
        Err(SendError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
