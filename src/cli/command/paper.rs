//! Receipts where a person finds them: as text to read and file, as JSON for others, in the documents of whoever sent.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::receipt::lines;
use crate::cli::Desk;
use crate::cli::downloads::user_directory;
use crate::cli::home::write_private;
use crate::cli::requests::when;
use crate::ids::{FileId, TicketId};
use crate::track::PortalKey;
use crate::track::receipt::{Kind, Receipt, verify};

/// What a page begins with.
const PAGE: &str = "RECEIPT ";

/// Whether a text is a page: it says what a receipt says, and nobody signed it.
pub fn is_page(text: &str) -> bool {
    text.starts_with(PAGE) && text.contains("tarseal receipt verify ")
}

/// Where a receipt is kept.
pub struct Paper {
    /// What `receipt verify` checks.
    pub proof: PathBuf,
    /// The same to read, if it could be written.
    pub page: Option<PathBuf>,
}

impl Paper {
    /// What a person is shown: the page, if there is one.
    pub fn shown(&self) -> &Path {
        self.page.as_deref().unwrap_or(&self.proof)
    }
}

/// Writes a verified receipt as `4711-1.receipt.txt` and `.json` (a deletion's: `4711-1.deletion.txt`) and says where they are.
/// The signed note itself is kept with the ledger in any case; where nothing can be written here, that is said.
pub fn write(
    (ticket, snapshot): (&TicketId, &FileId),
    label: &str,
    note: &str,
    key: &PortalKey,
    desk: &Desk<'_>,
) -> Option<Paper> {
    let receipt = verify(note, key).ok()?;
    let directory = match user_directory("DOCUMENTS", "Documents", desk) {
        Some(documents) => documents.join("tarseal"),
        None => desk.home.directory("receipts").ok()?,
    };
    let name = match receipt.kind {
        Kind::Upload => format!("{label}.receipt"),
        Kind::Deletion => format!("{label}.deletion"),
    };
    let (text, json) = (directory.join(format!("{name}.txt")), directory.join(format!("{name}.json")));
    let written = fs::create_dir_all(&directory).and_then(|()| {
        write_private(&text, page(ticket, snapshot, label, &receipt, key, &json).as_bytes())?;
        let whole = json!({ "ticket": ticket, "snapshot": snapshot, "receipt": receipt, "note": note });
        write_private(&json, format!("{whole:#}\n").as_bytes())
    });
    match written {
        Ok(()) => Some(Paper { proof: json, page: Some(text) }),
        Err(error) => {
            desk.output.say(format!("The receipt could not be put into {}: {error}.", directory.display()));
            None
        }
    }
}

fn page(ticket: &TicketId, snapshot: &FileId, label: &str, receipt: &Receipt, key: &PortalKey, json: &Path) -> String {
    let what = match receipt.kind {
        Kind::Upload => "The portal states that it has stored this snapshot, and by when it will have deleted it.",
        Kind::Deletion => "The portal states that it has deleted this snapshot and destroyed its part of the key.",
    };
    let mut page = format!("{PAGE}{label}\n\n{what}\n\nticket    {ticket}\nsnapshot  {snapshot}\n");
    for line in lines(receipt) {
        let _ = writeln!(page, "{line}");
    }
    if let Some(deleted) = receipt.deleted {
        let _ = writeln!(page, "\nDeleted {}.", when(deleted));
    }
    let _ = write!(
        page,
        "\nSigned by {}. The signature was valid when this page was written.\nTo check it again, without a network:\n\n    tarseal receipt verify {}\n",
        key.name(),
        json.display()
    );
    page
}
