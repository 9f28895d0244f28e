//! What was learned and is hidden only beside a key: it is too little, or too common, to be hidden wherever it stands.

use std::collections::HashSet;
use std::fmt;

use super::Learned;
use crate::redact::category::Category;
use crate::redact::common::{is_common, is_system_user};
use crate::redact::hit::Group;
use crate::redact::text;

/// A learned value that is hidden beside a key and nowhere else, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The value.
    pub value: String,
    /// Its category.
    pub category: Category,
    /// Why it is not looked for elsewhere.
    pub reason: &'static str,
}

impl fmt::Debug for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetAside")
            .field("category", &self.category)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Learned {
    /// People, users and computers that are hidden only where a key names them, in the order in which they were seen. A watch
    /// list hides them everywhere.
    #[must_use]
    pub fn set_aside(&self) -> Vec<SetAside> {
        let looked_for: HashSet<u32> = self.names.places().collect();
        let mut aside = Vec::new();
        for (place, entry) in (0_u32..).zip(&self.entries) {
            let named = matches!(entry.group, Group::Person | Group::User | Group::Host);
            if named && !looked_for.contains(&place) {
                let reason = self.reason(&entry.value);
                aside.push(SetAside { value: entry.value.clone(), category: entry.group.category(), reason });
            }
        }
        aside
    }

    fn reason(&self, value: &str) -> &'static str {
        let words = text::words(value.as_bytes());
        if self.conferences.contains(&words.join(" ")) {
            "it is also a conference's name"
        } else if is_system_user(&words.join(" ")) {
            "an account of the system"
        } else if words.iter().all(|word| is_common(word)) {
            "a common word"
        } else if words.iter().all(|word| self.ordinary.contains(word) || is_common(word)) {
            "an ordinary word of this input: it stands in many different sentences"
        } else if words.iter().all(|word| !word.chars().any(char::is_alphabetic)) {
            "it has no letters"
        } else if words.iter().all(|word| word.chars().count() < 4 || is_common(word)) {
            "it is too short"
        } else {
            "it reads like an identifier or a sentence"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::learned::Sighting;

    #[test]
    fn what_is_hidden_only_beside_a_key_is_told_with_its_reason() {
        let mut learned = Learned::default();
        let values =
            [(Group::Person, "Ottilie Habersaat"), (Group::User, "test"), (Group::User, "ab"), (Group::User, "4711")];
        learned.take(values.map(|(group, value)| Sighting::Value(group, value.to_owned())).into());
        let aside: Vec<_> = learned.set_aside().into_iter().map(|one| (one.value, one.reason)).collect();
        let expected = [("test", "a common word"), ("ab", "it is too short"), ("4711", "it has no letters")];
        assert_eq!(aside, expected.map(|(value, reason)| (value.to_owned(), reason)));
    }
}
