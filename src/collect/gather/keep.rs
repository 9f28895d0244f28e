//! Keeps what did not come from a file: all of it in one spool, so that any number of outputs cost one descriptor.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::collect::source::{FileContent, FilePart};
use crate::item::{ArchivePath, Content, Item};
use crate::spool::{Spool, SpoolReader};

/// Something that will become an item.
pub(in crate::collect) struct Draft {
    /// The number of its source.
    pub(in crate::collect) source: usize,
    pub(in crate::collect) path: ArchivePath,
    pub(in crate::collect) size: u64,
    pub(in crate::collect) modified: Option<Timestamp>,
    pub(in crate::collect) bytes: Place,
}

/// Where the bytes of a draft are.
pub(in crate::collect) enum Place {
    /// A whole file.
    File(FileContent),
    /// Parts of a file.
    Part(FilePart),
    /// Parts of the common spool: where they begin and how long they are.
    Kept(Vec<(u64, u64)>),
    /// Elsewhere.
    Other(Box<dyn Content>),
}

impl Draft {
    /// Makes an item of it.
    pub(super) fn into_item(self, kept: &Arc<Spool>) -> Item {
        let Self { path, size, modified, bytes, .. } = self;
        let content: Box<dyn Content> = match bytes {
            Place::File(file) => Box::new(file),
            Place::Part(part) => Box::new(part),
            Place::Kept(parts) => Box::new(Segments { spool: Arc::clone(kept), parts }),
            Place::Other(content) => content,
        };
        Item { path, size, modified, content }
    }
}

/// Adds what a reader gives to the spool; tells where it begins and how long it is.
pub(super) fn keep(kept: &mut Spool, mut reader: impl Read) -> io::Result<(u64, u64)> {
    let start = kept.length();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((start, kept.length() - start)),
            Ok(length) => kept.write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

struct Segments {
    spool: Arc<Spool>,
    parts: Vec<(u64, u64)>,
}

impl Content for Segments {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut all: Box<dyn Read + Send> = Box::new(io::empty());
        for (start, length) in &self.parts {
            let mut reader = SpoolReader::new(Arc::clone(&self.spool));
            reader.seek(SeekFrom::Start(*start))?;
            all = Box::new(all.chain(reader.take(*length)));
        }
        Ok(all)
    }
}
