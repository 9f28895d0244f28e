//! Showing the second factor again, and what people change with it of their own account: password and codes for paper.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::{person, use_code};
use super::{passkeys, read_json};
use crate::clock::Timestamp;
use crate::portal::app::{App, system_rng};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{
    PASSWORD_RULE, Principal, Purpose, ShownPasskey, WRONG_CODES, is_good_password, recovery_codes, recovery_hash,
};
use crate::portal::error::ApiError;
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, sessions, users};
use crate::secret::Secret;

/// A second factor: a code or a passkey.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Factor {
    Code(Code),
    Passkey(ShownFactor),
}

/// A passkey that a browser was asked for with `/v1/session/factor/challenge`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownFactor {
    /// As it was given with what the browser was asked.
    challenge: String,
    credential: ShownPasskey,
}

/// A code of the authenticator app, or one from paper.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    code: String,
}

/// When the second factor was shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shown {
    factor_at: Timestamp,
}

/// Takes the second factor again, so that content may be read for a quarter of an hour.
#[utoipa::path(
    post, path = "/v1/session/factor", request_body = Factor,
    responses((status = 200, description = "It is shown", body = Shown)),
    extensions(("x-problems" = json!(["second-factor-refused", "no-passkeys"]))),
)]
pub(crate) async fn show_factor(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<Json<Shown>, ApiError> {
    let (mut transaction, _) = match read_json(body).await? {
        Factor::Code(Code { code }) => with_code(&app, &principal, &code, true, Act::ShowFactor).await?,
        Factor::Passkey(shown) => with_factor(&app, &principal, shown).await?,
    };
    let now = app.clock.now();
    let act = (Act::ShowFactor, On::Session(&person(&principal)?.id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(Json(Shown { factor_at: now }))
}

/// A new password, with the old one and a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    password: String,
    new_password: String,
    code: String,
}

/// Changes the password of whoever asks; their other sessions end, and their devices are strangers again.
#[utoipa::path(
    put, path = "/v1/session/password", request_body = NewPassword,
    responses((status = 204, description = "It is changed")),
    extensions(("x-problems" = json!(["second-factor-refused"]))),
)]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let session = person(&principal)?;
    let asked: NewPassword = read_json(body).await?;
    let user = users::find(&mut *app.store.read(&principal.tenant).await?, &principal.tenant, &principal.token).await?;
    let user = user.ok_or(ApiError::TokenRefused)?;
    if !is_good_password(&asked.new_password, &user.name) {
        return Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, PASSWORD_RULE));
    }
    app.authority.limits.password(&session.id)?;
    let passwords = &app.authority.passwords;
    let right = passwords.verify(Secret::new(asked.password), Some(user.password)).await?;
    let hashed = passwords.hash(Secret::new(asked.new_password)).await?;
    let (mut transaction, user) = with_code(&app, &principal, &asked.code, right, Act::ChangePassword).await?;
    let now = app.clock.now();
    users::set_password(&mut transaction, &user.tenant, &user.id, &hashed).await?;
    users::forget_devices(&mut transaction, &user.tenant, &user.id).await?;
    sessions::end_all(&mut transaction, &user.tenant, &user.id, Some(&session.id)).await?;
    let act = (Act::ChangePassword, On::User(&user.id), Outcome::Done);
    record(&mut transaction, &user.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Codes for paper, shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Paper {
    recovery_codes: Vec<String>,
}

/// Makes new codes for paper; the old ones are no good any more.
#[utoipa::path(
    post, path = "/v1/session/recovery-codes", request_body = Code,
    responses((status = 200, description = "The new codes", body = Paper)),
    extensions(("x-problems" = json!(["second-factor-refused"]))),
)]
pub(crate) async fn renew_codes(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<Json<Paper>, ApiError> {
    let Code { code } = read_json(body).await?;
    let (mut transaction, user) = with_code(&app, &principal, &code, true, Act::RenewCodes).await?;
    let codes = recovery_codes(&mut system_rng());
    store_codes(&mut transaction, &user, &codes).await?;
    let act = (Act::RenewCodes, On::User(&user.id), Outcome::Done);
    record(&mut transaction, &user.tenant, app.clock.now(), Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok(Json(Paper { recovery_codes: codes.iter().map(|code| code.expose().clone()).collect() }))
}

pub(super) async fn store_codes(
    connection: &mut Connection,
    user: &UserRow,
    codes: &[Secret<String>],
) -> Result<(), ApiError> {
    let hashes: Vec<_> = codes.iter().filter_map(|code| recovery_hash(code.expose())).collect();
    Ok(users::set_recovery_codes(connection, &user.tenant, &user.id, &hashes).await?)
}

/// Begins a transaction for someone whose code is good, and whose password is, when it was asked for. Wrong ones are audited;
/// the fifth ends the session.
async fn with_code(
    app: &App,
    principal: &Principal,
    code: &str,
    password_is_right: bool,
    act: Act,
) -> Result<Begun, ApiError> {
    let (mut transaction, user) = begin_as(app, principal).await?;
    let is_right = password_is_right && use_code(app, &mut transaction, &user, code, app.clock.now()).await?;
    shown(app, principal, (transaction, user), is_right, act).await
}

/// The same with a passkey.
async fn with_factor(app: &App, principal: &Principal, factor: ShownFactor) -> Result<Begun, ApiError> {
    if app.authority.passkeys.is_none() {
        return Err(ApiError::NoPasskeys);
    }
    let (mut transaction, user) = begin_as(app, principal).await?;
    let purpose = Purpose::Show(&person(principal)?.id);
    let answer = (factor.challenge.as_str(), factor.credential);
    let is_right = passkeys::verify(app, &mut transaction, (&user, purpose), answer, app.clock.now()).await?;
    shown(app, principal, (transaction, user), is_right, Act::ShowFactor).await
}

/// A transaction on the user of whoever asks.
type Begun = (crate::portal::store::Transaction, UserRow);

async fn begin_as(app: &App, principal: &Principal) -> Result<Begun, ApiError> {
    person(principal)?;
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let user = users::find(&mut transaction, &principal.tenant, &principal.token).await?;
    Ok((transaction, user.ok_or(ApiError::TokenRefused)?))
}

async fn shown(
    app: &App,
    principal: &Principal,
    (mut transaction, user): Begun,
    is_right: bool,
    act: Act,
) -> Result<Begun, ApiError> {
    let (session, now) = (person(principal)?, app.clock.now());
    if is_right {
        sessions::factor_shown(&mut transaction, &user.tenant, &session.id, now).await?;
        return Ok((transaction, user));
    }
    let ended = sessions::wrong_code(&mut transaction, &user.tenant, &session.id, WRONG_CODES).await?;
    let act = (act, On::Session(&session.id), Outcome::Denied);
    record(&mut transaction, &user.tenant, now, Actor::Token(principal), act, None).await?;
    transaction.commit().await?;
    Err(if ended { ApiError::TokenRefused } else { ApiError::FactorRefused })
}
