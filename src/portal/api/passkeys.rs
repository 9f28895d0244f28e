//! Passkeys: having one, signing in with one, and showing it as a second factor.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read_json;
use super::session::{UNKNOWN, answer, begin_session, person};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::app::{App, RequestId};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{
    Challenge, Client, MOST_PASSKEYS, MadePasskey, PasskeyRefused, Passkeys, Principal, Purpose, Session, ShownPasskey,
    same_origin,
};
use crate::portal::error::ApiError;
use crate::portal::store::passkeys::PasskeyRow;
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, passkeys, tenants, users};
use crate::wire::List;

/// The longest name of a passkey in characters.
const LONGEST_NAME: usize = 64;

/// The passkeys of this portal, if it has any.
fn of(app: &App) -> Result<&Passkeys, ApiError> {
    app.authority.passkeys.as_ref().ok_or(ApiError::NoPasskeys)
}

/// A session whose user has shown a second factor lately: whoever finds a browser open adds no passkey of their own.
fn fresh(principal: &Principal) -> Result<&Session, ApiError> {
    let session = person(principal)?;
    if session.is_factor_fresh() { Ok(session) } else { Err(ApiError::FactorNeeded) }
}

/// Asks a browser to make a passkey for whoever is signed in.
#[utoipa::path(
    post, path = "/v1/passkeys/challenge",
    responses((status = 200, description = "What the browser is asked", body = Challenge)),
    extensions(("x-problems" = json!(["second-factor-needed", "no-passkeys", "bad-request 409"]))),
)]
pub(crate) async fn ask(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Challenge>, ApiError> {
    let session = fresh(&principal)?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut connection = app.store.read(tenant).await?;
    let user = users::find(&mut connection, tenant, &principal.token).await?.ok_or(ApiError::TokenRefused)?;
    let known = passkeys::of_user(&mut connection, tenant, &user.id).await?;
    if known.len() >= MOST_PASSKEYS {
        return Err(TOO_MANY);
    }
    let at = (tenant, Purpose::Add(&session.id));
    Ok(Json(of(&app)?.ask_to_add(at, (&user.id, &user.name), &known, now)?))
}

const TOO_MANY: ApiError = ApiError::Bad(StatusCode::CONFLICT, "You have ten passkeys. Remove one first.");

/// A passkey that a browser has made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPasskey {
    /// What its owner calls it: 1 to 64 characters.
    name: String,
    /// As it was given with what the browser was asked.
    challenge: String,
    credential: MadePasskey,
}

/// A passkey of whoever asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct Passkey {
    id: String,
    name: String,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<Timestamp>,
}

impl From<PasskeyRow> for Passkey {
    fn from(row: PasskeyRow) -> Self {
        Self { id: row.id, name: row.name, created: row.created_at, used: row.used_at }
    }
}

/// Takes a passkey. From now on it signs its user in, and is their second factor.
#[utoipa::path(
    post, path = "/v1/passkeys", request_body = NewPasskey,
    responses((status = 201, description = "It is taken", body = Passkey)),
    extensions(("x-problems" = json!([
        "second-factor-needed", "passkey-refused", "no-passkeys", "bad-request 409", "bad-request 422",
    ]))),
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<(StatusCode, Json<Passkey>), ApiError> {
    let session = fresh(&principal)?;
    let asked: NewPasskey = read_json(body).await?;
    let name = asked.name.trim();
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, "A passkey's name has 1 to 64 characters."));
    }
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let at = (tenant, Purpose::Add(&session.id));
    let made = of(&app)?.made(at, (&asked.challenge, asked.credential), (&principal.token, name), now);
    let (answered, row) = made.map_err(|_| ApiError::PasskeyRefused)?;
    let mut transaction = app.store.begin(tenant).await?;
    if !passkeys::answer(&mut transaction, tenant, &answered.id, answered.until, now).await? {
        return Err(ApiError::PasskeyRefused);
    }
    if passkeys::count(&mut transaction, tenant, &principal.token).await? >= MOST_PASSKEYS {
        return Err(TOO_MANY);
    }
    if !passkeys::add(&mut transaction, tenant, &row).await? {
        return Err(ApiError::PasskeyRefused);
    }
    let act = (Act::AddPasskey, On::Passkey(&row.id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Lists the passkeys of whoever asks, the oldest first.
#[utoipa::path(
    get, path = "/v1/passkeys",
    responses((status = 200, description = "All of them, on one page", body = List<Passkey>)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<List<Passkey>>, ApiError> {
    person(&principal)?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let rows = passkeys::of_user(&mut connection, &principal.tenant, &principal.token).await?;
    Ok(Json(List { items: rows.into_iter().map(Passkey::from).collect(), next: None }))
}

/// Removes a passkey of whoever asks: it is refused from now on.
#[utoipa::path(
    delete, path = "/v1/passkeys/{id}",
    responses((status = 204, description = "It is removed")),
    extensions(("x-problems" = json!(["second-factor-needed", "passkey-unknown"]))),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    fresh(&principal)?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    if !passkeys::remove(&mut transaction, tenant, &principal.token, &id).await? {
        return Err(ApiError::PasskeyUnknown);
    }
    let act = (Act::RemovePasskey, On::Passkey(&id), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where somebody wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Where {
    tenant: TenantId,
}

/// Asks a browser for any passkey that it has for this portal. Says nothing of who is there.
#[utoipa::path(
    post, path = "/v1/session/passkey/challenge", request_body = Where,
    responses((status = 200, description = "What the browser is asked", body = Challenge)),
    extensions(("x-problems" = json!(["no-passkeys"]))),
)]
pub(crate) async fn ask_to_sign_in(State(app): State<Arc<App>>, body: Body) -> Result<Json<Challenge>, ApiError> {
    let Where { tenant } = read_json(body).await?;
    Ok(Json(of(&app)?.ask_to_show((&tenant, Purpose::SignIn), &[], app.clock.now())?))
}

/// A passkey with which somebody signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    tenant: String,
    /// As it was given with what the browser was asked.
    challenge: String,
    credential: ShownPasskey,
    /// Whether the session is to travel as a cookie.
    #[serde(default)]
    cookie: bool,
}

/// Signs in whoever shows a passkey. It is both factors: something they have, opened by what they know or are.
#[utoipa::path(
    post, path = "/v1/session/passkey", request_body = SignIn,
    responses((status = 200, description = "They are signed in", body = super::session::SignedIn)),
    extensions(("x-problems" = json!(["no-passkeys", "sign-in-refused", "cross-site"]))),
)]
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(request): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked: SignIn = read_json(body).await?;
    if asked.cookie && !same_origin(&method, &headers) {
        return Err(ApiError::CrossSite);
    }
    of(&app)?;
    app.authority.limits.passkey(client.network())?;
    let tenant: TenantId = asked.tenant.parse().map_err(|_| ApiError::SignInRefused)?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(&tenant).await?;
    let user = match asked.credential.user() {
        Some(id) => users::find(&mut transaction, &tenant, &id).await?,
        None => None,
    };
    if let Some(user) = user.as_ref().filter(|user| user.disabled_at.is_none())
        && verify(&app, &mut transaction, (user, Purpose::SignIn), (&asked.challenge, asked.credential), now).await?
    {
        let signed_in = begin_session(&mut transaction, user, now, &request).await?;
        transaction.commit().await?;
        return Ok(answer(signed_in, asked.cookie, StatusCode::OK).into_response());
    }
    if tenants::policy(&mut transaction, &tenant).await?.is_some() {
        let id = user.as_ref().map_or(UNKNOWN, |user| user.id.as_str());
        let act = (Act::SignIn, On::User(id), Outcome::Denied);
        record(&mut transaction, &tenant, now, Actor::Nobody(&request), act, None).await?;
        transaction.commit().await?;
    }
    Err(ApiError::SignInRefused)
}

/// Asks a browser for a passkey of whoever is signed in, as their second factor.
#[utoipa::path(
    post, path = "/v1/session/factor/challenge",
    responses((status = 200, description = "What the browser is asked", body = Challenge)),
    extensions(("x-problems" = json!(["no-passkeys", "passkey-unknown"]))),
)]
pub(crate) async fn ask_to_show(
    State(app): State<Arc<App>>,
    principal: Principal,
) -> Result<Json<Challenge>, ApiError> {
    let session = person(&principal)?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let known = passkeys::of_user(&mut connection, &principal.tenant, &principal.token).await?;
    let at = (&principal.tenant, Purpose::Show(&session.id));
    if known.is_empty() {
        return Err(ApiError::PasskeyUnknown);
    }
    Ok(Json(of(&app)?.ask_to_show(at, &known, app.clock.now())?))
}

/// Whether an answer shows a passkey of the user. It is used up, and what the device counts is written down.
pub(super) async fn verify(
    app: &App,
    connection: &mut Connection,
    (user, purpose): (&UserRow, Purpose<'_>),
    (challenge, shown): (&str, ShownPasskey),
    now: Timestamp,
) -> Result<bool, ApiError> {
    let known = match shown.credential() {
        Some(credential) => passkeys::find(connection, &user.tenant, &user.id, &credential).await?,
        None => None,
    };
    let Some(known) = known else { return Ok(false) };
    let (answered, counter) = match of(app)?.shown((&user.tenant, purpose), (challenge, shown), &known, now) {
        Ok((answered, counter)) => (answered, Some(counter)),
        Err(PasskeyRefused::Cloned(answered)) => (answered, None),
        Err(PasskeyRefused::Wrong) => return Ok(false),
    };
    if !passkeys::answer(connection, &user.tenant, &answered.id, answered.until, now).await? {
        return Ok(false);
    }
    if let Some(counter) = counter {
        passkeys::used(connection, &user.tenant, &known.id, counter, now).await?;
    } else {
        tracing::warn!(passkey = known.id, "the device of a passkey counts backwards: there may be two of it");
        let act = (Act::SuspectPasskey, On::Passkey(&known.id), Outcome::Denied);
        record(connection, &user.tenant, now, Actor::Worker, act, None).await?;
    }
    Ok(counter.is_some())
}
