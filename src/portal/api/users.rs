//! The tenant's people: seen by those who assign and watch, managed by its administrator.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::invitations::invite;
use super::{LIST_LIMIT, read_json};
use crate::clock::Timestamp;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, Role, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, assignments, invitations, sessions, users};

/// A user as others see them.
#[derive(Serialize)]
pub(crate) struct User {
    id: String,
    name: String,
    role: Role,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<Timestamp>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self { id: row.id, name: row.name, role: row.role, created: row.created_at, disabled: row.disabled_at }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// The last name of the list before.
    after: Option<String>,
}

/// The tenant's users by name, a thousand at a time.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<User>>, ApiError> {
    authorize(&principal, Action::SeeUsers, Object::Tenant)?;
    let Query(Which { after }) = which.map_err(|_| ApiError::bad("The list goes on with ?after= and a name."))?;
    let mut connection = app.store.read().await?;
    let found = users::list(&mut connection, &principal.tenant, after.as_deref(), LIST_LIMIT).await?;
    Ok(Json(found.into_iter().map(User::from).collect()))
}

/// One user.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<User>, ApiError> {
    authorize(&principal, Action::SeeUsers, Object::Tenant)?;
    let found = users::find(&mut *app.store.read().await?, &principal.tenant, &id).await?;
    Ok(Json(found.ok_or(ApiError::UserUnknown)?.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    role: Role,
}

/// Gives a user another role from the next request on, and takes them off their tickets.
pub(crate) async fn set_role(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<User>, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let NewRole { role } = read_json(body).await?;
    if role == Role::Upload {
        return Err(ApiError::bad("People are not of the role upload; make a token for the ticket."));
    }
    let (mut transaction, user) = another(&app, &principal, &id).await?;
    let now = app.clock.now();
    raise(&mut transaction, &user, role).await?;
    let act = (Act::ChangeRole, On::User(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, Some(role.word())).await?;
    transaction.commit().await?;
    Ok(Json(UserRow { role, ..user }.into()))
}

/// Gives a user another role in a transaction.
pub(crate) async fn raise(connection: &mut Connection, user: &UserRow, role: Role) -> Result<(), sqlx::Error> {
    if user.role != role {
        users::set_role(connection, &user.tenant, &user.id, role).await?;
        assignments::remove_of_user(connection, &user.tenant, &user.id).await?;
    }
    Ok(())
}

/// Disables a user: their sessions end at once, and so do invitations for them.
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let (mut transaction, user) = another(&app, &principal, &id).await?;
    let now = app.clock.now();
    put_out(&mut transaction, &user, now).await?;
    let act = (Act::DisableUser, On::User(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Disables a user in a transaction.
pub(crate) async fn put_out(connection: &mut Connection, user: &UserRow, now: Timestamp) -> Result<(), sqlx::Error> {
    let since = user.disabled_at.unwrap_or(now);
    users::set_disabled(connection, &user.tenant, &user.id, Some(since)).await?;
    users::forget_devices(connection, &user.tenant, &user.id).await?;
    invitations::remove_of_user(connection, &user.tenant, &user.id).await?;
    sessions::end_all(connection, &user.tenant, &user.id, None).await
}

/// Lets a user sign in again.
pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let (mut transaction, _) = another(&app, &principal, &id).await?;
    users::set_disabled(&mut transaction, &principal.tenant, &id, None).await?;
    let act = (Act::EnableUser, On::User(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, app.clock.now(), Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every session of a user.
pub(crate) async fn end_sessions(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let (mut transaction, user) = another(&app, &principal, &id).await?;
    sessions::end_all(&mut transaction, &user.tenant, &id, None).await?;
    let act = (Act::EndSessions, On::User(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, app.clock.now(), Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites a user to choose a new password and second factor. Until they have, the old ones are good.
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let (mut transaction, user) = another(&app, &principal, &id).await?;
    if user.disabled_at.is_some() {
        return Err(ApiError::Bad(StatusCode::CONFLICT, "The user is disabled; enable them first."));
    }
    let now = app.clock.now();
    let made = invite(&mut transaction, &user.tenant, user.role, Some(id.clone()), now).await?;
    let act = (Act::Invite, On::User(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Begins a transaction on a user who is not the one who asks: nobody raises, or locks out, themselves.
async fn another(
    app: &App,
    principal: &Principal,
    id: &str,
) -> Result<(crate::portal::store::Transaction, UserRow), ApiError> {
    if principal.token == id {
        return Err(ApiError::Bad(StatusCode::CONFLICT, "Another administrator does this for you."));
    }
    let mut transaction = app.store.begin().await?;
    let user = users::find(&mut transaction, &principal.tenant, id).await?.ok_or(ApiError::UserUnknown)?;
    Ok((transaction, user))
}
