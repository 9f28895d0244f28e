//! The record as a page: no scripts, nothing fetched, readable aloud and on paper.

use askama::Template;

use super::{Party, Recipient, Version};
use crate::printable;

#[derive(Template)]
#[template(path = "record.html")]
struct Page<'v> {
    version: &'v Version,
    policy: String,
    style: &'static str,
}

impl Version {
    /// The page. Every text in it is escaped by the template.
    pub fn page(&self) -> Result<String, askama::Error> {
        Page { version: self, policy: printable::policy(), style: printable::STYLE }.render()
    }

    fn lists(&self) -> [(&'static str, Option<&[Recipient]>); 2] {
        [("Recipients", self.record.recipients.as_deref()), ("Sub-processors", self.record.sub_processors.as_deref())]
    }
}

/// What stands where nobody has said anything.
const MISSING: &str = "Missing: nobody has said so.";

impl Party {
    /// Its fields by name, those that are missing among them.
    fn rows(&self) -> Vec<(&'static str, &str)> {
        let mut rows = vec![("Name", self.name.as_deref().unwrap_or(MISSING))];
        if let Some(address) = &self.address {
            rows.push(("Address", address));
        }
        rows.push(("Contact", self.contact.as_deref().unwrap_or(MISSING)));
        if let Some(representative) = &self.representative {
            rows.push(("Representative in the Union", representative));
        }
        rows.push(("Data-protection officer", self.officer.as_deref().unwrap_or(MISSING)));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_page_has_a_language_headings_and_no_markup_from_texts() {
        let page = Version::after(None, sample(), Timestamp::EPOCH).unwrap().page().unwrap();
        assert!(page.contains("<html lang=\"en\">") && page.contains("<main"));
        assert!(page.contains("Amt für Beispiele"));
        assert!(!page.contains("<once>") && page.contains("&#60;once&#62;"), "{page}");
        assert!(page.contains(MISSING));
        assert!(page.contains("<caption>"));
        assert_eq!(page.matches("<table>").count(), page.matches("<thead>").count());
    }
}
