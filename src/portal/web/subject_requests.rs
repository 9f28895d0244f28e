//! What persons concerned asked for: the list, and taking a new one in.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use zeroize::Zeroizing;

use super::answer::{Refusal, problem, sentence, told};
use super::form::{Form, encoded, query};
use super::frame::{Frame, page};
use super::subject_request::{kind, standing, state};
use super::visitor::Visitor;
use super::words::When;
use crate::ids::{FileId, TicketId};
use crate::portal::api::subject_requests;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object, authorize};
use crate::portal::error::ApiError;
use crate::wire::List;
use crate::wire::subject::{About, NewSubjectRequest, SubjectKind, SubjectRequest, SubjectState};

const HERE: &str = "/subject-requests";

#[derive(Template)]
#[template(path = "subject_requests.html")]
struct RequestsPage {
    frame: Frame,
    /// Which are shown: the word of a state, or `all`.
    shown: &'static str,
    states: Vec<(&'static str, &'static str)>,
    rows: Vec<Row>,
    next: Option<String>,
    zone: String,
    can_handle: bool,
}

struct Row {
    id: String,
    number: i64,
    kind: &'static str,
    state: &'static str,
    /// How it stands in time, while it is not ended.
    standing: Option<&'static str>,
    received: When,
    due: When,
    ended: Option<When>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let form = Form::of_query(asked.as_deref());
    let shown = SubjectState::from_word(form.text("state"));
    let mut wanted = Vec::new();
    wanted.extend(shown.map(|state| ("state", state.word())));
    wanted.extend(form.filled("after").map(|after| ("after", after)));
    let answer = subject_requests::list(State(app.clone()), visitor.0.clone(), query(&wanted)?).await;
    let (part, _) = told::<List<SubjectRequest>>(answer).await?;
    let zone = visitor.policy(&app).await?.zone;
    let shown = shown.map_or("all", SubjectState::word);
    let rows = part.items.into_iter().map(|request| Row {
        number: request.number,
        kind: kind(request.kind),
        state: state(request.state),
        standing: standing(request.standing),
        received: When::new(request.received_at, &zone),
        due: When::new(request.due_at, &zone),
        ended: request.ended_at.map(|at| When::new(at, &zone)),
        id: request.id,
    });
    Ok(page(&RequestsPage {
        frame: Frame::of(&visitor, HERE, "Requests of persons"),
        rows: rows.collect(),
        states: std::iter::once(("all", "all"))
            .chain(SubjectState::ALL.iter().map(|one| (one.word(), state(*one))))
            .collect(),
        next: part.next.map(|after| format!("{HERE}?state={shown}&after={}", encoded(&after))),
        can_handle: visitor.may(Action::HandleRequests, Object::Tenant),
        zone: zone.to_string(),
        shown,
    })?)
}

#[derive(Template)]
#[template(path = "new_subject_request.html")]
struct NewPage<'a> {
    frame: Frame,
    kinds: Vec<(&'static str, &'static str)>,
    /// What was typed before it was refused, and why it was.
    typed: Option<&'a Form>,
    fault: Option<String>,
}

impl NewPage<'_> {
    fn value(&self, name: &str) -> &str {
        self.typed.map_or("", |form| form.text(name))
    }
}

fn new_page<'a>(visitor: &Visitor, typed: Option<&'a Form>, fault: Option<String>) -> NewPage<'a> {
    let kinds = SubjectKind::ALL.iter().map(|one| (one.word(), kind(*one))).collect();
    NewPage { frame: Frame::of(visitor, HERE, "Take a request in"), kinds, typed, fault }
}

/// The form, to whoever may send it: the code is asked for before something is typed.
pub(super) async fn ask(visitor: Visitor) -> Result<Response, Refusal> {
    authorize(&visitor.0, Action::HandleRequests, Object::Tenant)?;
    Ok(page(&new_page(&visitor, None, None))?)
}

/// Takes a request in. What was typed stays where it is when it is refused.
pub(super) async fn lodge(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    authorize(&visitor.0, Action::HandleRequests, Object::Tenant)?;
    let form = Form::read(body).await?;
    let lodged = match new_request(&form).and_then(|new| serde_json::to_vec(&new).map_err(ApiError::fault)) {
        Ok(new) => subject_requests::lodge(State(app), visitor.0.clone(), Body::from(new)).await.map(|told| told.1.0),
        Err(fault) => Err(fault),
    };
    match lodged {
        Ok(lodged) => Ok(Redirect::to(&format!("{HERE}/{}?done=lodged", lodged.id)).into_response()),
        Err(fault) => {
            let (status, problem) = problem(fault.into()).await;
            let fault = format!("{}. {}", sentence(&problem.title), problem.detail);
            let mut response = page(&new_page(&visitor, Some(&form), Some(fault)))?;
            *response.status_mut() = status;
            Ok(response)
        }
    }
}

/// The request that a form holds: as the sender's program wrote it, or field by field.
fn new_request(form: &Form) -> Result<NewSubjectRequest, ApiError> {
    let secret = |name: &str| Some(form.lines(name)).filter(|text| !text.is_empty()).map(Zeroizing::new);
    if let Some(written) = form.filled("file") {
        let mut new: NewSubjectRequest = serde_json::from_str(written)
            .map_err(|_| ApiError::bad("This is not what \"tarseal subject find -o\" writes: paste the whole file."))?;
        new.reference = secret("reference").or(new.reference);
        return Ok(new);
    }
    let kind = SubjectKind::from_word(form.text("kind")).ok_or(ApiError::bad("Choose what is asked for."))?;
    let day = form.filled("received_at").map(str::parse).transpose();
    Ok(NewSubjectRequest {
        kind,
        received_at: day.map_err(|_| ApiError::bad("The day of the receipt is none."))?,
        reference: secret("reference"),
        statement: secret("statement"),
        about: form.lines("about").lines().filter_map(about).collect::<Result<_, _>>()?,
    })
}

/// Where a person occurs, as a line says it: the ticket, then the snapshot if it is one alone, then what stands for the person.
/// `None` for an empty line.
fn about(line: &str) -> Option<Result<About, ApiError>> {
    let mut words = line.split_whitespace().peekable();
    let ticket: TicketId = match words.next()?.parse() {
        Ok(ticket) => ticket,
        Err(_) => return Some(Err(ApiError::bad("A line begins with the name of a ticket."))),
    };
    let snapshot: Option<FileId> = words.peek().and_then(|word| word.parse().ok());
    if snapshot.is_some() {
        words.next();
    }
    Some(Ok(About { ticket, snapshot, stand_ins: words.map(|word| Zeroizing::new(word.to_owned())).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_a_person_occurs() {
        let read = |line: &str| {
            let About { ticket, snapshot, stand_ins } = about(line)?.ok()?;
            let snapshot = snapshot.map(|id| id.to_string()).unwrap_or_default();
            Some(format!(
                "{ticket}|{snapshot}|{}",
                stand_ins.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(",")
            ))
        };
        let id = "00112233445566778899aabbccddeeff";
        assert_eq!(read("4711").as_deref(), Some("4711||"));
        assert_eq!(read("  4711  person-17 u-4@d-3.invalid ").as_deref(), Some("4711||person-17,u-4@d-3.invalid"));
        assert_eq!(read(&format!("4711 {id} person-17")), Some(format!("4711|{id}|person-17")));
        assert!(about("  ").is_none());
        assert!(about("<b> person-1").is_some_and(|told| told.is_err()));
    }
}
