//! From a note that somebody offers to a list that can be trusted.

use super::error::KeyListError;
use super::root::{Root, read_handover};
use super::{Facts, KeyList, MAX_HANDOVERS, MAX_LENGTH, fault_of};
use crate::note::unverified_text;

/// A list that is whole and signed by the root it names itself. Anyone can make one; [`trust`](Self::trust) tells whose it is.
#[derive(Clone, Debug)]
pub struct Claimed {
    list: KeyList,
    /// The roots before the present one, oldest first; each signed that the next takes its place.
    earlier: Vec<Root>,
}

impl Claimed {
    /// Reads a list.
    ///
    /// Refused: more than [`MAX_LENGTH`](super::MAX_LENGTH) bytes, one changed byte, a second signature, anything before or
    /// after, unknown fields, the same facts written in another way, and facts that contradict each other.
    pub fn read(note: &str) -> Result<Self, KeyListError> {
        if note.len() > MAX_LENGTH {
            return Err(KeyListError::Malformed("it is longer than 768 KiB"));
        }
        let claimed = unverified_text(note)?;
        let facts: Facts =
            serde_json::from_str(claimed).map_err(|_| KeyListError::Malformed("its fields are not a key list's"))?;
        let text = facts.root.open(note)?;
        let canonical = serde_json_canonicalizer::to_string(&facts).unwrap_or_default() + "\n";
        if canonical != text {
            return Err(KeyListError::Malformed("its JSON is not canonical"));
        }
        if let Some(fault) = fault_of(&facts) {
            return Err(KeyListError::Malformed(fault));
        }
        let earlier = earlier_roots(&facts)?;
        Ok(Self { list: KeyList { facts, note: note.to_owned() }, earlier })
    }

    /// The root it names itself: what a person compares before it is trusted for the first time.
    #[must_use]
    pub const fn root(&self) -> &Root {
        self.list.root()
    }

    /// Trusts it if `is_trusted` holds for its root, or for an earlier one that leads there by handovers.
    pub fn trust(self, is_trusted: impl Fn(&Root) -> bool) -> Result<KeyList, KeyListError> {
        if is_trusted(self.list.root()) || self.earlier.iter().any(is_trusted) {
            return Ok(self.list);
        }
        Err(KeyListError::OtherRoot(self.list.facts.root))
    }
}

/// Follows the handovers up to the root that signed the list.
fn earlier_roots(facts: &Facts) -> Result<Vec<Root>, KeyListError> {
    if facts.handovers.len() > MAX_HANDOVERS {
        return Err(KeyListError::Malformed("it holds more than 16 handovers of the root"));
    }
    let mut earlier = Vec::new();
    let mut expected: Option<Root> = None;
    for note in &facts.handovers {
        let (from, to) = read_handover(note)?;
        if expected.is_some_and(|expected| expected != from) || earlier.contains(&from) {
            return Err(KeyListError::Malformed("its handovers of the root are no chain"));
        }
        earlier.push(from);
        expected = Some(to);
    }
    // A root that handed over is never the present one again: whoever took it from the vendor would be back.
    if expected.is_some_and(|expected| expected != facts.root) || earlier.contains(&facts.root) {
        return Err(KeyListError::Malformed("its handovers do not lead to its root"));
    }
    Ok(earlier)
}
