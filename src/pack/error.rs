//! Why a stream was not unpacked, and where in it the reason stands.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::dialect::NotTheDialect;
use crate::item::ArchivePath;

/// Most characters of a hostile name that are shown.
const SHOWN: usize = 100;

/// Why a stream was not unpacked. Nothing of it is left. No text of it holds a control character that came from the stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The input could not be read. When it is the payload of a sealed file, the cause says what is wrong with that.
    #[error("reading failed")]
    Input(#[source] io::Error),
    /// It is not what the packer writes, or not all of it.
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    /// It is larger than the limits allow.
    #[error("the archive is refused: {0}")]
    Limit(&'static str),
    /// Two entries have one path, or one that is the same where case does not count, or a path that is not free.
    #[error("the archive is refused: {0} cannot stand beside what came before it")]
    Path(ArchivePath),
    /// The manifest is not signed by the expected sender.
    #[error("the sender's signature does not fit")]
    Signature,
    /// An entry is not what the manifest says: its header, or its bytes.
    #[error("the archive is damaged: {0} is not what the manifest says")]
    Entry(ArchivePath),
    /// The manifest cannot be understood. The cause may repeat its text; this says only where.
    #[error("the manifest cannot be read: line {}, column {} is wrong", .0.line(), .0.column())]
    Manifest(#[source] serde_json::Error),
    /// One of the above, with its place in the archive.
    #[error("{error} ({place})")]
    At {
        /// Where it was found.
        place: Place,
        /// What was found.
        error: Box<Self>,
    },
    /// There is something at the destination already.
    #[error("{} is there already", .0.display())]
    DestinationExists(PathBuf),
    /// The destination could not be written.
    #[error("{} could not be written", path.display())]
    Destination {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl UnpackError {
    /// There are more files than the limits allow.
    pub(crate) const TOO_MANY_FILES: Self = Self::Limit("it has too many files");

    /// Adds the place, unless it has one or is not about the archive.
    pub(crate) fn at(self, place: Place) -> Self {
        match self {
            Self::Damaged(_) | Self::Limit(_) | Self::Path(_) | Self::Manifest(_) => {
                Self::At { place, error: Box::new(self) }
            }
            other => other,
        }
    }

    /// What it is, without its place.
    #[must_use]
    pub fn reason(&self) -> &Self {
        match self {
            Self::At { error, .. } => error,
            other => other,
        }
    }
}

impl From<NotTheDialect> for UnpackError {
    fn from(error: NotTheDialect) -> Self {
        Self::Damaged(error.0)
    }
}

/// A place in an archive, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The entry, from 1. `None` when it is about frames alone.
    pub entry: Option<u64>,
    /// Its name as far as it is known, escaped, at most 100 characters of it.
    pub name: Option<String>,
    /// The frame, from 0, padding included: the line of the seek table. `None` when it is about the entry as a whole.
    pub frame: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry.map(|entry| format!("entry {entry}"));
        let name = self.name.as_ref().map(|name| format!("\"{name}\""));
        let frame = self.frame.map(|frame| format!("frame {frame}"));
        f.write_str(&[entry, name, frame].into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Shows a name that nobody has checked: whatever could move a cursor, turn a line or end the quotation is escaped.
pub(crate) fn shown_name(name: &[u8]) -> String {
    // Four bytes hold any character; what lies behind them would be cut off anyway.
    let name = String::from_utf8_lossy(&name[..name.len().min(4 * SHOWN + 4)]);
    let mut shown: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::is_bidi;

    #[test]
    fn a_hostile_name_is_shown_without_what_it_could_do() {
        assert_eq!(shown_name(b"var/log/syslog"), "var/log/syslog");
        assert_eq!(shown_name("Zo\u{eb}".as_bytes()), "Zo\u{eb}");
        assert_eq!(shown_name(b"a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(shown_name(b"v\xffctim\""), "v\u{fffd}ctim\\\"");
        for code in 0..0x11_0000 {
            let Some(c) = char::from_u32(code) else { continue };
            let shown = shown_name(c.to_string().as_bytes());
            assert!(!shown.chars().any(|c| c.is_control() || is_bidi(c)), "{code:x}");
        }
        let long = shown_name(&[b'x'; 100_000]);
        assert_eq!(long.chars().count(), SHOWN + 1);
        assert_eq!(shown_name("\u{1f600}".repeat(101).as_bytes()).chars().count(), SHOWN + 1);
    }

    #[test]
    fn an_error_says_what_and_then_where() {
        let place = Place { entry: Some(3), name: Some("a/b".into()), frame: Some(0) };
        let error = UnpackError::Damaged("it ends early").at(place.clone()).at(place.clone());
        assert_eq!(error.to_string(), "the archive is damaged: it ends early (entry 3, \"a/b\", frame 0)");
        assert!(matches!(error.reason(), UnpackError::Damaged(_)));
        let other = UnpackError::DestinationExists("x".into()).at(place);
        assert!(matches!(other, UnpackError::DestinationExists(_)));
    }
}
