//! Bearer tokens: 256 random bits, shown once, stored as their SHA-256 and looked at anew with every request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use headers::HeaderMapExt as _;
use headers::authorization::{Authorization, Bearer};
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Role;
use crate::ids::{TenantId, TicketId};
use crate::portal::app::{App, RequestId};
use crate::portal::error::ApiError;
use crate::portal::store::tokens;
use crate::secret::Secret;

/// What every token begins with, so that people and scanners of leaked secrets know it.
const PREFIX: &str = "tsl_";

/// The longest bearer text that is looked at.
const MAX_LENGTH: usize = 128;

/// Whoever makes a request, as proved by its token.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) tenant: TenantId,
    /// The token's id, which is no secret.
    pub(crate) token: String,
    pub(crate) role: Role,
    /// The one ticket it is for, if it is for one.
    pub(crate) ticket: Option<TicketId>,
    pub(crate) max_bytes: Option<u64>,
    /// The request's id.
    pub(crate) request: String,
}

/// Draws a new token: its text, which is shown once, and its id.
pub(crate) fn new_token(rng: &mut dyn CryptoRng) -> (Secret<String>, String) {
    let mut bytes = Secret::new([0; 32]);
    rng.fill_bytes(bytes.expose_mut());
    let encoded = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.expose()));
    let text = Secret::new(format!("{PREFIX}{}", encoded.expose()));
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    (text, hex::encode(id))
}

/// The form in which a token is stored.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl FromRequestParts<Arc<App>> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let bearer = parts.headers.typed_get::<Authorization<Bearer>>().ok_or(ApiError::TokenRefused)?;
        let text = bearer.token();
        if !text.starts_with(PREFIX) || text.len() > MAX_LENGTH {
            return Err(ApiError::TokenRefused);
        }
        let hash = hash(text);
        let row = tokens::by_hash(&mut *app.store.read().await?, &hash).await?.ok_or(ApiError::TokenRefused)?;
        let known = bool::from(row.hash.ct_eq(&hash));
        if !known || row.revoked_at.is_some() || row.expires_at <= app.clock.now() {
            return Err(ApiError::TokenRefused);
        }
        let request = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self {
            tenant: row.tenant,
            token: row.id,
            role: row.role,
            ticket: row.ticket,
            max_bytes: row.max_bytes,
            request,
        })
    }
}
