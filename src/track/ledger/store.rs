//! The ledger's file: `SQLite`, one transaction for each record and what it changes.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, Transaction, TransactionBehavior, params};

use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::track::ledger::LedgerError;
use crate::track::ledger::books::fold;
use crate::track::ledger::chain::{self, Head};
use crate::track::ledger::due::{self, Due};
use crate::track::ledger::entry::{self, Entry, Told};
use crate::track::ledger::record::{About, Record, Sealed};
use crate::track::policy::RetentionPolicy;
use crate::track::receipt::PortalKey;

/// Marks the file as a ledger ("tsLg") in `SQLite`'s own header.
const APPLICATION_ID: i32 = 0x7473_4c67;
/// The version of the tables.
const VERSION: i32 = 1;
/// The version of the rules by which records are folded: raised when the same records give other entries.
const RULES: u8 = 2;
/// How long a run waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(10);
/// The largest number that canonical JSON holds exactly (RFC 8785, section 3.2.2.3).
const MOST: u64 = (1 << 53) - 1;

const TABLES: &str = "
    CREATE TABLE record (number INTEGER PRIMARY KEY, previous BLOB NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TABLE entry (first INTEGER PRIMARY KEY, snapshot TEXT NOT NULL UNIQUE, ticket TEXT NOT NULL, portal TEXT,
        attention_at INTEGER, entry TEXT NOT NULL) STRICT;
    CREATE INDEX entry_by_ticket ON entry (ticket);
    CREATE INDEX entry_by_attention ON entry (attention_at) WHERE attention_at IS NOT NULL;
    CREATE TABLE portal_key (portal TEXT PRIMARY KEY, key TEXT NOT NULL, first_seen INTEGER NOT NULL) STRICT;
    CREATE TABLE policy (one INTEGER PRIMARY KEY CHECK (one = 1), policy TEXT NOT NULL) STRICT;
";

/// The sender's ledger. Several processes may hold it open; each record is one transaction.
#[derive(Debug)]
pub struct Ledger {
    database: Connection,
    policy: RetentionPolicy,
}

/// How a portal's receipt key was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// For the first time: it is trusted from now on. A careful sender compares it with the portal's operator.
    First,
    /// It is the one seen before.
    Same,
}

impl Ledger {
    /// Opens the ledger at `path`, making it (0600) when it is not there; its directory must be there.
    ///
    /// Deadlines are counted by `policy`; when it is not the one of the last run, all are counted anew.
    pub fn open(path: &Path, policy: &RetentionPolicy) -> Result<Self, LedgerError> {
        make_private(path).map_err(|source| LedgerError::Local { path: path.to_owned(), source })?;
        let database = Connection::open(path)?;
        database.busy_timeout(BUSY)?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "trusted_schema", false)?;
        let mut ledger = Self { database, policy: policy.clone() };
        ledger.prepare(path)?;
        Ok(ledger)
    }

    /// Records that a snapshot was sealed. [`LedgerError::Differs`] when it is known with other facts.
    pub fn sealed(&mut self, sealed: Sealed, at: Timestamp) -> Result<(), LedgerError> {
        self.record(&Record::Sealed(sealed), at)
    }

    /// Records that the upload to `portal` has begun.
    pub fn uploading(&mut self, snapshot: &FileId, portal: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.record(&Record::Uploading { snapshot: *snapshot, portal: portal.to_owned() }, at)
    }

    /// Records that the portal has the snapshot since `uploaded`.
    pub fn sent(&mut self, snapshot: &FileId, uploaded: Timestamp, at: Timestamp) -> Result<(), LedgerError> {
        self.record(&Record::Sent { snapshot: *snapshot, uploaded }, at)
    }

    /// Verifies a receipt with the pinned key of the snapshot's portal and records it; a deletion receipt makes the snapshot
    /// deleted.
    ///
    /// [`LedgerError::NoKey`] when no key is pinned, [`LedgerError::Receipt`] when it is not that portal's,
    /// [`LedgerError::OtherReceipt`] when it speaks of other bytes. Nothing is recorded then.
    pub fn receipt(&mut self, snapshot: &FileId, note: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.record(&Record::Receipt { snapshot: *snapshot, note: note.to_owned() }, at)
    }

    /// Records what the portal told when it was asked.
    pub fn told(&mut self, snapshot: &FileId, told: Told, at: Timestamp) -> Result<(), LedgerError> {
        let told = Told { reads: told.reads.min(MOST), ..told };
        self.record(&Record::Told { snapshot: *snapshot, told }, at)
    }

    /// Records that the sender took the snapshot back; told again, the first time stays.
    pub fn withdrawn(&mut self, snapshot: &FileId, at: Timestamp) -> Result<(), LedgerError> {
        self.record(&Record::Withdrawn { snapshot: *snapshot }, at)
    }

    /// Records that the vendor confirmed the deletion in writing: `evidence` is the SHA-256 of what was written.
    pub fn confirmed(&mut self, snapshot: &FileId, evidence: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.record(&Record::Confirmed { snapshot: *snapshot, evidence: evidence.to_owned() }, at)
    }

    /// Records that the ticket was closed at `closed`; counts for all its snapshots at `portal`.
    pub fn closed(
        &mut self,
        ticket: &TicketId,
        portal: &str,
        closed: Timestamp,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.record(&Record::Closed { ticket: ticket.clone(), portal: portal.to_owned(), closed }, at)
    }

    /// Records that the ticket was opened again at `reopened`.
    pub fn reopened(
        &mut self,
        ticket: &TicketId,
        portal: &str,
        reopened: Timestamp,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.record(&Record::Reopened { ticket: ticket.clone(), portal: portal.to_owned(), reopened }, at)
    }

    /// Pins the receipt key of a portal at its first use.
    ///
    /// [`LedgerError::KeyChanged`] when another one is pinned: then nothing changes, and its receipts are not to be trusted.
    pub fn pin(&mut self, portal: &str, key: &PortalKey, at: Timestamp) -> Result<Pinned, LedgerError> {
        let write = self.write()?;
        let outcome = match pinned(&write, portal)? {
            Some(known) if known == *key => Pinned::Same,
            Some(known) => {
                return Err(LedgerError::KeyChanged {
                    portal: portal.to_owned(),
                    pinned: known.to_string(),
                    found: key.to_string(),
                });
            }
            None => {
                append(&write, &Record::Pinned { portal: portal.to_owned(), key: key.clone() }, at)?;
                insert_key(&write, portal, key, at)?;
                Pinned::First
            }
        };
        write.commit()?;
        Ok(outcome)
    }

    /// The receipt key that was pinned for a portal.
    pub fn pinned(&self, portal: &str) -> Result<Option<PortalKey>, LedgerError> {
        pinned(&self.database, portal)
    }

    /// Every receipt key that was pinned, by its portal.
    pub fn pinned_keys(&self) -> Result<Vec<PortalKey>, LedgerError> {
        let mut statement = self.database.prepare("SELECT key FROM portal_key ORDER BY portal")?;
        let texts: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        texts.iter().map(|text| text.parse().map_err(LedgerError::Receipt)).collect()
    }

    /// One snapshot.
    pub fn snapshot(&self, snapshot: &FileId) -> Result<Option<Entry>, LedgerError> {
        Ok(self.select("WHERE snapshot = ?1", [snapshot.to_string()])?.pop())
    }

    /// All snapshots, in the order they were sealed.
    pub fn snapshots(&self) -> Result<Vec<Entry>, LedgerError> {
        self.select("ORDER BY first", [])
    }

    /// The snapshots of a ticket, in the order they were sealed, whatever their portal.
    pub fn of_ticket(&self, ticket: &TicketId) -> Result<Vec<Entry>, LedgerError> {
        self.select("WHERE ticket = ?1 ORDER BY first", [ticket.as_str()])
    }

    /// What needs attention at `now`: overdue, gone without proof, or due within the next `within_seconds`. The worst first,
    /// then by deadline.
    pub fn due(&self, now: Timestamp, within_seconds: i64) -> Result<Vec<Due>, LedgerError> {
        let until = now.plus_seconds(within_seconds);
        let near = self.select("WHERE attention_at <= ?1 ORDER BY attention_at, first", [until.seconds()])?;
        let mut due: Vec<Due> = near
            .into_iter()
            .filter_map(|entry| due::standing(&entry, now, until).map(|standing| Due { standing, entry }))
            .collect();
        due.sort_by_key(|due| (due.standing, due.entry.due_at));
        Ok(due)
    }

    /// Walks the whole chain, folds it anew, verifies every receipt, and compares with what is shown. Gives the chain's end.
    ///
    /// [`LedgerError::Changed`] names the first row that does not fit.
    pub fn verify(&mut self) -> Result<Head, LedgerError> {
        let policy = self.policy.clone();
        let read = self.database.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let (head, books) = fold(&read, &policy)?;
        let changed = |what: &str| LedgerError::Changed { number: 0, what: what.to_owned() };
        if head != head_of(&read)? {
            return Err(LedgerError::Changed {
                number: head.number + 1,
                what: "rows were taken from the end, or added without it".to_owned(),
            });
        }
        let mut shown = read.prepare("SELECT first, snapshot, ticket, portal, attention_at, entry FROM entry")?;
        let mut rows = shown.query([])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            let first: i64 = row.get(0)?;
            let columns = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            let right = books.entries.get(&first).is_some_and(|entry| columns == columns_of(entry));
            if !right {
                return Err(LedgerError::Changed {
                    number: first,
                    what: "what is shown is not what was recorded".to_owned(),
                });
            }
            seen += 1;
        }
        if seen != books.entries.len() {
            return Err(changed("what is shown leaves something out"));
        }
        let mut shown = read.prepare("SELECT portal, key, first_seen FROM portal_key")?;
        let keys = shown.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        let keys: HashMap<String, (String, i64)> = keys.collect::<Result<_, _>>()?;
        let right =
            books.keys.iter().map(|(portal, (key, at))| (portal.clone(), (key.to_string(), at.seconds()))).collect();
        if keys != right {
            return Err(changed("a pinned key is not the one that was recorded"));
        }
        Ok(head)
    }

    /// The end of the chain as it stands; unlike [`verify`](Self::verify) it looks at nothing else.
    pub fn head(&self) -> Result<Head, LedgerError> {
        head_of(&self.database)
    }

    /// Folds `record` into what it is about and appends it, in one transaction. One that changes nothing is not appended.
    fn record(&mut self, record: &Record, at: Timestamp) -> Result<(), LedgerError> {
        let policy = self.policy.clone();
        let write = self.write()?;
        let before = match record.about() {
            About::Snapshot(snapshot) => select(&write, "WHERE snapshot = ?1", [snapshot.to_string()])?,
            About::Ticket(ticket, portal) => {
                select(&write, "WHERE ticket = ?1 AND portal = ?2", [ticket.as_str(), portal])?
            }
            About::Portal => Vec::new(),
        };
        let mut changed = Vec::new();
        if before.is_empty() && matches!(record.about(), About::Snapshot(_)) {
            changed.push(entry::after(None, record, at, None, &policy)?);
        }
        for entry in &before {
            let key = match &entry.portal {
                Some(portal) => pinned(&write, portal)?,
                None => None,
            };
            let after = entry::after(Some(entry), record, at, key.as_ref(), &policy)?;
            if after != *entry {
                changed.push(after);
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let number = append(&write, record, at)?;
        for entry in &changed {
            save(&write, number, entry)?;
        }
        write.commit()?;
        Ok(())
    }

    fn prepare(&mut self, path: &Path) -> Result<(), LedgerError> {
        // What is shown is folded anew where it was folded by another policy, or by other rules.
        let policy = serde_json::to_string(&self.policy).expect("a policy is plain data");
        let policy = format!("{RULES} {policy}");
        let rules = self.policy.clone();
        let write = self.write()?;
        let pragma = |name: &str| write.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let not_ours = |what| Err(LedgerError::NotALedger { path: path.to_owned(), what });
        match (pragma("application_id")?, pragma("user_version")?) {
            (APPLICATION_ID, VERSION) => {}
            (APPLICATION_ID, _) => return not_ours("another version of this program made it"),
            (0, 0) => {
                let tables: i64 = write.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
                if tables > 0 {
                    return not_ours("it is another program's database");
                }
                write.execute_batch(TABLES)?;
                write.pragma_update(None, "application_id", APPLICATION_ID)?;
                write.pragma_update(None, "user_version", VERSION)?;
                write.execute("INSERT INTO head VALUES (1, 0, ?1)", [Head::EMPTY.hash])?;
                write.execute("INSERT INTO policy VALUES (1, ?1)", [&policy])?;
            }
            _ => return not_ours("it is another program's database"),
        }
        let known: String = write.query_row("SELECT policy FROM policy", [], |row| row.get(0))?;
        if known != policy {
            let (_, books) = fold(&write, &rules)?;
            for (first, entry) in &books.entries {
                save(&write, *first, entry)?;
            }
            write.execute("UPDATE policy SET policy = ?1", [&policy])?;
        }
        write.commit()?;
        Ok(())
    }

    fn write(&mut self) -> Result<Transaction<'_>, LedgerError> {
        Ok(self.database.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    fn select(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Entry>, LedgerError> {
        select(&self.database, which, values)
    }
}

/// Appends to the chain and gives the new row's number.
fn append(write: &Transaction<'_>, record: &Record, at: Timestamp) -> Result<i64, LedgerError> {
    let row = chain::next(&head_of(write)?, record, at);
    write.prepare("INSERT INTO record VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        row.number,
        row.previous,
        row.body,
        row.hash
    ])?;
    write.prepare("UPDATE head SET number = ?1, hash = ?2")?.execute(params![row.number, row.hash])?;
    Ok(row.number)
}

type Columns = (String, String, Option<String>, Option<i64>, String);

fn columns_of(entry: &Entry) -> Columns {
    let text = serde_json::to_string(entry).expect("an entry is plain data");
    let attention = entry.attention_at().map(Timestamp::seconds);
    (entry.snapshot.to_string(), entry.ticket.to_string(), entry.portal.clone(), attention, text)
}

fn save(write: &Transaction<'_>, first: i64, entry: &Entry) -> Result<(), LedgerError> {
    let (snapshot, ticket, portal, attention_at, text) = columns_of(entry);
    write
        .prepare(
            "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (snapshot) DO UPDATE SET portal = ?4, attention_at = ?5, entry = ?6",
        )?
        .execute(params![first, snapshot, ticket, portal, attention_at, text])?;
    Ok(())
}

fn select(database: &Connection, which: &str, values: impl rusqlite::Params) -> Result<Vec<Entry>, LedgerError> {
    let mut statement = database.prepare(&format!("SELECT first, entry FROM entry {which}"))?;
    let rows = statement.query_map(values, |row: &SqlRow<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (number, text) = row?;
        serde_json::from_str(&text)
            .map_err(|_| LedgerError::Changed { number, what: "what is shown cannot be read".to_owned() })
    })
    .collect()
}

fn insert_key(write: &Transaction<'_>, portal: &str, key: &PortalKey, at: Timestamp) -> Result<(), LedgerError> {
    write.execute("INSERT INTO portal_key VALUES (?1, ?2, ?3)", params![portal, key.to_string(), at.seconds()])?;
    Ok(())
}

fn pinned(database: &Connection, portal: &str) -> Result<Option<PortalKey>, LedgerError> {
    let text: Option<String> =
        database.query_row("SELECT key FROM portal_key WHERE portal = ?1", [portal], |row| row.get(0)).optional()?;
    text.map(|text| text.parse().map_err(LedgerError::Receipt)).transpose()
}

fn head_of(database: &Connection) -> Result<Head, LedgerError> {
    Ok(database
        .query_row("SELECT number, hash FROM head", [], |row| Ok(Head { number: row.get(0)?, hash: row.get(1)? }))?)
}

/// Makes the file, readable by its owner only. `SQLite` gives its journal the same rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o077 != 0 {
            file.set_permissions(PermissionsExt::from_mode(0o600))?;
        }
    }
    Ok(())
}
