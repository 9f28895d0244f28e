//! The audit log for those who may read it, and a ticket's part of it for the customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::ticket_of;
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::App;
use crate::portal::audit::export::Form;
use crate::portal::audit::{Act, Actor, On, Outcome, prove, record, sequence};
use crate::portal::auth::{Action, Object, Principal, Role, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::audit::{self, Row, Wanted};
use crate::portal::store::{Connection, log};
use crate::track::log::export::{Statement, heading};
use crate::track::log::tree::Tiles;
use crate::track::log::{Exported, Field, Opening};

/// The most records of one page.
const PAGE: u64 = 1000;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    ticket: Option<String>,
    act: Option<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    #[serde(default)]
    format: Form,
    limit: Option<u64>,
    cursor: Option<String>,
}

/// Where the next page begins: behind which number, in a tree of which size.
#[derive(Clone, Copy)]
struct Cursor {
    after: u64,
    size: u64,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let (after, size) = text.split_once('.')?;
        Some(Self { after: after.parse().ok()?, size: size.parse().ok()? })
    }
}

/// A page of records. The first page is an act of its own and is recorded before it is given out; where there are more, the
/// header `Link` says how to go on.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(asked) = asked.map_err(|_| {
        ApiError::bad(
            "Ask with ticket=, act=, from=, until= (RFC 3339), format=json|csv|ocsf|syslog, limit= and cursor=.",
        )
    })?;
    let ticket = reach(&principal, asked.ticket.as_deref())?;
    let cursor = asked.cursor.as_deref().map(|text| Cursor::read(text).ok_or(ApiError::bad("That is no cursor.")));
    let cursor = cursor.transpose()?;
    if cursor.is_none() {
        let on = ticket.as_ref().map_or(On::Tenant(principal.tenant.as_str()), |ticket| On::Ticket(ticket.as_str()));
        let mut transaction = app.store.begin().await?;
        let what = (Act::ReadAudit, on, Outcome::Done);
        record(&mut transaction, &principal.tenant, app.clock.now(), Actor::Token(&principal), what, None).await?;
        transaction.commit().await?;
        sequence::advance(&app.store, &app.key).await?;
    }
    let mut connection = app.store.read().await?;
    let last = log::checkpoint(&mut connection).await?.ok_or(ApiError::PageUnknown)?;
    let size = cursor.map_or(last.size, |cursor| cursor.size.min(last.size));
    let wanted = Wanted {
        ticket: ticket.map(|ticket| ticket.as_str().to_owned()),
        act: asked.act.clone(),
        from: asked.from,
        until: asked.until,
        size,
    };
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let after = cursor.map_or(0, |cursor| cursor.after);
    let rows =
        audit::page(&mut connection, &principal.tenant, &wanted, after, i64::try_from(limit).unwrap_or(1)).await?;

    let mut body = Vec::new();
    if cursor.is_none() && asked.format == Form::Json {
        let records = audit::count(&mut connection, &principal.tenant, &wanted).await?;
        let tenant = principal.tenant.clone();
        let statement = Statement { export: 1, tenant, only: only(&wanted), records, size };
        let first = heading(&statement, last.note, &app.key).map_err(ApiError::fault)?;
        serde_json::to_writer(&mut body, &first).map_err(ApiError::fault)?;
        body.push(b'\n');
    }
    let next = (rows.len() as u64 == limit).then(|| rows.last().map(|row| row.record.number)).flatten();
    let records = told(&mut connection, &principal, rows, (size, asked.format)).await?;
    asked.format.write(&records, cursor.is_none(), app.key.name(), &mut body)?;

    let mut response = ([(header::CONTENT_TYPE, asked.format.media_type())], body).into_response();
    let headers = response.headers_mut();
    if let Some(after) = next {
        let link = link(&asked, limit, Cursor { after, size });
        headers.insert(header::LINK, link.parse().map_err(ApiError::fault)?);
    }
    headers.insert(HeaderName::from_static("x-content-type-options"), axum::http::HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The one ticket whose records the principal is told; `None` for all of the tenant. Whoever watches over the tenant reads all;
/// customers read what was done with their own ticket.
fn reach(principal: &Principal, ticket: Option<&str>) -> Result<Option<TicketId>, ApiError> {
    let ticket = ticket.map(ticket_of).transpose()?.or_else(|| principal.ticket.clone());
    match &ticket {
        Some(ticket) => authorize(principal, Action::ReadTicketAudit, Object::Ticket(&principal.tenant, ticket))?,
        None => authorize(principal, Action::ReadAudit, Object::Tenant)?,
    }
    Ok(ticket)
}

/// What was asked for, as the export states it.
fn only(wanted: &Wanted) -> BTreeMap<String, String> {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let given = [
        ("ticket", wanted.ticket.clone()),
        ("act", wanted.act.clone()),
        ("from", time(wanted.from)),
        ("until", time(wanted.until)),
    ];
    given.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}

/// Adds proofs, and what opens the commitments for those who may know: those who watch over the tenant, and everyone of what
/// they did themselves.
async fn told(
    connection: &mut Connection,
    principal: &Principal,
    rows: Vec<Row>,
    (size, form): (u64, Form),
) -> Result<Vec<Exported>, ApiError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let range = (first.record.number, last.record.number);
    let mut openings = audit::openings(connection, &principal.tenant, range).await?;
    let watches = matches!(principal.role, Role::Admin | Role::Dpo | Role::Auditor);
    let mut tiles = Tiles::default();
    let mut told = Vec::with_capacity(rows.len());
    for row in rows {
        let index = row.place.ok_or_else(|| ApiError::fault("a record without a place"))?;
        let proof = match form {
            Form::Json => prove::inclusion(connection, index, size, &mut tiles).await?,
            _ => Vec::new(),
        };
        let opened: BTreeMap<Field, Opening> = if watches || row.record.actor == principal.token {
            openings.remove(&row.record.number).unwrap_or_default()
        } else {
            BTreeMap::new()
        };
        told.push(Exported::new(row.record, index, &proof, opened));
    }
    Ok(told)
}

/// The way to the next page (RFC 8288).
fn link(asked: &Asked, limit: u64, next: Cursor) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let given = [("ticket", &asked.ticket), ("act", &asked.act)];
    for (name, value) in given {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    for (name, at) in [("from", asked.from), ("until", asked.until)] {
        if let Some(at) = at {
            query.append_pair(name, &at.to_string());
        }
    }
    query.append_pair("format", asked.format.word());
    query.append_pair("limit", &limit.to_string());
    query.append_pair("cursor", &format!("{}.{}", next.after, next.size));
    format!("</v1/audit?{}>; rel=\"next\"", query.finish())
}
