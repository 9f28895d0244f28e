//! How sessions travel and how long they last. A session is a Bearer secret for programs, and a cookie for pages.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use headers::{Cookie, HeaderMapExt as _, Host, Origin};

/// After how long a session ends, in seconds.
pub(crate) const ABSOLUTE_SECONDS: i64 = 12 * 3600;

/// After how long without a request a session ends, in seconds.
pub(crate) const IDLE_SECONDS: i64 = 3600;

/// How many wrong codes end a session.
pub(crate) const WRONG_CODES: i64 = 5;

/// The cookie's name: with this prefix, browsers take it over TLS, for this host and for every path alone (RFC 6265bis,
/// 4.1.3.2).
const NAME: &str = "__Host-tarseal-session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The header that gives a browser the session.
pub(crate) fn cookie(session: &str) -> Option<HeaderValue> {
    let text = format!("{NAME}={session}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={ABSOLUTE_SECONDS}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that takes it away.
pub(crate) const fn cookie_ended() -> HeaderValue {
    HeaderValue::from_static("__Host-tarseal-session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// The session in a request's cookie.
pub(super) fn of_cookie(headers: &HeaderMap) -> Option<String> {
    headers.typed_get::<Cookie>()?.get(NAME).map(str::to_owned)
}

/// Whether a page of the portal itself makes this request, as the browser tells it; what changes nothing may also be typed
/// in by the user. A browser that tells nothing (Fetch Metadata, `Origin`) changes nothing with a cookie.
pub(crate) fn same_origin(method: &Method, headers: &HeaderMap) -> bool {
    let changes_nothing = method.is_safe();
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || changes_nothing && site == "none";
    }
    if !headers.contains_key(header::ORIGIN) {
        return changes_nothing;
    }
    let (origin, host) = (headers.typed_get::<Origin>(), headers.typed_get::<Host>());
    origin.zip(host).is_some_and(|(origin, host)| {
        !origin.is_null() && origin.hostname() == host.hostname() && origin.port() == host.port()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(method: &Method, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        same_origin(method, &map)
    }

    #[test]
    fn another_sites_page_does_nothing_with_the_cookie() {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::GET] {
            for site in ["cross-site", "same-site", "nonsense", ""] {
                assert!(!allowed(&method, &[("sec-fetch-site", site)]), "{method} {site}");
            }
            assert!(allowed(&method, &[("sec-fetch-site", "same-origin")]));
            let other = [("origin", "https://evil.example"), ("host", "support.example")];
            assert!(!allowed(&method, &other));
            assert!(!allowed(&method, &[("origin", "null"), ("host", "support.example")]));
            let port = [("origin", "https://support.example:8443"), ("host", "support.example")];
            assert!(!allowed(&method, &port));
            let own = [("origin", "https://support.example:8443"), ("host", "support.example:8443")];
            assert!(allowed(&method, &own));
        }
        assert!(!allowed(&Method::POST, &[]));
        assert!(!allowed(&Method::POST, &[("sec-fetch-site", "none")]));
        assert!(allowed(&Method::GET, &[("sec-fetch-site", "none")]));
        assert!(allowed(&Method::GET, &[]));
    }

    #[test]
    fn the_cookie_is_for_this_host_over_tls_alone() {
        let set = cookie("tss_abc").unwrap();
        let text = set.to_str().unwrap();
        assert!(
            text.starts_with("__Host-tarseal-session=tss_abc; Path=/; Secure; HttpOnly; SameSite=Strict;"),
            "{text}"
        );
        assert!(!text.contains("Domain"));
        assert!(set.is_sensitive());
        let mut headers = HeaderMap::new();
        headers.insert("cookie", "a=b; __Host-tarseal-session=tss_abc; c=d".parse().unwrap());
        assert_eq!(of_cookie(&headers).as_deref(), Some("tss_abc"));
        headers.insert("cookie", "tarseal-session=tss_abc".parse().unwrap());
        assert_eq!(of_cookie(&headers), None);
    }
}
