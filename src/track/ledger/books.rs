//! The fold of a whole chain, for checking what is shown and for counting anew.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::track::ledger::LedgerError;
use crate::track::ledger::chain::{self, Body, Head, Row};
use crate::track::ledger::entry::{self, Entry};
use crate::track::ledger::record::{About, Record};
use crate::track::policy::RetentionPolicy;
use crate::track::receipt::PortalKey;

/// Everything the chain says. Entries stand under the number of their first record.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) entries: BTreeMap<i64, Entry>,
    first: HashMap<FileId, i64>,
    by_ticket: HashMap<TicketId, Vec<i64>>,
    pub(crate) keys: HashMap<String, (PortalKey, Timestamp)>,
}

impl Books {
    fn take(&mut self, body: &Body, policy: &RetentionPolicy) -> Result<(), LedgerError> {
        let about = match body.record.about() {
            About::Snapshot(snapshot) => match self.first.get(snapshot) {
                Some(first) => vec![*first],
                None => {
                    let entry = entry::after(None, &body.record, body.at, None, policy)?;
                    self.first.insert(*snapshot, body.number);
                    self.by_ticket.entry(entry.ticket.clone()).or_default().push(body.number);
                    self.entries.insert(body.number, entry);
                    Vec::new()
                }
            },
            About::Ticket(ticket, portal) => {
                let of_ticket = self.by_ticket.get(ticket).into_iter().flatten();
                of_ticket.copied().filter(|first| self.entries[first].portal.as_deref() == Some(portal)).collect()
            }
            About::Portal => {
                if let Record::Pinned { portal, key } = &body.record {
                    self.keys.insert(portal.clone(), (key.clone(), body.at));
                }
                Vec::new()
            }
        };
        for first in about {
            let before = &self.entries[&first];
            let key = before.portal.as_ref().and_then(|portal| self.keys.get(portal)).map(|(key, _)| key);
            let after = entry::after(Some(before), &body.record, body.at, key, policy)?;
            self.entries.insert(first, after);
        }
        Ok(())
    }
}

/// Walks the chain from its beginning and folds it; the first row that does not fit is an error.
pub(crate) fn fold(database: &Connection, policy: &RetentionPolicy) -> Result<(Head, Books), LedgerError> {
    let mut head = Head::EMPTY;
    let mut books = Books::default();
    let mut statement = database.prepare("SELECT number, previous, body, hash FROM record ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let row = Row { number: row.get(0)?, previous: row.get(1)?, body: row.get(2)?, hash: row.get(3)? };
        let body = chain::follow(&mut head, &row)?;
        books
            .take(&body, policy)
            .map_err(|error| LedgerError::Changed { number: row.number, what: error.to_string() })?;
    }
    Ok((head, books))
}
