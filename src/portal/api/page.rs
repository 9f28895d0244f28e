//! Long lists, page by page: `?limit=N&after=CURSOR`, and the next page in the header `Link` (RFC 8288).

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::Serialize;

use super::LIST_LIMIT;
use crate::portal::error::ApiError;

/// Where a page begins and how long it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The number of the last row of the page before; 0 for the first page.
    pub(crate) after: i64,
    /// 1 to 1000.
    pub(crate) limit: i64,
}

impl Page {
    /// Reads what was asked for a list of that name. A cursor is good for the list that gave it alone.
    pub(crate) fn asked(list: &str, limit: Option<&str>, after: Option<&str>) -> Result<Self, ApiError> {
        let limit = match limit {
            None => LIST_LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=LIST_LIMIT).contains(limit))
                .ok_or(ApiError::bad("A list has 1 to 1000 rows in ?limit=."))?,
        };
        let after = match after {
            None => 0,
            Some(cursor) => {
                number(list, cursor).ok_or(ApiError::bad("What is in ?after= comes from the link to the next page."))?
            }
        };
        Ok(Self { after, limit })
    }
}

fn number(list: &str, cursor: &str) -> Option<i64> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let number = std::str::from_utf8(&bytes).ok()?.strip_prefix(list)?.strip_prefix(' ')?;
    number.parse().ok().filter(|number| *number > 0)
}

/// Answers with a page. `last` is the number of its last row. When the page is full, a link leads to the next; `path` is the
/// list's own with its other parameters.
pub(crate) fn answer<T: Serialize>(rows: Vec<T>, page: Page, last: Option<i64>, list: &str, path: &str) -> Response {
    let full = i64::try_from(rows.len()).is_ok_and(|length| length == page.limit);
    let mut response = Json(rows).into_response();
    if let Some(last) = last.filter(|_| full) {
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(format!("{list} {last}"));
        let more = if path.contains('?') { '&' } else { '?' };
        let link = format!("<{path}{more}limit={}&after={cursor}>; rel=\"next\"", page.limit);
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(limit: Option<&str>, after: Option<&str>) -> Result<Page, ApiError> {
        Page::asked("snapshots", limit, after)
    }

    #[test]
    fn a_full_page_leads_to_the_next() {
        let page = asked(Some("2"), None).unwrap();
        assert_eq!(page, Page { after: 0, limit: 2 });
        let response = answer(vec![1, 2], page, Some(77), "snapshots", "/v1/snapshots?ticket=4711");
        let link = response.headers()["link"].to_str().unwrap();
        let cursor = link.strip_prefix("</v1/snapshots?ticket=4711&limit=2&after=").unwrap();
        let cursor = cursor.strip_suffix(">; rel=\"next\"").unwrap();
        assert_eq!(asked(None, Some(cursor)).unwrap(), Page { after: 77, limit: LIST_LIMIT });
        assert!(Page::asked("tickets", None, Some(cursor)).is_err());
        assert!(answer(vec![1], page, Some(77), "snapshots", "/v1/snapshots").headers().get("link").is_none());
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for limit in ["0", "-1", "1001", "", "x", "99999999999999999999"] {
            assert!(asked(Some(limit), None).is_err(), "{limit}");
        }
        for after in ["", "x", "MQ", "c25hcHNob3RzIC0x", "c25hcHNob3RzIDA"] {
            assert!(asked(None, Some(after)).is_err(), "{after}");
        }
    }
}
