//! Every route of the portal, and what is done around each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Extension, MatchedPath, RawPathParams, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use axum::{RequestExt as _, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::api::{
    assignments, audit, content, factor, grants, health, holds, hooks, inbox, invitations, log, once, openapi,
    passkeys, policies, questions, receipts, records, requests, session, share, snapshots, subject_requests, tickets,
    tokens, uploads, users, withdrawal,
};
use super::app::{App, RequestId, random_id};
use super::audit::{Origin, Tool};
use super::auth::Client;
use super::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const DELETE: Method = Method::DELETE;
const GET: Method = Method::GET;
const HEAD: Method = Method::HEAD;
const OPTIONS: Method = Method::OPTIONS;
const PATCH: Method = Method::PATCH;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;

/// The routes. Each has its rows in `auth/table.txt` and its handler in `api/openapi`; `public` is for those that ask for no proof
/// of who one is.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .on(POST, "/v1/tickets", tickets::open)
        .on(GET, "/v1/tickets", tickets::list)
        .on(GET, "/v1/tickets/{ticket}", tickets::show)
        .on(POST, "/v1/tickets/{ticket}/close", tickets::close)
        .on(POST, "/v1/tickets/{ticket}/reopen", tickets::reopen)
        .on(GET, "/v1/tickets/{ticket}/assignees", assignments::list)
        .on(PUT, "/v1/tickets/{ticket}/assignees/{user}", assignments::assign)
        .on(DELETE, "/v1/tickets/{ticket}/assignees/{user}", assignments::unassign)
        .on(POST, "/v1/tickets/{ticket}/tokens", tokens::make)
        .on(GET, "/v1/tickets/{ticket}/tokens", tokens::list)
        .on(DELETE, "/v1/tickets/{ticket}/tokens/{id}", tokens::revoke)
        .on(POST, "/v1/tickets/{ticket}/snapshots", snapshots::announce)
        .public(OPTIONS, "/v1/tickets/{ticket}/snapshots", uploads::options)
        .public(OPTIONS, "/v1/uploads", uploads::options)
        .on(HEAD, "/v1/uploads/{id}", uploads::head)
        .on(PATCH, "/v1/uploads/{id}", uploads::patch)
        .on(DELETE, "/v1/uploads/{id}", uploads::delete)
        .public(OPTIONS, "/v1/uploads/{id}", uploads::options)
        .on(PUT, "/in/{ticket}/{name}", inbox::put)
        .on(GET, "/v1/snapshots", snapshots::list)
        .on(GET, "/v1/snapshots/{id}", snapshots::show)
        .on(GET, "/v1/snapshots/{id}/content", content::read)
        .on(POST, "/v1/snapshots/{id}/share", share::give)
        .public(GET, "/v1/snapshots/{id}/receipt", receipts::of_snapshot)
        .on(GET, "/v1/receipts/{id}", receipts::show)
        .public(GET, "/v1/receipt-key", receipts::key)
        .public(POST, "/v1/session", session::sign_in)
        .on(GET, "/v1/session", session::show)
        .on(DELETE, "/v1/session", session::sign_out)
        .on(POST, "/v1/session/factor", factor::show_factor)
        .on(PUT, "/v1/session/password", factor::change_password)
        .on(POST, "/v1/session/recovery-codes", factor::renew_codes)
        .on(DELETE, "/v1/sessions", session::sign_out_everywhere)
        .public(POST, "/v1/invitation", invitations::choose)
        .public(POST, "/v1/invitation/confirm", invitations::confirm)
        .on(POST, "/v1/invitations", invitations::make)
        .on(GET, "/v1/invitations", invitations::list)
        .on(DELETE, "/v1/invitations/{id}", invitations::withdraw)
        .on(GET, "/v1/users", users::list)
        .on(GET, "/v1/users/{id}", users::show)
        .on(PUT, "/v1/users/{id}/role", users::set_role)
        .on(POST, "/v1/users/{id}/disable", users::disable)
        .on(POST, "/v1/users/{id}/enable", users::enable)
        .on(POST, "/v1/users/{id}/reset", users::reset)
        .on(DELETE, "/v1/users/{id}/sessions", users::end_sessions)
        .on(POST, "/v1/tickets/{ticket}/merge", tickets::merge)
        .on(DELETE, "/v1/snapshots/{id}", withdrawal::withdraw)
        .on(POST, "/v1/snapshots/{id}/extend", withdrawal::extend)
        .on(GET, "/v1/snapshots/{id}/hold", holds::show)
        .on(PUT, "/v1/snapshots/{id}/hold", holds::put)
        .on(DELETE, "/v1/snapshots/{id}/hold", holds::lift)
        .on(GET, "/v1/policies", policies::show)
        .on(PUT, "/v1/policies", policies::put)
        .on(POST, "/v1/policies/preview", policies::preview)
        .on(GET, "/v1/audit", audit::list)
        .on(POST, "/v1/subject-requests", subject_requests::lodge)
        .on(GET, "/v1/subject-requests", subject_requests::list)
        .on(GET, "/v1/subject-requests/{id}", subject_requests::show)
        .on(POST, "/v1/subject-requests/{id}/decide", subject_requests::decide)
        .on(POST, "/v1/subject-requests/{id}/refuse", subject_requests::refuse)
        .on(POST, "/v1/subject-requests/{id}/extend", subject_requests::extend)
        .on(POST, "/v1/subject-requests/{id}/finish", subject_requests::finish)
        .on(POST, "/v1/subject-requests/{id}/lift", subject_requests::lift)
        .on(GET, "/v1/subject-requests/{id}/export", subject_requests::export)
        .on(GET, "/v1/snapshots/{id}/statements", subject_requests::statements)
        .on(GET, "/v1/records-of-processing", records::show)
        .on(GET, "/v1/records-of-processing/versions", records::versions)
        .on(GET, "/v1/records-of-processing/facts", records::facts)
        .on(PUT, "/v1/records-of-processing/facts", records::set_facts)
        .on(POST, "/v1/snapshots/{id}/grants", grants::make)
        .on(GET, "/v1/snapshots/{id}/grants", grants::list)
        .on(DELETE, "/v1/snapshots/{id}/grants/{grant}", grants::revoke)
        .on(POST, "/v1/snapshots/{id}/questions", questions::ask)
        .on(GET, "/v1/snapshots/{id}/questions", questions::list)
        .on(GET, "/v1/snapshots/{id}/questions/{question}", questions::show)
        .on(POST, "/v1/snapshots/{id}/questions/{question}/answers", questions::answer)
        .on(POST, "/v1/tickets/{ticket}/requests", requests::make)
        .on(GET, "/v1/tickets/{ticket}/requests", requests::list)
        .on(DELETE, "/v1/tickets/{ticket}/requests/{id}", requests::revoke)
        .public(POST, "/v1/requests/redeem", requests::redeem)
        .on(POST, "/v1/passkeys/challenge", passkeys::ask)
        .on(POST, "/v1/passkeys", passkeys::add)
        .on(GET, "/v1/passkeys", passkeys::list)
        .on(DELETE, "/v1/passkeys/{id}", passkeys::remove)
        .public(POST, "/v1/session/passkey/challenge", passkeys::ask_to_sign_in)
        .public(POST, "/v1/session/passkey", passkeys::sign_in)
        .on(POST, "/v1/session/factor/challenge", passkeys::ask_to_show)
        .public(GET, "/log/checkpoint", log::checkpoint)
        .public(GET, "/log/tile/{*path}", log::tile)
        .public(GET, "/log/proof", log::proof)
        .public(GET, "/healthz", health::live)
        .public(GET, "/readyz", health::ready)
        .public(GET, "/openapi.json", openapi::show)
        .public(POST, "/hooks/{source}", hooks::post)
        .and(super::web::pages)
}

/// The routes with what is done around each.
pub(crate) fn router(app: Arc<App>) -> Router {
    routes()
        .router
        .fallback(|| async { ApiError::PageUnknown })
        .method_not_allowed_fallback(|| async { ApiError::MethodUnknown })
        .layer(CatchPanicLayer::custom(|_| ApiError::fault("a handler panicked").into_response()))
        .layer(from_fn_with_state(app.clone(), once::once))
        .layer(from_fn(readable))
        .layer(from_fn_with_state(app.clone(), around))
        .layer(DefaultBodyLimit::max(64 << 10))
        .with_state(app)
}

/// Routes that are being put together, and a list of them for the description of the API and for the tests that walk them all.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<Arc<App>>,
    pub(crate) list: Vec<Route>,
    /// The pages, which are no part of the API.
    #[cfg(test)]
    pub(crate) pages: Vec<Route>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Whether it asks for no proof of who one is.
    pub(crate) public: bool,
}

impl Routes {
    /// A route whose handler takes a principal.
    fn on<H, T>(mut self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.router = self.router.route(path, on(filter(&method), handler));
        self.list.push(Route { method, path, public: false });
        self
    }

    /// More routes.
    fn and(self, more: fn(Self) -> Self) -> Self {
        more(self)
    }

    /// A page for those who signed in.
    pub(crate) fn page<H, T>(mut self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let handler = handler.layer(from_fn(super::web::around));
        let route = Route { method, path, public: false };
        self.router = self.router.route(path, on(filter(&route.method), handler));
        #[cfg(test)]
        self.pages.push(route);
        self
    }

    /// A page for everyone.
    pub(crate) fn public_page<H, T>(self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.page(method, path, handler.layer(from_fn(counted)))
    }

    /// A route for everyone, counted by where the request comes from.
    fn public<H, T>(mut self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.router = self.router.route(path, on(filter(&method), handler.layer(from_fn(counted))));
        self.list.push(Route { method, path, public: true });
        self
    }
}

fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).expect("the methods are those above, and axum routes them all")
}

/// Lets a request of someone unknown through when there were not too many from there.
async fn counted(
    Extension(app): Extension<Arc<App>>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    app.authority.limits.public(client.network())?;
    Ok(next.run(request).await)
}

/// Refuses what no text can hold before anything is looked up by it: bytes in the path that are no UTF-8, and NUL anywhere.
async fn readable(mut request: Request, next: Next) -> Response {
    let nul_in_query = request.uri().query().is_some_and(|query| query.contains("%00"));
    if nul_in_query {
        return ApiError::bad("The query holds a NUL.").into_response();
    }
    match request.extract_parts::<RawPathParams>().await {
        Ok(params) if params.iter().any(|(_, value)| value.contains('\0')) => ApiError::PageUnknown.into_response(),
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => ApiError::PageUnknown.into_response(),
        _ => next.run(request).await,
    }
}

/// The id of a request: as it was sent, when it has the form of one, or else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let sent = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_request_id(id));
    sent.map_or_else(random_id, str::to_owned)
}

/// Whether a text is 32 hexadecimal digits or a UUID, in lower case: nothing that could say anything in the audit log.
fn is_request_id(text: &str) -> bool {
    let dashes = match text.len() {
        32 => &[][..],
        36 => &[8, 13, 18, 23],
        _ => return false,
    };
    text.bytes().enumerate().all(|(place, byte)| match dashes.contains(&place) {
        true => byte == b'-',
        false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    })
}

/// Gives each request an id and the address it comes from, one line in the log that names no ticket, token or file, and the
/// headers that every answer has.
async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let mut origin = Origin { tool: Tool::of(request.headers()), ..Origin::default() };
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = app.authority.proxies.client(peer.ip(), request.headers());
        origin.address = Some(client.0);
        request.extensions_mut().insert(client);
    }
    request.extensions_mut().insert(app.clone());
    request.extensions_mut().insert(RequestId(id.clone(), origin));
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("request", id, method = %request.method(), route);
    let (begun, method, route) = (Instant::now(), request.method().clone(), route.to_owned());
    async move {
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ] {
            // A page says itself what it may load.
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if app.secure {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        app.metrics.answered(&route, &method, &response, begun.elapsed());
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_request_says_nothing() {
        for good in ["0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"] {
            assert!(is_request_id(good), "{good}");
        }
        for bad in [
            "",
            "forged",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcde",
            "012345678-9ab-cdef-0123-456789abcdef",
            "ada.lovelace@example.org-----------",
            "0123456789abcdef0123456789abcdef0123",
        ] {
            assert!(!is_request_id(bad), "{bad}");
        }
    }
}
