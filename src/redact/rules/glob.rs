//! Globs over names and paths, checked when a rule is made.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

/// A glob that cannot be used, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{glob}\" is no glob: {why}")]
pub struct BadGlob {
    glob: String,
    why: String,
}

/// A glob and its text. Case makes no difference.
#[derive(Clone)]
pub(super) struct Glob {
    text: String,
    matcher: GlobMatcher,
}

/// Longest glob in bytes.
const LONGEST: usize = 1024;

impl Glob {
    /// Over one name: `*` is any text.
    pub(super) fn name(text: &str) -> Result<Self, BadGlob> {
        Self::new(text, text, false)
    }

    /// Over a path, or the end of one that begins at a component: `*` stays in its component, `**` does not.
    pub(super) fn path(text: &str) -> Result<Self, BadGlob> {
        let anywhere = if text.starts_with("**/") { text.to_owned() } else { format!("**/{text}") };
        if text.starts_with('/') || text.ends_with('/') {
            let why = "a path in a snapshot begins and ends without a slash; a directory is written \"name/**\"";
            return Err(BadGlob { glob: text.to_owned(), why: why.into() });
        }
        Self::new(text, &anywhere, true)
    }

    fn new(text: &str, glob: &str, literal_separator: bool) -> Result<Self, BadGlob> {
        let bad = |why: String| BadGlob { glob: text.chars().take(200).collect(), why };
        if text.is_empty() {
            return Err(bad("it is empty".into()));
        }
        if text.len() > LONGEST {
            return Err(bad(format!("it is longer than {LONGEST} bytes")));
        }
        let glob = GlobBuilder::new(glob)
            .case_insensitive(true)
            .literal_separator(literal_separator)
            .build()
            .map_err(|error| bad(error.kind().to_string()))?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.matcher.glob() == other.matcher.glob()
    }
}

impl Eq for Glob {}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_component_and_two_do_not() {
        let one = Glob::path("var/log/*.log").unwrap();
        assert!(one.matches("x/var/log/a.log") && one.matches("var/log/a.log"));
        assert!(!one.matches("var/log/x/a.log") && !one.matches("other-var/log/a.log"));
        assert!(Glob::path("var/**").unwrap().matches("a/var/b/c"));
        assert!(Glob::name("conf*_x").unwrap().matches("CONFERENCE/OLD_x"));
    }

    #[test]
    fn what_is_no_glob_is_refused_with_a_reason() {
        for bad in ["", "a[", "/etc/passwd", "certs/", "a{b"] {
            let error = Glob::path(bad).unwrap_err().to_string();
            assert!(error.contains("is no glob: ") && error.len() > 20, "{bad}: {error}");
        }
        assert!(Glob::name(&"x".repeat(1025)).is_err());
    }
}
