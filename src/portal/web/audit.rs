//! The audit log, for those who may read it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::http::Uri;
use axum::response::Response;
use url::form_urlencoded::Serializer;

use super::answer::{Refusal, next_of, sentence, text_of};
use super::form::Form;
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::{When, short};
use crate::portal::api::audit;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::track::log::{Exported, Field};

/// How many records a page shows.
const LIMIT: &str = "100";

/// One record as a line of a table.
pub(super) struct Entry {
    pub(super) at: When,
    /// The word of the act, and the same as people read it.
    pub(super) act: String,
    pub(super) done: String,
    /// Who: a name where it may be known.
    pub(super) actor: String,
    pub(super) role: String,
    pub(super) kind: String,
    pub(super) object: String,
    pub(super) object_short: String,
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) address: Option<String>,
}

/// A page of the log.
pub(super) struct Part {
    pub(super) entries: Vec<Entry>,
    pub(super) next: Option<String>,
    pub(super) zone: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'a> {
    frame: Frame,
    ticket: &'a str,
    act: &'a str,
    from: &'a str,
    until: &'a str,
    entries: Vec<Entry>,
    next: Option<String>,
    /// What the table shows, as the API gives it for other programs.
    export: String,
    zone: String,
    is_all: bool,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let form = Form::of_query(query.as_deref());
    let mut wanted: Vec<(&str, String)> = Vec::new();
    for name in ["ticket", "act"] {
        wanted.extend(form.filled(name).map(|value| (name, value.to_owned())));
    }
    // A day means from its first to its last second, in UTC.
    for (name, clock) in [("from", "00:00:00"), ("until", "23:59:59")] {
        wanted.extend(form.filled(name).map(|day| (name, format!("{day}T{clock}Z"))));
    }
    let export = format!("/v1/audit?{}", encoded(&wanted));
    let own = Serializer::new(String::new())
        .extend_pairs(["ticket", "act", "from", "until"].map(|name| (name, form.text(name))))
        .finish();
    wanted.push(("limit", LIMIT.to_owned()));
    wanted.extend(form.filled("after").map(|after| ("after", after.to_owned())));
    let part = entries(&app, &visitor, &wanted).await?;
    let next = part.next.map(|after| format!("/audit?{own}&{}", encoded(&[("after", after)])));
    Ok(page(&AuditPage {
        frame: Frame::of(&visitor, "/audit", "Audit log"),
        ticket: form.text("ticket"),
        act: form.text("act"),
        from: form.text("from"),
        until: form.text("until"),
        entries: part.entries,
        next,
        export,
        zone: part.zone,
        is_all: visitor.may(Action::ReadAudit, Object::Tenant),
    })?)
}

fn encoded(pairs: &[(&str, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Asks for a page of the log. That is an act of its own, which the log records.
pub(super) async fn entries(app: &Arc<App>, visitor: &Visitor, wanted: &[(&str, String)]) -> Result<Part, Refusal> {
    let uri: Uri = format!("/v1/audit?{}", encoded(wanted)).parse().map_err(ApiError::fault)?;
    let answer = audit::list(State(app.clone()), visitor.0.clone(), Query::try_from_uri(&uri)).await;
    let (text, headers) = text_of(answer).await?;
    let policy = app.policy(&mut *app.store.read().await.map_err(ApiError::from)?, &visitor.0.tenant).await;
    let zone = policy.map_err(ApiError::from)?.zone;
    let mut entries = Vec::new();
    // The first line of the first page is a heading, which is no record.
    for exported in text.lines().filter_map(|line| serde_json::from_str::<Exported>(line).ok()) {
        let mut opened = exported.opened;
        let mut value = |field| opened.remove(&field).map(|opening| opening.value);
        let record = exported.record;
        entries.push(Entry {
            at: When::new(record.at, &zone),
            done: sentence(&record.act.replace('-', " ")),
            act: record.act,
            actor: value(Field::Name).unwrap_or_else(|| short(&record.actor).to_owned()),
            role: record.role,
            kind: record.kind,
            object_short: short(&record.object).to_owned(),
            object: record.object,
            outcome: record.outcome,
            reason: value(Field::Reason),
            address: value(Field::Address),
        });
    }
    Ok(Part { entries, next: next_of(&headers), zone: zone.to_string() })
}
