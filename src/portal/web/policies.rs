//! The rules of deletion: what is in force, what a change would move, and approving one.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, done, told};
use super::form::Form;
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::{When, counted, short};
use crate::clock::Timestamp;
use crate::portal::api::policies;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::track::RetentionPolicy;

const HERE: &str = "/policy";

/// The numbers of a policy with what each means, in the order of the form.
const NUMBERS: [(&str, &str); 10] = [
    ("after_close_days", "Days a snapshot is kept after its ticket was closed"),
    ("hard_cap_days", "Days after which it is gone whatever happens"),
    ("extensions", "How often one deadline may be moved on"),
    ("extension_days", "By how many days at most each time"),
    ("inactivity_days", "Days of silence after which an open ticket is asked about"),
    ("answer_days", "Days an answer to that is waited for"),
    ("logs_days", "Days the portal's own logs are kept"),
    ("audit_days", "Days names and reasons stay in the audit log"),
    ("backup_horizon_days", "Days a backup may still hold what was deleted"),
    ("requests_days", "Days what a person asked for is kept after the answer"),
];

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    frame: Frame,
    version: u32,
    zone: String,
    /// The rules in force, and beside them those proposed, where they differ.
    rules: Vec<Rule>,
    proposal: Option<Proposal>,
    /// What the form holds.
    fields: Vec<Field>,
    new_zone: String,
    can_propose: bool,
    can_approve: bool,
    preview: Option<Shown>,
}

struct Rule {
    text: &'static str,
    in_force: u64,
    proposed: Option<u64>,
}

struct Proposal {
    id: String,
    at: When,
    zone: Option<String>,
}

struct Field {
    name: &'static str,
    text: &'static str,
    value: String,
}

/// What a change would move.
struct Shown {
    earlier: String,
    later: String,
    at_once: u64,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    short: String,
    ticket: String,
    due: Option<When>,
    then: When,
}

#[derive(Deserialize)]
struct Policies {
    in_force: RetentionPolicy,
    proposed: Option<Proposed>,
}

#[derive(Deserialize)]
struct Proposed {
    id: String,
    policy: RetentionPolicy,
    proposed_at: Timestamp,
}

#[derive(Deserialize)]
struct Preview {
    earlier: u64,
    later: u64,
    at_once: u64,
    snapshots: Vec<Moved>,
}

#[derive(Deserialize)]
struct Moved {
    id: String,
    ticket: String,
    due_at: Option<Timestamp>,
    would_be_due_at: Timestamp,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let word = Form::of_query(query.as_deref()).text("done").to_owned();
    shown(&app, &visitor, &word, None).await
}

/// The page, with what a change would move when one was tried.
async fn shown(
    app: &Arc<App>,
    visitor: &Visitor,
    word: &str,
    tried: Option<(Form, Preview)>,
) -> Result<Response, Refusal> {
    let (policies, _) = told::<Policies>(policies::show(State(app.clone()), visitor.0.clone()).await).await?;
    let zone = policies.in_force.zone.clone();
    let in_force = serde_json::to_value(&policies.in_force).map_err(ApiError::fault)?;
    let proposed = policies.proposed.as_ref().map(|proposed| serde_json::to_value(&proposed.policy));
    let proposed = proposed.transpose().map_err(ApiError::fault)?;
    let rules = NUMBERS.iter().map(|(name, text)| {
        let value = |policy: &Value| policy[*name].as_u64().unwrap_or_default();
        let now = value(&in_force);
        let then = proposed.as_ref().map(value).filter(|then| *then != now);
        Rule { text, in_force: now, proposed: then }
    });
    let typed = |name: &str| tried.as_ref().map(|(form, _)| form.text(name).to_owned());
    let fields = NUMBERS.iter().map(|(name, text)| {
        let value = typed(name).unwrap_or_else(|| in_force[*name].to_string());
        Field { name, text, value }
    });
    // What would be counted is said by the calendar that would count it.
    let new_zone = typed("zone").and_then(|name| name.parse().ok()).unwrap_or_else(|| zone.clone());
    Ok(page(&PolicyPage {
        frame: Frame::of(visitor, HERE, "Deletion rules").after(word),
        version: policies.in_force.version,
        rules: rules.collect(),
        fields: fields.collect(),
        new_zone: typed("zone").unwrap_or_else(|| zone.to_string()),
        can_propose: visitor.may(Action::ProposePolicy, Object::Tenant),
        can_approve: visitor.may(Action::ApprovePolicy, Object::Tenant),
        proposal: policies.proposed.map(|proposed| Proposal {
            id: proposed.id,
            at: When::new(proposed.proposed_at, &zone),
            zone: Some(proposed.policy.zone).filter(|new| *new != zone).map(|new| new.to_string()),
        }),
        preview: tried.map(|(_, preview)| Shown {
            earlier: counted(preview.earlier, "snapshot", "snapshots"),
            later: counted(preview.later, "snapshot", "snapshots"),
            at_once: preview.at_once,
            rows: preview
                .snapshots
                .into_iter()
                .map(|moved| Row {
                    short: short(&moved.id).to_owned(),
                    id: moved.id,
                    ticket: moved.ticket,
                    due: moved.due_at.map(|at| When::new(at, &zone)),
                    then: When::new(moved.would_be_due_at, &new_zone),
                })
                .collect(),
        }),
        zone: zone.to_string(),
    })?)
}

/// Shows what the rules in the form would move. Changes nothing.
pub(super) async fn preview(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let asked = Body::from(policy_of(&form)?.to_string());
    let answer = policies::preview(State(app.clone()), visitor.0.clone(), asked).await;
    let (preview, _) = told::<Preview>(answer).await?;
    shown(&app, &visitor, "", Some((form, preview))).await
}

/// Proposes the rules in the form.
pub(super) async fn propose(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let asked = Body::from(policy_of(&Form::read(body).await?)?.to_string());
    done(policies::put(State(app), visitor.0, asked).await)?;
    Ok(Redirect::to("/policy?done=proposed").into_response())
}

/// Puts the rules in force that another person proposed.
pub(super) async fn approve(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let asked = Body::from(json!({ "approves": form.text("proposal") }).to_string());
    done(policies::put(State(app), visitor.0, asked).await)?;
    Ok(Redirect::to("/policy?done=approved").into_response())
}

/// The policy that a form holds, as the API takes it.
fn policy_of(form: &Form) -> Result<Value, ApiError> {
    let mut policy = json!({ "version": form.number::<u32>("version")?, "zone": form.text("zone") });
    for (name, _) in NUMBERS {
        policy[name] = form.number::<u16>(name)?.into();
    }
    Ok(policy)
}
