//! The audit log, for those who may read it.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::answer::{Refusal, next_of, sentence, text_of};
use super::form::{Form, encoded_pairs, query};
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::{When, counted, short};
use crate::portal::api::audit;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::track::log::export::Verifier;
use crate::track::log::{Exported, Field};

/// How many records a page shows.
const LIMIT: &str = "100";

/// How many pages of a thousand records are checked here.
const PAGES: usize = 20;

/// The fields of the form.
const FIELDS: [&str; 4] = ["ticket", "act", "from", "until"];

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
    checked: Option<Checked>,
}

/// What came out of checking the records.
struct Checked {
    /// Nothing was found that does not fit.
    is_good: bool,
    said: String,
    findings: Vec<String>,
    key: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    shown(&app, &visitor, &Form::of_query(asked.as_deref()), None).await
}

/// The same records, checked as `tarseal audit verify` checks them.
pub(super) async fn verify(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    let checked = checked(&app, &visitor, &form).await?;
    shown(&app, &visitor, &form, Some(checked)).await
}

async fn shown(app: &Arc<App>, visitor: &Visitor, form: &Form, checked: Option<Checked>) -> Result<Response, Refusal> {
    let mut wanted = filter(form);
    let export = format!("/v1/audit?{}", encoded_pairs(&wanted));
    let own = encoded_pairs(&FIELDS.map(|name| (name, form.text(name))));
    wanted.push(("limit", LIMIT.to_owned()));
    wanted.extend(form.filled("after").map(|after| ("after", after.to_owned())));
    let part = entries(app, visitor, &wanted).await?;
    let next = part.next.map(|after| format!("/audit?{own}&{}", encoded_pairs(&[("after", after)])));
    Ok(page(&AuditPage {
        frame: Frame::of(visitor, "/audit", "Audit log"),
        ticket: form.text("ticket"),
        act: form.text("act"),
        from: form.text("from"),
        until: form.text("until"),
        entries: part.entries,
        next,
        export,
        zone: part.zone,
        is_all: visitor.may(Action::ReadAudit, Object::Tenant),
        checked,
    })?)
}

/// Reads the records with their proofs and compares each with the log that the portal signed.
async fn checked(app: &Arc<App>, visitor: &Visitor, form: &Form) -> Result<Checked, Refusal> {
    let key = app.key.portal_key();
    let (mut verifier, mut after) = (None, None);
    for _ in 0..PAGES {
        let mut wanted = filter(form);
        wanted.extend(after.take().map(|after| ("after", after)));
        let answer = audit::list(State(app.clone()), visitor.0.clone(), query(&wanted)?).await;
        let (text, headers) = text_of(answer).await?;
        let mut lines = text.lines();
        let verifier = match &mut verifier {
            Some(verifier) => verifier,
            None => verifier.insert(Verifier::new(lines.next().unwrap_or_default(), &key).map_err(ApiError::fault)?),
        };
        lines.for_each(|line| verifier.line(line));
        after = next_of(&headers);
        if after.is_none() {
            break;
        }
    }
    let is_cut = after.is_some();
    let report = verifier.ok_or_else(|| ApiError::fault("an export without a first page"))?.finish();
    // Where the rest was not read, that it is missing is no finding.
    let findings: Vec<String> = report
        .findings
        .into_iter()
        .filter(|finding| !is_cut || finding.line > 0)
        .map(|finding| match finding.number {
            Some(number) => format!("Record {number}: {}", finding.what),
            None => sentence(&finding.what),
        })
        .collect();
    let read = counted(report.records, "record", "records");
    let all = if is_cut { "the first of more: the rest is for tarseal audit verify" } else { "all there are" };
    let said = format!("{read} looked at, {all}; the log that was signed has {}.", report.head.size);
    Ok(Checked { is_good: findings.is_empty(), said, findings, key: key.to_string() })
}

/// What the API is asked for by what was typed into the form.
fn filter(form: &Form) -> Vec<(&'static str, String)> {
    let mut wanted = Vec::new();
    for name in ["ticket", "act"] {
        wanted.extend(form.filled(name).map(|value| (name, value.to_owned())));
    }
    // A day means from its first to its last second, in UTC.
    for (name, clock) in [("from", "00:00:00"), ("until", "23:59:59")] {
        wanted.extend(form.filled(name).map(|day| (name, format!("{day}T{clock}Z"))));
    }
    wanted
}

/// Asks for a page of the log. That is an act of its own, which the log records.
pub(super) async fn entries(app: &Arc<App>, visitor: &Visitor, wanted: &[(&str, String)]) -> Result<Part, Refusal> {
    let answer = audit::list(State(app.clone()), visitor.0.clone(), query(wanted)?).await;
    let (text, headers) = text_of(answer).await?;
    let zone = visitor.policy(app).await?.zone;
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
