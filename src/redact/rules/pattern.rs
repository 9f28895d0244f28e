//! Patterns of a profile: regular expressions whose matches are values of a category.

use regex_automata::MatchKind;
use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::primitives::PatternID;
use regex_automata::util::syntax;

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

/// The name of the group that is the value, where the match is more than that.
const VALUE: &str = "value";
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
        let hir = syntax::parse_with(regex, &parser()).map_err(|error| BadPattern::Syntax(reason(&error)))?;
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

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: meta::Regex,
    /// The number of its group `value`.
    value: Option<usize>,
}

impl PatternRule {
    pub(crate) fn compile(&self) -> Pattern {
        let regex = builder(config()).build(&self.regex).expect("it was compiled when the rule was made");
        let value = regex.group_info().to_index(PatternID::ZERO, VALUE);
        Pattern { regex, value }
    }
}

impl Pattern {
    /// One regular expression that says which of several match somewhere.
    pub(crate) fn any(patterns: &[&str]) -> meta::Regex {
        let config = config().match_kind(MatchKind::All).which_captures(WhichCaptures::None);
        builder(config).build_many(patterns).expect("each was compiled when its rule was made")
    }

    /// Tells where the values of the line begin and end.
    pub(crate) fn each(&self, line: &[u8], mut found: impl FnMut(usize, usize)) {
        let Some(value) = self.value else {
            return self.regex.find_iter(line).for_each(|one| found(one.start(), one.end()));
        };
        for captures in self.regex.captures_iter(line) {
            if let Some(span) = captures.get_group(value).filter(|span| !span.is_empty()) {
                found(span.start, span.end);
            }
        }
    }
}

/// A dot does not match a line's end; lines need not be UTF-8.
fn parser() -> syntax::Config {
    syntax::Config::new().utf8(false)
}

fn config() -> meta::Config {
    meta::Config::new().utf8_empty(false)
}

fn builder(config: meta::Config) -> meta::Builder {
    let mut builder = meta::Builder::new();
    builder.configure(config).syntax(parser());
    builder
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
