//! Questions about stand-ins: what was asked about a snapshot, one with its answer, asking and answering.
//!
//! Who a stand-in is, the portal does not know: the sender's program says it, on the sender's computer.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use super::answer::{Refusal, done, told};
use super::form::{Form, encoded, query};
use super::frame::{Frame, page};
use super::snapshot::{known, seen};
use super::visitor::Visitor;
use super::words::{When, short};
use crate::portal::api::questions;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::track::policy::Zone;
use crate::wire::{self, List, QuestionState};

#[derive(Template)]
#[template(path = "questions.html")]
struct QuestionsPage {
    frame: Frame,
    id: String,
    ticket: String,
    questions: Vec<Question>,
    next: Option<String>,
    zone: String,
    can_ask: bool,
    can_read: bool,
    can_answer: bool,
}

#[derive(Template)]
#[template(path = "question.html")]
struct QuestionPage {
    frame: Frame,
    id: String,
    ticket: String,
    question: Question,
    zone: String,
    can_answer: bool,
}

/// A question as people read it.
struct Question {
    id: String,
    stand_in: String,
    why: String,
    asked: When,
    state: &'static str,
    is_open: bool,
    answered: Option<When>,
    text: Option<String>,
}

impl Question {
    fn new(question: wire::Question, zone: &Zone) -> Self {
        Self {
            id: question.id,
            stand_in: question.stand_in,
            why: question.why,
            asked: When::new(question.asked_at, zone),
            is_open: question.state == QuestionState::Open,
            state: match question.state {
                QuestionState::Open => "waits for an answer",
                QuestionState::Declined => "the sender does not tell",
                QuestionState::Told => "answered in words",
                QuestionState::Revealed => "the value was told",
            },
            answered: question.answered_at.map(|at| When::new(at, zone)),
            text: question.text,
        }
    }
}

/// What was asked about a snapshot. The answers are told one by one.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let form = Form::of_query(asked.as_deref());
    let found = seen(&app, &visitor, id).await?;
    let id = found.id.to_string();
    let after: Vec<_> = form.filled("after").map(|after| ("after", after)).into_iter().collect();
    let answer = questions::list(State(app.clone()), visitor.0.clone(), Path(id.clone()), query(&after)?).await;
    let (part, _) = told::<List<wire::Question>>(answer).await?;
    let zone = visitor.policy(&app).await?.zone;
    let may = |action| visitor.may(action, Object::Snapshot(&visitor.0.tenant, &found.ticket, &found.id));
    Ok(page(&QuestionsPage {
        frame: Frame::of(&visitor, "/tickets", format!("Questions about snapshot {}", short(&id)))
            .after(form.text("done")),
        questions: part.items.into_iter().map(|question| Question::new(question, &zone)).collect(),
        next: part.next.map(|after| format!("/snapshots/{id}/questions?after={}", encoded(&after))),
        can_ask: may(Action::AskQuestion),
        can_read: may(Action::ReadAnswer),
        can_answer: may(Action::AnswerQuestion),
        ticket: found.ticket.to_string(),
        zone: zone.to_string(),
        id,
    })?)
}

/// How many questions about a snapshot wait for an answer.
pub(super) async fn waiting(app: &Arc<App>, visitor: &Visitor, id: &str) -> Result<usize, Refusal> {
    let which = query(&[("state", QuestionState::Open.word()), ("limit", "1000")])?;
    let answer = questions::list(State(app.clone()), visitor.0.clone(), Path(id.to_owned()), which).await;
    Ok(told::<List<wire::Question>>(answer).await?.0.items.len())
}

/// One question with its answer, to whoever has shown their code lately. That it was read is written down.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, question)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let answer = questions::show(State(app.clone()), visitor.0.clone(), Path((id.clone(), question))).await;
    let (question, _) = told::<wire::Question>(answer).await?;
    let found = seen(&app, &visitor, id).await?;
    let zone = visitor.policy(&app).await?.zone;
    let of = Object::Snapshot(&visitor.0.tenant, &found.ticket, &found.id);
    Ok(page(&QuestionPage {
        frame: Frame::of(&visitor, "/tickets", "A question and its answer"),
        can_answer: visitor.may(Action::AnswerQuestion, of),
        question: Question::new(question, &zone),
        id: found.id.to_string(),
        ticket: found.ticket.to_string(),
        zone: zone.to_string(),
    })?)
}

/// Asks about a stand-in.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let asked = json!({ "stand_in": form.text("stand_in"), "why": form.text("why") });
    done(questions::ask(State(app), visitor.0, Path(id.clone()), Body::from(asked.to_string())).await)?;
    back(&id, "asked")
}

/// Answers a question, or declines to.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, question)): Path<(String, String)>,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let mut given = json!({ "answer": form.text("answer") });
    if form.filled("text").is_some() {
        given["text"] = form.lines("text").into();
    }
    let given = Body::from(given.to_string());
    done(questions::answer(State(app), visitor.0, Path((id.clone(), question)), given).await)?;
    back(&id, "answered")
}

fn back(id: &str, word: &str) -> Result<Response, Refusal> {
    Ok(Redirect::to(&format!("/snapshots/{}/questions?done={word}", known(id)?)).into_response())
}
