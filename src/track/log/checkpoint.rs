//! What the portal signs of the log: how many records there are and the root of their tree.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Serialize;
use tlog_tiles::{Checkpoint, Hash};

use super::LogError;
use crate::note::NoteError;
use crate::track::receipt::{PortalKey, ReceiptKey};

/// The longest checkpoint that is read, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// The size and the root of a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many records it holds.
    pub size: u64,
    /// Its root (RFC 6962, section 2.1).
    pub root: [u8; 32],
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.size, BASE64_STANDARD.encode(self.root))
    }
}

impl Serialize for Head {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Head", 2)?;
        fields.serialize_field("size", &self.size)?;
        fields.serialize_field("root", &BASE64_STANDARD.encode(self.root))?;
        fields.end()
    }
}

/// Signs a head: a signed note of three lines, the portal's name, the size and the root in Base64.
pub fn sign(head: &Head, key: &ReceiptKey) -> Result<String, LogError> {
    let unsignable = LogError::Malformed("the checkpoint cannot be written as a signed note");
    let checkpoint = Checkpoint::new(key.name(), head.size, Hash(head.root), "");
    let text = checkpoint.ok().and_then(|checkpoint| String::from_utf8(checkpoint.to_bytes()).ok());
    text.and_then(|text| key.sign_text(&text)).ok_or(unsignable)
}

/// Reads a checkpoint that `key` signed; any other text is refused.
pub fn open(note: &str, key: &PortalKey) -> Result<Head, LogError> {
    if note.len() > MAX_LENGTH {
        return Err(LogError::Malformed("the checkpoint is too long"));
    }
    let text = key.open_text(note).map_err(|fault| match fault {
        NoteError::BadSignature | NoteError::OtherKey { .. } => LogError::BadSignature,
        _ => LogError::Malformed("it is not a checkpoint with one signature"),
    })?;
    let checkpoint = Checkpoint::from_bytes(text.as_bytes())
        .map_err(|_| LogError::Malformed("what is signed is not a checkpoint"))?;
    if checkpoint.origin() != key.name()
        || checkpoint.to_bytes() != text.as_bytes()
        || !checkpoint.extension().is_empty()
    {
        return Err(LogError::Malformed("what is signed is not a checkpoint of this portal"));
    }
    Ok(Head { size: checkpoint.size(), root: checkpoint.hash().0 })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn key(name: &str, seed: u64) -> ReceiptKey {
        ReceiptKey::generate(name, &mut StdRng::seed_from_u64(seed)).unwrap()
    }

    #[test]
    fn a_checkpoint_opens_with_the_portals_key_alone() {
        let (portal, head) = (key("support.vendor.example", 1), Head { size: 7, root: [3; 32] });
        let note = sign(&head, &portal).unwrap();
        assert!(note.starts_with("support.vendor.example\n7\nAwMD"), "{note}");
        assert_eq!(open(&note, &portal.portal_key()).unwrap(), head);
        let stranger = key("support.vendor.example", 2).portal_key();
        assert!(matches!(open(&note, &stranger), Err(LogError::BadSignature)));
        for bit in 0..note.len() * 8 {
            let mut bytes = note.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(open(&changed, &portal.portal_key()).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn another_note_of_the_portal_is_not_a_checkpoint() {
        let portal = key("support.vendor.example", 1);
        for text in ["{\"kind\":\"upload\"}\n", "other.example\n7\nAAAA\n", "support.vendor.example\n07\nAAAA\n"] {
            let note = portal.sign_text(text).unwrap();
            assert!(matches!(open(&note, &portal.portal_key()), Err(LogError::Malformed(_))), "{text}");
        }
    }
}
