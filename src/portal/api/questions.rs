//! Questions about stand-ins: a technician asks, the sender answers in words of their own, tells the value, or declines.
//!
//! The texts may hold personal data. They are in no log, need the same second factor as content to be read, and go with the
//! snapshot.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::content::readable;
use super::page::{Page, Pages};
use super::snapshots::reach;
use super::{REASON_LIMIT, read_json, snapshot_of};
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Principal};
use crate::portal::error::ApiError;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::{Transaction, questions, snapshots, tickets};
use crate::wire::{self, QuestionState};

/// The most questions of one snapshot.
const MOST: u64 = 500;

/// The longest stand-in and the longest answer in characters.
const STAND_IN_LIMIT: usize = 200;
const ANSWER_LIMIT: usize = 2000;

/// Asks about a stand-in.
#[utoipa::path(
    post, path = "/v1/snapshots/{id}/questions", request_body = wire::NewQuestion,
    responses((status = 201, description = "It is asked", body = wire::Asked)),
    extensions(("x-problems" = json!(["not-assigned", "restricted", "expired"]))),
)]
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let snapshot = reach(&app, &principal, Action::AskQuestion, snapshot_of(&id)?).await?;
    let asked: wire::NewQuestion = read_json(body).await?;
    let asked = wire::NewQuestion {
        stand_in: text(&asked.stand_in, STAND_IN_LIMIT, char::is_control)
            .ok_or(unprocessable("The stand-in is one line of 1 to 200 characters, as it stands in the snapshot."))?,
        why: text(&asked.why, REASON_LIMIT, char::is_control)
            .ok_or(unprocessable("Say why in one line of 1 to 500 characters."))?,
    };
    readable(&app, &principal, &snapshot, Act::AskQuestion).await?;
    let (id, now) = (random_id(), app.clock.now());
    let mut transaction = begin(&app, &snapshot).await?;
    if questions::count(&mut transaction, &snapshot.tenant, &snapshot.id).await? >= MOST {
        return Err(unprocessable("A snapshot has at most 500 questions."));
    }
    let of = (&snapshot.tenant, &snapshot.id);
    questions::add(&mut transaction, of, &id, &asked, &principal.token, now).await?;
    finish(&app, transaction, &principal, &snapshot, Act::AskQuestion).await?;
    Ok((StatusCode::CREATED, Json(wire::Asked { id, asked_at: now })).into_response())
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Those in that state alone.
    #[param(inline)]
    state: Option<QuestionState>,
    /// The most items of the page; 100 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists the questions of a snapshot and whether they were answered; what was answered is told one by one.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/questions", params(Which),
    responses((status = 200, description = "A page of the list", body = wire::List<wire::Question>)),
    extensions(("x-problems" = json!(["restricted", "expired"]))),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(which) = which.map_err(|_| {
        ApiError::bad("The list can be asked for with ?state=open|declined|told|revealed, ?limit= and ?after=.")
    })?;
    let page: Page<i64> = Pages::of("questions").asked(which.limit.as_deref(), which.after.as_deref())?;
    let snapshot = reach(&app, &principal, Action::SeeQuestions, snapshot_of(&id)?).await?;
    alive(&app, &snapshot)?;
    let range = (page.after.unwrap_or(0), page.rows());
    let mut connection = app.store.read(&principal.tenant).await?;
    let rows = questions::page(&mut connection, &snapshot.tenant, &snapshot.id, which.state, range).await?;
    let path = format!("/v1/snapshots/{}/questions", snapshot.id);
    let query = [("state", which.state.map(QuestionState::word))];
    let without = |row: questions::Row| wire::Question { text: None, ..row.question };
    page.answer(rows, |row| row.number, without, (&path, &query))
}

/// Tells one question with its answer. That an answer is read is in the audit log before it leaves.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/questions/{question}",
    responses((status = 200, description = "The question", body = wire::Question)),
    extensions(("x-problems" = json!(["second-factor-needed", "not-assigned", "restricted", "expired"]))),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((id, question)): Path<(String, String)>,
) -> Result<Json<wire::Question>, ApiError> {
    let snapshot = reach(&app, &principal, Action::ReadAnswer, snapshot_of(&id)?).await?;
    readable(&app, &principal, &snapshot, Act::ReadAnswer).await?;
    let mut transaction = begin(&app, &snapshot).await?;
    let found = questions::find(&mut transaction, &snapshot.tenant, &snapshot.id, &question).await?;
    let found = found.ok_or(ApiError::QuestionUnknown)?;
    if found.text.is_some() {
        let what = (Act::ReadAnswer, On::Snapshot(&snapshot.id), Outcome::Done);
        let now = app.clock.now();
        record(&mut transaction, &snapshot.tenant, now, Actor::Token(&principal), what, None).await?;
        transaction.commit().await?;
    }
    Ok(Json(found))
}

/// Answers a question, or declines to. Told again, the newer answer takes the place of the older: who told too much can take it back.
#[utoipa::path(
    post, path = "/v1/snapshots/{id}/questions/{question}/answers", request_body = wire::NewAnswer,
    responses((status = 200, description = "It is answered", body = wire::Answered)),
    extensions(("x-problems" = json!(["restricted", "expired"]))),
)]
pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((id, question)): Path<(String, String)>,
    body: Body,
) -> Result<Json<wire::Answered>, ApiError> {
    let snapshot = reach(&app, &principal, Action::AnswerQuestion, snapshot_of(&id)?).await?;
    let told: wire::NewAnswer = read_json(body).await?;
    let (act, told) = checked(&told)?;
    readable(&app, &principal, &snapshot, act).await?;
    let now = app.clock.now();
    let mut transaction = begin(&app, &snapshot).await?;
    let found = questions::find(&mut transaction, &snapshot.tenant, &snapshot.id, &question).await?;
    let found = found.ok_or(ApiError::QuestionUnknown)?;
    questions::answer(&mut transaction, (&snapshot.tenant, &found.id), &told, &principal.token, now).await?;
    finish(&app, transaction, &principal, &snapshot, act).await?;
    Ok(Json(wire::Answered { id: found.id, state: told.answer, answered_at: now }))
}

fn checked(told: &wire::NewAnswer) -> Result<(Act, wire::NewAnswer), ApiError> {
    let act = match told.answer {
        QuestionState::Declined => Act::DeclineAnswer,
        QuestionState::Told => Act::AnswerQuestion,
        QuestionState::Revealed => Act::RevealValue,
        QuestionState::Open => return Err(unprocessable("An answer is declined, told or revealed.")),
    };
    let hostile = |c: char| c.is_control() && c != '\n';
    let given = match (&told.text, act) {
        (None, Act::DeclineAnswer) => None,
        (Some(given), Act::AnswerQuestion | Act::RevealValue) => Some(
            text(given, ANSWER_LIMIT, hostile).ok_or(unprocessable("An answer is a text of 1 to 2000 characters."))?,
        ),
        _ => return Err(unprocessable("An answer has a text, and whoever declines gives none.")),
    };
    Ok((act, wire::NewAnswer { answer: told.answer, text: given }))
}

/// The text without blanks around it; `None` when nothing is left, or too much, or it holds what it must not.
fn text(given: &str, most: usize, hostile: impl Fn(char) -> bool) -> Option<String> {
    let text = given.trim();
    let good = !text.is_empty() && text.chars().count() <= most && !text.chars().any(hostile);
    good.then(|| text.to_owned())
}

/// Refuses when the snapshot's time is over, or nobody may read it.
fn alive(app: &App, snapshot: &Snapshot) -> Result<(), ApiError> {
    match snapshot.is_readable(app.clock.now()) {
        true => Ok(()),
        false if snapshot.uploaded_at.is_none() => Err(ApiError::SnapshotUnknown),
        false if snapshot.is_held() => Err(ApiError::Restricted),
        false => Err(ApiError::Expired),
    }
}

/// Begins a transaction in which the snapshot's time is not over.
async fn begin(app: &App, snapshot: &Snapshot) -> Result<Transaction, ApiError> {
    let mut transaction = app.store.begin(&snapshot.tenant).await?;
    let still = snapshots::find(&mut transaction, &snapshot.tenant, &snapshot.id).await?;
    alive(app, &still.ok_or(ApiError::SnapshotUnknown)?)?;
    Ok(transaction)
}

/// Ends it with the record of the act, which is work on the ticket.
async fn finish(
    app: &App,
    mut transaction: Transaction,
    principal: &Principal,
    snapshot: &Snapshot,
    act: Act,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    tickets::touch(&mut transaction, &snapshot.tenant, &snapshot.ticket, now).await?;
    let what = (act, On::Snapshot(&snapshot.id), Outcome::Done);
    record(&mut transaction, &snapshot.tenant, now, Actor::Token(principal), what, None).await?;
    Ok(transaction.commit().await?)
}

const fn unprocessable(detail: &'static str) -> ApiError {
    ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
