//! To whom else a snapshot was passed on, and ending that. Passing on takes the technician's own key, which no page has.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::answer::{Refusal, done, told};
use super::form::{Form, encoded, query};
use super::frame::{Frame, page};
use super::snapshot::{known, seen};
use super::visitor::{Visitor, address};
use super::words::{When, short};
use crate::portal::api::grants;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::wire::{self, List};

#[derive(Template)]
#[template(path = "grants.html")]
struct GrantsPage {
    frame: Frame,
    id: String,
    ticket: String,
    grants: Vec<Grant>,
    next: Option<String>,
    zone: String,
    can_grant: bool,
    can_revoke: bool,
    /// The portal's address, for commands.
    portal: String,
}

struct Grant {
    id: String,
    name: String,
    fingerprint: String,
    since: When,
    revoked: Option<When>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let form = Form::of_query(asked.as_deref());
    let found = seen(&app, &visitor, id).await?;
    let id = found.id.to_string();
    let after: Vec<_> = form.filled("after").map(|after| ("after", after)).into_iter().collect();
    let answer = grants::list(State(app.clone()), visitor.0.clone(), Path(id.clone()), query(&after)?).await;
    let (part, _) = told::<List<wire::Grant>>(answer).await?;
    let zone = visitor.policy(&app).await?.zone;
    let may = |action| visitor.may(action, Object::Snapshot(&visitor.0.tenant, &found.ticket, &found.id));
    let grants = part.items.into_iter().map(|grant| Grant {
        id: grant.id,
        name: grant.name,
        fingerprint: grant.fingerprint,
        since: When::new(grant.granted_at, &zone),
        revoked: grant.revoked_at.map(|at| When::new(at, &zone)),
    });
    Ok(page(&GrantsPage {
        frame: Frame::of(&visitor, "/tickets", format!("Who else was given snapshot {}", short(&id)))
            .after(form.text("done")),
        grants: grants.collect(),
        next: part.next.map(|after| format!("/snapshots/{id}/grants?after={}", encoded(&after))),
        can_grant: may(Action::Grant),
        can_revoke: may(Action::RevokeGrant),
        portal: address(&app, &headers),
        ticket: found.ticket.to_string(),
        zone: zone.to_string(),
        id,
    })?)
}

/// Ends a grant at once.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, grant)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    done(grants::revoke(State(app), visitor.0, Path((id.clone(), grant))).await)?;
    Ok(Redirect::to(&format!("/snapshots/{}/grants?done=revoked", known(&id)?)).into_response())
}
