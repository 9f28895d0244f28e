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
pub(crate) async fn of_snapshot(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let snapshot = reach(&app, &principal, Action::ReadReceipt, snapshot_of(&id)?).await?;
    let mut connection = app.store.read().await?;
    for kind in [Kind::Deletion, Kind::Upload] {
        if let Some(note) = receipts::of_snapshot(&mut connection, &snapshot.tenant, &snapshot.id, kind).await? {
            return Ok(([(header::CONTENT_TYPE, TEXT)], note).into_response());
        }
    }
    Err(ApiError::ReceiptUnknown)
}
