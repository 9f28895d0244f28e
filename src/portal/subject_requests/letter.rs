//! The export as a letter: a page that is read, printed, or read aloud.

use askama::Template;

use super::Export;
use super::export::Told;
use crate::clock::Timestamp;
use crate::portal::error::ApiError;
use crate::printable;
use crate::wire::SnapshotState;
use crate::wire::subject::SubjectKind;

#[derive(Template)]
#[template(path = "letter.html")]
struct Letter<'e> {
    export: &'e Export,
    policy: String,
    style: &'static str,
}

impl Export {
    /// The page. Every text in it is escaped by the template.
    pub(crate) fn page(&self) -> Result<String, ApiError> {
        Letter { export: self, policy: printable::policy(), style: printable::STYLE }.render().map_err(ApiError::fault)
    }

    fn title(&self) -> &'static str {
        match self.kind {
            SubjectKind::Information => "what is kept about you",
            SubjectKind::Portability => "your data to take with you",
            SubjectKind::Correction => "your correction",
            SubjectKind::Deletion => "your request for deletion",
            SubjectKind::Blocking => "your request for blocking",
            SubjectKind::Revocation => "your consent taken back",
        }
    }
}

impl Told {
    fn state(&self) -> Option<&'static str> {
        Some(match self.state? {
            SnapshotState::Uploading => "arriving",
            SnapshotState::Stored => "kept, and readable by those who may",
            SnapshotState::Held => "kept by an order, and readable by those who may",
            SnapshotState::Restricted => "kept, and readable by nobody",
            SnapshotState::Deleting => "being deleted, and readable by nobody",
            SnapshotState::Deleted => "deleted",
        })
    }

    fn instants(&self) -> Vec<(&'static str, Timestamp)> {
        let all = [
            ("Came", self.uploaded_at),
            ("Ticket closed", self.ticket_closed_at),
            ("Gone by", self.due_at.filter(|_| self.deleted_at.is_none())),
            ("Taken back", self.withdrawn_at),
            ("Blocked", self.blocked_at),
            ("Deleted", self.deleted_at),
        ];
        all.into_iter().filter_map(|(name, at)| at.map(|at| (name, at))).collect()
    }
}
