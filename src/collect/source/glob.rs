//! A pattern of paths.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use super::beneath::Root;
use super::walk::{Walk, Wanted};
use super::{Found, Start, deny, name};
use crate::collect::{CollectError, CollectOptions};

/// A pattern whose literal beginning is a directory that is there.
pub(super) struct Pattern {
    glob: String,
    root: Arc<Root>,
    prefix: Vec<u8>,
    /// Matches paths beneath the root.
    matcher: GlobMatcher,
    /// How deep a match can lie beneath the root; `None` when a `**` sets no end.
    depth: Option<usize>,
}

/// Checks that the pattern can be understood and where it begins.
pub(super) fn check(glob: &str) -> Result<Pattern, CollectError> {
    let components: Vec<&str> = glob.split('/').collect();
    let literal = components.iter().take_while(|component| !component.contains(['*', '?', '[', '{', '\\'])).count();
    // The last component is a name to look for, even when it is literal.
    let literal = literal.min(components.len() - 1);
    let start = match components[..literal].join("/") {
        start if start.is_empty() && glob.starts_with('/') => PathBuf::from("/"),
        start if start.is_empty() => PathBuf::from("."),
        start => PathBuf::from(start),
    };
    let rest: Vec<&str> =
        components[literal..].iter().copied().filter(|component| !matches!(*component, "" | ".")).collect();
    let matcher = GlobBuilder::new(&rest.join("/"))
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
        .map_err(|source| CollectError::BadGlob { glob: glob.to_owned(), source })?
        .compile_matcher();
    // An alternative in braces may hold a slash; then nothing is known about the depth.
    let depth = (!rest.iter().any(|component| component.contains("**")) && !glob.contains('{')).then_some(rest.len());
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CollectError::NoMatch(glob.to_owned()),
        _ => CollectError::Read { path: start.clone(), source },
    };
    if deny::directory(&start.canonicalize().map_err(failed)?) {
        return Err(CollectError::Forbidden(start));
    }
    let root = Arc::new(Root::new(&start).map_err(failed)?);
    Ok(Pattern { glob: glob.to_owned(), root, prefix: name::archived(&start), matcher, depth })
}

impl Start for Pattern {
    fn find(self: Box<Self>, _: Option<&mut CollectOptions<'_>>, found: &mut Found<'_>) -> Result<(), CollectError> {
        let mut matched = false;
        let mut wanted = |path: &Path| {
            if !path.as_os_str().is_empty() && self.matcher.is_match(path) {
                matched = true;
                return Wanted::Yes;
            }
            match self.depth {
                Some(depth) if path.components().count() >= depth => Wanted::No,
                _ => Wanted::Perhaps,
            }
        };
        Walk::new(self.root, self.prefix, found)?.directory(Path::new(""), &mut wanted)?;
        if matched { Ok(()) } else { Err(CollectError::NoMatch(self.glob)) }
    }
}
