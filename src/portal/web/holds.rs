//! The hold of a snapshot: asked for by one person, confirmed by a second, and lifted in the same way.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer::{Refusal, done, told};
use super::form::Form;
use super::snapshot::back;
use super::visitor::Visitor;
use super::words::When;
use crate::portal::api::holds;
use crate::portal::app::App;
use crate::track::hold::Basis;
use crate::track::policy::Zone;
use crate::wire;

/// A hold as people read it.
pub(super) struct Hold {
    pub(super) id: String,
    pub(super) basis: &'static str,
    pub(super) reason: String,
    pub(super) review: When,
    pub(super) since: When,
    pub(super) is_lift_asked: bool,
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

/// The words for what allows a hold: that of the API, and those of people.
pub(super) fn bases() -> Vec<(&'static str, &'static str)> {
    BASES.iter().map(|(basis, text)| (basis.word(), *text)).collect()
}

/// The hold that is in force, and the one that waits for a second person.
pub(super) async fn of(
    app: &Arc<App>,
    visitor: &Visitor,
    id: &str,
    zone: &Zone,
) -> Result<(Option<Hold>, Option<Hold>), Refusal> {
    let answer = holds::show(State(app.clone()), visitor.0.clone(), Path(id.to_owned())).await;
    let (holds, _) = told::<wire::Holds>(answer).await?;
    Ok((holds.in_force.map(|hold| told_hold(hold, zone)), holds.asked.map(|hold| told_hold(hold, zone))))
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
    back(&id, if status == StatusCode::OK { "lifted" } else { "lift-asked" })
}
