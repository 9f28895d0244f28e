//! The review as one static page: no scripts, nothing fetched, readable aloud and on paper.

use askama::Template;

use super::Review;
use crate::printable;

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
        Page { review: self, policy: printable::policy(), style: printable::STYLE }.render()
    }
}
