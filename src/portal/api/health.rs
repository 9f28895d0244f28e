//! Whether the portal lives, and whether it can work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::jobs::delete;
use crate::portal::store::{clock, deletions, snapshots};

/// From how late on a deletion is a fault of the portal, in seconds.
const LATE: i64 = 3600;

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

/// The portal lives. Degraded when something should have been gone more than an hour ago and is not, and while a jump of the
/// clock waits for an operator: nothing is deleted then. Also when a deletion fails again and again.
pub(crate) async fn live(State(app): State<Arc<App>>) -> Result<Json<Health>, ApiError> {
    let mut connection = app.store.read().await?;
    let late = snapshots::late(&mut connection, app.clock.now().plus_seconds(-LATE)).await?;
    let jumped = matches!(clock::mark(&mut connection).await?, Some((_, Some(_))));
    let stuck = deletions::stuck(&mut connection, delete::ALARM).await?;
    Ok(Json(Health { status: if late + stuck == 0 && !jumped { "ok" } else { "degraded" } }))
}

/// The portal can take and give: its databases answer and there is room on the disk.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<(StatusCode, Json<Health>), ApiError> {
    drop(app.store.shares().await?);
    drop(app.store.read().await?);
    Ok(match app.blobs.has_room_for(0)? {
        true => (StatusCode::OK, Json(Health { status: "ready" })),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "no-room" })),
    })
}
