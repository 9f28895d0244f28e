//! What is done around every page: its headers, and problems told as pages.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::de::DeserializeOwned;

use super::form::{came_from, encoded};
use super::frame::Frame;
use crate::portal::error::ApiError;
use crate::wire::{PROBLEM_MEDIA_TYPE, Problem, problems};

/// What a page may load: scripts, styles and data of the portal itself and nothing else, no script or style within a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The longest answer of the API that a page is made of, in bytes.
const LONGEST: usize = 16 << 20;

/// Where to go on when no page is known.
const HOME: &str = "/tickets";

/// Says that a script asks for a part of the page.
const IN_PLACE: HeaderName = HeaderName::from_static("hx-request");

const FACTOR_NEEDED: &str = "/problems/second-factor-needed";
const CROSS_SITE: &str = "/problems/cross-site";

/// Why no page is shown: a problem in the API's words.
pub(super) struct Refusal(Box<Response>);

impl From<ApiError> for Refusal {
    fn from(fault: ApiError) -> Self {
        Self(Box::new(fault.into_response()))
    }
}

impl Refusal {
    /// A header of the API's answer.
    pub(super) fn header(&self, name: &HeaderName) -> Option<HeaderValue> {
        self.0.headers().get(name).cloned()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// What the API answered: the body and the headers of a success, or the refusal as it is.
pub(super) async fn told<T: DeserializeOwned>(answer: impl IntoResponse) -> Result<(T, HeaderMap), Refusal> {
    let (headers, bytes) = bytes_of(answer).await?;
    let body = serde_json::from_slice(&bytes).map_err(ApiError::fault)?;
    Ok((body, headers))
}

/// The same for an answer that is no JSON.
pub(super) async fn text_of(answer: impl IntoResponse) -> Result<(String, HeaderMap), Refusal> {
    let (headers, bytes) = bytes_of(answer).await?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), headers))
}

/// The same for an answer of which nothing but the success counts.
pub(super) fn done(answer: impl IntoResponse) -> Result<HeaderMap, Refusal> {
    let answer = answer.into_response();
    if answer.status().is_success() { Ok(answer.into_parts().0.headers) } else { Err(Refusal(Box::new(answer))) }
}

async fn bytes_of(answer: impl IntoResponse) -> Result<(HeaderMap, axum::body::Bytes), Refusal> {
    let answer = answer.into_response();
    if !answer.status().is_success() {
        return Err(Refusal(Box::new(answer)));
    }
    let (head, body) = answer.into_parts();
    let bytes = to_bytes(body, LONGEST).await.map_err(ApiError::fault)?;
    Ok((head.headers, bytes))
}

/// A refusal's status and what it says.
pub(super) async fn problem(refusal: Refusal) -> (StatusCode, Problem) {
    let (head, body) = refusal.0.into_parts();
    let read = to_bytes(body, LONGEST).await.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    (head.status, read.unwrap_or_else(|| plain(head.status)))
}

fn plain(status: StatusCode) -> Problem {
    let title = status.canonical_reason().unwrap_or("the portal failed").to_lowercase();
    Problem { kind: String::from("about:blank"), title, status: status.as_u16(), detail: String::new() }
}

/// Where the next page of an answer that is no list begins, as the header `Link` says it.
pub(super) fn next_of(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    let query = link.strip_prefix('<')?.split_once('>')?.0.split_once('?')?.1;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "after").map(|(_, place)| place.into_owned())
}

/// Takes the cookies of the API's answer along.
pub(super) fn with_cookies(mut page: Response, of: &HeaderMap) -> Response {
    for cookie in of.get_all(header::SET_COOKIE) {
        page.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    page
}

/// The headers of a request that prefers a page to JSON, or JSON to a page.
pub(super) fn accepting(page: bool) -> HeaderMap {
    let media = if page { "text/html" } else { "application/json" };
    HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(media))])
}

/// Lets a browser keep an answer as a file of that name, or show it when there is none.
pub(super) fn kept(mut answer: Response, name: Option<String>) -> Result<Response, Refusal> {
    if let Some(name) = name {
        let value = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).map_err(ApiError::fault)?;
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Told {
    frame: Frame,
    detail: String,
    /// The page that the request came from.
    back: String,
    /// Whether showing the code again helps.
    wants_code: bool,
}

/// Gives a page its headers. A problem becomes a page that says what it is; whoever is not signed in is led to where they can.
pub(crate) async fn around(request: Request, next: Next) -> Response {
    let asked = Asked {
        path: request.uri().path_and_query().map_or_else(|| String::from("/"), ToString::to_string),
        is_read: request.method().is_safe(),
        from: came_from(request.headers()),
        in_place: request.headers().contains_key(IN_PLACE),
    };
    let answer = next.run(request).await;
    let mut answer = if is_problem(&answer) { shown(answer, asked).await } else { answer };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Forms tell the portal itself which page they are on, and no other host.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        // A document that brings its own style says itself what it may load, and that is less.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

/// What was asked for when there was a problem.
struct Asked {
    path: String,
    is_read: bool,
    from: Option<String>,
    /// Whether a script puts the answer into the page that is open.
    in_place: bool,
}

fn is_problem(answer: &Response) -> bool {
    answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_MEDIA_TYPE)
}

async fn shown(answer: Response, asked: Asked) -> Response {
    let again = answer.headers().get(header::RETRY_AFTER).cloned();
    let (status, problem) = problem(Refusal(Box::new(answer))).await;
    // What was sent by a form is not sent again: its page is the place to go on from.
    let back = if asked.is_read { asked.path } else { asked.from.unwrap_or_else(|| String::from(HOME)) };
    if problem.kind == problems::TOKEN_REFUSED {
        return led(&format!("/sign-in?next={}", encoded(&back)), asked.in_place);
    }
    let wants_code = problem.kind == FACTOR_NEEDED;
    let back = if wants_code || !asked.is_read { back } else { String::from(HOME) };
    let page = Told { frame: Frame::open(sentence(&problem.title)), detail: detail(problem), back, wants_code };
    let Ok(text) = page.render() else { return status.into_response() };
    let mut response = (status, Html(text)).into_response();
    if let Some(again) = again {
        response.headers_mut().insert(header::RETRY_AFTER, again);
    }
    response
}

/// Leads to another page; the whole of it, also when a script asked.
fn led(path: &str, in_place: bool) -> Response {
    match HeaderValue::from_str(path) {
        Ok(path) if in_place => ([(HeaderName::from_static("hx-redirect"), path)], "").into_response(),
        _ => Redirect::to(path).into_response(),
    }
}

/// What the API says to programs, in words for people where those differ.
fn detail(problem: Problem) -> String {
    let told = match problem.kind.as_str() {
        FACTOR_NEEDED => {
            "Please type the code that your authenticator app shows now. It counts for a quarter of an hour."
        }
        problems::NOT_ALLOWED => "Your role does not allow this.",
        CROSS_SITE => {
            "The request came from a page of another site, or from a browser that does not say where it came from. Nothing was done."
        }
        _ => return problem.detail,
    };
    told.to_owned()
}

/// A text that begins as a sentence does.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
