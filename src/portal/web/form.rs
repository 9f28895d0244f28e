//! What a form sends, and where a page leads to.

use axum::body::Body;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, HeaderValue, header};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::portal::api::read_body;
use crate::portal::error::ApiError;
use crate::wire::REASON_HEADER;

/// The longest path that is led to, in bytes.
const LONGEST_PATH: usize = 512;

/// The fields of a form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a form within the limits of length and time.
    pub(super) async fn read(body: Body) -> Result<Self, ApiError> {
        Ok(Self::parse(&read_body(body).await?))
    }

    /// Reads what stands after the `?` of an address.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The text of a field without white space around it; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.whole(name).trim()
    }

    /// The text of a field exactly as it was typed.
    pub(super) fn whole(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// The text of a field of several lines. Browsers end each with two characters, the portal with one.
    pub(super) fn lines(&self, name: &str) -> String {
        self.text(name).replace("\r\n", "\n")
    }

    /// The text of a field that somebody filled in.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The number in a field.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, ApiError> {
        self.text(name).parse().map_err(|_| ApiError::bad("A number is missing, or is not one."))
    }

    /// The headers of a request that says why, as the form does.
    pub(super) fn reason(&self) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        if let Some(reason) = self.filled("reason") {
            let value = HeaderValue::from_bytes(reason.as_bytes());
            headers.insert(REASON_HEADER, value.map_err(|_| ApiError::bad("The reason is one line of text."))?);
        }
        if headers.is_empty() { Err(ApiError::bad("Please say why.")) } else { Ok(headers) }
    }

    /// Where the form leads to afterwards, if it names a page of this portal.
    pub(super) fn next(&self) -> Option<&str> {
        self.filled("next").filter(|path| is_own_path(path))
    }
}

/// Whether it is a path of this portal, and cannot be taken for another host.
pub(super) fn is_own_path(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    path.starts_with('/') && !path.starts_with("//") && plain && path.len() <= LONGEST_PATH
}

/// The page of this portal that a request comes from, as the browser tells it.
pub(super) fn came_from(headers: &HeaderMap) -> Option<String> {
    let referer: url::Url = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let path = referer.path();
    (referer.authority() == host && is_own_path(path)).then(|| path.to_owned())
}

/// What a query of the API holds, made of names and values as its handler takes it.
pub(super) fn query<T: DeserializeOwned>(
    pairs: &[(&str, impl AsRef<str>)],
) -> Result<Result<Query<T>, QueryRejection>, ApiError> {
    let uri = format!("/?{}", encoded_pairs(pairs)).parse();
    Ok(Query::try_from_uri(&uri.map_err(|_| ApiError::bad("What is asked for is too long."))?))
}

/// Names and values as a query.
pub(super) fn encoded_pairs(pairs: &[(&str, impl AsRef<str>)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A text as part of a query.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_portal_alone() {
        for own in ["/", "/tickets", "/snapshots/0011?x=1&y=%20", "/a/b#c"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in
            ["", "tickets", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "/ä", "javascript:x"]
        {
            assert!(!is_own_path(other), "{other:?}");
        }
        assert!(!is_own_path(&format!("/{}", "x".repeat(LONGEST_PATH))));
    }

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let form = Form::parse(b"name=+Ada+&reason=a%26b+%E2%82%AC&empty=&next=%2F%2Fevil.example");
        assert_eq!((form.text("name"), form.whole("name")), ("Ada", " Ada "));
        assert_eq!(form.filled("empty"), None);
        assert_eq!(form.filled("absent"), None);
        assert_eq!(form.reason().unwrap()[REASON_HEADER].as_bytes(), "a&b €".as_bytes());
        assert_eq!(form.next(), None);
        assert_eq!(Form::parse(b"text=+a%0D%0Ab%0D%0A").lines("text"), "a\nb");
        assert!(Form::parse(b"reason=a%0Ab").reason().is_err());
        assert!(Form::parse(b"reason=+").reason().is_err());
    }

    #[test]
    fn another_site_is_no_place_to_come_from() {
        let from = |referer: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "support.example:8443".parse().unwrap());
            headers.insert("referer", referer.parse().unwrap());
            came_from(&headers)
        };
        assert_eq!(from("https://support.example:8443/tickets/4711?done=closed").as_deref(), Some("/tickets/4711"));
        assert_eq!(from("https://evil.example/tickets/4711"), None);
        assert_eq!(from("https://support.example/tickets"), None);
        assert_eq!(from("nonsense"), None);
    }
}
