//! Signing in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use headers::HeaderMapExt as _;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::read_json;
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::app::{App, RequestId, system_rng};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{
    ABSOLUTE_SECONDS, Client, DEVICE, Principal, Role, SESSION, Session, cookie, cookie_ended, draw, hash,
    recovery_hash, same_origin,
};
use crate::portal::error::ApiError;
use crate::portal::store::users::UserRow;
use crate::portal::store::{Connection, sessions, tenants, users};
use crate::secret::Secret;

/// Refused sign-ins are answered at multiples of this, so that the time says nothing of what was wrong.
const REFUSED_EVERY: Duration = Duration::from_millis(250);

/// After how many wrong codes with the right password only known devices sign in, until the password is another one.
const TRIED_OUT: i64 = 10;

/// The cookie by which a device that was signed in from is known.
const DEVICE_COOKIE: &str = "__Host-tarseal-device";

/// What is said of an unknown user in the audit log.
pub(super) const UNKNOWN: &str = "unknown";

/// What somebody signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    tenant: String,
    name: String,
    password: String,
    /// Of the authenticator app, or one from paper.
    code: String,
    /// What an earlier sign-in from here gave, if one did.
    device: Option<String>,
    /// Whether the session is to travel as a cookie.
    #[serde(default)]
    cookie: bool,
}

/// What someone who signed in gets.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Goes into the Authorization header. Absent when it travels as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    expires: Timestamp,
    user: String,
    role: String,
    /// Codes for paper, when new ones were made: shown this once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_codes: Vec<String>,
}

/// Takes name, password and code together, and says only whether all of them were right.
#[utoipa::path(
    post, path = "/v1/session", request_body = SignIn,
    responses((status = 200, description = "They are signed in", body = SignedIn)),
    extensions(("x-problems" = json!(["sign-in-refused", "cross-site"]))),
)]
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(request): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let asked: SignIn = read_json(body).await?;
    if asked.cookie && !same_origin(&method, &headers) {
        return Err(ApiError::CrossSite);
    }
    let name = name_of(&asked.name);
    let tenant: Option<TenantId> = asked.tenant.parse().ok();
    let device = asked.device.clone().or_else(|| {
        let cookies = headers.typed_get::<headers::Cookie>()?;
        cookies.get(DEVICE_COOKIE).map(str::to_owned)
    });
    let device = device.as_deref().map(hash);
    let known_device = match (&tenant, &device, &name) {
        (Some(tenant), Some(device), Some(name)) => {
            users::is_device_known(&mut *app.store.read(tenant).await?, tenant, name, device).await?
        }
        _ => false,
    };
    let account = (asked.tenant.as_str(), name.as_deref().unwrap_or_default());
    app.authority.limits.sign_in(client.network(), account, device.as_ref().filter(|_| known_device))?;

    let wants_cookie = asked.cookie;
    match begin(&app, (tenant, name, known_device), asked, &request).await {
        Ok(signed_in) => Ok(answer(signed_in, wants_cookie, StatusCode::OK)),
        Err(ApiError::SignInRefused) => {
            let periods = begun.elapsed().as_millis() / REFUSED_EVERY.as_millis() + 1;
            tokio::time::sleep_until(begun + REFUSED_EVERY * u32::try_from(periods).unwrap_or(u32::MAX)).await;
            Err(ApiError::SignInRefused)
        }
        Err(fault) => Err(fault),
    }
}

async fn begin(
    app: &App,
    (tenant, name, known_device): (Option<TenantId>, Option<String>, bool),
    asked: SignIn,
    request: &RequestId,
) -> Result<SignedIn, ApiError> {
    let found = match (&tenant, &name) {
        (Some(tenant), Some(name)) => users::by_name(&mut *app.store.read(tenant).await?, tenant, name).await?,
        _ => None,
    };
    let known = found.as_ref().map(|user| user.password.clone());
    let right = app.authority.passwords.verify(Secret::new(asked.password), known.clone()).await?;

    let Some(tenant) = tenant else { return Err(ApiError::SignInRefused) };
    let now = app.clock.now();
    let mut transaction = app.store.begin(&tenant).await?;
    // What changed while the password was verified counts.
    let user = match &found {
        Some(user) if right => users::find(&mut transaction, &user.tenant, &user.id).await?,
        _ => None,
    };
    let user = user.filter(|user| user.disabled_at.is_none() && Some(&user.password) == known.as_ref());
    if let Some(user) = user {
        // Whoever tries codes has the password; who comes from a known device is not hindered by them.
        let tried_out = user.wrong_codes >= TRIED_OUT;
        if (known_device || !tried_out) && use_code(app, &mut transaction, &user, &asked.code, now).await? {
            if !tried_out {
                users::set_wrong_codes(&mut transaction, &user.tenant, &user.id, 0).await?;
            }
            let signed_in = begin_session(&mut transaction, &user, now, request).await?;
            transaction.commit().await?;
            return Ok(signed_in);
        }
        let wrong_codes = user.wrong_codes.saturating_add(1);
        users::set_wrong_codes(&mut transaction, &user.tenant, &user.id, wrong_codes).await?;
    }
    if tenants::policy(&mut transaction, &tenant).await?.is_some() {
        let id = found.as_ref().map_or(UNKNOWN, |user| user.id.as_str());
        let act = (Act::SignIn, On::User(id), Outcome::Denied);
        record(&mut transaction, &tenant, now, Actor::Nobody(request), act, None).await?;
        transaction.commit().await?;
    }
    Err(ApiError::SignInRefused)
}

/// Begins a session of someone who has just shown password and code.
pub(super) async fn begin_session(
    connection: &mut Connection,
    user: &UserRow,
    now: Timestamp,
    request: &RequestId,
) -> Result<SignedIn, ApiError> {
    let (text, id) = draw(SESSION, &mut system_rng());
    let (device, _) = draw(DEVICE, &mut system_rng());
    let expires_at = now.plus_seconds(ABSOLUTE_SECONDS);
    let session =
        sessions::NewSession { tenant: &user.tenant, id: &id, user: &user.id, hash: hash(text.expose()), expires_at };
    sessions::add(connection, &session, now).await?;
    users::add_device(connection, &user.tenant, &user.id, &hash(device.expose()), now).await?;
    let principal = Principal {
        tenant: user.tenant.clone(),
        token: user.id.clone(),
        role: user.role,
        ticket: None,
        max_bytes: None,
        once: false,
        request: request.0.clone(),
        origin: request.1.by(&user.name),
        session: Some(Session {
            id: id.clone(),
            factor_at: now,
            at: now,
            tickets: Arc::default(),
            granted: Arc::default(),
        }),
    };
    let act = (Act::SignIn, On::Session(&id), Outcome::Done);
    record(connection, &user.tenant, now, Actor::Token(&principal), act, None).await?;
    Ok(SignedIn {
        session: Some(text.expose().clone()),
        device: Some(device.expose().clone()),
        expires: expires_at,
        user: user.id.clone(),
        role: user.role.to_string(),
        recovery_codes: Vec::new(),
    })
}

/// The answer to someone who signed in: secrets in the body, or in cookies that no script can read.
pub(super) fn answer(mut signed_in: SignedIn, wants_cookie: bool, status: StatusCode) -> Response {
    let cookies = match (&signed_in.session, &signed_in.device) {
        (Some(session), Some(device)) if wants_cookie => cookie(session).zip(device_cookie(device)),
        _ => None,
    };
    if cookies.is_some() {
        (signed_in.session, signed_in.device) = (None, None);
    }
    let mut response = (status, Json(signed_in)).into_response();
    if let Some((session, device)) = cookies {
        response.headers_mut().append(header::SET_COOKIE, session);
        response.headers_mut().append(header::SET_COOKIE, device);
    }
    response
}

impl SignedIn {
    pub(super) fn with_recovery_codes(mut self, codes: &[Secret<String>]) -> Self {
        self.recovery_codes = codes.iter().map(|code| code.expose().clone()).collect();
        self
    }
}

fn device_cookie(device: &str) -> Option<HeaderValue> {
    let text = format!("{DEVICE_COOKIE}={device}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether `code` is a good one of the user's: by the clock, or from paper. It is used up.
pub(super) async fn use_code(
    app: &App,
    connection: &mut Connection,
    user: &UserRow,
    code: &str,
    now: Timestamp,
) -> Result<bool, ApiError> {
    if let Some(hash) = recovery_hash(code) {
        return Ok(users::use_recovery_code(connection, &user.tenant, &user.id, &hash).await?);
    }
    let factor = app.authority.unseal(&user.factor, &user.tenant, &user.id);
    let factor = factor.ok_or_else(|| ApiError::fault("a second factor was sealed with another key"))?;
    match factor.accepts(code, now, user.factor_step) {
        Some(step) => Ok(users::use_step(connection, &user.tenant, &user.id, step).await?),
        None => Ok(false),
    }
}

/// A name to sign in with, in the one form it is kept in: 1 to 64 small letters, digits or `. _ - @ +`.
pub(super) fn name_of(text: &str) -> Option<String> {
    let name = text.trim().to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@+".contains(&byte);
    ((1..=64).contains(&name.len()) && name.bytes().all(plain)).then_some(name)
}

/// The session of a person; a token has none.
pub(super) fn person(principal: &Principal) -> Result<&Session, ApiError> {
    principal.session.as_ref().ok_or(ApiError::NotAllowed)
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    tenant: TenantId,
    user: String,
    name: String,
    role: Role,
    factor_at: Timestamp,
}

/// Tells who is signed in.
#[utoipa::path(get, path = "/v1/session", responses((status = 200, description = "Who is signed in", body = Me)))]
pub(crate) async fn show(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Me>, ApiError> {
    let factor_at = person(&principal)?.factor_at;
    let user = users::find(&mut *app.store.read(&principal.tenant).await?, &principal.tenant, &principal.token).await?;
    let user = user.ok_or(ApiError::TokenRefused)?;
    Ok(Json(Me { tenant: user.tenant, user: user.id, name: user.name, role: user.role, factor_at }))
}

/// Ends this session.
#[utoipa::path(delete, path = "/v1/session", responses((status = 204, description = "It has ended")))]
pub(crate) async fn sign_out(State(app): State<Arc<App>>, principal: Principal) -> Result<Response, ApiError> {
    let session = person(&principal)?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    sessions::end(&mut transaction, &principal.tenant, &session.id).await?;
    let act = (Act::SignOut, On::Session(&session.id), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie_ended())]).into_response())
}

/// Ends every session of whoever asks.
#[utoipa::path(delete, path = "/v1/sessions", responses((status = 204, description = "They have ended")))]
pub(crate) async fn sign_out_everywhere(
    State(app): State<Arc<App>>,
    principal: Principal,
) -> Result<Response, ApiError> {
    person(&principal)?;
    let now = app.clock.now();
    let mut transaction = app.store.begin(&principal.tenant).await?;
    sessions::end_all(&mut transaction, &principal.tenant, &principal.token, None).await?;
    let act = (Act::EndSessions, On::User(&principal.token), Outcome::Done);
    record(&mut transaction, &principal.tenant, now, Actor::Token(&principal), act, None).await?;
    transaction.commit().await?;
    let clear = HeaderName::from_static("clear-site-data");
    let cleared = [(header::SET_COOKIE, cookie_ended()), (clear, HeaderValue::from_static("\"cookies\", \"storage\""))];
    Ok((StatusCode::NO_CONTENT, cleared).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_form() {
        assert_eq!(name_of(" Ada.Lovelace@Example.org ").as_deref(), Some("ada.lovelace@example.org"));
        for bad in ["", " ", "ada lovelace", "ada\nlovelace", "ädä", "a/b", &"x".repeat(65)] {
            assert_eq!(name_of(bad), None, "{bad:?}");
        }
    }
}
