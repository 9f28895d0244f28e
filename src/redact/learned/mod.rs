//! What the survey learned, and how a learned name is found in text.
//!
//! [`Learned`] holds the values with their numbers. From it [`Names`] are made, each in the spellings people use.

mod evidence;
mod names;
mod set_aside;
mod spelling;

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::fast::RandomState;

pub(crate) use self::evidence::Evidence;
pub(crate) use self::names::Names;
pub use self::set_aside::SetAside;

use super::handover::Handover;
use super::hit::Group;
use super::shape::fragment::Divided;
use super::text::{self, WORD, is};

type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
type HashSet<K> = std::collections::HashSet<K, RandomState>;

/// A value the survey learned.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) group: Group,
    /// Its number, once there is a ticket to number it for; 0 before that.
    pub(crate) number: u32,
    /// As it first stood in the input.
    pub(crate) value: String,
}

/// Something the survey saw.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sighting {
    /// A value of a group, as it stood in the input, decoded.
    Value(Group, String),
    /// A name of the watch list: hidden everywhere, whatever it is.
    Watched(String),
    /// A conference's name.
    Conference(String),
    /// Text that reads like a numbered stand-in.
    Taken(Group, u32),
    /// An IPv4 network, the first 24 bits.
    Net4(u32),
    /// An IPv6 network, the first 64 bits.
    Net6(u64),
    /// A hardware address in the range of stand-ins.
    Mac([u8; 6]),
    /// The digits of a telephone number in the range of stand-ins.
    Phone(String),
}

/// What the survey learned: the values that are hidden wherever they stand, in the order in which they first appeared, and the real
/// values that lie in the ranges of stand-ins.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    pub(crate) entries: Vec<Entry>,
    index: HashMap<Group, HashMap<String, u32>>,
    /// Numbers that the input holds as text.
    pub(crate) taken: HashSet<(Group, u32)>,
    conferences: HashSet<String>,
    watched: HashSet<String>,
    pub(crate) nets4: BTreeSet<u32>,
    pub(crate) nets6: BTreeSet<u64>,
    pub(crate) macs: HashSet<[u8; 6]>,
    pub(crate) phones: HashSet<String>,
    /// Words of learned values that are ordinary ones: hidden beside a key and within a longer name, not by themselves.
    ordinary: BTreeSet<String>,
    pub(crate) names: Names,
    /// Values that stand in several lines.
    pub(crate) divided: Divided,
    /// What was found in which text.
    pub(crate) handover: Arc<Handover>,
}

/// Most networks of one kind that are remembered; stand-ins of later ones may coincide.
const MOST_NETWORKS: usize = 1 << 20;

impl Learned {
    /// Takes in what was seen, in the order in which it was seen. Values that look like stand-ins come first, so that no
    /// stand-in is given out that the input holds as text.
    ///
    /// Words of the values that `evidence` calls ordinary are set aside.
    pub(crate) fn take_with(&mut self, sightings: Vec<Sighting>, evidence: &Evidence) {
        self.enter_all(sightings);
        for entry in &self.entries {
            let learned_words = text::words(entry.value.as_bytes());
            self.ordinary.extend(learned_words.into_iter().filter(|word| evidence.is_ordinary(word)));
        }
        self.names = Names::of(self);
    }

    /// The same without evidence.
    #[cfg(test)]
    pub(crate) fn take(&mut self, sightings: Vec<Sighting>) {
        self.enter_all(sightings);
        self.names = Names::of(self);
    }

    fn enter_all(&mut self, sightings: Vec<Sighting>) {
        for sighting in &sightings {
            if let Sighting::Taken(group, number) = sighting {
                self.taken.insert((*group, *number));
            }
        }
        for sighting in sightings {
            match sighting {
                Sighting::Value(group, value) => self.enter(group, value),
                Sighting::Watched(value) => {
                    self.watched.insert(canonical(&value));
                    self.enter(Group::Person, value);
                }
                Sighting::Conference(name) => {
                    self.conferences.insert(canonical(&name));
                    self.enter(Group::Conference, name);
                }
                Sighting::Taken(..) => {}
                Sighting::Net4(net) if self.nets4.len() < MOST_NETWORKS => {
                    self.nets4.insert(net);
                }
                Sighting::Net6(net) if self.nets6.len() < MOST_NETWORKS => {
                    self.nets6.insert(net);
                }
                Sighting::Net4(_) | Sighting::Net6(_) => {}
                Sighting::Mac(mac) => {
                    self.macs.insert(mac);
                }
                Sighting::Phone(digits) => {
                    self.phones.insert(digits);
                }
            }
        }
    }

    fn enter(&mut self, group: Group, value: String) {
        let key = canonical(&value);
        let index = self.index.entry(group).or_default();
        if key.is_empty() || index.contains_key(&key) {
            return;
        }
        let place = u32::try_from(self.entries.len()).expect("fewer than 2^32 names fit in memory");
        index.insert(key, place);
        self.entries.push(Entry { group, number: 0, value });
    }

    /// The place of a value in the table.
    pub(crate) fn find(&self, group: Group, canonical: &str) -> Option<u32> {
        self.index.get(&group)?.get(canonical).copied()
    }

    /// How many values of each kind were learned, for a summary: people, users, computers and domains.
    #[must_use]
    pub fn summary(&self) -> [(&'static str, usize); 4] {
        let count = |groups: &[Group]| self.entries.iter().filter(|entry| groups.contains(&entry.group)).count();
        [
            ("people", count(&[Group::Person])),
            ("users", count(&[Group::User])),
            ("addresses", count(&[Group::Local])),
            ("computers", count(&[Group::Host, Group::Domain])),
        ]
    }
}

/// The form in which a value is looked up: its words, one blank between them; a value without words as it is.
pub(crate) fn canonical(value: &str) -> String {
    if !value.is_ascii() {
        return text::words(value.as_bytes()).join(" ");
    }
    let mut row = String::with_capacity(value.len());
    let mut between = false;
    for byte in value.bytes() {
        if is(byte, WORD) {
            if between && !row.is_empty() {
                row.push(' ');
            }
            row.push(char::from(byte.to_ascii_lowercase()));
        }
        between = !is(byte, WORD);
    }
    row
}
