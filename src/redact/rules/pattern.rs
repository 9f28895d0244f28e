//! Patterns of a profile: regular expressions whose matches are values of a category.

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax as parser;

use crate::redact::category::Category;

/// A pattern that cannot be used, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPattern {
    /// It is no regular expression.
    #[error("it is no regular expression: {0}")]
    Syntax(String),
    /// It needs more memory than a pattern may.
    #[error("it is too large: a pattern and its repetitions may need 1 MiB")]
    TooLarge,
    /// It matches where there is nothing.
    #[error("it matches the empty text, so it would match everywhere")]
    MatchesNothing,
}

/// Most bytes a compiled pattern may take.
const MOST: usize = 1 << 20;
/// Longest pattern in bytes.
const LONGEST: usize = 4096;

/// A pattern whose matches are values of a category. It is matched within one line, in time linear in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternRule {
    name: String,
    regex: String,
    category: Category,
}

impl PatternRule {
    /// Checks a pattern. Where it has a group `(?<value>…)`, what that group matched is the value, else the whole match.
    pub fn new(name: &str, regex: &str, category: Category) -> Result<Self, BadPattern> {
        if regex.len() > LONGEST {
            return Err(BadPattern::TooLarge);
        }
        let hir = parser::parse_with(regex, &syntax()).map_err(|error| BadPattern::Syntax(reason(&error)))?;
        if hir.properties().minimum_len() == Some(0) {
            return Err(BadPattern::MatchesNothing);
        }
        meta::Builder::new().configure(config().nfa_size_limit(Some(MOST))).build_from_hir(&hir).map_err(|error| {
            if error.size_limit().is_some() { BadPattern::TooLarge } else { BadPattern::Syntax(error.to_string()) }
        })?;
        Ok(Self { name: name.to_owned(), regex: regex.to_owned(), category })
    }

    /// What it is called in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The regular expression, in the syntax of the crate `regex`.
    #[must_use]
    pub fn regex(&self) -> &str {
        &self.regex
    }

    /// What its matches are.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.category
    }
}

/// A dot does not match a line's end; lines need not be UTF-8.
pub(super) fn syntax() -> parser::Config {
    parser::Config::new().utf8(false)
}

pub(super) fn config() -> meta::Config {
    meta::Config::new().utf8_empty(false).which_captures(WhichCaptures::All)
}

/// The last line of the parser's message; those before it draw the pattern.
fn reason(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or(&text);
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_cannot_be_used_is_refused_with_the_reason() {
        let new = |regex: &str| PatternRule::new("test", regex, Category::Person);
        assert!(new(r"CASE-\d{6}").is_ok());
        assert!(matches!(new("("), Err(BadPattern::Syntax(why)) if why == "unclosed group"));
        for empty in ["", "a*", r"\b", "^", "(x|)"] {
            assert_eq!(new(empty), Err(BadPattern::MatchesNothing), "{empty}");
        }
        for large in [r"(\pL{500}){500}", &"x".repeat(4097)] {
            assert_eq!(new(large), Err(BadPattern::TooLarge));
        }
    }
}
