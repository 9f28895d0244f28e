//! Every route of the portal, and what is done around each.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Extension, MatchedPath, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::api::{
    assignments, audit, content, health, holds, inbox, invitations, log, once, policies, receipts, session, share,
    snapshots, tickets, tokens, uploads, users, withdrawal,
};
use super::app::{App, RequestId, random_id};
use super::audit::{Origin, Tool};
use super::auth::Client;
use super::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const DELETE: MethodFilter = MethodFilter::DELETE;
const GET: MethodFilter = MethodFilter::GET;
const HEAD: MethodFilter = MethodFilter::HEAD;
const OPTIONS: MethodFilter = MethodFilter::OPTIONS;
const PATCH: MethodFilter = MethodFilter::PATCH;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;

/// The routes. Each has its rows in `auth/table.rs`; `public` is for those that ask for no proof of who one is.
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
        .on(POST, "/v1/session/factor", session::show_factor)
        .on(PUT, "/v1/session/password", session::change_password)
        .on(POST, "/v1/session/recovery-codes", session::renew_codes)
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
        .public(GET, "/log/checkpoint", log::checkpoint)
        .public(GET, "/log/tile/{*path}", log::tile)
        .public(GET, "/log/proof", log::proof)
        .public(GET, "/healthz", health::live)
        .public(GET, "/readyz", health::ready)
}

/// The routes with what is done around each.
pub(crate) fn router(app: Arc<App>) -> Router {
    routes()
        .router
        .fallback(|| async { ApiError::PageUnknown })
        .method_not_allowed_fallback(|| async { ApiError::MethodUnknown })
        .layer(CatchPanicLayer::custom(|_| ApiError::fault("a handler panicked").into_response()))
        .layer(from_fn_with_state(app.clone(), once::once))
        .layer(from_fn_with_state(app.clone(), around))
        .layer(DefaultBodyLimit::max(64 << 10))
        .with_state(app)
}

/// Routes that are being put together, and a list of them for the test that walks them all.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<Arc<App>>,
    #[cfg(test)]
    pub(crate) list: Vec<(MethodFilter, &'static str)>,
}

impl Routes {
    /// A route whose handler takes a principal.
    fn on<H, T>(mut self, method: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.router = self.router.route(path, on(method, handler));
        #[cfg(test)]
        self.list.push((method, path));
        self
    }

    /// A route for everyone, counted by where the request comes from.
    fn public<H, T>(mut self, method: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.router = self.router.route(path, on(method, handler.layer(from_fn(counted))));
        #[cfg(test)]
        self.list.push((method, path));
        self
    }
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

/// Gives each request an id and the address it comes from, one line in the log that names no ticket, token or file, and the
/// headers that every answer has.
async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = random_id();
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
            headers.insert(name, HeaderValue::from_static(value));
        }
        if app.secure {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}
