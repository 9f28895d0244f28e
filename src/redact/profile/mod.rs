//! Profiles: TOML files that say how a kind of source is redacted.
//!
//! A profile says in `[redact]` what differs from the profile it extends; tables for collecting will stand beside it. Five
//! are built in. Everything in a profile is checked when it is read: an unknown key, a category that does not exist, a
//! pattern or glob that cannot be used are refused with their line and, where one is near, the word that was probably meant.

mod keys;
mod read;
mod table;

pub use self::keys::{KEYS, Key};

use super::rules::Rules;

/// How a kind of source is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What it is called on the command line.
    pub name: String,
    /// What it is for, in a few words.
    pub title: String,
    /// Why snapshots of this kind are sent, for the review.
    pub purpose: Option<String>,
    /// The built-in profile it adds to.
    pub extends: Option<String>,
    /// What it says about redaction, with what the profile it extends says.
    pub rules: Rules,
}

/// The profiles that are built in, and their text.
pub(crate) const BUILT_IN: [(&str, &str); 5] = [
    ("generic", include_str!("built_in/generic.toml")),
    ("pexip-infinity", include_str!("built_in/pexip-infinity.toml")),
    ("linux-system", include_str!("built_in/linux-system.toml")),
    ("telephony", include_str!("built_in/telephony.toml")),
    ("kubernetes", include_str!("built_in/kubernetes.toml")),
];

impl Profile {
    /// The names of the built-in profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The text of a built-in profile.
    #[must_use]
    pub fn text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// A built-in profile.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        Self::text(name).map(|text| Self::read(text).expect("tests read every built-in profile"))
    }

    /// Reads a profile from TOML and checks all of it.
    pub fn read(text: &str) -> Result<Self, BadProfile> {
        read::profile(text)
    }

    /// The built-in profile whose name is nearest to a word that is none.
    #[must_use]
    pub fn nearest(word: &str) -> Option<&'static str> {
        table::nearest(word, Self::names())
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::built_in("generic").expect("it is built in")
    }
}

/// What is wrong with a profile, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadProfile {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// What was probably meant, or may stand there.
    pub hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Action, Category};

    #[test]
    fn every_built_in_profile_can_be_read_and_is_called_as_its_file() {
        for (name, text) in BUILT_IN {
            let profile = Profile::read(text).unwrap_or_else(|error| panic!("{name}, {error}"));
            assert_eq!(profile.name, name);
            assert!(profile.purpose.is_some() && !profile.title.is_empty(), "{name}");
            assert!(profile.rules.leaves_out("etc/shadow-").is_some(), "{name} extends generic");
        }
        assert_eq!(Profile::default().name, "generic");
        assert!(Profile::default().rules.actions.is_empty());
    }

    #[test]
    fn a_profile_adds_to_the_one_it_extends() {
        let profile = Profile::read(
            r#"
            schema = 1
            name = "our-site"
            extends = "pexip-infinity"
            [redact.actions]
            conference = "stand-in"
            [redact.limits]
            opened = "1GiB"
            [[redact.file]]
            path = "opt/pexip/share/config/default.db"
            scan = true
            [[redact.pattern]]
            name = "case"
            regex = 'CASE-\d+'
            category = "national-id"
            "#,
        )
        .unwrap();
        let rules = &profile.rules;
        assert_eq!(rules.action(Category::Conference), Action::StandIn);
        assert_eq!(rules.action(Category::Phone), Action::KeepCountry);
        assert_eq!((rules.limits.opened, rules.limits.depth), (1 << 30, 3));
        assert!(rules.leaves_out("opt/pexip/share/config/default.db").is_none());
        assert!(rules.leaves_out("etc/shadow").is_some());
        assert_eq!(rules.patterns.len(), 1);
        assert!(rules.columns.len() > 5 && rules.keys.contains_key("organizername"));
    }

    /// What is wrong, on which line, and what the hint says.
    #[track_caller]
    fn refused(text: &str, line: usize, what: &str, hint: &str) {
        let text = format!("schema = 1\nname = \"test\"\n{text}");
        let error = Profile::read(&text).expect_err(&text);
        assert!(error.what.contains(what), "{error:?}");
        assert_eq!(error.line, line, "{error:?}");
        assert!(error.hint.clone().unwrap_or_default().contains(hint), "{error:?}");
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line_and_a_hint() {
        refused("titel = \"x\"", 3, "unknown key \"titel\"", "\"title\"");
        refused("[redact]\ncolumns = []", 4, "unknown key \"columns\"", "\"column\"");
        refused("[redact.actions]\n\npersn = \"drop\"", 5, "no category \"persn\"", "\"person\"");
        refused("[redact.actions]\nperson = \"stand_in\"", 4, "no action \"stand_in\"", "\"stand-in\"");
        refused("[redact.actions]\nip = \"keep-country\"", 4, "only phone", "");
        refused("[redact.keys]\n\"-\" = \"person\"", 4, "letters or digits", "");
        refused("[redact.limits]\nopened = \"20 gigs\"", 4, "size", "20GiB");
        refused("[redact.limits]\ndepth = 40", 4, "from 0 to 8", "");
        refused("[[redact.column]]\ncolumn = \"x\"", 3, "\"treat\" is missing", "");
        refused("[[redact.column]]\ncolumn = \"x\"\ntreat = \"name\"", 5, "no category \"name\"", "scan");
        refused("[[redact.column]]\ncolumn = \"x[\"\ntreat = \"scan\"", 4, "is no glob", "");
        refused("[[redact.file]]\npath = \"x\"", 3, "\"leave_out\" is missing", "");
        refused("[[redact.file]]\npath = \"x\"\nleave-out = \"x\"", 5, "unknown key", "\"leave_out\"");
        refused("[[redact.file]]\npath = \"x\"\nleave_out = \"x\"\nscan = true", 3, "both", "");
        refused("[[redact.pattern]]\nname = \"a\"\nregex = '('\ncategory = \"person\"", 5, "unclosed group", "");
        refused("[[redact.pattern]]\nname = \"a\"\nregex = 'a*'\ncategory = \"person\"", 5, "empty text", "");
        refused("extends = \"pexip\"", 3, "no built-in profile", "");
        refused("title = 3", 3, "a text", "");
        refused("title = \"x", 3, "", "");
        refused("[redact.actions]\nperson = \"drop\"\nperson = \"drop\"", 5, "duplicate", "");
        let schema = Profile::read("schema = 2\nname = \"x\"").unwrap_err();
        assert!(schema.what.contains("schema 2") && schema.line == 1, "{schema:?}");
        let nothing = Profile::read("").unwrap_err();
        assert!(nothing.what.contains("\"schema\" is missing"), "{nothing:?}");
    }

    #[test]
    fn the_example_of_every_key_is_understood() {
        for key in KEYS {
            let other = |wanted: &str, line: &str| if key.name == wanted { String::new() } else { format!("{line}\n") };
            let line = format!("{} = {}\n", key.name, key.example);
            let text = match key.table {
                "" => {
                    format!("{}{}{line}", other("schema", "schema = 1"), other("name", "name = \"x\""))
                }
                "redact.column" => format!(
                    "schema = 1\nname = \"x\"\n[[redact.column]]\n{}{}{line}",
                    other("column", "column = \"x\""),
                    other("treat", "treat = \"scan\"")
                ),
                "redact.file" => {
                    let leave_out = if key.name == "path" { "leave_out = \"x\"\n" } else { "" };
                    format!(
                        "schema = 1\nname = \"x\"\n[[redact.file]]\n{leave_out}{}{line}",
                        other("path", "path = \"x\"")
                    )
                }
                "redact.pattern" => format!(
                    "schema = 1\nname = \"x\"\n[[redact.pattern]]\n{}{}{}{line}",
                    other("name", "name = \"x\""),
                    other("regex", "regex = \"x\""),
                    other("category", "category = \"person\"")
                ),
                table => {
                    let name = if key.name.starts_with('<') { "person" } else { key.name };
                    format!("schema = 1\nname = \"x\"\n[{table}]\n{name} = {}\n", key.example)
                }
            };
            let read = Profile::read(&text);
            assert!(read.is_ok(), "{text}\n{read:?}");
        }
    }
}
