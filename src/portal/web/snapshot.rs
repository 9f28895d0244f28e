//! One snapshot: until when it is kept, what may be done about that, and its sealed bytes for those who may read them.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use super::answer::{Refusal, done, told};
use super::form::Form;
use super::frame::{Frame, page};
use super::sign_in::show_code;
use super::visitor::Visitor;
use super::words::{When, distance, short, size, state};
use crate::ids::FileId;
use crate::portal::api::{content, holds, snapshots, withdrawal};
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::track::hold::Basis;
use crate::track::policy::Zone;
use crate::wire::{self, SnapshotState};

#[derive(Template)]
#[template(path = "snapshot.html")]
struct SnapshotPage {
    frame: Frame,
    id: String,
    ticket: String,
    state: &'static str,
    is_deleted: bool,
    is_arriving: bool,
    size: String,
    sha256: String,
    uploaded: Option<When>,
    due: Option<(When, String)>,
    /// The portal's present instant in seconds: the reader's clock may be another.
    now: i64,
    deleted: Option<When>,
    review: Option<When>,
    reads: u64,
    zone: String,
    can: Can,
    wants_code: bool,
    in_force: Option<Hold>,
    asked: Option<Hold>,
    bases: Vec<(&'static str, &'static str)>,
    most_days: u16,
}

/// What the person who looks may do with the snapshot as it is.
struct Can {
    read: bool,
    hold: bool,
    extend: bool,
    withdraw: bool,
    see_readings: bool,
}

struct Hold {
    id: String,
    basis: &'static str,
    reason: String,
    review: When,
    since: When,
    is_lift_asked: bool,
}

/// What allows a hold, in the word of the API and in those of people.
const BASES: [(Basis, &str); 5] = [
    (Basis::LegalClaim, "a legal claim"),
    (Basis::LegalObligation, "a legal obligation"),
    (Basis::AuthorityOrder, "an authority's order"),
    (Basis::SubjectRestriction, "a person asked for restriction"),
    (Basis::BreachRecord, "the record of a breach"),
];

fn basis(word: &str) -> &'static str {
    BASES.iter().find(|(basis, _)| basis.word() == word).map_or("another reason", |(_, text)| text)
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let after = Form::of_query(query.as_deref()).text("done").to_owned();
    let principal = &visitor.0;
    let found = snapshots::show(State(app.clone()), principal.clone(), Path(id)).await;
    let (found, _) = told::<wire::Snapshot>(found).await?;
    let policy = app.policy(&mut *app.store.read().await.map_err(ApiError::from)?, &principal.tenant).await;
    let policy = policy.map_err(ApiError::from)?;
    let (zone, now) = (&policy.zone, app.clock.now());
    let may = |action| visitor.may(action, Object::Snapshot(&principal.tenant, &found.ticket, &found.id));
    let is_stored = matches!(found.state, SnapshotState::Stored | SnapshotState::Held);
    let is_kept = is_stored || found.state == SnapshotState::Restricted;
    let can = Can {
        read: is_stored && may(Action::ReadContent),
        hold: is_kept && may(Action::Hold),
        extend: is_stored && may(Action::Extend),
        withdraw: is_kept && may(Action::Withdraw),
        see_readings: may(Action::ReadTicketAudit),
    };
    let holds = if may(Action::SeeHold) {
        let answer = holds::show(State(app.clone()), principal.clone(), Path(found.id.to_string())).await;
        told::<wire::Holds>(answer).await?.0
    } else {
        wire::Holds { in_force: None, asked: None }
    };
    let when = |at| When::new(at, zone);
    let id = found.id.to_string();
    Ok(page(&SnapshotPage {
        frame: Frame::of(&visitor, "/tickets", format!("Snapshot {}", short(&id))).after(&after),
        ticket: found.ticket.to_string(),
        state: state(found.state),
        is_deleted: found.state == SnapshotState::Deleted,
        is_arriving: found.state == SnapshotState::Uploading,
        size: size(found.size),
        sha256: found.sha256,
        uploaded: found.uploaded_at.map(when),
        due: found.due_at.map(|at| (when(at), distance(at, now))),
        now: now.seconds(),
        deleted: found.deleted_at.map(when),
        review: found.review_at.map(when),
        reads: found.reads,
        can,
        wants_code: !visitor.is_factor_fresh(),
        in_force: holds.in_force.map(|hold| told_hold(hold, zone)),
        asked: holds.asked.map(|hold| told_hold(hold, zone)),
        bases: BASES.iter().map(|(basis, text)| (basis.word(), *text)).collect(),
        most_days: policy.extension_days,
        zone: zone.to_string(),
        id,
    })?)
}

fn told_hold(hold: wire::Hold, zone: &Zone) -> Hold {
    Hold {
        id: hold.id,
        basis: basis(&hold.basis),
        reason: hold.reason,
        review: When::new(hold.review_at, zone),
        since: When::new(hold.confirmed_at.unwrap_or(hold.asked_at), zone),
        is_lift_asked: hold.lift_asked_at.is_some(),
    }
}

/// Gives the sealed bytes to whoever says why, and has shown their code lately or does so now.
pub(super) async fn download(
    State(app): State<Arc<App>>,
    mut visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let reason = form.reason()?;
    if let Some(code) = form.filled("code") {
        visitor = show_code(&app, &visitor, code).await?;
    }
    let answer = content::read(State(app), visitor.0, Path(id.clone()), Method::GET, reason).await?;
    let mut response = answer.into_response();
    let name = format!("attachment; filename=\"{}.tarseal\"", known(&id)?);
    let name = HeaderValue::try_from(name).map_err(ApiError::fault)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// Asks for a hold, or confirms the one that another person asked for.
pub(super) async fn hold(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let (asked, word) = match form.filled("confirms") {
        Some(hold) => (json!({ "confirms": hold }), "hold-confirmed"),
        None => {
            let (basis, reason, day) = (form.text("basis"), form.text("reason"), form.text("review_at"));
            (json!({ "basis": basis, "reason": reason, "review_at": day }), "hold-asked")
        }
    };
    done(holds::put(State(app), visitor.0, Path(id.clone()), Body::from(asked.to_string())).await)?;
    back(&id, word)
}

/// Asks for the lifting of a hold, or lifts it when another person has asked.
pub(super) async fn lift(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let reason = Form::read(body).await?.reason()?;
    let (status, _) = holds::lift(State(app), visitor.0, Path(id.clone()), reason).await?;
    back(&id, if status == axum::http::StatusCode::OK { "lifted" } else { "lift-asked" })
}

pub(super) async fn extend(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let reason = form.reason()?;
    let asked = Body::from(json!({ "days": form.number::<u16>("days")? }).to_string());
    done(withdrawal::extend(State(app), visitor.0, Path(id.clone()), reason, asked).await)?;
    back(&id, "extended")
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let reason: HeaderMap = Form::read(body).await?.reason()?;
    done(withdrawal::withdraw(State(app), visitor.0, Path(id.clone()), reason).await)?;
    back(&id, "withdrawn")
}

fn back(id: &str, word: &str) -> Result<Response, Refusal> {
    Ok(Redirect::to(&format!("/snapshots/{}?done={word}", known(id)?)).into_response())
}

/// An id out of a path, as an id: nothing else is written into an address or a file's name.
pub(super) fn known(id: &str) -> Result<FileId, ApiError> {
    id.parse().map_err(|_| ApiError::SnapshotUnknown)
}
