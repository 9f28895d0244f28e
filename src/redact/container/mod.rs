//! Containers: data with text inside. They are opened, redacted inside, and packed again as they were.
//!
//! A document is text, or a container of documents:
//!
//! ```text
//! document ─┬─ text
//!           └─ container ─┬─ compressed: one document
//!                         ├─ archive:    members, each a document
//!                         └─ database:   cells, each a text or a document
//! ```
//!
//! To add a kind: a file here with a test, and a line in [`CONTAINERS`]. [`Surveying`] and [`Redacting`] are what it works
//! with: the first and the second pass, at the place where the container stands. Both passes must come to the same end for
//! every container and member, or something would be redacted that was not surveyed.

use super::decode::Stream;
use super::error::RedactError;

mod bz2;
mod compressed;
mod gathered;
mod gz;
mod joined;
mod member_name;
mod opening;
mod redacting;
mod sqlite;
mod surveying;
mod tar;
mod xz;
mod zip;
mod zst;

use self::compressed::Compressed;
pub(crate) use self::opening::Opening;
pub(crate) use self::redacting::{Redacting, spool_all};
pub(crate) use self::surveying::Surveying;

static CONTAINERS: [&dyn Container; 7] = [
    &Compressed(&gz::Gz),
    &Compressed(&xz::Xz),
    &Compressed(&zst::Zst),
    &Compressed(&bz2::Bz2),
    &zip::Zip,
    &tar::Tar,
    &sqlite::Sqlite,
];

/// A kind of data with documents inside.
pub(crate) trait Container: Sync {
    /// Whether data that begins like this, with up to [`HEAD`](super::decode::HEAD) bytes, is of this kind.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Reads it to its end and shows the survey what is inside.
    ///
    /// An error means that all of it is left out; a member that is left out alone is none.
    fn survey(&self, input: Stream<'_>, inside: &mut Surveying<'_>) -> Result<(), RedactError>;

    /// Gives it redacted, packed as it was. Nothing of the old headers survives that could be personal: no owner, no
    /// comment, no name that was not redacted.
    ///
    /// An error, here or when the result is read, means that all of it is left out.
    fn redact<'a>(&self, input: Stream<'a>, inside: &Redacting<'a>) -> Result<Stream<'a>, RedactError>;

    /// Whether it counts as one with the compression right around it when the depth is counted.
    fn joins_compression(&self) -> bool {
        false
    }
}

/// The container that data beginning like this is in.
pub(crate) fn recognise(head: &[u8]) -> Option<&'static dyn Container> {
    CONTAINERS.into_iter().find(|container| container.recognises(head))
}

/// How deep a document lies.
#[derive(Clone, Copy, Default)]
struct Depth {
    containers: u32,
    /// Whether the container right around it is compression.
    compressed: bool,
}

impl Depth {
    /// The depth of what is inside `container`.
    fn into(self, container: &dyn Container, most: u32) -> Result<Self, RedactError> {
        let containers = self.containers + u32::from(!(self.compressed && container.joins_compression()));
        if containers > most { Err(RedactError::TooDeep) } else { Ok(Self { containers, compressed: false }) }
    }
}
