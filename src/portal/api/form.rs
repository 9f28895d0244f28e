//! In which form an answer is wanted: as JSON for programs, or as a page for people (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use headers::HeaderMapExt as _;
use headers_accept::Accept;
use mediatype::MediaType;
use mediatype::names::{APPLICATION, HTML, JSON, TEXT};

use crate::portal::error::ApiError;
use crate::printable;

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Page,
}

impl Form {
    /// The form that `Accept` prefers; JSON where it does not say, and where it wants something else.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let forms = [MediaType::new(APPLICATION, JSON), MediaType::new(TEXT, HTML)];
        match headers.typed_get::<Accept>().and_then(|accept| accept.negotiate(&forms).cloned()) {
            Some(form) if form.ty == TEXT => Self::Page,
            _ => Self::Json,
        }
    }

    /// The answer: `json`, or `page` with nothing allowed in it but its own style.
    pub(crate) fn answer(
        self,
        json: impl FnOnce() -> Result<String, ApiError>,
        page: impl FnOnce() -> Result<String, ApiError>,
    ) -> Result<Response, ApiError> {
        let mut response = match self {
            Self::Json => ([(header::CONTENT_TYPE, "application/json")], json()?).into_response(),
            Self::Page => {
                let policy = HeaderValue::try_from(printable::policy_header()).map_err(ApiError::fault)?;
                let head = [
                    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                    (header::CONTENT_SECURITY_POLICY, policy),
                ];
                (head, page()?).into_response()
            }
        };
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_page_and_a_program_gets_json() {
        let wanted = |accept: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            Form::wanted(&headers)
        };
        for json in
            [None, Some("*/*"), Some("application/json"), Some("image/png"), Some(""), Some("text/html;q=0.1, */*")]
        {
            assert_eq!(wanted(json), Form::Json, "{json:?}");
        }
        for page in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            "application/json;q=0.5, text/html",
        ] {
            assert_eq!(wanted(Some(page)), Form::Page, "{page}");
        }
    }
}
