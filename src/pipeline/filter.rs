//! What items go through on their way to the packer: redaction, or nothing, where that was asked for.

use std::io;

use crate::item::{ArchivePath, BecameShorter, CollectReport, Item, LeftOut, Reason};
use crate::redact::{Consent, RedactError, Redacted, Redactor};

/// What items go through on their way to the packer.
pub(super) enum Filter {
    Redactor(Box<Redactor>),
    Nothing(Consent),
}

impl Filter {
    pub(super) fn path(&self, path: &ArchivePath) -> ArchivePath {
        match self {
            Self::Redactor(redactor) => redactor.path(path),
            Self::Nothing(_) => path.clone(),
        }
    }

    pub(super) fn left_out(&self, left_out: LeftOut) -> LeftOut {
        match self {
            Self::Redactor(redactor) => redactor.left_out(left_out),
            Self::Nothing(_) => left_out,
        }
    }

    /// The report of collecting without personal values in its names and paths.
    pub(super) fn report(&self, report: CollectReport) -> CollectReport {
        let clean = |text: String| self.left_out(LeftOut { path: text, reason: Reason::ByProfile }).path;
        let CollectReport { mut sources, mut fell_out, .. } = report;
        for source in &mut sources {
            source.name = clean(std::mem::take(&mut source.name));
        }
        for one in &mut fell_out {
            one.path = clean(std::mem::take(&mut one.path));
        }
        CollectReport { sources, fell_out, ..report }
    }

    pub(super) fn open<'a>(&'a self, item: &'a Item) -> Result<Redacted<'a>, Reason> {
        match self {
            Self::Redactor(redactor) => redactor.redact(item).map_err(|left_out| left_out.reason),
            Self::Nothing(consent) => Redacted::unredacted(item, *consent).map_err(|error| reason(&error)),
        }
    }
}

/// What an error while reading an item means for the snapshot.
pub(super) fn reason(error: &io::Error) -> Reason {
    match RedactError::from_io(error).and_then(RedactError::reason) {
        Some(reason) => reason,
        None if became_shorter(error) => Reason::BecameShorter,
        None => match error.kind() {
            io::ErrorKind::NotFound => Reason::Vanished,
            io::ErrorKind::PermissionDenied => Reason::NotPermitted,
            _ => Reason::ReadError,
        },
    }
}

fn became_shorter(error: &io::Error) -> bool {
    error.get_ref().and_then(|cause| cause.downcast_ref::<BecameShorter>()).is_some()
}
