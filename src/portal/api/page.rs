//! Long lists, page by page: `?limit=N&after=CURSOR`, and the same way on in the body (`next`) and in the header `Link`
//! (RFC 8288).
//!
//! A cursor is the place of the last row that was told, in the order of its list. What is added in the meantime comes where its
//! place is: on a later page or on none, and nothing comes twice.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::portal::error::ApiError;
use crate::wire::List;

/// The most rows of one page.
const MOST: i64 = 1000;

/// The rows of a page when nobody says how many.
const USUAL: i64 = 100;

/// The longest cursor that is looked at, in characters.
const LONGEST: usize = 1024;

/// Which page of a list that can be asked for nothing else.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The most items of the page; 100 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A list, and how its rows are placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    /// The list's name: a cursor is good for the list that gave it alone.
    name: &'static str,
    usual: i64,
}

/// One page of a list whose rows have places `K`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page<K> {
    name: &'static str,
    /// The place of the last row of the page before; `None` for the first page.
    pub(crate) after: Option<K>,
    /// 1 to 1000.
    pub(crate) limit: i64,
}

impl Pages {
    /// A list of that name.
    pub(crate) const fn of(name: &'static str) -> Self {
        Self { name, usual: USUAL }
    }

    /// The same with so many rows to a page when nobody says how many.
    pub(crate) const fn usually(self, usual: i64) -> Self {
        Self { usual, ..self }
    }

    /// Reads which page a query asks for that holds nothing else.
    pub(crate) fn asked_by<K: DeserializeOwned>(
        self,
        which: Result<Query<Which>, QueryRejection>,
    ) -> Result<Page<K>, ApiError> {
        let Query(Which { limit, after }) =
            which.map_err(|_| ApiError::bad("The list can be asked for with ?limit= and ?after=."))?;
        self.asked(limit.as_deref(), after.as_deref())
    }

    /// Reads which page was asked for.
    pub(crate) fn asked<K: DeserializeOwned>(
        self,
        limit: Option<&str>,
        after: Option<&str>,
    ) -> Result<Page<K>, ApiError> {
        let limit = match limit {
            None => self.usual,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or(ApiError::bad("A page has 1 to 1000 rows in ?limit=."))?,
        };
        let place = |cursor| {
            place(self.name, cursor).ok_or(ApiError::bad("What is in ?after= comes from \"next\" of the page before."))
        };
        Ok(Page { name: self.name, after: after.map(place).transpose()?, limit })
    }
}

/// The place that a cursor of that list names.
fn place<K: DeserializeOwned>(name: &str, cursor: &str) -> Option<K> {
    if cursor.len() > LONGEST {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains("\\u0000"))?;
    let (list, place): (String, K) = serde_json::from_str(&text).ok()?;
    (list == name).then_some(place)
}

impl<K: Serialize> Page<K> {
    /// How many rows to ask the store for: one more than the page has tells whether there is a next one.
    pub(crate) fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// Takes the row too many away and gives the cursor of the next page, if there is one.
    pub(crate) fn cut<T>(&self, rows: &mut Vec<T>, place: impl Fn(&T) -> K) -> Result<Option<String>, ApiError> {
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if rows.len() <= most {
            return Ok(None);
        }
        rows.truncate(most);
        let Some(last) = rows.last() else { return Ok(None) };
        let cursor = serde_json::to_vec(&(self.name, place(last))).map_err(ApiError::fault)?;
        Ok(Some(BASE64_URL_SAFE_NO_PAD.encode(cursor)))
    }

    /// Answers with the page. `path` is the list's own; `query` what else it was asked with.
    pub(crate) fn answer<T, U: Serialize>(
        &self,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> K,
        tell: impl Fn(T) -> U,
        (path, query): (&str, &[(&str, Option<&str>)]),
    ) -> Result<Response, ApiError> {
        let next = self.cut(&mut rows, place)?;
        let link = next.as_deref().map(|next| self.link(path, query, next)).transpose()?;
        let mut response = Json(List { items: rows.into_iter().map(tell).collect(), next }).into_response();
        response.headers_mut().extend(link.map(|link| (header::LINK, link)));
        Ok(response)
    }

    /// The header that leads to the next page.
    pub(crate) fn link(&self, path: &str, query: &[(&str, Option<&str>)], next: &str) -> Result<HeaderValue, ApiError> {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(query.iter().filter_map(|(name, value)| value.map(|value| (*name, value))));
        pairs.append_pair("limit", &self.limit.to_string()).append_pair("after", next);
        HeaderValue::try_from(format!("<{path}?{}>; rel=\"next\"", pairs.finish())).map_err(ApiError::fault)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    const LIST: Pages = Pages::of("snapshots");

    fn asked(limit: Option<&str>, after: Option<&str>) -> Result<Page<(i64, String)>, ApiError> {
        LIST.asked(limit, after)
    }

    #[tokio::test]
    async fn a_page_leads_to_the_next_when_there_is_one() {
        let page = asked(Some("2"), None).unwrap();
        assert_eq!((page.after.clone(), page.limit, page.rows()), (None, 2, 3));
        let place = |row: &i64| (*row, format!("t-{row}"));
        let way = ("/v1/snapshots", &[("ticket", Some("4711")), ("state", None)][..]);
        let response = page.answer(vec![7, 8, 9], place, |row| row, way).unwrap();
        let link = response.headers()["link"].to_str().unwrap().to_owned();
        let list: List<i64> = serde_json::from_slice(&to_bytes(response.into_body(), 1000).await.unwrap()).unwrap();
        let next = list.next.unwrap();
        assert_eq!(list.items, [7, 8]);
        assert_eq!(link, format!("</v1/snapshots?ticket=4711&limit=2&after={next}>; rel=\"next\""));
        assert_eq!(asked(None, Some(&next)).unwrap().after, Some((8, String::from("t-8"))));
        assert!(Pages::of("tickets").asked::<(i64, String)>(None, Some(&next)).is_err(), "another list's cursor");
        assert!(LIST.asked::<i64>(None, Some(&next)).is_err(), "another kind of place");

        let whole = page.answer(vec![7, 8], place, |row| row, way).unwrap();
        assert!(whole.headers().get("link").is_none(), "a full page that is the last leads nowhere");
        assert_eq!(to_bytes(whole.into_body(), 1000).await.unwrap(), r#"{"items":[7,8],"next":null}"#);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for limit in ["0", "-1", "1001", "", "x", "1.5", "99999999999999999999"] {
            assert!(asked(Some(limit), None).is_err(), "{limit}");
        }
        let long = "A".repeat(100_000);
        for after in
            ["", "x", "MQ", "WyJzbmFwc2hvdHMiXQ", "bnVsbA", "WyJzbmFwc2hvdHMiLFsxLCJcdTAwMDAiXV0", "\u{e9}", &long]
        {
            assert!(asked(None, Some(after)).is_err(), "{after:.20}");
        }
    }
}
