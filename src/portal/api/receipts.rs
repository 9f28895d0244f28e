//! Receipts and the key that verifies them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::snapshot_of;
use super::snapshots::reach;
use crate::portal::app::App;
use crate::portal::audit::sequence;
use crate::portal::auth::{Action, Principal};
use crate::portal::error::ApiError;
use crate::portal::store::receipts::{self, Signed};
use crate::track::receipt::Kind;

const TEXT: &str = "text/plain; charset=utf-8";

/// Gives the portal's key, for pinning.
#[utoipa::path(
    get, path = "/v1/receipt-key",
    responses((status = 200, description = "A key as signed notes have it", body = String, content_type = "text/plain")),
)]
pub(crate) async fn key(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], format!("{}\n", app.key.portal_key())).into_response()
}

/// Gives a receipt by its own id.
#[utoipa::path(
    get, path = "/v1/receipts/{id}",
    responses((status = 200, description = "A signed note (C2SP)", body = String, content_type = "text/plain")),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let found = receipts::find(&mut *app.store.read(&principal.tenant).await?, &principal.tenant, &id).await?;
    let signed = found.ok_or(ApiError::ReceiptUnknown)?;
    reach(&app, &principal, Action::ReadReceipt, signed.snapshot).await.map_err(|fault| match fault {
        ApiError::SnapshotUnknown => ApiError::ReceiptUnknown,
        other => other,
    })?;
    give(&app, signed).await
}

/// Gives the last receipt of a snapshot: of its deletion when it is gone, of its upload before.
///
/// Told without a token to whoever knows the snapshot's id, 128 random bits that only its sender and its readers have: the
/// deletion is proved long after the sender's token has expired, and a receipt holds no personal data.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/receipt",
    responses((status = 200, description = "A signed note (C2SP)", body = String, content_type = "text/plain")),
    extensions(("x-problems" = json!(["receipt-unknown"]))),
)]
pub(crate) async fn of_snapshot(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let snapshot = snapshot_of(&id)?;
    for kind in [Kind::Deletion, Kind::Upload] {
        let found = receipts::of_snapshot(&mut *app.store.read_across().await?, &snapshot, kind).await?;
        if let Some(signed) = found {
            return give(&app, signed).await;
        }
    }
    Err(ApiError::ReceiptUnknown)
}

async fn give(app: &App, signed: Signed) -> Result<Response, ApiError> {
    Ok(([(header::CONTENT_TYPE, TEXT)], proved(app, signed).await?).into_response())
}

/// The receipt with its proof. One that was signed a moment ago gets its place in the log now.
pub(crate) async fn proved(app: &App, mut signed: Signed) -> Result<String, ApiError> {
    if !signed.proved {
        sequence::advance(&app.store, &app.key).await?;
        let found = receipts::find(&mut *app.store.read(&signed.tenant).await?, &signed.tenant, &signed.id).await?;
        signed = found.filter(|signed| signed.proved).ok_or_else(|| ApiError::fault("a receipt has no proof"))?;
    }
    Ok(signed.note)
}
