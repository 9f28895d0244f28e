//! URLs with names in braces: `{address}/issues/{ticket}`.

use std::collections::BTreeMap;

use url::Url;
use url::form_urlencoded::byte_serialize;

/// The URL of a question, with the names that are filled in when it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    text: String,
    origin: url::Origin,
}

impl Template {
    /// Fills in the address and the operator's values. What is left in braces must be among `names`; the URL stays at the
    /// address whatever they are.
    pub(super) fn new(
        text: &str,
        address: &Url,
        values: &BTreeMap<String, String>,
        names: &[&str],
    ) -> Result<Self, String> {
        let rest = text.strip_prefix("{address}/").ok_or("a URL begins with {address}/")?;
        let base = address.as_str().trim_end_matches('/');
        let mut text = format!("{base}/{rest}");
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &escaped(value));
        }
        let template = Self { text, origin: address.origin() };
        let mut trial = template.text.clone();
        for name in names {
            trial = trial.replace(&format!("{{{name}}}"), "1");
        }
        if let Some((_, rest)) = trial.split_once('{') {
            let name = rest.split('}').next().unwrap_or_default();
            return Err(format!("{{{}}} in a URL is not known; is it missing among the values?", name.escape_debug()));
        }
        let url = template.parse(&trial).ok_or("a URL cannot be read, or leaves the address")?;
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(String::from("a URL has neither a fragment nor a secret in it"));
        }
        Ok(template)
    }

    /// The URL with these names filled in; `None` when it would leave the address.
    pub(super) fn fill(&self, names: &[(&str, &str)]) -> Option<Url> {
        let mut text = self.text.clone();
        for (name, value) in names {
            text = text.replace(&format!("{{{name}}}"), &escaped(value));
        }
        self.parse(&text)
    }

    fn parse(&self, text: &str) -> Option<Url> {
        Url::parse(text).ok().filter(|url| url.origin() == self.origin)
    }
}

/// A value as it stands in a path or a query: everything but letters, digits, `*`, `-`, `.` and `_` as `%XX`.
fn escaped(value: &str) -> String {
    // A form has + for a blank; a plus itself is %2B by then.
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Result<Template, String> {
        let values = [("project", "group/na me+1"), ("table", "incident")];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Template::new(text, &Url::parse("https://desk.example.org/base/").unwrap(), &values, &["ticket"])
    }

    #[test]
    fn what_is_filled_in_is_escaped() {
        let template = template("{address}/p/{project}/i/{ticket}?q=number:{ticket}").unwrap();
        let url = template.fill(&[("ticket", "a/../b?c=d&e#f é")]).unwrap();
        let ticket = "a%2F..%2Fb%3Fc%3Dd%26e%23f%20%C3%A9";
        assert_eq!(
            url.as_str(),
            format!("https://desk.example.org/base/p/group%2Fna%20me%2B1/i/{ticket}?q=number:{ticket}")
        );
    }

    #[test]
    fn a_url_stays_at_its_address() {
        assert!(template("{address}/x/{ticket}").is_ok());
        for bad in [
            "https://elsewhere.example.org/{ticket}",
            "{address}.evil.example.org/{ticket}",
            "{address}/{other}",
            "{address}/{ticket",
            "{address}/x#{ticket}",
            "/x/{ticket}",
            "",
        ] {
            assert!(template(bad).is_err(), "{bad}");
        }
    }
}
