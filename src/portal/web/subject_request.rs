//! One request of a person concerned: how it stands, what it is about, deciding it, and the answer to take along.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use super::answer::{Refusal, accepting, kept, told};
use super::form::{Form, query};
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::{self, When, distance, short};
use crate::portal::api::subject_requests;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::wire::subject::{Concerned, Ground, LongerBecause, Standing, SubjectKind, SubjectRequest, SubjectState};

const HERE: &str = "/subject-requests";

#[derive(Template)]
#[template(path = "subject_request.html")]
struct RequestPage {
    frame: Frame,
    id: String,
    kind: &'static str,
    articles: (&'static str, &'static str),
    state: &'static str,
    standing: Option<&'static str>,
    received: When,
    /// The last instant for the answer, and how long it is until then.
    due: (When, String),
    is_ended: bool,
    longer: Option<&'static str>,
    decided: Option<When>,
    ended: Option<When>,
    lifted: Option<When>,
    ground: Option<(&'static str, &'static str)>,
    reference: Option<String>,
    statement: Option<String>,
    snapshots: Vec<Row>,
    zone: String,
    /// What follows when it is granted.
    follows: &'static str,
    /// Whether the person who looks handles requests, and has to show their code for it.
    can_handle: bool,
    wants_code: bool,
    can: Can,
    grounds: Vec<(&'static str, &'static str, &'static str)>,
    reasons: Vec<(&'static str, &'static str)>,
}

/// What can be done about the request as it is.
struct Can {
    decide: bool,
    refuse: bool,
    extend: bool,
    finish: bool,
    lift: bool,
    export: bool,
}

struct Row {
    id: String,
    short: String,
    ticket: Option<String>,
    state: &'static str,
    is_blocked: bool,
    is_held: bool,
    stand_ins: Vec<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let word = Form::of_query(asked.as_deref()).text("done").to_owned();
    let answer = subject_requests::show(State(app.clone()), visitor.0.clone(), Path(id)).await;
    let (request, _) = told::<SubjectRequest>(answer).await?;
    let (zone, now) = (visitor.policy(&app).await?.zone, app.clock.now());
    let when = |at| When::new(at, &zone);
    let (kind_of, is_received) = (request.kind, request.state == SubjectState::Received);
    let is_decided = request.state == SubjectState::Decided;
    let can_handle = visitor.may(Action::HandleRequests, Object::Tenant);
    let can = Can {
        decide: is_received,
        refuse: is_received || is_decided && kind_of == SubjectKind::Deletion,
        extend: request.ended_at.is_none() && request.longer.is_none() && now <= request.due_at,
        finish: is_decided,
        lift: matches!(kind_of, SubjectKind::Blocking | SubjectKind::Revocation)
            && request.decided_at.is_some()
            && request.lifted_at.is_none(),
        export: request.decided_at.is_some(),
    };
    let grounds = Ground::ALL.iter().filter(|ground| ground.fits(kind_of));
    Ok(page(&RequestPage {
        frame: Frame::of(&visitor, HERE, format!("Request {}: {}", request.number, kind(kind_of))).after(&word),
        kind: kind(kind_of),
        articles: kind_of.articles(),
        state: state(request.state),
        standing: standing(request.standing),
        received: when(request.received_at),
        due: (when(request.due_at), distance(request.due_at, now)),
        is_ended: request.ended_at.is_some(),
        longer: request.longer.map(longer),
        decided: request.decided_at.map(when),
        ended: request.ended_at.map(when),
        lifted: request.lifted_at.map(when),
        ground: request.ground.map(|one| (ground(one), one.article())),
        reference: request.reference.map(|text| text.to_string()),
        statement: request.statement.map(|text| text.to_string()),
        snapshots: request.snapshots.into_iter().flatten().map(row).collect(),
        follows: follows(kind_of),
        can_handle,
        wants_code: can_handle && !visitor.is_factor_fresh(),
        can,
        grounds: grounds.map(|one| (one.word(), ground(*one), one.article())).collect(),
        reasons: LongerBecause::ALL.iter().map(|one| (one.word(), longer(*one))).collect(),
        zone: zone.to_string(),
        id: request.id,
    })?)
}

fn row(one: Concerned) -> Row {
    let id = one.snapshot.to_string();
    Row {
        short: short(&id).to_owned(),
        ticket: one.ticket.map(|ticket| ticket.to_string()),
        state: one.state.map_or("never arrived", words::state),
        is_blocked: one.blocked,
        is_held: one.held,
        stand_ins: one.stand_ins.iter().map(|text| text.to_string()).collect(),
        id,
    }
}

pub(super) async fn decide(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    acted(subject_requests::decide(State(app), visitor.0, Path(id)).await, "decided")
}

pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let asked = Body::from(json!({ "ground": Form::read(body).await?.text("ground") }).to_string());
    acted(subject_requests::refuse(State(app), visitor.0, Path(id), asked).await, "refused")
}

pub(super) async fn extend(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let asked = Body::from(json!({ "because": Form::read(body).await?.text("because") }).to_string());
    acted(subject_requests::extend(State(app), visitor.0, Path(id), asked).await, "longer")
}

pub(super) async fn finish(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    acted(subject_requests::finish(State(app), visitor.0, Path(id)).await, "finished")
}

pub(super) async fn lift(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    acted(subject_requests::lift(State(app), visitor.0, Path(id)).await, "unblocked")
}

/// Leads back to the request, which says what was done.
fn acted(answer: Result<axum::Json<SubjectRequest>, ApiError>, word: &str) -> Result<Response, Refusal> {
    let axum::Json(request) = answer?;
    Ok(Redirect::to(&format!("{HERE}/{}?done={word}", request.id)).into_response())
}

/// Gives what the portal knows: as a letter to read and print, or as JSON to take along.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let form = Form::of_query(asked.as_deref());
    let named: Vec<_> = form.filled("names").map(|_| ("names", "true")).into_iter().collect();
    let is_letter = form.text("as") == "letter";
    let accept = accepting(is_letter);
    let answer = subject_requests::export(State(app), visitor.0, Path(id.clone()), query(&named)?, accept).await?;
    kept(answer.into_response(), (!is_letter).then(|| format!("request-{}.json", short(&id))))
}

/// What is asked for, as people say it.
pub(super) const fn kind(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Information => "what is kept about the person",
        SubjectKind::Correction => "a correction",
        SubjectKind::Deletion => "deletion",
        SubjectKind::Blocking => "blocking",
        SubjectKind::Portability => "data to take along",
        SubjectKind::Revocation => "consent is taken back",
    }
}

/// What follows when it is granted.
const fn follows(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Information | SubjectKind::Portability => {
            "What the portal knows can then be exported. The sender adds its own rows (tarseal subject export)."
        }
        SubjectKind::Correction => {
            "The statement then stands beside the snapshots until they are gone. What is sealed is not changed."
        }
        SubjectKind::Deletion => {
            "From that moment nobody reads the snapshots, and their deletion begins. What a hold keeps stays closed to \
             everyone and goes when the hold is lifted. It cannot be called back."
        }
        SubjectKind::Blocking => {
            "From that moment nobody reads the snapshots or an answer, or is given a part of their keys. Their deadlines \
             run on: for evidence that must stay, ask for a hold."
        }
        SubjectKind::Revocation => {
            "From that moment nobody reads the snapshots, and whatever was passed on of them is revoked."
        }
    }
}

/// How far a request is.
pub(super) const fn state(state: SubjectState) -> &'static str {
    match state {
        SubjectState::Received => "to be decided",
        SubjectState::Decided => "granted, to be answered",
        SubjectState::Done => "done",
        SubjectState::Refused => "refused",
    }
}

/// How it stands in time, while that matters.
pub(super) const fn standing(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::InTime => Some("in time"),
        Standing::Near => Some("a week or less is left"),
        Standing::Late => Some("late"),
        Standing::Ended => None,
    }
}

const fn longer(because: LongerBecause) -> &'static str {
    match because {
        LongerBecause::Complexity => "it is complex",
        LongerBecause::Number => "there are many requests",
    }
}

const fn ground(ground: Ground) -> &'static str {
    match ground {
        Ground::NotIdentified => "who asks cannot be identified",
        Ground::NotConcerned => "nothing about the person is here",
        Ground::Unfounded => "it is manifestly unfounded",
        Ground::Excessive => "it is excessive",
        Ground::RightsOfOthers => "the rights of others would suffer",
        Ground::Accurate => "what is kept is right",
        Ground::LegalObligation => "another law demands that it is kept",
        Ground::LegalClaim => "it is needed for legal claims",
        Ground::StillNeeded => "it is still needed for what it was collected for",
        Ground::NoCaseOfBlocking => "none of the cases of blocking applies",
        Ground::NotPortable => "it does not rest on consent or contract",
        Ground::NoConsent => "it does not rest on consent",
        Ground::RestrictedByLaw => "a law restricts the right",
    }
}
