//! What the targets share: an item in memory, and the two passes over it.

use std::io::{self, Cursor, Read};

use tarseal::item::{Content, Item};
use tarseal::redact::{RedactError, Redactor, Rules, Survey, TicketKey};

struct Bytes(Vec<u8>);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

/// An item with these bytes.
pub fn item(path: &str, bytes: &[u8]) -> Item {
    Item {
        path: path.parse().expect("a path of letters"),
        size: bytes.len() as u64,
        modified: None,
        content: Box::new(Bytes(bytes.to_vec())),
    }
}

/// Surveys the items; `None` when one of them cannot be read.
pub fn redactor(rules: &Rules, items: &[Item], chunk: usize) -> Option<Redactor> {
    let mut survey = Survey::new(rules).with_chunk_size(chunk);
    for item in items {
        survey.learn_path(&item.path);
        survey.read(item).ok()?;
    }
    Some(Redactor::new(rules.clone(), survey.finish(), TicketKey::from_bytes([42; 32])).with_chunk_size(chunk))
}

/// Redacts one item; `None` when it cannot be read as text. The gate must never have to stop anything.
pub fn redacted(redactor: &Redactor, item: &Item) -> Option<(Vec<u8>, bool)> {
    let mut redacted = redactor.redact(item).ok()?;
    let mut bytes = Vec::new();
    if let Err(error) = redacted.read_to_end(&mut bytes) {
        let error = RedactError::from_io(&error).expect("an error of the redaction");
        assert!(!matches!(error, RedactError::Gate(_)), "the gate stopped: {error}");
        return None;
    }
    let unchanged = redacted.finish().is_empty();
    Some((bytes, unchanged))
}
