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
use super::holds::{self, Hold};
use super::questions::waiting;
use super::sign_in::show_code;
use super::visitor::{Visitor, address};
use super::words::{When, distance, short, size, state};
use crate::ids::FileId;
use crate::portal::api::{content, snapshots, subject_requests, withdrawal};
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::wire::subject::Statement;
use crate::wire::{self, List, SnapshotState};

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
    check_phrase: Option<String>,
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
    /// What persons said is wrong with it.
    statements: Vec<Beside>,
    /// How many questions wait for an answer, for those who may see them.
    waiting: Option<usize>,
    /// Whether the person who looks is to answer one.
    is_asked: bool,
    /// The portal's address, for commands.
    portal: String,
}

/// What the person who looks may do with the snapshot as it is.
struct Can {
    read: bool,
    hold: bool,
    extend: bool,
    withdraw: bool,
    see_readings: bool,
    see_ticket: bool,
    see_grants: bool,
}

/// A statement that stands beside the snapshot.
struct Beside {
    number: i64,
    since: When,
    text: String,
    stand_ins: Vec<String>,
}

/// A snapshot as the API tells it to the person.
pub(super) async fn seen(app: &Arc<App>, visitor: &Visitor, id: String) -> Result<wire::Snapshot, Refusal> {
    let answer = snapshots::show(State(app.clone()), visitor.0.clone(), Path(id)).await;
    Ok(told::<wire::Snapshot>(answer).await?.0)
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let after = Form::of_query(query.as_deref()).text("done").to_owned();
    let found = seen(&app, &visitor, id).await?;
    let policy = visitor.policy(&app).await?;
    let (zone, now) = (&policy.zone, app.clock.now());
    let may = |action| visitor.may(action, Object::Snapshot(&visitor.0.tenant, &found.ticket, &found.id));
    let is_stored = matches!(found.state, SnapshotState::Stored | SnapshotState::Held);
    let is_kept = is_stored || found.state == SnapshotState::Restricted;
    let can = Can {
        read: is_stored && may(Action::ReadContent),
        hold: is_kept && may(Action::Hold),
        extend: is_stored && may(Action::Extend),
        withdraw: is_kept && may(Action::Withdraw),
        see_readings: may(Action::ReadTicketAudit),
        see_ticket: visitor.may(Action::SeeTicket, Object::Ticket(&visitor.0.tenant, &found.ticket)),
        see_grants: may(Action::SeeGrants),
    };
    let id = found.id.to_string();
    let (in_force, asked) =
        if may(Action::SeeHold) { holds::of(&app, &visitor, &id, zone).await? } else { (None, None) };
    let statements = if may(Action::SeeStatements) { statements(&app, &visitor, &id).await? } else { Vec::new() };
    let waiting = if is_stored && may(Action::SeeQuestions) { Some(waiting(&app, &visitor, &id).await?) } else { None };
    let when = |at| When::new(at, zone);
    Ok(page(&SnapshotPage {
        frame: Frame::of(&visitor, "/tickets", format!("Snapshot {}", short(&id))).after(&after),
        ticket: found.ticket.to_string(),
        state: state(found.state),
        is_deleted: found.state == SnapshotState::Deleted,
        is_arriving: found.state == SnapshotState::Uploading,
        size: size(found.size),
        sha256: found.sha256,
        check_phrase: found.check_phrase,
        uploaded: found.uploaded_at.map(when),
        due: found.due_at.map(|at| (when(at), distance(at, now))),
        now: now.seconds(),
        deleted: found.deleted_at.map(when),
        review: found.review_at.map(when),
        reads: found.reads,
        can,
        wants_code: !visitor.is_factor_fresh(),
        in_force,
        asked,
        bases: holds::bases(),
        most_days: policy.extension_days,
        statements: statements
            .into_iter()
            .map(|statement| Beside {
                number: statement.number,
                since: when(statement.since),
                text: statement.statement.to_string(),
                stand_ins: statement.stand_ins.iter().map(|text| text.to_string()).collect(),
            })
            .collect(),
        is_asked: waiting > Some(0) && may(Action::AnswerQuestion),
        waiting,
        portal: address(&app, &headers),
        zone: zone.to_string(),
        id,
    })?)
}

/// What persons asked to have stand beside the snapshot.
async fn statements(app: &Arc<App>, visitor: &Visitor, id: &str) -> Result<Vec<Statement>, Refusal> {
    let answer = subject_requests::statements(State(app.clone()), visitor.0.clone(), Path(id.to_owned())).await;
    Ok(told::<List<Statement>>(answer).await?.0.items)
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

/// Leads back to the page of a snapshot, which says what was done.
pub(super) fn back(id: &str, word: &str) -> Result<Response, Refusal> {
    Ok(Redirect::to(&format!("/snapshots/{}?done={word}", known(id)?)).into_response())
}

/// An id out of a path, as an id: nothing else is written into an address or a file's name.
pub(super) fn known(id: &str) -> Result<FileId, ApiError> {
    id.parse().map_err(|_| ApiError::SnapshotUnknown)
}
