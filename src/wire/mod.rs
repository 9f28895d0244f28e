//! The words between client and portal: the JSON bodies of the API, and nothing else.
//!
//! Both sides use these types, so a word cannot be spelled in two ways. Paths, header names and limits are here too.
//! Every error body is an RFC 9457 [`Problem`].

mod code;
mod grants;
mod questions;
mod request;
pub mod subject;

pub use code::{NotACode, RequestCode};
pub use grants::{Grant, NewGrant};
pub use questions::{Answered, Asked, NewAnswer, NewQuestion, Question, QuestionState};
pub use request::{MadeRequest, NewRequest, PendingRequest, Redeem, Redeemed};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId, TicketId};

/// The header that carries why a technician reads a snapshot.
pub const REASON_HEADER: &str = "tarseal-reason";

/// The version of the tus protocol that is spoken.
pub const TUS_VERSION: &str = "1.0.0";

/// The media type of a request that appends bytes to an upload.
pub const OFFSET_MEDIA_TYPE: &str = "application/offset+octet-stream";

/// The media type of an error body (RFC 9457).
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// `POST /v1/tickets`: opens a ticket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// The name both sides use.
    pub ticket: TicketId,
}

/// What the portal tells about a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Ticket {
    /// Its name.
    pub ticket: TicketId,
    /// Open or closed.
    pub state: TicketState,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
    /// The ticket it was merged into: when that one is closed, this one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<TicketId>,
    /// When it was asked whether it is still open. Reopening it is the answer that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
}

/// A ticket in a list of tickets; [`Ticket`] tells its snapshots too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct ListedTicket {
    /// Its name.
    pub ticket: TicketId,
    /// Open or closed.
    pub state: TicketState,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
    /// The ticket it was merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<TicketId>,
    /// When it was asked whether it is still open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct List<T> {
    /// What is on the page, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins, for `?after=`; `null` on the last page.
    pub next: Option<String>,
}

/// Whether a ticket is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TicketState {
    /// Being worked on; its snapshots wait.
    Open,
    /// Done; the days until deletion are counted.
    Closed,
}

/// `POST /v1/tickets/{ticket}/close` and `…/reopen`: an event of the ticket's source.
///
/// The same `event` told twice is taken once, unless its `version` is higher. `at` may lie in the past, not in the future.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketEvent {
    /// When it happened; the portal's present instant when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// The source's own name of the event; the portal makes one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(min_length = 1, max_length = 128))]
    pub event: Option<String>,
    /// Which telling of the event this is, counted up by its source; 0 when absent. An older one than is known is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(maximum = 4_294_967_295_i64))]
    pub version: Option<u32>,
}

/// A point in time as people tell it: an instant, or a day, which means the end of that day in the tenant's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// RFC 3339: `2026-12-03T14:20:01Z`.
    Instant(Timestamp),
    /// `2026-12-03`.
    Day(jiff::civil::Date),
}

impl From<Timestamp> for Moment {
    fn from(instant: Timestamp) -> Self {
        Self::Instant(instant)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Instant(instant) => instant.serialize(serializer),
            Self::Day(day) => serializer.collect_str(day),
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = crate::clock::NotATimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<jiff::civil::Date>() {
            Ok(day) if text.len() == "2026-12-03".len() => Ok(Self::Day(day)),
            _ => text.parse().map(Self::Instant),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `POST /v1/tickets/{ticket}/merge`: the ticket is worked on as part of another from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketMerge {
    /// The other ticket.
    pub into: TicketId,
}

/// `PUT /v1/snapshots/{id}/hold`: one person asks for a hold, another puts it in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum HoldOrder {
    /// Asks for one.
    Ask(HoldAsked),
    /// Puts the one that was asked for in force.
    Confirm(HoldConfirmed),
}

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldAsked {
    /// What allows it, in one word: `legal-claim`, `legal-obligation`, `authority-order`, `subject-restriction`,
    /// `breach-record`.
    #[cfg_attr(
        feature = "portal",
        schema(pattern = "^(legal-claim|legal-obligation|authority-order|subject-restriction|breach-record)$")
    )]
    pub basis: String,
    /// Why, in one line of at most 500 characters.
    #[cfg_attr(feature = "portal", schema(min_length = 1, max_length = 500))]
    pub reason: String,
    /// When it is looked at again, within six months.
    pub review_at: Moment,
}

/// Which hold is put in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldConfirmed {
    /// Its id.
    pub confirms: String,
}

/// A hold, as those are told who may order one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Hold {
    /// Names it.
    pub id: String,
    /// What allows it.
    pub basis: String,
    /// Why.
    pub reason: String,
    /// When it is looked at again.
    pub review_at: Timestamp,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// From when on it is in force; absent while it waits for a second person.
    pub confirmed_at: Option<Timestamp>,
    /// When its lifting was asked for; a second person lifts it.
    pub lift_asked_at: Option<Timestamp>,
}

/// The holds of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Holds {
    /// The one that stops the deletion.
    pub in_force: Option<Hold>,
    /// The one that waits for a second person.
    pub asked: Option<Hold>,
}

/// `POST /v1/snapshots/{id}/extend`: moves the deadline on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// By how many calendar days.
    #[cfg_attr(feature = "portal", schema(maximum = 65_535))]
    pub days: u16,
}

/// `POST /v1/tickets/{ticket}/tokens`: makes a token for one ticket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// How long it is good for, in seconds.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 7_776_000))]
    pub valid_seconds: u64,
}

/// A new token. It is told once and kept nowhere in clear.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Token {
    /// Names the token for revoking it.
    pub id: String,
    /// The bearer token itself.
    #[cfg_attr(feature = "portal", schema(value_type = String))]
    pub token: Zeroizing<String>,
    /// From when on it is refused.
    pub expires: Timestamp,
}

/// An upload token in the list of a ticket's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct ListedToken {
    /// Names it.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Timestamp,
    /// From when on it is refused because it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// How many bytes it is good for, if they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// `POST /v1/tickets/{ticket}/snapshots`: announces a sealed file. The answer's `Location` is the upload's own URL (tus).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSnapshot {
    /// The file id in the sealed file's header. The portal knows the snapshot by it.
    pub file_id: FileId,
    /// Length of the sealed file in bytes.
    #[cfg_attr(feature = "portal", schema(minimum = 1, maximum = 9_007_199_254_740_991_i64))]
    pub size: u64,
    /// SHA-256 of the sealed file, 64 hexadecimal digits in lower case.
    #[cfg_attr(feature = "portal", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The portal's part of the file key; absent for a file sealed without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<NewShare>,
}

/// The portal's part of a file key, on its way to the portal.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    /// The share id in the sealed file's header.
    pub id: ShareId,
    /// 32 bytes, Base64 (standard alphabet, padded).
    #[cfg_attr(feature = "portal", schema(value_type = String, pattern = "^[A-Za-z0-9+/]{43}=$"))]
    pub secret: Zeroizing<String>,
    /// The instant after which the sender wants no one to get it.
    pub not_after: Timestamp,
}

/// What the portal tells about a snapshot, also after its deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// The file id of the sealed file.
    pub id: FileId,
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// Where it is on its way.
    pub state: SnapshotState,
    /// Length of the sealed file in bytes.
    pub size: u64,
    /// SHA-256 of the sealed file in hexadecimal; empty while it is not known yet.
    #[cfg_attr(feature = "portal", schema(pattern = "^([0-9a-f]{64})?$"))]
    pub sha256: String,
    /// When its last byte was stored; absent while it is being uploaded.
    pub uploaded_at: Option<Timestamp>,
    /// The instant by which it must be gone, as known now.
    pub due_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// While a hold stops the deletion: when it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<Timestamp>,
    /// How often its content was read.
    pub reads: u64,
}

/// Where a snapshot is on its way through the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SnapshotState {
    /// Its bytes are still arriving.
    Uploading,
    /// Complete and readable by those who may.
    Stored,
    /// Complete and readable, and a hold stops its deletion.
    Held,
    /// A hold keeps it, and its time is over or it was withdrawn: nobody can read it.
    Restricted,
    /// Its deletion has begun; nobody can read it any more.
    Deleting,
    /// Gone, with a receipt.
    Deleted,
}

impl SnapshotState {
    /// The word for it, the same as in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Stored => "stored",
            Self::Held => "held",
            Self::Restricted => "restricted",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// What the portal answers to `PUT /in/{ticket}/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Received {
    /// The file id of the sealed file.
    pub id: FileId,
    /// The ticket it belongs to.
    pub ticket: TicketId,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal, as the portal counted it.
    #[cfg_attr(feature = "portal", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The instant by which it must be gone, as known now.
    pub due_at: Option<Timestamp>,
    /// The upload receipt, a signed note.
    pub receipt: String,
}

/// `POST /v1/snapshots/{id}/share`: asks for the share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    /// The technician's recipient (`tarseal1…`): the share is sealed to it.
    pub recipient: String,
    /// Asks for the vendor's part as well, which was granted to this key; refused when none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub granted: bool,
}

/// The share, sealed to the technician's key: HPKE base mode, info = [`share_info`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct SealedShare {
    /// The share id in the sealed file's header.
    pub id: ShareId,
    /// `enc | ct` in Base64 (standard alphabet, padded).
    pub sealed: String,
    /// The vendor's part as it was granted to that key, in Base64; when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// The bytes that bind a sealed share to its purpose and its snapshot.
#[must_use]
pub fn share_info(snapshot: &FileId, share: &ShareId) -> Vec<u8> {
    [b"tarseal/v1 share\0".as_slice(), &snapshot.0, &share.0].concat()
}

/// An error body (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Which error: a stable path below the portal's address, such as `/problems/ticket-unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The error in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The `type` values of [`Problem`] that a client acts on.
pub mod problems {
    /// 401: no token, or one that is unknown, expired or revoked.
    pub const TOKEN_REFUSED: &str = "/problems/token-refused";
    /// 403: the token is good but not for this.
    pub const NOT_ALLOWED: &str = "/problems/not-allowed";
    /// 404: no such ticket (or it is another tenant's).
    pub const TICKET_UNKNOWN: &str = "/problems/ticket-unknown";
    /// 404: no such snapshot (or it is another tenant's).
    pub const SNAPSHOT_UNKNOWN: &str = "/problems/snapshot-unknown";
    /// 404: no such upload.
    pub const UPLOAD_UNKNOWN: &str = "/problems/upload-unknown";
    /// 409: the ticket is closed.
    pub const TICKET_CLOSED: &str = "/problems/ticket-closed";
    /// 409: a ticket of this name is there already.
    pub const TICKET_EXISTS: &str = "/problems/ticket-exists";
    /// 409: the upload's offset is another one (tus).
    pub const OFFSET_MISMATCH: &str = "/problems/offset-mismatch";
    /// 409: a snapshot of this id is there with other bytes.
    pub const SNAPSHOT_DIFFERS: &str = "/problems/snapshot-differs";
    /// 410: deleted at its deadline.
    pub const EXPIRED: &str = "/problems/expired";
    /// 400, 411, 413, 415, 422: the request itself is wrong.
    pub const BAD_REQUEST: &str = "/problems/bad-request";
    /// 460: the bytes do not have the digest they were announced with (tus checksum, and at the end of an upload).
    pub const DIGEST_MISMATCH: &str = "/problems/digest-mismatch";
    /// 422: the file is not a sealed file, or not the one that was named.
    pub const NOT_SEALED: &str = "/problems/not-sealed";
    /// 409: the same file is being uploaded by another door.
    pub const UPLOAD_BEGUN: &str = "/problems/upload-begun";
    /// 503: the portal's own store does not answer, or is at work on the same file; try again.
    pub const STORE_AWAY: &str = "/problems/store-away";
    /// 403: a hold keeps it, but nobody may read it any more.
    pub const RESTRICTED: &str = "/problems/restricted";
    /// 403: another person must do this than the one who asked for it.
    pub const SECOND_PERSON: &str = "/problems/second-person";
    /// 409: no such hold is in force or asked for.
    pub const NOT_HELD: &str = "/problems/not-held";
    /// 409: the deadline cannot be moved on.
    pub const CANNOT_EXTEND: &str = "/problems/cannot-extend";
    /// 409: the ticket was merged into another one.
    pub const TICKET_MERGED: &str = "/problems/ticket-merged";
    /// 409: another version of the policy is in force, or another one was proposed.
    pub const POLICY_VERSION: &str = "/problems/policy-version";
    /// 404: no such request of a person concerned.
    pub const REQUEST_UNKNOWN: &str = "/problems/request-unknown";
    /// 409: the request of a person concerned stands where this cannot be done.
    pub const REQUEST_STATE: &str = "/problems/request-state";
    /// 507: the portal has no room.
    pub const NO_ROOM: &str = "/problems/no-room";
    /// 500: a fault of the portal.
    pub const FAULT: &str = "/problems/fault";
    /// 503: the portal's database cannot be reached or is too busy.
    pub const BUSY: &str = "/problems/busy";
    /// 404: no such code or request, or the code was used or has expired.
    pub const CODE_REFUSED: &str = "/problems/code-refused";
    /// 403: what one request allows was sent.
    pub const CODE_USED: &str = "/problems/code-used";
}
