//! What cells of a column are, in databases and CSV files.

use std::fmt;

use super::glob::{BadGlob, Glob};
use crate::redact::category::Category;

/// What a value is, whatever it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treat {
    /// A text in which detectors look.
    Scan,
    /// A value of a category, as a whole.
    Category(Category),
}

impl fmt::Display for Treat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan => f.write_str("scan"),
            Self::Category(category) => category.fmt(f),
        }
    }
}

/// A rule over columns of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRule {
    table: Glob,
    column: Glob,
    /// What its cells are.
    pub treat: Treat,
}

impl ColumnRule {
    /// A rule over the columns `column` of the tables `table`: both are globs, in which `*` is any text.
    pub fn new(table: &str, column: &str, treat: Treat) -> Result<Self, BadGlob> {
        Ok(Self { table: Glob::name(table)?, column: Glob::name(column)?, treat })
    }

    /// The glob over tables.
    #[must_use]
    pub fn table(&self) -> &str {
        self.table.as_str()
    }

    /// The glob over columns.
    #[must_use]
    pub fn column(&self) -> &str {
        self.column.as_str()
    }

    pub(super) fn matches(&self, table: &str, column: &str) -> bool {
        self.column.matches(column) && self.table.matches(table)
    }
}
