//! The audit log for those who may read it, and a ticket's part of it for the customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::known_ticket;
use super::page::{Page, Pages};
use crate::clock::Timestamp;
use crate::ids::TicketId;
use crate::portal::app::App;
use crate::portal::audit::export::Form;
use crate::portal::audit::{Act, Actor, On, Outcome, prove, record, sequence};
use crate::portal::auth::{Action, Object, Principal, Role, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::audit::{self, Row, Wanted};
use crate::portal::store::{Connection, log, tickets};
use crate::track::log::export::{Statement, heading};
use crate::track::log::tree::Tiles;
use crate::track::log::{Exported, Field, Opening};

/// What is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// What was done with that ticket alone. An upload token is told of its own ticket.
    ticket: Option<String>,
    /// One kind of act alone, such as `read-content`.
    act: Option<String>,
    /// From this instant on.
    from: Option<Timestamp>,
    /// Before this instant.
    until: Option<Timestamp>,
    /// The form of the records.
    #[serde(default)]
    #[param(inline)]
    format: Form,
    /// The most records of the page; 1000 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// Out of `Link` of the page before.
    after: Option<String>,
}

/// Where a page begins: behind the record of which number, in a tree of which size.
type Place = (u64, u64);

/// Gives a page of the audit log.
///
/// Each page is recorded itself before it is given out. Where there are more records, the header `Link` leads to the next page:
/// the body has the form that was asked for and no place for it.
#[utoipa::path(
    get, path = "/v1/audit", params(Asked),
    responses((status = 200, description = "Records, one to a line", content(
        (String = "application/x-ndjson"), (String = "text/csv"), (String = "text/plain"),
    ))),
    extensions(("x-problems" = json!(["ticket-unknown", "page-unknown"]))),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(asked) = asked.map_err(|_| {
        ApiError::bad(
            "Ask with ticket=, act=, from=, until= (RFC 3339), format=json|csv|ocsf|syslog, limit= and after=.",
        )
    })?;
    let ticket = reach(&app, &principal, asked.ticket.as_deref()).await?;
    let pages = Pages::of("audit").usually(1000);
    let page: Page<Place> = pages.asked(asked.limit.as_deref(), asked.after.as_deref())?;
    let first = page.after.is_none();
    let on = ticket.as_ref().map_or(On::Tenant(principal.tenant.as_str()), |ticket| On::Ticket(ticket.as_str()));
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let what = (Act::ReadAudit, on, Outcome::Done);
    record(&mut transaction, &principal.tenant, app.clock.now(), Actor::Token(&principal), what, None).await?;
    transaction.commit().await?;
    if first {
        sequence::advance(&app.store, &app.key).await?;
    }
    let mut connection = app.store.read(&principal.tenant).await?;
    let last = log::checkpoint(&mut connection).await?.ok_or(ApiError::PageUnknown)?;
    let (after, size) = page.after.map_or((0, last.size), |(after, size)| (after, size.min(last.size)));
    let wanted = Wanted {
        ticket: ticket.map(|ticket| ticket.as_str().to_owned()),
        act: asked.act.clone(),
        from: asked.from,
        until: asked.until,
        size,
    };
    let mut rows = audit::page(&mut connection, &principal.tenant, &wanted, after, page.rows()).await?;
    let next = page.cut(&mut rows, |row| (row.record.number, size))?;

    let mut body = Vec::new();
    if first && asked.format == Form::Json {
        let records = audit::count(&mut connection, &principal.tenant, &wanted).await?;
        let tenant = principal.tenant.clone();
        let statement = Statement { export: 1, tenant, only: only(&wanted, &asked), records, size };
        let head = heading(&statement, last.note, &app.key).map_err(ApiError::fault)?;
        serde_json::to_writer(&mut body, &head).map_err(ApiError::fault)?;
        body.push(b'\n');
    }
    let records = told(&mut connection, &principal, rows, (size, asked.format)).await?;
    asked.format.write(&records, first, app.key.name(), &mut body)?;

    let mut response = ([(header::CONTENT_TYPE, asked.format.media_type())], body).into_response();
    let headers = response.headers_mut();
    if let Some(next) = next {
        headers.insert(header::LINK, link(&asked, &page, &next)?);
    }
    Ok(response)
}

/// The one ticket whose records the principal is told; `None` for all of the tenant. Whoever watches over the tenant reads all;
/// customers read what was done with their own ticket.
async fn reach(app: &App, principal: &Principal, ticket: Option<&str>) -> Result<Option<TicketId>, ApiError> {
    let tenant = &principal.tenant;
    let ticket = match ticket {
        Some(ticket) => Some(known_ticket(app, principal, ticket).await?),
        None => principal.ticket.clone(),
    };
    let Some(ticket) = ticket else {
        authorize(principal, Action::ReadAudit, Object::Tenant)?;
        return Ok(None);
    };
    authorize(principal, Action::ReadTicketAudit, Object::Ticket(tenant, &ticket))?;
    // Of a ticket that is not there, no records would be a statement.
    tickets::find(&mut *app.store.read(tenant).await?, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
    Ok(Some(ticket))
}

/// What was asked for, as the export states it: a ticket by the name it was asked by.
fn only(wanted: &Wanted, asked: &Asked) -> BTreeMap<String, String> {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let given = [
        ("ticket", asked.ticket.clone().or_else(|| wanted.ticket.clone())),
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

/// The way to the next page.
fn link(asked: &Asked, page: &Page<Place>, next: &str) -> Result<HeaderValue, ApiError> {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let (from, until) = (time(asked.from), time(asked.until));
    let query = [
        ("ticket", asked.ticket.as_deref()),
        ("act", asked.act.as_deref()),
        ("from", from.as_deref()),
        ("until", until.as_deref()),
        ("format", Some(asked.format.word())),
    ];
    page.link("/v1/audit", &query, next)
}
