//! The answers to requests, one file per noun.

pub(crate) mod assignments;
pub(crate) mod audit;
pub(crate) mod content;
pub(crate) mod factor;
mod form;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod holds;
pub(crate) mod hooks;
pub(crate) mod inbox;
pub(crate) mod invitations;
pub(crate) mod log;
pub(crate) mod once;
pub(crate) mod openapi;
mod page;
pub(crate) mod passkeys;
pub(crate) mod policies;
pub(crate) mod questions;
pub(crate) mod receipts;
pub(crate) mod records;
pub(crate) mod requests;
mod second_person;
pub(crate) mod session;
pub(crate) mod share;
pub(crate) mod snapshots;
pub(crate) mod subject_requests;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod withdrawal;

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::app::App;
use super::auth::Principal;
use super::error::ApiError;
use super::jobs::hide;
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::track::deadline::end_of_day;
use crate::track::policy::Zone;
use crate::wire::{Moment, REASON_HEADER};

/// The longest JSON body in bytes.
const JSON_LIMIT: usize = 64 << 10;

/// How long a JSON body may take to arrive.
const JSON_PATIENCE: Duration = Duration::from_secs(30);

/// The longest reason in characters.
const REASON_LIMIT: usize = 500;

/// The most rows of one list.
const LIST_LIMIT: i64 = 1000;

/// Reads a whole small body within the limits of length and time.
pub(super) async fn read_body(body: Body) -> Result<axum::body::Bytes, ApiError> {
    match tokio::time::timeout(JSON_PATIENCE, axum::body::to_bytes(body, JSON_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            Err(ApiError::Bad(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 64 KiB, or broke off."))
        }
        Err(_) => Err(ApiError::Stalled),
    }
}

/// Reads a body of JSON. The fault is not told word for word: it could repeat a secret.
async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    serde_json::from_slice(&read_body(body).await?).map_err(|_| {
        ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, "The body is not the JSON that this request takes.")
    })
}

/// A ticket's name out of a path; what cannot be a name names no ticket.
fn ticket_of(text: &str) -> Result<TicketId, ApiError> {
    text.parse().map_err(|_| ApiError::TicketUnknown)
}

/// A ticket out of a path as the database knows it: by its name, or hidden when nothing is left of it.
async fn known_ticket(app: &App, principal: &Principal, text: &str) -> Result<TicketId, ApiError> {
    hide::known_as(app, &mut *app.store.read(&principal.tenant).await?, &principal.tenant, &ticket_of(text)?).await
}

/// A snapshot's id out of a path.
fn snapshot_of(text: &str) -> Result<FileId, ApiError> {
    text.parse().map_err(|_| ApiError::SnapshotUnknown)
}

/// When something was that people tell: a day means its end in the tenant's zone.
fn moment(told: &Moment, zone: &Zone) -> Timestamp {
    match told {
        Moment::Instant(instant) => *instant,
        Moment::Day(day) => end_of_day(*day, zone),
    }
}

/// Why someone reads: one line of 1 to 500 printable characters.
fn reason_of(headers: &HeaderMap) -> Result<String, ApiError> {
    let given =
        headers.get(REASON_HEADER).map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or_default().trim());
    match given {
        None | Some("") => Err(ApiError::bad("Say why in the header Tarseal-Reason.")),
        Some(reason) if reason.chars().count() > REASON_LIMIT || reason.chars().any(char::is_control) => {
            Err(ApiError::bad("The reason in Tarseal-Reason is one line of at most 500 characters."))
        }
        Some(reason) => Ok(reason.to_owned()),
    }
}
