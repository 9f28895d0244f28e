//! The tenant's retention policy: seen, tried, proposed by the administration, approved by the data-protection officer.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LIST_LIMIT, read_json, second_person};
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::portal::app::{App, random_id};
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::auth::{Action, Object, Principal, authorize};
use crate::portal::deadlines;
use crate::portal::error::ApiError;
use crate::portal::store::policies::{self, Proposed};
use crate::track::RetentionPolicy;
use crate::track::deadline::begins_at;

/// What a tenant's policy is and what it may become.
#[derive(Serialize, ToSchema)]
pub(crate) struct Policies {
    in_force: RetentionPolicy,
    proposed: Option<Proposal>,
}

/// A policy that waits for approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposal {
    /// Names this proposal; another one of the same version has another.
    id: String,
    policy: RetentionPolicy,
    proposed_at: Timestamp,
}

/// `PUT /v1/policies`: proposes a policy with the version after the one in force, or approves the one proposed.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = PolicyOrder)]
pub(crate) enum Order {
    Approve(Approval),
    Propose(RetentionPolicy),
}

/// Which proposal is approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// Its id.
    approves: String,
}

/// What another policy would change.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// How many snapshots would be due earlier.
    earlier: u64,
    /// How many would be due later.
    later: u64,
    /// How many of the earlier ones would begin to be deleted at once.
    at_once: u64,
    /// At most a thousand of them, in the order of their ids.
    snapshots: Vec<Moved>,
}

/// A snapshot whose deadline would be another.
#[derive(Serialize, ToSchema)]
pub(crate) struct Moved {
    id: FileId,
    ticket: TicketId,
    due_at: Option<Timestamp>,
    would_be_due_at: Timestamp,
}

/// Tells the policy in force and the one that waits for approval.
#[utoipa::path(
    get, path = "/v1/policies",
    responses((status = 200, description = "The policies", body = Policies)),
)]
pub(crate) async fn show(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Policies>, ApiError> {
    authorize(&principal, Action::SeePolicy, Object::Tenant)?;
    let mut connection = app.store.read(&principal.tenant).await?;
    Ok(Json(tell(&app, &mut connection, &principal).await?))
}

/// Lists what a policy would change. Changes nothing.
#[utoipa::path(
    post, path = "/v1/policies/preview", request_body = RetentionPolicy,
    responses((status = 200, description = "What would change", body = Preview)),
)]
pub(crate) async fn preview(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<Json<Preview>, ApiError> {
    authorize(&principal, Action::SeePolicy, Object::Tenant)?;
    let policy = checked(read_json(body).await?)?;
    let now = app.clock.now();
    let mut preview = Preview::default();
    let mut connection = app.store.read(&principal.tenant).await?;
    deadlines::moved_by(&mut connection, &principal.tenant, &policy, now, |moved| {
        let then = moved.term.due_at;
        if moved.snapshot.due_at.is_some_and(|due_at| then < due_at) {
            preview.earlier += 1;
            preview.at_once += u64::from(moved.term.begins_at.is_some() && begins_at(then) <= now);
        } else {
            preview.later += 1;
        }
        if i64::try_from(preview.snapshots.len()).is_ok_and(|listed| listed < LIST_LIMIT) {
            let snapshot = moved.snapshot;
            let (id, ticket, due_at) = (snapshot.id, snapshot.ticket, snapshot.due_at);
            preview.snapshots.push(Moved { id, ticket, due_at, would_be_due_at: then });
        }
    })
    .await?;
    Ok(Json(preview))
}

/// Keeps a proposal, or puts the one that waits in force.
///
/// Then every deadline of the tenant is counted anew, and what is due by it begins with the next sweep.
#[utoipa::path(
    put, path = "/v1/policies", request_body = Order,
    responses(
        (status = 200, description = "It is in force", body = Policies),
        (status = 202, description = "It waits for approval", body = Policies),
    ),
    extensions(("x-problems" = json!(["policy-version", "second-person"]))),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    principal: Principal,
    body: Body,
) -> Result<(StatusCode, Json<Policies>), ApiError> {
    authorize(&principal, Action::SeePolicy, Object::Tenant)?;
    let order: Order = read_json(body).await?;
    allowed(&app, &principal, &order).await?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let in_force = app.policy(&mut transaction, tenant).await?;
    let (status, act) = match order {
        Order::Propose(policy) => {
            let policy = checked(policy)?;
            if policy.version != in_force.version.saturating_add(1) {
                return Err(ApiError::PolicyVersion);
            }
            let proposed = Proposed { id: random_id(), policy, by: principal.token.clone(), at: now };
            policies::propose(&mut transaction, tenant, &proposed).await?;
            (StatusCode::ACCEPTED, Act::ProposePolicy)
        }
        Order::Approve(Approval { approves }) => {
            let proposed = policies::proposed(&mut transaction, tenant).await?;
            let proposed = proposed.filter(|proposed| proposed.id == approves).ok_or(ApiError::PolicyVersion)?;
            second_person::confirms(&mut transaction, &principal, &proposed.by, now).await?;
            policies::approve(&mut transaction, tenant, &proposed.policy, &principal.token, now).await?;
            deadlines::settle_all(&app, &mut transaction).await?;
            deadlines::count_tenant(&mut transaction, tenant, &proposed.policy).await?;
            (StatusCode::OK, Act::ApprovePolicy)
        }
    };
    let what = (act, On::Tenant(tenant.as_str()), Outcome::Done);
    record(&mut transaction, tenant, now, Actor::Token(&principal), what, None).await?;
    let told = tell(&app, &mut transaction, &principal).await?;
    transaction.commit().await?;
    Ok((status, Json(told)))
}

/// Lets through who may propose, or approve. A refusal is audited: whoever rules over the schedules rules over all that is kept.
async fn allowed(app: &App, principal: &Principal, order: &Order) -> Result<(), ApiError> {
    let (action, act) = match order {
        Order::Propose(_) => (Action::ProposePolicy, Act::ProposePolicy),
        Order::Approve(_) => (Action::ApprovePolicy, Act::ApprovePolicy),
    };
    let allowed = authorize(principal, action, Object::Tenant);
    if allowed.is_err() {
        let tenant = &principal.tenant;
        let mut transaction = app.store.begin(tenant).await?;
        let what = (act, On::Tenant(tenant.as_str()), Outcome::Denied);
        record(&mut transaction, tenant, app.clock.now(), Actor::Token(principal), what, None).await?;
        transaction.commit().await?;
    }
    allowed
}

fn checked(policy: RetentionPolicy) -> Result<RetentionPolicy, ApiError> {
    match policy.check() {
        Ok(()) => Ok(policy),
        Err(_) => Err(ApiError::Bad(
            StatusCode::UNPROCESSABLE_ENTITY,
            "A number of days is out of range (at most 3650), or snapshots would be kept longer after closing than at all.",
        )),
    }
}

async fn tell(
    app: &App,
    connection: &mut crate::portal::store::Connection,
    principal: &Principal,
) -> Result<Policies, ApiError> {
    let in_force = app.policy(connection, &principal.tenant).await?;
    let proposed = policies::proposed(connection, &principal.tenant).await?;
    let proposed =
        proposed.map(|proposed| Proposal { id: proposed.id, policy: proposed.policy, proposed_at: proposed.at });
    Ok(Policies { in_force, proposed })
}
