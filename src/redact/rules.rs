//! What is to be redacted, and how far compressed data is opened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::category::{Action, Category};

/// The redaction part of a profile. The default is the generic profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// What is done with values of a category; categories that are not named have their default action.
    pub actions: BTreeMap<Category, Action>,
    /// Names that must not leave, one each: they are hidden wherever they stand, whatever the stop list says.
    pub watch_list: Vec<String>,
    /// How far compressed data is opened.
    pub limits: OpeningLimits,
}

impl Rules {
    /// What is done with values of `category`.
    #[must_use]
    pub fn action(&self, category: Category) -> Action {
        self.actions.get(&category).copied().unwrap_or(category.default_action())
    }
}

/// How far compressed data is opened before it is left out as a bomb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpeningLimits {
    /// Most bytes one item may grow to.
    pub opened: u64,
    /// Most opened bytes for each compressed byte, once [`free`](Self::free) is passed.
    pub ratio: u64,
    /// Opened bytes that are always allowed.
    pub free: u64,
    /// How deep compressed data may lie in compressed data.
    pub depth: u32,
}

impl Default for OpeningLimits {
    fn default() -> Self {
        Self { opened: 20 << 30, ratio: 250, free: 64 << 20, depth: 3 }
    }
}
