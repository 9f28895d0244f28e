//! What persons concerned ask for, as the data-protection officer handles it. Acts take a person with a second factor shown
//! lately; tokens and auditors see how requests stand, and nothing that describes a person.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::form::Form;
use super::page::{Page, Pages};
use super::snapshots::reach;
use super::{read_json, snapshot_of};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::error::ApiError;
use crate::portal::store::subject_requests::{self as rows, Request};
use crate::portal::subject_requests as requests;
use crate::wire::List;
use crate::wire::subject::{LongerAnswer, NewSubjectRequest, Refusal, Statement, SubjectRequest, SubjectState};

/// Takes a request in.
#[utoipa::path(
    post, path = "/v1/subject-requests", request_body = NewSubjectRequest,
    responses((status = 201, description = "Lodged", body = SubjectRequest)),
    extensions(("x-problems" = json!(["second-factor-needed", "ticket-unknown", "snapshot-unknown"]))),
)]
pub(crate) async fn lodge(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<(StatusCode, Json<SubjectRequest>), ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    let new: NewSubjectRequest = read_json(body).await?;
    let request = requests::lodge(&app, &principal, new).await?;
    Ok((StatusCode::CREATED, whole(&app, &request).await?))
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those in this state.
    state: Option<SubjectState>,
    /// The most items of the page; 100 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists the tenant's requests in the order of their numbers.
#[utoipa::path(
    get, path = "/v1/subject-requests", params(Which),
    responses((status = 200, description = "A page of the list", body = List<SubjectRequest>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::SeeRequests, Object::Tenant)?;
    let Query(which) = which.map_err(|_| {
        ApiError::bad("The list can be asked for with ?state=received, decided, done or refused, ?limit= and ?after=.")
    })?;
    let page: Page<i64> = Pages::of("subject-requests").asked(which.limit.as_deref(), which.after.as_deref())?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let range = (page.after.unwrap_or(0), page.rows());
    let found = rows::page(&mut connection, &principal.tenant, which.state, range).await?;
    let now = app.clock.now();
    let query = [("state", which.state.map(SubjectState::word))];
    let place = |request: &Request| request.number;
    page.answer(found, place, |request| requests::tell(&request, now), ("/v1/subject-requests", &query))
}

/// Tells one request with its snapshots as they stand now; what describes a person is told to the officer alone.
#[utoipa::path(
    get, path = "/v1/subject-requests/{id}",
    responses((status = 200, description = "The request", body = SubjectRequest)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<SubjectRequest>, ApiError> {
    authorize(&principal, Action::SeeRequests, Object::Tenant)?;
    let officer = authorize(&principal, Action::HandleRequests, Object::Tenant).is_ok();
    let mut connection = app.store.read(&principal.tenant).await?;
    let request = rows::find(&mut connection, &principal.tenant, &id).await?.ok_or(ApiError::RequestUnknown)?;
    Ok(Json(requests::tell_whole(&app, &mut connection, &request, officer).await?))
}

/// Grants a request, and does what follows from it.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/decide",
    responses((status = 200, description = "The request as it stands now", body = SubjectRequest)),
    extensions(("x-problems" = json!(["second-factor-needed", "request-state"]))),
)]
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<SubjectRequest>, ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    whole(&app, &requests::decide(&app, &principal, &id).await?).await
}

/// Refuses a request on a legal ground.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/refuse", request_body = Refusal,
    responses((status = 200, description = "The request as it stands now", body = SubjectRequest)),
    extensions(("x-problems" = json!(["second-factor-needed", "request-state"]))),
)]
pub(crate) async fn refuse(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<SubjectRequest>, ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    let Refusal { ground } = read_json(body).await?;
    whole(&app, &requests::refuse(&app, &principal, &id, ground).await?).await
}

/// Takes three months for the answer.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/extend", request_body = LongerAnswer,
    responses((status = 200, description = "The request as it stands now", body = SubjectRequest)),
    extensions(("x-problems" = json!(["second-factor-needed", "request-state"]))),
)]
pub(crate) async fn extend(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<SubjectRequest>, ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    let LongerAnswer { because } = read_json(body).await?;
    whole(&app, &requests::extend(&app, &principal, &id, because).await?).await
}

/// Ends a request that was granted.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/finish",
    responses((status = 200, description = "The request as it stands now", body = SubjectRequest)),
    extensions(("x-problems" = json!(["second-factor-needed", "request-state"]))),
)]
pub(crate) async fn finish(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<SubjectRequest>, ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    whole(&app, &requests::finish(&app, &principal, &id).await?).await
}

/// Lets the snapshots of a blocking or a revocation be read again.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/lift",
    responses((status = 200, description = "The request as it stands now", body = SubjectRequest)),
    extensions(("x-problems" = json!(["second-factor-needed", "request-state"]))),
)]
pub(crate) async fn lift(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<SubjectRequest>, ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    whole(&app, &requests::lift(&app, &principal, &id).await?).await
}

/// Whether those who read are named.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Naming {
    /// Their names stand beside their roles, until the audit log forgets them.
    #[serde(default)]
    names: bool,
}

/// Exports what the portal knows about the snapshots of a request that was granted, as JSON or as a page. Recorded before it is given
/// out.
#[utoipa::path(
    get, path = "/v1/subject-requests/{id}/export", params(Naming),
    responses((status = 200, description = "In the form that Accept prefers", content(
        (requests::Export = "application/json"), (String = "text/html"),
    ))),
    extensions(("x-problems" = json!(["second-factor-needed", "request-state"]))),
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    naming: Result<Query<Naming>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    authorize(&principal, Action::HandleRequests, Object::Tenant)?;
    let Query(Naming { names }) =
        naming.map_err(|_| ApiError::bad("Those who read are named with ?names=true, and only if they may be."))?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let request = rows::find(&mut transaction, tenant, &id).await?.ok_or(ApiError::RequestUnknown)?;
    if request.decided_at.is_none() {
        return Err(ApiError::RequestState);
    }
    let what = (Act::ExportRequest, On::Request(&request.id), Outcome::Done);
    let reason = names.then_some("with the names of those who read");
    record(&mut transaction, tenant, now, Actor::Token(&principal), what, reason).await?;
    transaction.commit().await?;
    let export = requests::export(&app, &mut *app.store.read(tenant).await?, &request, names).await?;
    Form::wanted(&headers).answer(|| export.json(), || export.page())
}

/// Lists the statements that stand beside a snapshot because a person asked for its correction: what is sealed cannot be corrected.
#[utoipa::path(
    get, path = "/v1/snapshots/{id}/statements",
    responses((status = 200, description = "All of them, on one page", body = List<Statement>)),
)]
pub(crate) async fn statements(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<List<Statement>>, ApiError> {
    let snapshot = reach(&app, &principal, Action::SeeStatements, snapshot_of(&id)?).await?;
    let mut connection = app.store.read(&principal.tenant).await?;
    let items = requests::statements(&app, &mut connection, &snapshot.tenant, &snapshot.id).await?;
    Ok(Json(List { items, next: None }))
}

/// A request with its snapshots, without what describes a person and without names of tickets: the answer to an act may be kept
/// for a day for those who repeat it.
async fn whole(app: &App, request: &Request) -> Result<Json<SubjectRequest>, ApiError> {
    let mut told = requests::tell_whole(app, &mut *app.store.read(&request.tenant).await?, request, false).await?;
    told.snapshots.iter_mut().flatten().for_each(|snapshot| snapshot.ticket = None);
    Ok(Json(told))
}
