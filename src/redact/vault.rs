//! The vault: the way back from stand-in to value.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::category::Category;

/// The table from stand-in back to value. It is sealed to the sender's own key and never leaves the sender.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    entries: BTreeMap<String, Original>,
}

/// What a stand-in stands for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The value as it first stood in the input.
    pub value: String,
    /// Its category.
    pub category: Category,
}

impl Vault {
    /// What `stand_in` stands for.
    #[must_use]
    pub fn value(&self, stand_in: &str) -> Option<&Original> {
        self.entries.get(stand_in)
    }

    /// Every stand-in with what it stands for, by stand-in.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Original)> {
        self.entries.iter().map(|(stand_in, original)| (stand_in.as_str(), original))
    }

    /// How many stand-ins there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was replaced by a stand-in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn enter(&mut self, stand_in: String, value: String, category: Category) {
        self.entries.entry(stand_in).or_insert(Original { value, category });
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("entries", &self.entries.len()).finish()
    }
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("category", &self.category).finish_non_exhaustive()
    }
}
