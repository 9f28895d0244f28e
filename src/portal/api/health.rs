//! Whether the portal lives, and whether it can work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::jobs::delete;
use crate::portal::metrics::LATE;
use crate::portal::store::{clock, deletions, snapshots, ticket_systems};

/// How the portal is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// In one word: `ok` or `degraded`; `ready` or `no-room`.
    status: &'static str,
}

/// Tells whether the portal lives.
///
/// `degraded` when something should have been gone more than an hour ago and is not, and while a jump of the clock waits for
/// an operator: nothing is deleted then. Also when a deletion fails again and again, or a ticket system tells nothing of use for an
/// hour.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It lives", body = Health)))]
pub(crate) async fn live(State(app): State<Arc<App>>) -> Result<Json<Health>, ApiError> {
    let mut connection = app.store.read_across().await?;
    let late = snapshots::late(&mut connection, app.clock.now().plus_seconds(-LATE)).await?;
    let jumped = matches!(clock::mark(&mut connection).await?, Some((_, Some(_))));
    let stuck = deletions::stuck(&mut connection, delete::ALARM).await?;
    let failing = ticket_systems::failing(&mut connection, app.clock.now().plus_seconds(-LATE)).await?;
    let deaf = failing.iter().any(|name| app.ticket_systems.find(name.as_str()).is_some());
    Ok(Json(Health { status: if late + stuck == 0 && !jumped && !deaf { "ok" } else { "degraded" } }))
}

/// Tells whether the portal can take and give: its databases answer and there is room on the disk.
#[utoipa::path(
    get, path = "/readyz",
    responses(
        (status = 200, description = "It can", body = Health),
        (status = 503, description = "There is no room", body = Health),
    ),
)]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<(StatusCode, Json<Health>), ApiError> {
    drop(app.store.shares_across().await?);
    drop(app.store.read_across().await?);
    Ok(match app.blobs.has_room_for(0)? {
        true => (StatusCode::OK, Json(Health { status: "ready" })),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "no-room" })),
    })
}
