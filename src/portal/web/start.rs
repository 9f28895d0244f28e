//! What comes next when a portal is new, for its administrator: what is done, and what is not.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::answer::{Refusal, accepting, told};
use super::form::query;
use super::frame::{Frame, page};
use super::people::everyone;
use super::visitor::Visitor;
use crate::portal::api::{records, tickets};
use crate::portal::app::App;
use crate::portal::auth::{Action, Object, Role};
use crate::portal::error::ApiError;
use crate::records::Version;
use crate::wire::{List, ListedTicket};

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    frame: Frame,
    has_technician: bool,
    has_lead: bool,
    has_officer: bool,
    missing: usize,
    days: (u16, u16),
    has_ticket: bool,
}

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Refusal> {
    if !visitor.may(Action::ManageUsers, Object::Tenant) {
        return Err(ApiError::NotAllowed.into());
    }
    let people = everyone(&app, &visitor).await?;
    let has = |role| people.iter().any(|user| user.role == role && user.disabled.is_none());
    let nothing: [(&str, &str); 0] = [];
    let record = records::show(State(app.clone()), visitor.0.clone(), query(&nothing)?, accepting(false)).await;
    let record = told::<Version>(record).await?.0.record;
    let found = tickets::list(State(app.clone()), visitor.0.clone(), query(&[("limit", "1")])?).await;
    let has_ticket = !told::<List<ListedTicket>>(found).await?.0.items.is_empty();
    let policy = visitor.policy(&app).await?;
    Ok(page(&StartPage {
        frame: Frame::of(&visitor, "/start", "What comes next"),
        has_technician: has(Role::Technician),
        has_lead: has(Role::Lead),
        has_officer: has(Role::Dpo),
        missing: record.missing.len(),
        days: (policy.after_close_days, policy.hard_cap_days),
        has_ticket,
    })?)
}
