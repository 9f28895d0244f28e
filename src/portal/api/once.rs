//! `Idempotency-Key`: a write that is sent again with the same key is not done again, and gets the same answer.
//!
//! For POST with a JSON body (draft-ietf-httpapi-idempotency-key-header). A key is one token's or user's, for one path, for a
//! day. An answer that holds a secret is told once: who asks again learns that it was done. Announcements and uploads need no
//! key; told twice, they go on where they stand.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::read_body;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::App;
use crate::portal::auth::Principal;
use crate::portal::error::ApiError;
use crate::portal::store::answers::{self, Answer, Known, Name};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long an answer is kept, in seconds.
const KEPT: i64 = 86_400;

/// After how many seconds a write that never ended may be tried again.
const ABANDONED: i64 = 120;

/// The longest key, and the longest answer in bytes that is kept.
const LONGEST_KEY: usize = 255;
const LONGEST_ANSWER: usize = 1 << 20;

/// Where bytes of files come in.
const STREAMED: &str = "/snapshots";

/// The routes whose answers hold no secret. The answers of all others are told once.
const REPEATED: [&str; 11] = [
    "/v1/tickets",
    "/v1/tickets/{ticket}/close",
    "/v1/tickets/{ticket}/reopen",
    "/v1/subject-requests",
    "/v1/subject-requests/{id}/decide",
    "/v1/subject-requests/{id}/refuse",
    "/v1/subject-requests/{id}/extend",
    "/v1/subject-requests/{id}/finish",
    "/v1/subject-requests/{id}/lift",
    "/v1/snapshots/{id}/questions",
    "/v1/snapshots/{id}/questions/{question}/answers",
];

/// A body that names a ticket.
#[derive(Deserialize)]
struct Named {
    ticket: String,
}

/// Lets a write through once for each key.
pub(crate) async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, ApiError> {
    let Some(key) = request.headers().get(KEY) else { return Ok(next.run(request).await) };
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    if request.method() != Method::POST || !route.starts_with("/v1/") || route.ends_with(STREAMED) {
        return Ok(next.run(request).await);
    }
    let key = match key.to_str() {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => key.to_owned(),
        _ => return Err(ApiError::bad("Idempotency-Key has 1 to 255 printable characters.")),
    };
    let (mut parts, body) = request.into_parts();
    let Ok(principal) = Principal::from_request_parts(&mut parts, &app).await else {
        // Whoever is unknown is told so by the route itself.
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let ticket = RawPathParams::from_request_parts(&mut parts, &app).await.ok();
    let ticket = ticket.iter().flatten().find(|(name, _)| *name == "ticket").map(|(_, ticket)| ticket.to_owned());
    let body = read_body(body).await?;
    let ticket = ticket.or_else(|| serde_json::from_slice::<Named>(&body).ok().map(|named| named.ticket));
    let ticket: Option<TicketId> = ticket.and_then(|ticket| ticket.parse().ok());
    let path = parts.uri.path_and_query().map_or(String::new(), ToString::to_string);
    let name = Name {
        tenant: &principal.tenant,
        principal: &principal.token,
        path: &path,
        key: &key,
        ticket: ticket.as_ref(),
    };

    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let abandoned = now.plus_seconds(-ABANDONED);
    let known = answers::begin(&mut transaction, &name, &Sha256::digest(&body), now, abandoned).await?;
    transaction.commit().await?;
    match known {
        Known::New => {}
        Known::Begun => return Err(ApiError::Bad(StatusCode::CONFLICT, "A request with this key is under way.")),
        Known::Other => {
            let told = "The key came with another request before; a new request needs a new key.";
            return Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, told));
        }
        Known::Done(answer) => return again(answer),
    }

    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = response.status();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, LONGEST_ANSWER).await.map_err(ApiError::fault)?;
    let media = head.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).map(str::to_owned);
    let told_again = !status.is_success() || REPEATED.contains(&route.as_str());
    let answer = Answer { status: status.as_u16(), media, body: told_again.then(|| body.to_vec()) };
    let mut transaction = app.store.begin(&principal.tenant).await?;
    if may_be_tried_again(status) {
        answers::forget(&mut transaction, &name).await?;
    } else {
        answers::keep(&mut transaction, &name, &answer).await?;
    }
    transaction.commit().await?;
    Ok(Response::from_parts(head, Body::from(body)))
}

/// Forgets what is older than a day.
pub(crate) async fn expire(app: &App, now: Timestamp) -> Result<(), ApiError> {
    let mut transaction = app.store.begin_across().await?;
    answers::expire(&mut transaction, now.plus_seconds(-KEPT)).await?;
    Ok(transaction.commit().await?)
}

fn again(answer: Answer) -> Result<Response, ApiError> {
    let Some(body) = answer.body else {
        let told = "This was done before, with the same key. The answer held a secret, which is told once.";
        return Err(ApiError::Bad(StatusCode::CONFLICT, told));
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(ApiError::fault)?;
    if let Some(media) = answer.media.and_then(|media| HeaderValue::try_from(media).ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, media);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Nothing was done, or nobody knows: the portal failed or was busy, or asked for another proof first.
fn may_be_tried_again(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        )
}
