//! Receipts and the key that verifies them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::snapshot_of;
use super::snapshots::reach;
use crate::portal::app::App;
use crate::portal::auth::{Action, Principal};
use crate::portal::error::ApiError;
use crate::portal::store::receipts;
use crate::track::receipt::Kind;

const TEXT: &str = "text/plain; charset=utf-8";

/// The portal's key, for pinning.
pub(crate) async fn key(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], format!("{}\n", app.key.portal_key())).into_response()
}

/// A receipt by its own id.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let found = receipts::find(&mut *app.store.read().await?, &principal.tenant, &id).await?;
    let (snapshot, note) = found.ok_or(ApiError::ReceiptUnknown)?;
    reach(&app, &principal, Action::ReadReceipt, snapshot).await.map_err(|fault| match fault {
        ApiError::SnapshotUnknown => ApiError::ReceiptUnknown,
        other => other,
    })?;
    Ok(([(header::CONTENT_TYPE, TEXT)], note).into_response())
}

/// The last receipt of a snapshot: of its deletion when it is gone, of its upload before.
///
/// Told without a token to whoever knows the snapshot's id, 128 random bits that only its sender and its readers have: the
/// deletion is proved long after the sender's token has expired, and a receipt holds no personal data.
pub(crate) async fn of_snapshot(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let snapshot = snapshot_of(&id)?;
    let mut connection = app.store.read().await?;
    for kind in [Kind::Deletion, Kind::Upload] {
        if let Some(note) = receipts::of_snapshot(&mut connection, &snapshot, kind).await? {
            return Ok(([(header::CONTENT_TYPE, TEXT)], note).into_response());
        }
    }
    Err(ApiError::ReceiptUnknown)
}
