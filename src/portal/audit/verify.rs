//! Looks for any record, opening, receipt or tile that is not as it was logged, and says which.
//!
//! The tree is built twice from the beginning: from the records, and from the hashes that were logged for them. The second must
//! give the root that the portal signed; then each record that differs from its hash is one that was changed or moved.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prove;
use crate::portal::error::ApiError;
use crate::portal::store::audit::Row;
use crate::portal::store::{Connection, Store, audit, log, receipts};
use crate::track::log::tree::{self, Place, Tiles, Tree};
use crate::track::log::{Head, LogError, checkpoint};
use crate::track::receipt::verify_logged;
use crate::track::{PortalKey, ReceiptKey};

/// How many findings are told.
const MAX_FINDINGS: usize = 1000;

/// How many records are read at once.
const PAGE: i64 = 1024;

/// How many hashes a tile holds.
const WIDTH: u64 = 256;

/// What a look at the log found.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// How many records the signed tree holds.
    pub records: u64,
    /// How many records wait for their place; nothing protects them yet.
    pub waiting: u64,
    /// How many receipts were verified.
    pub receipts: u64,
    /// How many commitments were opened.
    pub openings: u64,
    /// Everything that is not as it was logged, the first thousand.
    pub findings: Vec<String>,
}

struct Look<'a> {
    key: PortalKey,
    connection: &'a mut Connection,
    head: Head,
    told: Verified,
}

/// Looks at everything. `witness` is a checkpoint that was kept elsewhere: the log must begin with its tree.
pub(crate) async fn verify(store: &Store, key: &ReceiptKey, witness: Option<&str>) -> Result<Verified, ApiError> {
    let mut connection = store.read_across().await?;
    let told = Verified { records: 0, waiting: 0, receipts: 0, openings: 0, findings: Vec::new() };
    let mut look =
        Look { key: key.portal_key(), connection: &mut connection, head: Head { size: 0, root: [0; 32] }, told };
    look.checkpoint(witness).await?;
    Ok(look.told)
}

impl Look<'_> {
    fn find(&mut self, what: impl Into<String>) {
        if self.told.findings.len() < MAX_FINDINGS {
            self.told.findings.push(what.into());
        }
    }

    async fn checkpoint(&mut self, witness: Option<&str>) -> Result<(), ApiError> {
        let key = self.key.clone();
        let Some(last) = log::checkpoint(self.connection).await? else {
            if audit::any_waiting(self.connection).await? || audit::beyond(self.connection, 0).await? > 0 {
                self.find("there are records and no checkpoint");
            }
            return Ok(());
        };
        match checkpoint::open(&last.note, &key) {
            Ok(head) if head.size == last.size => self.head = head,
            Ok(_) => self.find("the checkpoint's size was changed"),
            Err(fault) => self.find(format!("the checkpoint: {fault}")),
        }
        if self.told.findings.is_empty() {
            self.told.records = self.head.size;
            self.told.waiting = audit::count_waiting(self.connection).await?;
            self.records().await?;
            self.openings().await?;
            self.receipts().await?;
            if let Some(witness) = witness {
                match checkpoint::open(witness, &key) {
                    Ok(head) => self.begins_with(&head, "the checkpoint that was kept").await?,
                    Err(fault) => self.find(format!("the checkpoint that was kept: {fault}")),
                }
            }
        }
        Ok(())
    }

    /// Compares every record with the hash that was logged for it, and every tile with the tree.
    async fn records(&mut self) -> Result<(), ApiError> {
        let size = self.head.size;
        let (mut logged, mut present) = (Tree::new(0, Tiles::default()), Tree::new(0, Tiles::default()));
        let (mut next, mut rows): (u64, std::collections::VecDeque<Row>) = (0, std::collections::VecDeque::new());
        let mut hashes = Vec::new();
        let grown = |fault: LogError| ApiError::fault(fault);
        for index in 0..size {
            if index % WIDTH == 0 {
                self.compare(&mut logged).await?;
                drop(present.take_changed());
                hashes = log::tile(self.connection, (0, index / WIDTH)).await?.unwrap_or_default();
            }
            if rows.is_empty() && next <= index {
                rows = audit::by_place(self.connection, index, size, PAGE).await?.into();
                next = rows.back().and_then(|row| row.place).map_or(size, |place| place + 1);
            }
            let at = usize::try_from(index % WIDTH).unwrap_or(0) * 32;
            let was: Option<[u8; 32]> = hashes.get(at..at + 32).and_then(|hash| hash.try_into().ok());
            let row = if rows.front().is_some_and(|row| row.place == Some(index)) { rows.pop_front() } else { None };
            while rows.front().is_some_and(|row| row.place <= Some(index)) {
                if let Some(row) = rows.pop_front() {
                    self.find(format!("{} stands where another one stands", name(&row)));
                }
            }
            let is = row.as_ref().map(|row| tree::leaf(&row.record.line()));
            match (&row, is, was) {
                (_, _, None) => self.find(format!("the log's hash of record {index} is gone")),
                (None, ..) => self.find(format!("the record at {index} of the log is gone")),
                (Some(row), Some(is), Some(was)) if is != was => {
                    self.find(format!("{}, at {index} of the log, was changed or moved", name(row)));
                }
                _ => {}
            }
            logged.append(was.unwrap_or_default()).map_err(grown)?;
            present.append(is.or(was).unwrap_or_default()).map_err(grown)?;
        }
        self.compare(&mut logged).await?;
        if logged.head().map_err(grown)? != self.head {
            if present.head().map_err(grown)? == self.head {
                self.find("the log's hashes were changed; the records are those that were signed");
            } else {
                self.find("the log's hashes do not give the root that was signed");
            }
        }
        let beyond = audit::beyond(self.connection, size).await?;
        if beyond > 0 {
            self.find(format!("{beyond} records have a place behind the end of the signed log"));
        }
        Ok(())
    }

    /// Compares the tiles that the tree made since the last time with those that are kept.
    async fn compare(&mut self, tree: &mut Tree) -> Result<(), ApiError> {
        let changed: BTreeMap<Place, Vec<u8>> = tree.take_changed();
        for (place, hashes) in changed {
            let kept = log::tile(self.connection, place).await?;
            if !kept.is_some_and(|kept| kept.starts_with(&hashes)) {
                self.find(format!("tile {} of level {} was changed", place.1, place.0));
            }
        }
        Ok(())
    }

    /// Opens every commitment that was not erased.
    async fn openings(&mut self) -> Result<(), ApiError> {
        let (mut after, mut more) = (None, true);
        while more {
            let page = audit::openings_after(self.connection, after.as_ref(), PAGE).await?;
            more = !page.is_empty();
            for (tenant, number, field, opening) in page {
                let record = audit::find(self.connection, &tenant, number).await?;
                let fits = record.as_ref().is_some_and(|row| {
                    row.record.commitment(field).is_some()
                        && row.record.commitment(field) == opening.commitment(field).as_deref()
                });
                self.told.openings += 1;
                if !fits {
                    self.find(format!(
                        "the {} of record {number} of {tenant} is not the one that was recorded",
                        field.word()
                    ));
                }
                after = Some((tenant, number, field));
            }
        }
        Ok(())
    }

    /// Verifies every receipt, and that its checkpoint is one of this log.
    async fn receipts(&mut self) -> Result<(), ApiError> {
        let key = self.key.clone();
        let (mut after, mut more) = (None, true);
        while more {
            let page = receipts::page(self.connection, after.as_ref(), PAGE).await?;
            more = !page.is_empty();
            for receipt in page {
                let named = format!("receipt {} of {}", receipt.id, receipt.tenant);
                after = Some((receipt.tenant.clone(), receipt.id.clone()));
                let row = audit::find(self.connection, &receipt.tenant, receipt.record).await?;
                if !receipt.proved {
                    if row.is_none_or(|row| row.place.is_some_and(|place| place < self.head.size)) {
                        self.find(format!("{named} has lost its proof"));
                    }
                    continue;
                }
                self.told.receipts += 1;
                match verify_logged(&receipt.note, &key) {
                    Err(fault) => self.find(format!("{named}: {fault}")),
                    Ok(found) if found.receipt.id != receipt.id => self.find(format!("{named} is another one")),
                    Ok(found) => {
                        if row.is_none_or(|row| row.record != found.record || row.place != Some(found.index)) {
                            self.find(format!("{named} was signed for another record"));
                        }
                        self.begins_with(&found.head, &named).await?;
                    }
                }
            }
        }
        for (tenant, number) in receipts::lost(self.connection).await? {
            self.find(format!("the receipt of record {number} of {tenant} is gone"));
        }
        Ok(())
    }

    /// Looks whether the log begins with an earlier tree.
    async fn begins_with(&mut self, earlier: &Head, named: &str) -> Result<(), ApiError> {
        let proof = match earlier.size {
            0 => Ok(Vec::new()),
            size if size <= self.head.size => prove::consistency(self.connection, size, self.head.size).await,
            _ => Err(ApiError::fault("the log is shorter")),
        };
        let fits = proof.is_ok_and(|proof| tree::check_consistency(earlier, &proof, &self.head).is_ok());
        if !fits {
            self.find(format!("{named} is of a log with other records"));
        }
        Ok(())
    }
}

fn name(row: &Row) -> String {
    format!("record {} of {}", row.record.number, row.record.tenant)
}
