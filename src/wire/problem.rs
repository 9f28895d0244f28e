//! What went wrong, as the portal tells it (RFC 9457).

use serde::{Deserialize, Serialize};

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
