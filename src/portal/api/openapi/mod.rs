//! The API described by its own code: `/openapi.json`, `OpenAPI` 3.1 (<https://spec.openapis.org/oas/v3.1.1>).
//!
//! What is particular to a route stands at its handler (`#[utoipa::path]`), under `x-problems` also the problems it can tell, by
//! their words (`ticket-closed`), with a status where it is not the usual one of the kind (`bad-request 409`). What the router
//! and the code around every handler know is added by [`complete`]: who may ask, headers, problems that follow from the path, the
//! query or the body. For a new route add its handler to the list here.

mod complete;
mod schemas;

pub(crate) use schemas::{Octets, Reason, TusVersion};

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::OpenApi;

use super::{
    assignments, audit, content, factor, grants, health, holds, hooks, inbox, invitations, log, passkeys, policies,
    questions, receipts, records, requests, session, share, snapshots, subject_requests, tickets, tokens, uploads,
    users, withdrawal,
};
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::portal::error::ApiError;
use crate::portal::router::routes;
use crate::wire::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tarseal support portal",
        description = "Takes sealed diagnostic snapshots in, gives them to technicians who say why, and deletes them on time \
                       with a signed receipt. docs/API.md says what all routes have in common.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, TicketId, FileId, Timestamp, Reason, TusVersion)),
    paths(
        tickets::open,
        tickets::list,
        tickets::show,
        tickets::close,
        tickets::reopen,
        tickets::merge,
        assignments::list,
        assignments::assign,
        assignments::unassign,
        tokens::make,
        tokens::list,
        tokens::revoke,
        snapshots::announce,
        uploads::options,
        uploads::head,
        uploads::patch,
        uploads::delete,
        inbox::put,
        snapshots::list,
        snapshots::show,
        content::read,
        share::give,
        withdrawal::withdraw,
        withdrawal::extend,
        holds::show,
        holds::put,
        holds::lift,
        grants::make,
        grants::list,
        grants::revoke,
        questions::ask,
        questions::list,
        questions::show,
        questions::answer,
        receipts::of_snapshot,
        receipts::show,
        receipts::key,
        session::sign_in,
        session::show,
        session::sign_out,
        factor::show_factor,
        factor::change_password,
        factor::renew_codes,
        session::sign_out_everywhere,
        passkeys::ask,
        passkeys::add,
        passkeys::list,
        passkeys::remove,
        passkeys::ask_to_sign_in,
        passkeys::sign_in,
        passkeys::ask_to_show,
        invitations::choose,
        invitations::confirm,
        invitations::make,
        invitations::list,
        invitations::withdraw,
        users::list,
        users::show,
        users::set_role,
        users::disable,
        users::enable,
        users::reset,
        users::end_sessions,
        policies::show,
        policies::put,
        policies::preview,
        audit::list,
        subject_requests::lodge,
        subject_requests::list,
        subject_requests::show,
        subject_requests::decide,
        subject_requests::refuse,
        subject_requests::extend,
        subject_requests::finish,
        subject_requests::lift,
        subject_requests::export,
        subject_requests::statements,
        records::show,
        records::versions,
        records::facts,
        records::set_facts,
        requests::make,
        requests::list,
        requests::revoke,
        requests::redeem,
        log::checkpoint,
        log::tile,
        log::proof,
        health::live,
        health::ready,
        hooks::post,
        show,
    )
)]
struct Described;

/// The whole description.
fn document() -> Result<Value, ApiError> {
    let mut document = serde_json::to_value(Described::openapi()).map_err(ApiError::fault)?;
    complete::complete(&mut document, &routes().list);
    Ok(document)
}

/// Gives this description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)),
)]
pub(crate) async fn show() -> Result<Response, ApiError> {
    static TEXT: LazyLock<Result<String, ApiError>> =
        LazyLock::new(|| serde_json::to_string(&document()?).map_err(ApiError::fault));
    let text = TEXT.as_ref().map_err(|fault| ApiError::fault(fault.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response())
}

#[cfg(test)]
mod tests;
