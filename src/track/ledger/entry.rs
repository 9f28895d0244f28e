//! What the ledger knows of one snapshot now: the fold of its records.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::track::Phase;
use crate::track::ledger::LedgerError;
use crate::track::ledger::record::Record;
use crate::track::policy::RetentionPolicy;
use crate::track::receipt::{Kind, PortalKey, Receipt, verify};
use crate::track::state::{Event, State};

/// One snapshot, as the sender knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file id in the sealed file's header.
    pub snapshot: FileId,
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// SHA-256 of the sealed file in hexadecimal.
    pub sha256: String,
    /// Where the sealed file lay when it was sealed.
    pub file: Option<String>,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Where it went; absent while nothing was uploaded.
    pub portal: Option<String>,
    /// How far it is. "Deleted" stands here only with a verified receipt.
    pub state: State,
    /// The instant by which it must be gone, counted here; absent while it was not sent.
    pub due_at: Option<Timestamp>,
    /// What the portal told last, and when.
    pub told: Option<(Timestamp, Told)>,
    /// When its sender took it back, or gave up its upload before it was sent, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
    /// The portal's signed statement that it has it.
    pub upload_receipt: Option<String>,
    /// The portal's signed statement that it is gone.
    pub deletion_receipt: Option<String>,
    /// When the vendor's word for the deletion was written down, and the SHA-256 of it. It proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<(Timestamp, String)>,
}

/// What a portal tells about a snapshot when it is asked. A statement without a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// How far it says it is.
    pub phase: Phase,
    /// The deadline it counts.
    pub due_at: Option<Timestamp>,
    /// When it says it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// How often it says the content was read.
    pub reads: u64,
    /// By how many different technicians its log says it was read, and when last; absent when nobody did or it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<(u64, Timestamp)>,
}

impl Entry {
    /// How far it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// When its last byte was stored at the portal.
    #[must_use]
    pub fn sent_at(&self) -> Option<Timestamp> {
        self.state.uploaded_at()
    }

    /// When its ticket was closed, if it is closed.
    #[must_use]
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.state.closed_at()
    }

    /// When it was deleted, by a verified receipt.
    #[must_use]
    pub fn deleted_at(&self) -> Option<Timestamp> {
        self.state.deleted_at()
    }

    /// How often the portal says its content was read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.told.map_or(0, |(_, told)| told.reads)
    }

    /// By how many different technicians it was read, and when last, as far as the portal's log was asked.
    #[must_use]
    pub fn readers(&self) -> Option<(u64, Timestamp)> {
        self.told.and_then(|(_, told)| told.readers)
    }

    /// True when the portal says that it is gone and no receipt proves it.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.deletion_receipt.is_none() && self.told.is_some_and(|(_, told)| told.phase == Phase::Deleted)
    }

    /// Reads and checks a receipt for this snapshot.
    pub(crate) fn check(&self, note: &str, key: &PortalKey) -> Result<Receipt, LedgerError> {
        let receipt = verify(note, key)?;
        if receipt.sha256 != self.sha256 || receipt.size != self.size {
            return Err(LedgerError::OtherReceipt("its digest or size is not the sealed file's"));
        }
        Ok(receipt)
    }

    /// When the ledger's owner must look at it: its deadline; at once when it is unconfirmed; never when it is proved gone, was
    /// confirmed in writing or was never sent.
    pub(crate) fn attention_at(&self) -> Option<Timestamp> {
        match self.phase() {
            Phase::Deleted => None,
            _ if self.confirmed.is_some() => None,
            _ if self.is_unconfirmed() => Some(Timestamp::EPOCH),
            _ => self.due_at,
        }
    }
}

/// The entry after `record`, which was written at `at`. A record that says nothing new gives the same entry.
///
/// Receipts were verified before they were recorded; here they are read with the pinned `key` again.
pub(crate) fn after(
    entry: Option<&Entry>,
    record: &Record,
    at: Timestamp,
    key: Option<&PortalKey>,
    policy: &RetentionPolicy,
) -> Result<Entry, LedgerError> {
    let mut next = match (record, entry) {
        (Record::Sealed(sealed), None) => Entry {
            snapshot: sealed.snapshot,
            ticket: sealed.ticket.clone(),
            size: sealed.size,
            sha256: sealed.sha256.clone(),
            file: sealed.file.clone(),
            sealed_at: at,
            portal: None,
            state: State::uploading(),
            due_at: None,
            told: None,
            withdrawn: None,
            upload_receipt: None,
            deletion_receipt: None,
            confirmed: None,
        },
        (_, Some(entry)) => entry.clone(),
        (Record::Uploading { snapshot, .. }, None)
        | (Record::Sent { snapshot, .. }, None)
        | (Record::Receipt { snapshot, .. }, None)
        | (Record::Told { snapshot, .. } | Record::Confirmed { snapshot, .. } | Record::Withdrawn { snapshot }, None) =>
        {
            return Err(LedgerError::Unknown(*snapshot));
        }
        (Record::Closed { .. } | Record::Reopened { .. } | Record::Pinned { .. }, None) => {
            unreachable!("records about tickets and portals are folded into entries that are there")
        }
    };
    match record {
        Record::Sealed(sealed) => {
            let same = next.ticket == sealed.ticket && next.size == sealed.size && next.sha256 == sealed.sha256;
            if !same {
                return Err(LedgerError::Differs(next.snapshot));
            }
        }
        Record::Uploading { portal, .. } if next.phase() == Phase::Uploading => {
            next.portal = Some(portal.clone());
            // An upload that was given up begins anew.
            next.withdrawn = None;
        }
        Record::Sent { uploaded, .. } => next.state = next.state.after(&Event::Stored, *uploaded),
        Record::Receipt { note, .. } => {
            let key = key.ok_or_else(|| LedgerError::NoKey(next.portal.clone().unwrap_or_default()))?;
            let receipt = next.check(note, key)?;
            next.state = next.state.after(&Event::Stored, receipt.uploaded);
            match (receipt.kind, receipt.deleted) {
                (Kind::Upload, _) => next.upload_receipt = Some(note.clone()),
                (Kind::Deletion, Some(deleted)) => {
                    if let Some(closed) = receipt.closed {
                        next.state = next.state.after(&Event::TicketClosed, closed);
                    }
                    next.state = next.state.after(&Event::DeletionConfirmed, deleted);
                    next.deletion_receipt = Some(note.clone());
                }
                (Kind::Deletion, None) => return Err(LedgerError::OtherReceipt("it does not say when it was deleted")),
            }
        }
        Record::Told { told, .. } => {
            if next.told.is_none_or(|(_, before)| before != *told) {
                next.told = Some((at, *told));
            }
            if told.phase > Phase::Stored {
                next.state = next.state.after(&Event::DeletionBegan, at);
            }
        }
        Record::Withdrawn { .. } => next.withdrawn = next.withdrawn.or(Some(at)),
        Record::Closed { closed, .. } => next.state = next.state.told(&Event::TicketClosed, *closed, policy, at),
        Record::Reopened { reopened, .. } => {
            next.state = next.state.told(&Event::TicketReopened, *reopened, policy, at);
        }
        Record::Confirmed { evidence, .. } => {
            if next.confirmed.as_ref().is_none_or(|(_, before)| before != evidence) {
                next.confirmed = Some((at, evidence.clone()));
            }
        }
        Record::Uploading { .. } | Record::Pinned { .. } => {}
    }
    next.due_at = next.state.deadline(policy);
    Ok(next)
}
