//! Every route of the portal, and what is done around each.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, head, options, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::api::{content, health, inbox, receipts, share, snapshots, tickets, tokens, uploads};
use super::app::{App, RequestId, random_id};
use super::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/tickets", post(tickets::open).get(tickets::list))
        .route("/v1/tickets/{ticket}", get(tickets::show))
        .route("/v1/tickets/{ticket}/close", post(tickets::close))
        .route("/v1/tickets/{ticket}/reopen", post(tickets::reopen))
        .route("/v1/tickets/{ticket}/tokens", post(tokens::make))
        .route("/v1/tickets/{ticket}/tokens/{id}", delete(tokens::revoke))
        .route("/v1/tickets/{ticket}/snapshots", post(snapshots::announce).options(uploads::options))
        .route("/v1/uploads", options(uploads::options))
        .route(
            "/v1/uploads/{id}",
            head(uploads::head).patch(uploads::patch).delete(uploads::delete).options(uploads::options),
        )
        .route("/in/{ticket}/{name}", put(inbox::put))
        .route("/v1/snapshots", get(snapshots::list))
        .route("/v1/snapshots/{id}", get(snapshots::show))
        .route("/v1/snapshots/{id}/content", get(content::read))
        .route("/v1/snapshots/{id}/share", post(share::give))
        .route("/v1/snapshots/{id}/receipt", get(receipts::of_snapshot))
        .route("/v1/receipts/{id}", get(receipts::show))
        .route("/v1/receipt-key", get(receipts::key))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(|| async { ApiError::PageUnknown })
        .method_not_allowed_fallback(|| async { ApiError::MethodUnknown })
        .layer(CatchPanicLayer::custom(|_| ApiError::fault("a handler panicked").into_response()))
        .layer(from_fn_with_state(app.clone(), around))
        .layer(DefaultBodyLimit::max(64 << 10))
        .with_state(app)
}

/// Gives each request an id, one line in the log that names no ticket, token or file, and the headers that every answer
/// has.
async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = random_id();
    request.extensions_mut().insert(RequestId(id.clone()));
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
