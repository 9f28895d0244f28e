//! Whoever opens a page: a person who signed in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use url::Url;

use crate::portal::app::App;
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::track::RetentionPolicy;

/// A person who signed in. Tokens are for programs, and those ask the API.
pub(super) struct Visitor(pub(super) Principal);

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let principal = Principal::from_request_parts(parts, app).await?;
        if principal.session.is_some() { Ok(Self(principal)) } else { Err(ApiError::NotAllowed) }
    }
}

/// The address under which the browser knows the portal.
pub(super) fn address(app: &App, headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let sent = text(header::ORIGIN).and_then(|origin| Url::parse(origin).ok()).filter(Url::has_host);
    let scheme = if app.secure { "https" } else { "http" };
    let asked = || Url::parse(&format!("{scheme}://{}", text(header::HOST)?)).ok();
    sent.or_else(asked).map_or_else(String::new, |url| url.origin().ascii_serialization())
}

impl Visitor {
    /// The name the person signed in with.
    pub(super) fn name(&self) -> &str {
        self.0.origin.name.as_deref().unwrap_or(&self.0.token)
    }

    /// Whether the person may do that, at the latest when they have shown their code again.
    pub(super) fn may(&self, action: Action, object: Object<'_>) -> bool {
        matches!(authorize(&self.0, action, object), Ok(()) | Err(ApiError::FactorNeeded))
    }

    /// The rules of the person's organisation.
    pub(super) async fn policy(&self, app: &App) -> Result<RetentionPolicy, ApiError> {
        Ok(app.policy(&mut *app.store.read(&self.0.tenant).await?, &self.0.tenant).await?)
    }

    /// Whether the code was shown lately.
    pub(super) fn is_factor_fresh(&self) -> bool {
        self.0.session.as_ref().is_some_and(crate::portal::auth::Session::is_factor_fresh)
    }
}
