//! The record of processing activities, for those who watch and those who are asked for it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::form::Form;
use super::page::{Page, Pages};
use super::read_json;
use crate::clock::Timestamp;
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::portal::records::current;
use crate::portal::store::records as rows;
use crate::records::{Facts, Version};
use crate::wire::List;

/// Which version.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Its number; the record as it is now when absent.
    version: Option<u32>,
}

/// Tells the record as it is, or as it was in a version, as JSON or as a page.
#[utoipa::path(
    get, path = "/v1/records-of-processing", params(Which),
    responses((status = 200, description = "In the form that Accept prefers", content(
        (Version = "application/json"), (String = "text/html"),
    ))),
    extensions(("x-problems" = json!(["page-unknown"]))),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::SeeRecords, Object::Tenant)?;
    let Query(Which { version }) =
        which.map_err(|_| ApiError::bad("An earlier record is asked for with ?version= and its number."))?;
    let latest = current(&app, &principal.tenant).await?;
    let told = match version {
        Some(number) if number != latest.version => {
            let mut connection = app.store.read(&principal.tenant).await?;
            rows::version(&mut connection, &principal.tenant, Some(number)).await?.ok_or(ApiError::PageUnknown)?
        }
        _ => latest,
    };
    Form::wanted(&headers).answer(|| Ok(told.json()), || told.page().map_err(ApiError::fault))
}

/// A version in the list.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedVersion)]
pub(crate) struct Listed {
    version: i64,
    since: Timestamp,
    digest: String,
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// The most items of the page; 100 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists since when the record was how, with the digest of each version.
#[utoipa::path(
    get, path = "/v1/records-of-processing/versions", params(Part),
    responses((status = 200, description = "A page of the list", body = List<Listed>)),
)]
pub(crate) async fn versions(
    State(app): State<Arc<App>>,
    principal: Principal,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::SeeRecords, Object::Tenant)?;
    let Query(part) = part.map_err(|_| ApiError::bad("The list can be asked for with ?limit= and ?after=."))?;
    let page: Page<i64> = Pages::of("record-versions").asked(part.limit.as_deref(), part.after.as_deref())?;
    current(&app, &principal.tenant).await?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let range = (page.after.unwrap_or(0), page.rows());
    let found = rows::versions(&mut connection, &principal.tenant, range).await?;
    let tell = |(version, since, digest): (i64, Timestamp, String)| Listed { version, since, digest };
    page.answer(found, |(version, ..)| *version, tell, ("/v1/records-of-processing/versions", &[]))
}

/// Tells what the tenant's administration said.
#[utoipa::path(
    get, path = "/v1/records-of-processing/facts",
    responses((status = 200, description = "What was said; empty when nothing was", body = Facts)),
)]
pub(crate) async fn facts(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Facts>, ApiError> {
    authorize(&principal, Action::SeeRecords, Object::Tenant)?;
    let facts = rows::facts(&mut *app.store.read(&principal.tenant).await?, &principal.tenant).await?;
    Ok(Json(facts.unwrap_or_default()))
}

/// Takes what the tenant's administration says, in the place of what it said before; what it leaves out, the operator says.
#[utoipa::path(
    put, path = "/v1/records-of-processing/facts", request_body = Facts,
    responses((status = 200, description = "What is said from now on", body = Facts)),
)]
pub(crate) async fn set_facts(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<Json<Facts>, ApiError> {
    authorize(&principal, Action::SetRecords, Object::Tenant)?;
    let facts: Facts = read_json(body).await?;
    facts.check().map_err(|_| {
        let told =
            "A text is empty, longer than 1000 characters or has control characters, or a list has more than 100 rows.";
        ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, told)
    })?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    rows::set_facts(&mut transaction, tenant, &facts, now).await?;
    let what = (Act::SetRecords, On::Tenant(tenant.as_str()), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), what, None).await?;
    transaction.commit().await?;
    current(&app, tenant).await?;
    Ok(Json(facts))
}
