//! What is to be redacted, and how far compressed data is opened.
//!
//! [`Rules`] is what the two passes work by. By default every category has its default action, keys and columns mean what the
//! dictionary says, every file is scanned.

use std::collections::BTreeMap;

use super::category::{Action, Category};

mod column;
mod file;
mod glob;
mod pattern;

pub use self::column::{ColumnRule, Treat};
pub use self::file::{FileRule, FileTreat};
pub use self::glob::BadGlob;
pub(crate) use self::pattern::Pattern;
pub use self::pattern::{BadPattern, PatternRule};

/// The redaction part of a profile. By default nothing differs from what the program does by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What is done with values of a category; categories that are not named have their default action.
    pub actions: BTreeMap<Category, Action>,
    /// Names that must not leave, one each: they are hidden wherever they stand, whatever the stop list says.
    pub watch_list: Vec<String>,
    /// How far compressed data is opened.
    pub limits: OpeningLimits,
    /// More keys, in logs and structured files, whose value is of a category; each [folded](Self::folded_key).
    pub keys: BTreeMap<String, Category>,
    /// What cells of a table's column are; the first rule that matches holds.
    pub columns: Vec<ColumnRule>,
    /// Files that are left out, or scanned although a later rule leaves them out; the first rule that matches holds.
    pub files: Vec<FileRule>,
    /// Patterns whose matches are values of a category.
    pub patterns: Vec<PatternRule>,
    /// Whether plain digits that pass some country's check digit are national ids without a word beside them.
    pub bare_numbers: bool,
}

impl Rules {
    /// What is done with values of `category`.
    #[must_use]
    pub fn action(&self, category: Category) -> Action {
        self.actions.get(&category).copied().unwrap_or(category.default_action())
    }

    /// A key in the form in which [`keys`](Self::keys) are compared: its letters and digits, in lower case.
    #[must_use]
    pub fn folded_key(key: &str) -> String {
        key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }

    /// What cells of this table's column are: the first rule that matches says so, or the column's name among the
    /// [`keys`](Self::keys); `None` where neither does. Case makes no difference. A CSV file's table is its file name, and
    /// columns without names are called `1`, `2` and so on.
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Option<Treat> {
        let rule = self.columns.iter().find(|rule| rule.matches(table, column)).map(|rule| rule.treat);
        rule.or_else(|| self.keys.get(&Self::folded_key(column)).map(|category| Treat::Category(*category)))
    }

    /// The rule that leaves a file out, if one does. A member of an archive is named `outer.tgz!path/within`.
    #[must_use]
    pub fn leaves_out(&self, path: &str) -> Option<&FileRule> {
        leaves_out(&self.files, path)
    }
}

/// The first rule that matches, if it leaves the file out.
pub(crate) fn leaves_out<'r>(files: &'r [FileRule], path: &str) -> Option<&'r FileRule> {
    files.iter().find(|rule| rule.matches(path)).filter(|rule| rule.treat != FileTreat::Scan)
}

/// How far compressed data, archives and archives in archives are opened before an item is left out as a bomb.
///
/// All of these are for a whole item, however it is nested: bytes count each time a decoder gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningLimits {
    /// Most bytes one item may grow to.
    pub opened: u64,
    /// Most opened bytes for each compressed byte, once [`free`](Self::free) is passed.
    pub ratio: u64,
    /// Opened bytes that are always allowed.
    pub free: u64,
    /// How deep containers may lie in containers. A compressed tar counts as one.
    pub depth: u32,
    /// Most members of all archives in one item.
    pub members: u64,
    /// Largest database, in bytes: it lies in memory, and what it becomes too.
    pub database: u64,
}

impl Default for OpeningLimits {
    fn default() -> Self {
        Self { opened: 20 << 30, ratio: 100, free: 256 << 20, depth: 3, members: 100_000, database: 512 << 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_rule_that_matches_holds() {
        let rule = |table, column, treat| ColumnRule::new(table, column, treat).unwrap();
        let rules = Rules {
            columns: vec![
                rule("*", "*password*", Treat::Category(Category::Secret)),
                rule("conferencingstatus_*", "display_name", Treat::Category(Category::Person)),
                rule("conferencingstatus_*", "*", Treat::Scan),
            ],
            ..Rules::default()
        };
        let column = |table, column| rules.column(table, column);
        assert_eq!(column("users", "LDAP_Bind_Password"), Some(Treat::Category(Category::Secret)));
        assert_eq!(column("ConferencingStatus_Participant", "DISPLAY_NAME"), Some(Treat::Category(Category::Person)));
        assert_eq!(column("conferencingstatus_participant", "note"), Some(Treat::Scan));
        assert_eq!(column("other", "note"), None);
    }

    #[test]
    fn a_file_rule_holds_at_any_depth_and_inside_archives() {
        let leave_out = FileTreat::LeaveOut { reason: "login data of administrators".into() };
        let rules = Rules {
            files: vec![
                FileRule::new("certs/public/**", FileTreat::Scan).unwrap(),
                FileRule::new("certs/**", leave_out.clone()).unwrap(),
                FileRule::new("opt/pexip/share/config/default.db", leave_out).unwrap(),
            ],
            ..Rules::default()
        };
        for path in [
            "opt/pexip/share/config/default.db",
            "node-1/opt/pexip/share/config/Default.db",
            "snapshot.tgz!opt/pexip/share/config/default.db",
            "logs/snapshot.tgz!node.tar!x/opt/pexip/share/config/default.db",
            "certs/a/b.pem",
        ] {
            assert!(rules.leaves_out(path).is_some(), "{path}");
        }
        for path in ["opt/pexip/share/config/default.db.txt", "share/config/default.db", "certs/public/ca.pem"] {
            assert!(rules.leaves_out(path).is_none(), "{path}");
        }
    }
}
