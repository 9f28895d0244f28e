//! The vendor's side: a list in the making.

use super::error::KeyListError;
use super::root::{Root, RootKey};
use super::{Claimed, Facts, KeyList, KeyState, Kind, ListedKey, MAX_HANDOVERS};
use crate::clock::Timestamp;
use crate::format::key::Recipient;

/// The next version of a list, not yet signed.
#[derive(Clone, Debug)]
pub struct Draft(Facts);

impl Draft {
    /// Begins a vendor's first list, without any key.
    #[must_use]
    pub fn new(root: &Root) -> Self {
        Self(Facts {
            kind: Kind::KeyList,
            edition: 1,
            vendor: root.name().to_owned(),
            version: 0,
            issued: Timestamp::EPOCH,
            expires: Timestamp::EPOCH,
            root: root.clone(),
            handovers: Vec::new(),
            keys: Vec::new(),
        })
    }

    /// Begins the list that follows `list`.
    #[must_use]
    pub fn after(list: KeyList) -> Self {
        Self(list.facts)
    }

    /// Every key, in order.
    #[must_use]
    pub fn keys(&self) -> &[ListedKey] {
        &self.0.keys
    }

    /// Adds an active key. A key that was ever in the list is not added again.
    pub fn add(
        &mut self,
        recipient: Recipient,
        purpose: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<(), KeyListError> {
        if self.0.keys.iter().any(|key| key.recipient == recipient) {
            return Err(KeyListError::Draft("this key is in the list already"));
        }
        let fingerprint = recipient.fingerprint();
        self.0.keys.push(ListedKey {
            recipient,
            fingerprint,
            purpose: purpose.to_owned(),
            not_before,
            not_after,
            state: KeyState::Active,
            since: None,
            reason: None,
        });
        Ok(())
    }

    /// Retires a key: nothing more is sealed to it, what was sealed to it stays safe.
    pub fn retire(&mut self, recipient: &Recipient, now: Timestamp) -> Result<(), KeyListError> {
        let key = self.find(recipient)?;
        if key.state != KeyState::Active {
            return Err(KeyListError::Draft("only an active key can be retired"));
        }
        (key.state, key.since) = (KeyState::Retired, Some(now));
        Ok(())
    }

    /// Revokes a key for good; `reason` is shown to senders.
    pub fn revoke(&mut self, recipient: &Recipient, reason: &str, now: Timestamp) -> Result<(), KeyListError> {
        let key = self.find(recipient)?;
        if key.state == KeyState::Revoked {
            return Err(KeyListError::Draft("this key was revoked already"));
        }
        (key.state, key.since, key.reason) = (KeyState::Revoked, Some(now), Some(reason.to_owned()));
        Ok(())
    }

    /// Hands the list over to another root; it is to be signed by that one. The oldest handovers beyond 16 fall out.
    pub fn hand_over(&mut self, from: &RootKey, to: &Root) -> Result<(), KeyListError> {
        if from.root() != self.0.root {
            return Err(KeyListError::Draft("this is not the root key of the list"));
        }
        if to.name() != self.0.vendor {
            return Err(KeyListError::Draft("the new root key has another name; a vendor keeps its name"));
        }
        if *to == self.0.root {
            return Err(KeyListError::Draft("the new root key is the present one"));
        }
        self.0.handovers.push(from.hand_over(to)?);
        let surplus = self.0.handovers.len().saturating_sub(MAX_HANDOVERS);
        self.0.handovers.drain(..surplus);
        self.0.root = to.clone();
        Ok(())
    }

    /// Signs it as the next version, good for `days` days from `now`, and reads it as a sender would.
    pub fn sign(mut self, key: &RootKey, now: Timestamp, days: i64) -> Result<KeyList, KeyListError> {
        if key.root() != self.0.root {
            return Err(KeyListError::Draft("this is not the root key of the list"));
        }
        if now < self.0.issued {
            return Err(KeyListError::Draft(
                "the last version was signed later than now; is this computer's clock right?",
            ));
        }
        self.0.version += 1;
        (self.0.issued, self.0.expires) = (now, now.plus_days(days));
        let mut text = serde_json_canonicalizer::to_string(&self.0)
            .map_err(|_| KeyListError::Draft("the list cannot be written as canonical JSON"))?;
        text.push('\n');
        let note = key.sign(&text)?;
        let read = Claimed::read(&note).map_err(|error| match error {
            KeyListError::Malformed(fault) => KeyListError::Draft(fault),
            other => other,
        })?;
        read.trust(|root| *root == self.0.root)
    }

    fn find(&mut self, recipient: &Recipient) -> Result<&mut ListedKey, KeyListError> {
        let found = self.0.keys.iter_mut().find(|key| key.recipient == *recipient);
        found.ok_or(KeyListError::Draft("this key is not in the list"))
    }
}
