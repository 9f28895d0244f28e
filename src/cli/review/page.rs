//! The review as one static page: no scripts, nothing fetched, readable aloud and on paper.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::Review;

const STYLE: &str = include_str!("page.css");

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'r> {
    review: &'r Review,
    /// Allows this style sheet, by its digest, and nothing else.
    policy: String,
    style: &'static str,
}

impl Review {
    /// The page. Every text in it is escaped by the template.
    pub fn page(&self) -> Result<String, askama::Error> {
        let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
        Page { review: self, policy, style: STYLE }.render()
    }
}
