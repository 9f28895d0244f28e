//! Whoever makes a request, as proved by a token or a session. Both are looked up anew with every request, so what is revoked
//! is refused at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::Method;
use axum::http::request::Parts;
use headers::HeaderMapExt as _;
use headers::authorization::{Authorization, Bearer};
use subtle::ConstantTimeEq as _;

use super::session::{IDLE_SECONDS, of_cookie, same_origin};
use super::token::{MAX_LENGTH, SESSION, TOKEN, hash};
use super::{Client, FACTOR_SECONDS, Role};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId, TicketId};
use crate::portal::app::{App, RequestId};
use crate::portal::audit::Origin;
use crate::portal::error::ApiError;
use crate::portal::store::tokens::TokenRow;
use crate::portal::store::{assignments, grants, sessions, snapshots, tokens};
use crate::secret::Secret;
use crate::track::Phase;

/// How much later than it was last written a session's last use must be to be written down, in seconds.
const SEEN_SECONDS: i64 = 60;

/// Whoever makes a request.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) tenant: TenantId,
    /// The id of the token, or of the user who signed in. It is no secret.
    pub(crate) token: String,
    pub(crate) role: Role,
    /// The one ticket it is for, if it is for one.
    pub(crate) ticket: Option<TicketId>,
    pub(crate) max_bytes: Option<u64>,
    /// Whether it reaches what it announced itself alone, and announces one snapshot.
    pub(crate) once: bool,
    /// The request's id.
    pub(crate) request: String,
    /// Where the request comes from.
    pub(crate) origin: Origin,
    /// The session of a person; a token has none.
    pub(crate) session: Option<Session>,
}

/// A session at the time of a request.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// When the second factor was last shown.
    pub(crate) factor_at: Timestamp,
    /// When the request was made.
    pub(crate) at: Timestamp,
    /// The tickets that the user is on.
    pub(crate) tickets: Arc<BTreeSet<TicketId>>,
    /// The snapshots that were granted to a technician.
    pub(crate) granted: Arc<BTreeSet<FileId>>,
}

impl Session {
    /// Whether the user is on that ticket: they opened it, or were assigned.
    pub(crate) fn is_on(&self, ticket: &TicketId) -> bool {
        self.tickets.contains(ticket)
    }

    /// Whether that snapshot was granted to the user.
    pub(crate) fn is_granted(&self, snapshot: &FileId) -> bool {
        self.granted.contains(snapshot)
    }

    /// Whether the second factor was shown lately.
    pub(crate) fn is_factor_fresh(&self) -> bool {
        (0..=FACTOR_SECONDS).contains(&(self.at.seconds() - self.factor_at.seconds()))
    }
}

impl Principal {
    /// The user whose tickets alone may be listed, if the list is not the whole tenant's.
    pub(crate) fn limit(&self) -> Option<&str> {
        let limited = matches!(self.role, Role::Upload | Role::Staff | Role::Technician);
        (limited && self.session.is_some()).then_some(self.token.as_str())
    }
}

impl FromRequestParts<Arc<App>> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let limits = &app.authority.limits;
        let proved = match proof(parts) {
            Ok(Proof::Token(text)) => by_token(parts, app, &text).await,
            Ok(Proof::Session(text)) => by_session(parts, app, &text).await,
            Err(refused) => Err(refused),
        };
        match proved {
            Ok(principal) => limits.request(&principal.tenant, &principal.token).map(|()| principal),
            Err(ApiError::TokenRefused) => {
                if let Some(client) = parts.extensions.get::<Client>() {
                    limits.refused(client.network())?;
                }
                Err(ApiError::TokenRefused)
            }
            Err(fault) => Err(fault),
        }
    }
}

enum Proof {
    Token(Secret<String>),
    Session(Secret<String>),
}

/// What the request brings as its proof: a Bearer secret, or the cookie of a page of the portal itself.
fn proof(parts: &Parts) -> Result<Proof, ApiError> {
    if let Some(bearer) = parts.headers.typed_get::<Authorization<Bearer>>() {
        let text = bearer.token();
        return match text.len() <= MAX_LENGTH {
            true if text.starts_with(TOKEN) => Ok(Proof::Token(Secret::new(text.to_owned()))),
            true if text.starts_with(SESSION) => Ok(Proof::Session(Secret::new(text.to_owned()))),
            _ => Err(ApiError::TokenRefused),
        };
    }
    let text = of_cookie(&parts.headers).ok_or(ApiError::TokenRefused)?;
    if !text.starts_with(SESSION) || text.len() > MAX_LENGTH {
        return Err(ApiError::TokenRefused);
    }
    if !same_origin(&parts.method, &parts.headers) {
        return Err(ApiError::CrossSite);
    }
    Ok(Proof::Session(Secret::new(text)))
}

async fn by_token(parts: &mut Parts, app: &App, text: &Secret<String>) -> Result<Principal, ApiError> {
    let hash = hash(text.expose());
    let row = tokens::by_hash(&mut *app.store.read_across().await?, &hash).await?.ok_or(ApiError::TokenRefused)?;
    let known = bool::from(row.hash.ct_eq(&hash));
    if !known || row.revoked_at.is_some() || row.expires_at <= app.clock.now() {
        return Err(ApiError::TokenRefused);
    }
    if row.once {
        stay_within(parts, app, &row).await?;
    }
    let request = request_of(parts);
    Ok(Principal {
        tenant: row.tenant,
        token: row.id,
        role: row.role,
        ticket: row.ticket,
        max_bytes: row.max_bytes,
        once: row.once,
        request: request.0,
        origin: request.1,
        session: None,
    })
}

async fn by_session(parts: &Parts, app: &App, text: &Secret<String>) -> Result<Principal, ApiError> {
    let hash = hash(text.expose());
    let now = app.clock.now();
    let mut connection = app.store.read_across().await?;
    let row = sessions::by_hash(&mut connection, &hash).await?.ok_or(ApiError::TokenRefused)?;
    let known = bool::from(row.hash.ct_eq(&hash));
    let idle = now.seconds() - row.seen_at.seconds();
    if !known || row.is_over || row.expires_at <= now || idle >= IDLE_SECONDS {
        return Err(ApiError::TokenRefused);
    }
    let limited = matches!(row.role, Role::Staff | Role::Technician | Role::Lead);
    let tickets =
        if limited { assignments::of_user(&mut connection, &row.tenant, &row.user).await? } else { BTreeSet::new() };
    let granted = match row.role {
        Role::Technician => grants::of_user(&mut connection, &row.tenant, &row.user).await?,
        _ => BTreeSet::new(),
    };
    drop(connection);
    if idle >= SEEN_SECONDS {
        let mut transaction = app.store.begin(&row.tenant).await?;
        sessions::seen(&mut transaction, &row.tenant, &row.id, now).await?;
        transaction.commit().await?;
    }
    let request = request_of(parts);
    Ok(Principal {
        tenant: row.tenant,
        token: row.user,
        role: row.role,
        ticket: None,
        max_bytes: None,
        once: false,
        origin: request.1.by(&row.name),
        request: request.0,
        session: Some(Session {
            id: row.id,
            factor_at: row.factor_at,
            at: now,
            tickets: Arc::new(tickets),
            granted: Arc::new(granted),
        }),
    })
}

/// Lets a token that came with a request's code do what sending one snapshot needs: announce it, send its bytes, look at its
/// ticket, and do what its role may to what was announced with it. What others sent for the ticket is not there.
async fn stay_within(parts: &mut Parts, app: &App, row: &TokenRow) -> Result<(), ApiError> {
    let path = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    match (&parts.method, path.as_str()) {
        (&Method::GET, "/v1/tickets/{ticket}")
        | (&Method::POST, "/v1/tickets/{ticket}/snapshots")
        | (_, "/v1/uploads/{id}") => Ok(()),
        (_, path) if path.starts_with("/v1/snapshots/{id}") => {
            let named = RawPathParams::from_request_parts(parts, &()).await;
            let named = named.map_err(|_| ApiError::SnapshotUnknown)?;
            let id: Option<FileId> = named.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| id.parse().ok());
            let (Some(id), Some(ticket)) = (id, &row.ticket) else { return Err(ApiError::SnapshotUnknown) };
            let mut connection = app.store.read(&row.tenant).await?;
            if snapshots::of_token(&mut connection, &row.tenant, ticket, &row.id).await?.contains(&id) {
                return Ok(());
            }
            // Of what was deleted nobody knows any more who sent it; that it is gone may be told.
            match snapshots::find(&mut connection, &row.tenant, &id).await? {
                Some(gone) if gone.ticket == *ticket && gone.phase == Phase::Deleted => Ok(()),
                _ => Err(ApiError::SnapshotUnknown),
            }
        }
        _ => Err(ApiError::NotAllowed),
    }
}

fn request_of(parts: &Parts) -> RequestId {
    parts.extensions.get::<RequestId>().cloned().unwrap_or_default()
}
