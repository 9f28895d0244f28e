//! The tenant's people: seen by those who assign and watch, managed by its administrator.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::invitations::{Made, invite};
use super::page::{Page, Pages, Which};
use super::read_json;
use crate::clock::Timestamp;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, Role, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, assignments, grants, invitations, sessions, users, vouchers};
use crate::wire::List;

/// A user as others see them.
#[derive(Serialize, ToSchema)]
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

/// Lists the tenant's users by name.
#[utoipa::path(
    get, path = "/v1/users", params(Which),
    responses((status = 200, description = "A page of the list", body = List<User>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::SeeUsers, Object::Tenant)?;
    let page: Page<String> = Pages::of("users").asked_by(which)?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let found = users::list(&mut connection, &principal.tenant, page.after.as_deref(), page.rows()).await?;
    page.answer(found, |user| user.name.clone(), User::from, ("/v1/users", &[]))
}

/// Tells one user.
#[utoipa::path(get, path = "/v1/users/{id}", responses((status = 200, description = "The user", body = User)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<User>, ApiError> {
    authorize(&principal, Action::SeeUsers, Object::Tenant)?;
    let found = users::find(&mut *app.store.read(&principal.tenant).await?, &principal.tenant, &id).await?;
    Ok(Json(found.ok_or(ApiError::UserUnknown)?.into()))
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// Not `upload`.
    role: Role,
}

/// Gives a user another role from the next request on, and takes them off their tickets.
#[utoipa::path(
    put, path = "/v1/users/{id}/role", request_body = NewRole,
    responses((status = 200, description = "The user as they are now", body = User)),
    extensions(("x-problems" = json!(["bad-request", "bad-request 409", "second-factor-needed"]))),
)]
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
    raise(&mut transaction, &user, role, now).await?;
    let act = (Act::ChangeRole, On::User(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, Some(role.word())).await?;
    transaction.commit().await?;
    Ok(Json(UserRow { role, ..user }.into()))
}

/// Gives a user another role in a transaction.
pub(crate) async fn raise(
    connection: &mut Connection,
    user: &UserRow,
    role: Role,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if user.role != role {
        users::set_role(connection, &user.tenant, &user.id, role).await?;
        assignments::remove_of_user(connection, &user.tenant, &user.id).await?;
        grants::revoke_all(connection, Some((&user.tenant, &user.id)), now).await?;
    }
    Ok(())
}

/// Disables a user: their sessions end at once, and so do invitations for them.
#[utoipa::path(
    post, path = "/v1/users/{id}/disable",
    responses((status = 204, description = "They are disabled")),
    extensions(("x-problems" = json!(["bad-request 409", "second-factor-needed"]))),
)]
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
    grants::revoke_all(connection, Some((&user.tenant, &user.id)), now).await?;
    sessions::end_all(connection, &user.tenant, &user.id, None).await
}

/// Lets a user sign in again.
#[utoipa::path(
    post, path = "/v1/users/{id}/enable",
    responses((status = 204, description = "They may sign in")),
    extensions(("x-problems" = json!(["bad-request 409", "second-factor-needed"]))),
)]
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
#[utoipa::path(
    delete, path = "/v1/users/{id}/sessions",
    responses((status = 204, description = "They have ended")),
    extensions(("x-problems" = json!(["bad-request 409", "second-factor-needed"]))),
)]
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
#[utoipa::path(
    post, path = "/v1/users/{id}/reset",
    responses((status = 201, description = "They are invited; the invitation is told this once", body = Made)),
    extensions(("x-problems" = json!(["bad-request 409", "second-factor-needed"]))),
)]
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
    vouchers::made(&mut transaction, &user.tenant, &made.id, now).await?;
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
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let user = users::find(&mut transaction, &principal.tenant, id).await?.ok_or(ApiError::UserUnknown)?;
    Ok((transaction, user))
}
