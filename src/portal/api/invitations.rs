//! Invitations: how somebody becomes a user, and how a user who lost password or phone comes in again.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::factor::store_codes;
use super::page::{Page, Pages, Which};
use super::read_json;
use super::session::{SignedIn, answer, begin_session, name_of};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::app::{App, RequestId, random_id, system_rng};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{
    Action, Client, Factor, INVITATION, Object, PASSWORD_RULE, Principal, Role, authorize, draw, hash,
    is_good_password, recovery_codes, same_origin,
};
use crate::portal::error::ApiError;
use crate::portal::store::invitations::{Chosen, InvitationRow};
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, invitations, passkeys, sessions, turn_to, users, vouchers};
use crate::secret::Secret;
use crate::wire::List;

/// How long an invitation is good for: 72 hours in seconds.
pub(crate) const INVITATION_SECONDS: i64 = 72 * 3600;

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// What they are to be; not `upload`.
    role: Role,
}

/// An invitation that was just made: shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Made {
    /// Names it for withdrawing it.
    pub(super) id: String,
    /// What is passed on to whoever is invited.
    invitation: String,
    role: Role,
    expires: Timestamp,
}

/// Invites somebody new.
#[utoipa::path(
    post, path = "/v1/invitations", request_body = NewInvitation,
    responses((status = 201, description = "They are invited; the invitation is told this once", body = Made)),
    extensions(("x-problems" = json!(["bad-request", "second-factor-needed"]))),
)]
pub(crate) async fn make(State(app): State<Arc<App>>, principal: Principal, body: Body) -> Result<Response, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let NewInvitation { role } = read_json(body).await?;
    if role == Role::Upload {
        return Err(ApiError::bad("People are not of the role upload; make a token for the ticket."));
    }
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let made = invite(&mut transaction, &principal.tenant, role, None, now).await?;
    vouchers::made(&mut transaction, &principal.tenant, &made.id, now).await?;
    let act = (Act::Invite, On::Invitation(&made.id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Makes an invitation, for somebody new or for a user.
pub(crate) async fn invite(
    connection: &mut Connection,
    tenant: &TenantId,
    role: Role,
    user: Option<String>,
    now: Timestamp,
) -> Result<Made, sqlx::Error> {
    let (text, id) = draw(INVITATION, &mut system_rng());
    let expires_at = now.plus_seconds(INVITATION_SECONDS);
    let row = InvitationRow { tenant: tenant.clone(), id: id.clone(), role, user, expires_at, chosen: None };
    invitations::add(connection, &row, &hash(text.expose()), now).await?;
    Ok(Made { id, invitation: text.expose().clone(), role, expires: expires_at })
}

impl Made {
    /// Its id, its text and until when it is good.
    pub(crate) fn into_parts(self) -> (String, Secret<String>, Timestamp) {
        (self.id, Secret::new(self.invitation), self.expires)
    }
}

/// An invitation that nobody has taken up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pending {
    id: String,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    expires: Timestamp,
}

/// Lists the invitations that nobody has taken up, the next to expire first.
#[utoipa::path(
    get, path = "/v1/invitations", params(Which),
    responses((status = 200, description = "A page of the list", body = List<Pending>)),
    extensions(("x-problems" = json!(["second-factor-needed"]))),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let page: Page<invitations::Place> = Pages::of("invitations").asked_by(which)?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut connection = app.store.read(tenant).await?;
    let rows = invitations::list(&mut connection, tenant, now, page.after.as_ref(), page.rows()).await?;
    let place = |row: &InvitationRow| (row.expires_at.seconds(), row.id.clone());
    let tell = |row: InvitationRow| Pending { id: row.id, role: row.role, user: row.user, expires: row.expires_at };
    page.answer(rows, place, tell, ("/v1/invitations", &[]))
}

/// Withdraws an invitation: it is refused from now on.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}",
    responses((status = 204, description = "It is withdrawn")),
    extensions(("x-problems" = json!(["second-factor-needed"]))),
)]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    authorize(&principal, Action::ManageUsers, Object::Tenant)?;
    let mut transaction = app.store.begin(&principal.tenant).await?;
    if !invitations::remove(&mut transaction, &principal.tenant, &id).await? {
        return Err(ApiError::InvitationUnknown);
    }
    let act = (Act::WithdrawInvitation, On::Invitation(&id), Outcome::Done);
    record(&mut transaction, &principal.tenant, app.clock.now(), Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What somebody who was invited chooses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    /// As it was passed on to them.
    invitation: String,
    /// What to sign in with. Not for a user who is there already: that name stays.
    name: Option<String>,
    password: String,
}

/// What goes into an authenticator app.
#[derive(Serialize, ToSchema)]
pub(crate) struct Enrol {
    tenant: TenantId,
    name: String,
    secret: String,
    address: String,
}

/// Takes name and password of someone invited, and draws their second factor.
///
/// Nothing is there until a code confirms it; told again, it begins anew.
#[utoipa::path(
    post, path = "/v1/invitation", request_body = Choice,
    responses((status = 200, description = "What goes into their authenticator app", body = Enrol)),
    extensions(("x-problems" = json!(["invitation-refused", "name-taken"]))),
)]
pub(crate) async fn choose(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    body: Body,
) -> Result<Json<Enrol>, ApiError> {
    app.authority.limits.invitation(client.network())?;
    let asked: Choice = read_json(body).await?;
    let mut connection = app.store.read_across().await?;
    let row = good(&app, &mut connection, &asked.invitation).await?;
    drop(connection);
    let tenant = row.tenant.clone();
    let mut connection = app.store.read(&tenant).await?;
    let name = match &row.user {
        Some(id) => users::find(&mut connection, &tenant, id).await?.ok_or(ApiError::InvitationRefused)?.name,
        None => {
            let name = asked.name.as_deref().and_then(name_of).ok_or(ApiError::Bad(
                StatusCode::UNPROCESSABLE_ENTITY,
                "A name is 1 to 64 letters without accents, digits or . _ - @ +",
            ))?;
            if users::by_name(&mut connection, &tenant, &name).await?.is_some() {
                return Err(ApiError::NameTaken);
            }
            name
        }
    };
    drop(connection);
    if !is_good_password(&asked.password, &name) {
        return Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, PASSWORD_RULE));
    }
    let password = app.authority.passwords.hash(Secret::new(asked.password)).await?;
    let factor = Factor::draw(&mut system_rng());
    let told = factor.enrolment(&tenant, &name)?;
    let chosen = Chosen { name: name.clone(), password, factor: app.authority.seal(&factor, &tenant, &row.id) };
    let mut transaction = app.store.begin(&tenant).await?;
    invitations::choose(&mut transaction, &tenant, &row.id, &chosen).await?;
    transaction.commit().await?;
    let (secret, address) = (told.secret.expose().clone(), told.address.expose().clone());
    Ok(Json(Enrol { tenant, name, secret, address }))
}

/// Shows that the authenticator app is set up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// As it was passed on.
    invitation: String,
    /// The code that the authenticator app shows.
    code: String,
    /// Whether the session is to travel as a cookie.
    #[serde(default)]
    cookie: bool,
}

/// Makes the user, or gives one that is there what was chosen, when the code is right; and signs them in.
///
/// The invitation is used up.
#[utoipa::path(
    post, path = "/v1/invitation/confirm", request_body = Confirmation,
    responses((status = 201, description = "They are signed in", body = SignedIn)),
    extensions(("x-problems" = json!([
        "bad-request", "invitation-refused", "second-factor-refused", "name-taken", "cross-site",
    ]))),
)]
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(request): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    app.authority.limits.invitation(client.network())?;
    let asked: Confirmation = read_json(body).await?;
    if asked.cookie && !same_origin(&method, &headers) {
        return Err(ApiError::CrossSite);
    }
    let now = app.clock.now();
    let mut transaction = app.store.begin_across().await?;
    let row = good(&app, &mut transaction, &asked.invitation).await?;
    turn_to(&mut transaction, &row.tenant).await?;
    let chosen = row.chosen.ok_or(ApiError::bad("First choose name and password."))?;
    let factor = app.authority.unseal(&chosen.factor, &row.tenant, &row.id);
    let factor = factor.ok_or_else(|| ApiError::fault("a second factor was sealed with another key"))?;
    let step = factor.accepts(&asked.code, now, 0).ok_or(ApiError::FactorRefused)?;

    let tenant = &row.tenant;
    let id = row.user.clone().unwrap_or_else(random_id);
    let sealed = app.authority.seal(&factor, tenant, &id);
    let user = match row.user {
        Some(_) => {
            let user = users::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::InvitationRefused)?;
            users::set_password(&mut transaction, tenant, &id, &chosen.password).await?;
            users::set_factor(&mut transaction, tenant, &id, &sealed, step).await?;
            users::forget_devices(&mut transaction, tenant, &id).await?;
            passkeys::remove_all(&mut transaction, tenant, &id).await?;
            sessions::end_all(&mut transaction, tenant, &id, None).await?;
            user
        }
        None => {
            let user = UserRow {
                tenant: tenant.clone(),
                id,
                name: chosen.name,
                role: row.role,
                password: chosen.password,
                factor: sealed,
                factor_step: step,
                wrong_codes: 0,
                created_at: now,
                disabled_at: None,
            };
            if !users::add(&mut transaction, &user).await? {
                return Err(ApiError::NameTaken);
            }
            user
        }
    };
    let codes = recovery_codes(&mut system_rng());
    store_codes(&mut transaction, &user, &codes).await?;
    vouchers::taken_up(&mut transaction, tenant, (&row.id, &user.id), now).await?;
    invitations::remove(&mut transaction, tenant, &row.id).await?;
    invitations::remove_of_user(&mut transaction, tenant, &user.id).await?;
    let act = (Act::AcceptInvitation, On::User(&user.id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Nobody(&request), act, None).await?;
    let signed_in = begin_session(&mut transaction, &user, now, &request).await?;
    transaction.commit().await?;
    Ok(answer(signed_in.with_recovery_codes(&codes), asked.cookie, StatusCode::CREATED))
}

/// The invitation of that text, while it is good. One for a user who was disabled is not.
async fn good(app: &App, connection: &mut Connection, text: &str) -> Result<InvitationRow, ApiError> {
    let found = invitations::by_hash(connection, &hash(text)).await?;
    let row = found.filter(|row| row.expires_at > app.clock.now()).ok_or(ApiError::InvitationRefused)?;
    if let Some(user) = &row.user {
        let user = users::find(connection, &row.tenant, user).await?;
        user.filter(|user| user.disabled_at.is_none()).ok_or(ApiError::InvitationRefused)?;
    }
    Ok(row)
}
