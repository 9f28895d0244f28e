//! Profiles: TOML files that say what is collected from a kind of system, and how it is redacted.
//!
//! A profile says in `[redact]` and `[collect]` what differs from the profile it extends. Five are built in. Everything in a
//! profile is checked when it is read: an unknown key, a category that does not exist, a pattern or glob that cannot be used are
//! refused with their line and, where one is near, the word that was probably meant.

mod keys;
mod read;
mod schema;
mod sources;
mod table;

pub use self::keys::{KEYS, Key, Shape};
pub use self::schema::schema;

use crate::collect::Collection;
use crate::redact::Rules;

/// What is collected from a kind of system, and how it is redacted.
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
    /// What it collects, with what the profile it extends collects.
    pub collection: Collection,
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

    /// A profile in which this key has its example, and what its table needs besides.
    fn with(key: &Key) -> String {
        let needed = |table: &str| -> String {
            let others = KEYS.iter().filter(|other| other.table == table && other.default == keys::REQUIRED);
            others
                .filter(|other| other.name != key.name || table != key.table)
                .map(|other| format!("{} = {}\n", other.name, other.example))
                .collect()
        };
        let top = needed("");
        let name = if key.name.starts_with('<') { "person" } else { key.name };
        let line = format!("{name} = {}\n", key.example);
        match key.table {
            "" => format!("{top}{line}"),
            // A file is left out or scanned; the path alone says neither.
            "redact.file" if key.name == "path" => format!("{top}[[redact.file]]\n{line}leave_out = \"x\"\n"),
            table if key.is_listed() => format!("{top}[[{table}]]\n{}{line}", needed(table)),
            table => format!("{top}[{table}]\n{line}"),
        }
    }

    #[test]
    fn the_example_of_every_key_is_understood_and_changes_something() {
        for key in KEYS {
            let text = with(key);
            let read = Profile::read(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
            let line = format!("{} = {}\n", if key.name.starts_with('<') { "person" } else { key.name }, key.example);
            // What must be there, and what only says what holds anyway, cannot be left away to compare.
            let says_nothing_new = key.name == "own_only" || key.name == "leave_out" || key.name == "scan";
            if key.default != keys::REQUIRED && !says_nothing_new {
                assert_ne!(
                    Ok(read),
                    Profile::read(&text.replacen(&line, "", 1)),
                    "nothing reads {}.{}",
                    key.table,
                    key.name
                );
            }
        }
    }

    /// Whether a value keeps to a schema, as far as this schema goes.
    fn keeps_to(value: &serde_json::Value, schema: &serde_json::Value, place: &str) -> Result<(), String> {
        use serde_json::Value;
        let fail = |why: &str| Err(format!("{place}: {why}"));
        if let Some(wanted) = schema.get("const") {
            return if value == wanted { Ok(()) } else { fail("const") };
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return if words.contains(value) { Ok(()) } else { fail("enum") };
        }
        match (schema["type"].as_str(), value) {
            (Some("string"), Value::String(_)) => Ok(()),
            (Some("integer"), Value::Number(number)) => {
                let number = number.as_u64().ok_or("no number")?;
                let (least, most) = (schema["minimum"].as_u64(), schema["maximum"].as_u64());
                if (least..=most).contains(&Some(number)) { Ok(()) } else { fail("range") }
            }
            (Some("array"), Value::Array(values)) => {
                values.iter().try_for_each(|value| keeps_to(value, &schema["items"], place))
            }
            (Some("object"), Value::Object(members)) => {
                for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if !members.contains_key(name) {
                        return Err(format!("{place}: {name} is missing"));
                    }
                }
                members.iter().try_for_each(|(name, value)| {
                    let schema = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                    keeps_to(value, schema, &format!("{place}.{name}"))
                })
            }
            _ => fail(&format!("{value} is not {schema}")),
        }
    }

    #[test]
    fn the_schema_and_the_reader_know_the_same_keys() {
        let schema = schema();
        let check = |text: &str| {
            let value: serde_json::Value = toml::from_str(text).unwrap();
            keeps_to(&value, &schema, "profile")
        };
        for (name, text) in BUILT_IN {
            check(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for key in KEYS {
            check(&with(key)).unwrap();
        }
        // And the other way round: what the reader refuses, the schema refuses.
        for text in [
            "schema = 1",
            "schema = 2\nname = \"x\"",
            "schema = 1\nname = \"x\"\ntitel = \"x\"",
            "schema = 1\nname = \"x\"\n[collect]\nfiles = []",
            "schema = 1\nname = \"x\"\n[[collect.command]]\nsave_as = \"x\"",
            "schema = 1\nname = \"x\"\n[[collect.journal]]\npriority = \"all\"",
            "schema = 1\nname = \"x\"\n[redact.actions]\nip = \"keep-country\"",
            "schema = 1\nname = \"x\"\n[collect.limits]\nparallel = 17",
        ] {
            assert!(Profile::read(text).is_err() && check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_collected_is_read_and_added_to_what_it_extends() {
        let profile = Profile::read(
            r#"
            schema = 1
            name = "our-site"
            extends = "linux-system"
            [collect.window]
            last = "6h"
            [collect.limits]
            total = "10MiB"
            [[collect.file]]
            paths = ["/var/log/app/*.log", "~/app"]
            required = true
            [[collect.command]]
            run = ["ip", "-j", "address"]
            "#,
        )
        .unwrap();
        let base = Profile::built_in("linux-system").unwrap().collection;
        let collection = profile.collection;
        assert_eq!(collection.sources.len(), base.sources.len() + 2);
        assert_eq!((collection.window.last, collection.limits.total), (Some(6 * 3600), 10 << 20));
        assert_eq!(collection.limits.source, base.limits.source);
        assert!(collection.sources[0].required && collection.sources[0].name == "/var/log/app/*.log");
        assert_eq!(collection.sources[1].name, "ip -j address");
        let crate::collect::SourceKind::Command(command) = &collection.sources[1].kind else { panic!() };
        assert_eq!(command.save_as.as_str(), "commands/ip_-j_address.txt");
        let alone = Profile::read(
            "schema = 1\nname = \"x\"\nextends = \"linux-system\"\n[collect]\nown_only = true\n[[collect.journal]]\n",
        )
        .unwrap();
        assert_eq!(alone.collection.sources.len(), 1);
    }

    #[test]
    fn what_cannot_be_collected_is_refused_with_its_line_and_a_hint() {
        refused("[collect]\nfiles = []", 4, "unknown key \"files\"", "\"file\"");
        refused("[[collect.file]]\npath = [\"/x\"]", 4, "unknown key \"path\"", "\"paths\"");
        refused("[[collect.file]]\npaths = \"/x\"", 4, "a list of texts", "");
        refused("[[collect.file]]\npaths = [\"/x\",\n\"var/log\"]", 5, "no path from the root", "~/");
        refused("[[collect.file]]\npaths = [\"/x[\"]", 4, "no glob", "");
        refused("[[collect.file]]\npaths = []", 4, "1 to 200", "");
        refused("[[collect.command]]\nrun = [\"uname -a\"]", 4, "a program is a name", "[\"uname\", \"-a\"]");
        refused("[[collect.command]]\nrun = [\"./x\"]", 4, "a program is a name", "");
        refused("[[collect.command]]\nrun = [\"x\"]\nsave_as = \"../x\"", 5, "'..'", "");
        refused("[[collect.command]]\nrun = [\"x\"]\nenvironment = [\"A=1\"]", 5, "name of a variable", "");
        refused("[[collect.command]]\nrun = [\"x\"]\ntime = \"0s\"", 3, "1s at least", "");
        refused("[[collect.journal]]\nunits = [\"--root=/x\"]", 4, "an option", "");
        refused("[[collect.journal]]\npriority = \"warn\"", 4, "cannot be", "\"warning\"");
        refused("[[collect.container]]\nruntime = \"dockr\"", 4, "cannot be", "\"docker\"");
        refused("[[collect.kubernetes]]\nnamespaces = [\"video\"]\nresources = [\"secrets\"]", 5, "never read", "");
        refused("[[collect.kubernetes]]\nnamespaces = [\"--all\"]", 4, "namespace", "");
        refused("[[collect.archive]]\npaths = [\"/x\"]", 3, "\"what\" is missing", "a Pexip snapshot");
        refused("[collect.window]\nlast = \"a day\"", 4, "a time", "24h");
        refused("[collect.window]\nzone = \"Mars/Base\"", 4, "no time zone", "UTC");
        refused("[collect.limits]\nparallel = 0", 4, "from 1 to 16", "");
    }
}
