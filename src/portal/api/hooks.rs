//! Webhooks of ticket systems. A hook is a hint: the portal asks its system for the ticket that it names, and believes nothing
//! else in it. Told again, it costs one question in [`GAP`] seconds.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};

use crate::portal::app::App;
use crate::portal::auth::Client;
use crate::portal::error::ApiError;
use crate::portal::store::ticket_polls as polls;
use crate::portal::ticket_system::{HOOK_LIMIT, Refused, observe};

/// How long the body of a hook may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A ticket is not asked for again sooner than so many seconds after it was last asked for.
const GAP: i64 = 10;

/// Takes a ticket system's hint that a ticket changed.
///
/// Signed as the operator and the system have agreed. The portal asks the system for the ticket; whether it knows the ticket is
/// not told to the sender.
#[utoipa::path(
    post, path = "/hooks/{source}", request_body = serde_json::Value,
    responses((status = 202, description = "It is signed")),
    extensions(("x-problems" = json!(["page-unknown", "token-refused"]))),
)]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Path(source): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let source = app.ticket_systems.find(&source).cloned().ok_or(ApiError::PageUnknown)?;
    let hook = source.hook.as_ref().ok_or(ApiError::PageUnknown)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > HOOK_LIMIT) {
        return Err(too_long());
    }
    let Ok(_permit) = app.ticket_systems.hooks.try_acquire() else { return Err(ApiError::TooMany(5)) };
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, HOOK_LIMIT)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(too_long()),
        Err(_) => return Err(ApiError::Stalled),
    };
    let now = app.clock.now();
    if let Err(Refused) = hook.signature.check(&headers, &body, now) {
        app.authority.limits.refused(client.network())?;
        return Err(ApiError::TokenRefused);
    }
    if hook.limit.check().is_err() {
        return Err(ApiError::TooMany(1));
    }
    let told = serde_json::from_slice(&body)
        .map_err(|_| ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, "The body is not JSON."))?;
    // Other events of the system name no ticket.
    let Some(ticket) = hook.ticket(&told).and_then(|name| source.name_here(&name)) else {
        return Ok(StatusCode::ACCEPTED);
    };
    let mut connection = app.store.read(&source.tenant).await?;
    let live = polls::is_live(&mut connection, &source.tenant, &ticket).await?;
    drop(connection);
    if live {
        let mut transaction = app.store.begin(&source.tenant).await?;
        observe::begin(&mut transaction, &source, &ticket, now).await?;
        polls::hint(&mut transaction, source.of(), &ticket, now, GAP).await?;
        transaction.commit().await?;
        app.ticket_systems.hinted.notify_waiters();
    }
    Ok(StatusCode::ACCEPTED)
}

fn too_long() -> ApiError {
    ApiError::Bad(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 1 MiB, or broke off.")
}
