//! What pages that are read and printed have in common: one style sheet, and the policy that allows it and nothing else.
//!
//! Such a page stands alone: no scripts, nothing fetched, the sheet within.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("printable.css");

/// The Content-Security-Policy that allows [`STYLE`], by its digest, and nothing else; for the page's own `meta` element.
#[must_use]
pub(crate) fn policy() -> String {
    let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

/// [`policy`] as a header, where it can also say that no other page frames this one (CSP level 3, section 4.2.1: within a
/// page `frame-ancestors` does not count).
#[must_use]
#[cfg(feature = "portal")]
pub(crate) fn policy_header() -> String {
    policy() + "; frame-ancestors 'none'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_the_style_sheet_and_no_other_source() {
        let policy = policy();
        assert_eq!(policy.matches("'sha256-").count(), 1);
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    }
}
