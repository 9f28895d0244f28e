//! Finds the lines of a file that lie within the window.

use std::io::{self, Read};
use std::time::Instant;

use super::context::Context;
use super::job::{News, Tell, fell_out, left_out};
use crate::clock::Timestamp;
use crate::collect::CollectError;
use crate::collect::packing::{HEAD, Packing};
use crate::collect::run::Tail;
use crate::collect::source::{Bytes, Candidate, FileContent, FilePart};
use crate::collect::window::{Within, pass, within};
use crate::item::{ArchivePath, BecameShorter, Content, Reason};

/// Finds the lines of a file that lie within the window.
pub(super) fn cut(candidate: Candidate, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let Candidate { path, size, modified, bytes } = candidate;
    let file = match bytes {
        Bytes::File(file) => file,
        Bytes::Kept(content) => return cut_stream((path, size, modified), &*content, context, deadline, tell),
    };
    match cut_file(&file, modified, context, deadline) {
        Ok(Cut::Unknown) => {
            tell(News::Found { candidate: Candidate { path, size, modified, bytes: Bytes::File(file) }, cut: false });
        }
        Ok(Cut::Nothing) => left_out(tell, path.as_str(), Reason::OutsideWindow, size),
        Ok(Cut::Part(part)) => {
            fell_out(tell, &path, Reason::OutsideWindow, size - part.length());
            tell(News::Part { path, modified, part });
        }
        Ok(Cut::Packed(tail)) => {
            fell_out(tell, &path, Reason::OutsideWindow, size.saturating_sub(tail.total()));
            tell(News::Kept { path, modified, tail: *tail });
        }
        Err(CutError::Keep(error)) => tell(News::Wrong(CollectError::Keep(error))),
        Err(CutError::Read(error)) => left_out(tell, path.as_str(), reason(&error), size),
    }
}

/// What of a file lies within the window.
enum Cut {
    /// It is not known, or all of it.
    Unknown,
    Nothing,
    Part(FilePart),
    /// Packed anew.
    Packed(Box<Tail>),
}

enum CutError {
    Read(io::Error),
    Keep(io::Error),
}

impl From<io::Error> for CutError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn cut_file(
    content: &FileContent,
    modified: Option<Timestamp>,
    context: &Context,
    deadline: Instant,
) -> Result<Cut, CutError> {
    let go_on = || Instant::now() < deadline && !context.running.is_stopped();
    let reading = context.reading(modified);
    let mut file = content.file()?;
    let mut head = Vec::new();
    (&file).take(HEAD as u64).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    if packing == Packing::None {
        return Ok(match within(&mut file, content.size(), &context.window, &reading, &go_on)? {
            Within::Unknown => Cut::Unknown,
            Within::Nothing => Cut::Nothing,
            Within::Part { start: 0, end, .. } if end == content.size() => Cut::Unknown,
            Within::Part { head, start, end } => Cut::Part(FilePart { file: content.clone(), head, start, end }),
        });
    }
    // A packed archive has no lines of its own; what is packed otherwise is packed again.
    let opened = packing.open(io::BufReader::with_capacity(128 << 10, content.open()?))?;
    let mut packer = packing.pack(Tail::new(&context.spools, u64::MAX)).map_err(CutError::Keep)?;
    let passed = pass(opened.take(OPENED), &mut packer, &context.window, &reading, &go_on)?;
    if !passed.stamped || passed.written == passed.read || passed.read == OPENED {
        return Ok(Cut::Unknown);
    }
    if passed.written == 0 {
        return Ok(Cut::Nothing);
    }
    packer.finish().map(|tail| Cut::Packed(Box::new(tail))).map_err(CutError::Keep)
}

/// Most bytes a packed log may grow to for its lines to be looked at.
const OPENED: u64 = 20 << 30;

/// What an error while reading a file means.
fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::TimedOut => Reason::TimedOut,
        io::ErrorKind::NotFound => Reason::Vanished,
        io::ErrorKind::PermissionDenied => Reason::NotPermitted,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => Reason::Damaged,
        _ if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<BecameShorter>) => {
            Reason::BecameShorter
        }
        _ => Reason::ReadError,
    }
}

/// Passes the lines of what is kept already, such as standard input.
fn cut_stream(
    (path, size, modified): (ArchivePath, u64, Option<Timestamp>),
    content: &dyn Content,
    context: &Context,
    deadline: Instant,
    tell: Tell<'_>,
) {
    let mut tail = Tail::new(&context.spools, u64::MAX);
    let go_on = || Instant::now() < deadline;
    let passed =
        content.open().and_then(|reader| pass(reader, &mut tail, &context.window, &context.reading(modified), &go_on));
    match passed {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            left_out(tell, path.as_str(), Reason::TimedOut, size);
        }
        Err(error) => tell(News::Wrong(CollectError::Keep(error))),
        Ok(passed) if passed.written == 0 && size > 0 => left_out(tell, path.as_str(), Reason::OutsideWindow, size),
        Ok(passed) => {
            if passed.written < passed.read {
                fell_out(tell, &path, Reason::OutsideWindow, passed.read - passed.written);
            }
            tell(News::Kept { path, modified, tail });
        }
    }
}
