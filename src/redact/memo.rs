//! What was made of values before: logs say the same again and again, and a value looked up once need not be again.
//!
//! A memo belongs to one thread and has a fixed number of places; a value takes the place its hash says from the one that was
//! there. It never decides anything: whatever it does not know is computed anew, with the same result.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;

use super::hit::{Form, Hit};

const PLACES: usize = 1 << 11;
/// Bytes of a value and of what was made of it together.
const ROOM: usize = 112;

/// What values were found to be, and what stands for them.
#[derive(Default)]
pub(crate) struct Memo {
    hasher: RandomState,
    generation: u64,
    slots: Vec<Slot>,
}

#[derive(Clone)]
struct Slot {
    kind: u16,
    value: u8,
    made: u8,
    is_stand_in: bool,
    /// In which chunk it was last told to the vault.
    told: u32,
    text: [u8; ROOM],
}

const FREE: u16 = u16::MAX;

/// A value as the memo knows it: its bytes, and what it was taken for.
pub(crate) struct Key<'t> {
    bytes: Bytes<'t>,
    kind: u16,
}

enum Bytes<'t> {
    Of(&'t [u8]),
    Number([u8; 16]),
}

impl<'t> Key<'t> {
    /// The key of a finding; `None` where computing is as quick as remembering.
    #[inline]
    pub(crate) fn of(line: &'t [u8], hit: &Hit) -> Option<Self> {
        let form = match hit.form {
            Form::Text(group) => group as u16,
            Form::Address => 100,
            Form::Ip6(_) => 101,
            Form::Ip6Mixed(_) => 102,
            Form::Mac => 103,
            Form::Phone => 104,
            Form::Entry(_)
            | Form::Ip4(_)
            | Form::Ip4Reversed(_)
            | Form::Ip4Joined(..)
            | Form::Drop
            | Form::Divided(_)
            | Form::Gone => return None,
        };
        let bytes = match hit.form {
            Form::Ip6(ip) | Form::Ip6Mixed(ip) => Bytes::Number(ip.to_be_bytes()),
            _ => Bytes::Of(&line[hit.start..hit.end]),
        };
        let key = Self { bytes, kind: form << 8 | hit.category as u16 };
        (key.bytes().len() <= ROOM / 2).then_some(key)
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Of(bytes) => bytes,
            Bytes::Number(bytes) => bytes,
        }
    }
}

/// What the memo says of a value.
pub(crate) struct Known<'m> {
    slot: &'m mut Slot,
}

impl Known<'_> {
    pub(crate) const fn is_stand_in(&self) -> bool {
        self.slot.is_stand_in
    }

    /// What stands for it; nothing for what is a stand-in itself.
    pub(crate) fn made(&self) -> &[u8] {
        let from = usize::from(self.slot.value);
        &self.slot.text[from..from + usize::from(self.slot.made)]
    }

    /// Whether it is told for the first time since it came here or since another chunk began.
    pub(crate) const fn tell(&mut self, chunk: u32) -> bool {
        let first = self.slot.told != chunk;
        self.slot.told = chunk;
        first
    }
}

impl Memo {
    /// Forgets everything when what values stand for has changed since.
    pub(crate) fn renew(&mut self, generation: u64) {
        if self.generation != generation || self.slots.is_empty() {
            let free = Slot { kind: FREE, value: 0, made: 0, is_stand_in: false, told: 0, text: [0; ROOM] };
            self.slots.clear();
            self.slots.resize(PLACES, free);
            self.generation = generation;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    fn place(&self, key: &Key<'_>) -> usize {
        let mut hasher = self.hasher.build_hasher();
        key.bytes().hash(&mut hasher);
        hasher.write_u16(key.kind);
        hasher.finish() as usize % PLACES
    }

    /// What is known of a value.
    #[inline]
    pub(crate) fn get(&mut self, key: &Key<'_>) -> Option<Known<'_>> {
        let place = self.place(key);
        let slot = &mut self.slots[place];
        (slot.kind == key.kind && slot.text[..usize::from(slot.value)] == *key.bytes()).then_some(Known { slot })
    }

    /// Remembers a value, if there is room for it and what stands for it.
    pub(crate) fn put(&mut self, key: &Key<'_>, is_stand_in: bool, made: &[u8]) {
        let value = key.bytes();
        let (Ok(length), Ok(made_length)) = (u8::try_from(value.len()), u8::try_from(made.len())) else { return };
        if value.len() + made.len() > ROOM {
            return;
        }
        let place = self.place(key);
        let slot = &mut self.slots[place];
        slot.text[..value.len()].copy_from_slice(value);
        slot.text[value.len()..value.len() + made.len()].copy_from_slice(made);
        (slot.kind, slot.value, slot.made) = (key.kind, length, made_length);
        (slot.is_stand_in, slot.told) = (is_stand_in, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::category::Category;
    use crate::redact::hit::Group;

    #[test]
    fn a_value_is_known_as_what_it_was_taken_for_and_only_until_the_table_changes() {
        let line = b"anna";
        let hit = |group| Hit { start: 0, end: 4, category: Category::User, form: Form::Text(group), rank: 0 };
        let (user, host) = (Key::of(line, &hit(Group::User)).unwrap(), Key::of(line, &hit(Group::Host)).unwrap());
        let mut memo = Memo::default();
        memo.renew(1);
        memo.put(&user, false, b"user-1");
        assert_eq!(memo.get(&user).unwrap().made(), b"user-1");
        assert!(memo.get(&host).is_none());
        assert!(memo.get(&user).unwrap().tell(7) && !memo.get(&user).unwrap().tell(7));
        memo.renew(2);
        assert!(memo.get(&user).is_none());
    }
}
