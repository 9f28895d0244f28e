//! What goes wrong: [`PortalError`] for whoever runs the portal, [`ApiError`] for whoever calls it.
//!
//! An [`ApiError`] has two texts: the problem+json that the client gets, which says nothing of the portal's inside, and the
//! line in the log, which says nothing of the client's secrets.

use std::io;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::store::{Trouble, trouble};
use crate::wire::{PROBLEM_MEDIA_TYPE, Problem, TUS_VERSION, problems};

/// Why the portal does not start, or a command on its directory fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortalError {
    /// An address that others can reach, without TLS.
    #[error("{0} can be reached from other computers; give a certificate and key, or say that a proxy does TLS")]
    Insecure(std::net::SocketAddr),
    /// Another portal has the directory.
    #[error("another portal is running on this directory")]
    Locked,
    /// The data directory cannot be used.
    #[error("the data directory cannot be used")]
    Data(#[source] io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(std::net::SocketAddr, #[source] io::Error),
    /// The certificate or its key is not usable.
    #[error("the certificate or its key cannot be used: {0}")]
    Certificate(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key that signs receipts is damaged.
    #[error("the key that signs receipts cannot be used")]
    ReceiptKey(#[source] crate::track::receipt::ReceiptError),
    /// No tenant of that name.
    #[error("there is no tenant \"{0}\"")]
    TenantUnknown(crate::ids::TenantId),
    /// A tenant of that name is there already.
    #[error("there is a tenant \"{0}\" already")]
    TenantExists(crate::ids::TenantId),
    /// No token of that id that could be revoked.
    #[error("there is no token \"{}\" that is not revoked", .0.escape_debug())]
    TokenUnknown(String),
    /// An upload token without the ticket that it is for.
    #[error("an upload token is for one ticket; say which")]
    TicketNeeded,
    /// The address of the bucket is not usable.
    #[error("the address of the bucket cannot be used: {0}")]
    BlobsAddress(&'static str),
    /// The bucket cannot be used.
    #[error("the bucket cannot be used")]
    Bucket(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The bucket keeps what is deleted.
    #[error(
        "the bucket locks new objects (Object Lock with a default retention): nothing in it could be deleted on time"
    )]
    BucketLocks,
    /// A proxy that is to be trusted is no address and no network.
    #[error("{0}")]
    Proxy(String),
    /// No user of that id.
    #[error("there is no user \"{}\"", .0.escape_debug())]
    UserUnknown(String),
    /// A role that people do not have.
    #[error("people are not of the role upload; make a token for the ticket")]
    NotForPeople,
    /// The directory goes with another database than the one that was named.
    #[error("the data directory goes with another database: {0}; its file \"database\" says which")]
    OtherDatabase(String),
    /// The database belongs to a portal with another key.
    #[error(
        "the database belongs to a portal with another key for receipts; copy its receipt.key into the data directory"
    )]
    OtherKey,
    /// Which tenant is meant cannot be told.
    #[error("there is more than one tenant; say which")]
    TenantNeeded,
    /// A backup is not made, or not put back.
    #[error(transparent)]
    Backup(#[from] super::backup::BackupError),
}

impl From<sqlx::Error> for PortalError {
    fn from(fault: sqlx::Error) -> Self {
        Self::Database(Box::new(fault))
    }
}

/// Why a request is not answered with what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("no token, or one that is unknown, expired or revoked")]
    TokenRefused,
    #[error("the role does not allow it")]
    NotAllowed,
    #[error("no such ticket")]
    TicketUnknown,
    #[error("no such snapshot")]
    SnapshotUnknown,
    #[error("no such upload")]
    UploadUnknown,
    #[error("no such token")]
    TokenUnknown,
    #[error("no such receipt")]
    ReceiptUnknown,
    #[error("no such page")]
    PageUnknown,
    #[error("no such method")]
    MethodUnknown,
    #[error("the ticket is closed")]
    TicketClosed,
    #[error("the ticket is there already")]
    TicketExists,
    #[error("the upload stands at {0}")]
    OffsetMismatch(u64),
    #[error("the snapshot is there with other bytes")]
    SnapshotDiffers,
    #[error("the snapshot was deleted, or its deadline has come")]
    Expired,
    #[error("a hold keeps the snapshot, and nobody may read it")]
    Restricted,
    #[error("another person must do this")]
    SecondPerson,
    #[error("there is no such hold")]
    NotHeld,
    #[error("the deadline cannot be moved on: {0}")]
    CannotExtend(crate::track::extension::CannotExtend),
    #[error("the ticket was merged into another")]
    TicketMerged,
    #[error("another version of the policy")]
    PolicyVersion,
    #[error("bad request: {1}")]
    Bad(StatusCode, &'static str),
    #[error("another tus version")]
    TusVersion,
    #[error("a digest does not agree")]
    DigestMismatch,
    #[error("the digest told with the file does not agree")]
    DigestDiffers,
    #[error("not the sealed file that was named")]
    NotSealed,
    #[error("the file is being uploaded by another door")]
    UploadBegun,
    #[error("the store of sealed files does not answer")]
    StoreAway(#[source] io::Error),
    #[error("what is left of an upload is not gone yet")]
    Ending,
    #[error("no room left")]
    NoRoom,
    #[error("nothing came for too long")]
    Stalled,
    #[error("the body broke off")]
    BrokeOff,
    #[error("the database is busy or cannot be reached")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("too many requests; again in {0} s")]
    TooMany(u64),
    #[error("a request of another site's page")]
    CrossSite,
    #[error("sign-in refused")]
    SignInRefused,
    #[error("the second factor must be shown again")]
    FactorNeeded,
    #[error("wrong code, or one that was used")]
    FactorRefused,
    #[error("not assigned to the ticket")]
    NotAssigned,
    #[error("no such user")]
    UserUnknown,
    #[error("no such invitation")]
    InvitationUnknown,
    #[error("the invitation is unknown, used or expired")]
    InvitationRefused,
    #[error("the name is taken")]
    NameTaken,
    #[error("fault")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// A request that is wrong in itself.
    pub(crate) const fn bad(detail: &'static str) -> Self {
        Self::Bad(StatusCode::BAD_REQUEST, detail)
    }

    /// A fault of the portal, with its cause for the log.
    pub(crate) fn fault(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fault(cause.into())
    }

    /// Status, `type`, title and detail as the client gets them.
    fn told(&self) -> (StatusCode, &'static str, &'static str, &'static str) {
        use problems as p;
        match self {
            Self::TokenRefused => (
                StatusCode::UNAUTHORIZED,
                p::TOKEN_REFUSED,
                "the token is refused",
                "The token is missing, unknown, expired or revoked. Ask for a new one.",
            ),
            Self::NotAllowed => {
                (StatusCode::FORBIDDEN, p::NOT_ALLOWED, "not allowed", "The token is good, but not for this.")
            }
            Self::TicketUnknown => (
                StatusCode::NOT_FOUND,
                p::TICKET_UNKNOWN,
                "no such ticket",
                "The portal knows no ticket of this name. Ask the technician for its number.",
            ),
            Self::SnapshotUnknown => {
                (StatusCode::NOT_FOUND, p::SNAPSHOT_UNKNOWN, "no such snapshot", "The portal knows no such snapshot.")
            }
            Self::UploadUnknown => (
                StatusCode::NOT_FOUND,
                p::UPLOAD_UNKNOWN,
                "no such upload",
                "The upload was never begun, was ended, or waited too long. Announce the file again.",
            ),
            Self::TokenUnknown => (StatusCode::NOT_FOUND, "/problems/token-unknown", "no such token", ""),
            Self::ReceiptUnknown => (StatusCode::NOT_FOUND, "/problems/receipt-unknown", "no such receipt", ""),
            Self::PageUnknown => (StatusCode::NOT_FOUND, "/problems/page-unknown", "there is nothing here", ""),
            Self::MethodUnknown => (StatusCode::METHOD_NOT_ALLOWED, p::BAD_REQUEST, "this cannot be done here", ""),
            Self::TicketClosed => (
                StatusCode::CONFLICT,
                p::TICKET_CLOSED,
                "the ticket is closed",
                "Nothing can be added to a closed ticket. Ask for it to be reopened.",
            ),
            Self::TicketExists => (StatusCode::CONFLICT, p::TICKET_EXISTS, "the ticket is there already", ""),
            Self::OffsetMismatch(_) => (
                StatusCode::CONFLICT,
                p::OFFSET_MISMATCH,
                "the upload stands elsewhere",
                "Ask for the offset and go on from there.",
            ),
            Self::SnapshotDiffers => (
                StatusCode::CONFLICT,
                p::SNAPSHOT_DIFFERS,
                "the snapshot is there with other bytes",
                "A file id names one sealed file for ever. Seal again.",
            ),
            Self::Expired => (
                StatusCode::GONE,
                p::EXPIRED,
                "deleted",
                "The snapshot was deleted at its deadline, and so was the portal's part of its key.",
            ),
            Self::Restricted => (
                StatusCode::FORBIDDEN,
                p::RESTRICTED,
                "restricted",
                "A hold keeps the snapshot, but its time is over or it was withdrawn. Nobody may read it.",
            ),
            Self::SecondPerson => (
                StatusCode::FORBIDDEN,
                p::SECOND_PERSON,
                "a second person is needed",
                "Another person must confirm what one has asked for.",
            ),
            Self::NotHeld => (
                StatusCode::CONFLICT,
                p::NOT_HELD,
                "no such hold",
                "No such hold is in force or waits for a second person. Look again what stands.",
            ),
            Self::CannotExtend(why) => {
                (StatusCode::CONFLICT, p::CANNOT_EXTEND, "the deadline cannot be moved on", cannot_extend(*why))
            }
            Self::TicketMerged => (
                StatusCode::CONFLICT,
                p::TICKET_MERGED,
                "the ticket was merged",
                "The ticket was merged into another, or the other into it. That is for good.",
            ),
            Self::PolicyVersion => (
                StatusCode::CONFLICT,
                p::POLICY_VERSION,
                "another version of the policy",
                "A new policy has the version after the one in force; what is approved is the version that was proposed.",
            ),
            Self::Bad(status, detail) => (*status, p::BAD_REQUEST, "the request is wrong", detail),
            Self::TusVersion => (
                StatusCode::PRECONDITION_FAILED,
                p::BAD_REQUEST,
                "another version of tus",
                "The header Tus-Resumable must say 1.0.0.",
            ),
            Self::DigestMismatch => (
                StatusCode::from_u16(460).expect("460 is within 100 and 999"),
                p::DIGEST_MISMATCH,
                "the digest does not agree",
                "The bytes that came are not the bytes that were announced. None of them is kept.",
            ),
            Self::DigestDiffers => (
                StatusCode::BAD_REQUEST,
                p::DIGEST_MISMATCH,
                "the digest does not agree",
                "The bytes that came do not have the digest in Repr-Digest or Content-Digest. None of them is kept.",
            ),
            Self::NotSealed => (
                StatusCode::UNPROCESSABLE_ENTITY,
                p::NOT_SEALED,
                "not a sealed file",
                "The portal takes files that tarseal has sealed, each under its own file id. Nothing of this one is kept.",
            ),
            Self::UploadBegun => (
                StatusCode::CONFLICT,
                p::UPLOAD_BEGUN,
                "the file is being uploaded by another door",
                "Go on with the upload that has begun, or end it.",
            ),
            Self::StoreAway(_) | Self::Ending => (
                StatusCode::SERVICE_UNAVAILABLE,
                p::STORE_AWAY,
                "the portal cannot take this just now",
                "What it has acknowledged is kept; try again.",
            ),
            Self::NoRoom => (
                StatusCode::INSUFFICIENT_STORAGE,
                p::NO_ROOM,
                "no room",
                "The portal has no room left. What it has acknowledged is kept; try again later.",
            ),
            Self::Stalled => (StatusCode::REQUEST_TIMEOUT, p::BAD_REQUEST, "nothing came for too long", "Try again."),
            // The line broke, not the client: an answer that asks for another try.
            Self::BrokeOff => (StatusCode::REQUEST_TIMEOUT, p::BAD_REQUEST, "the body broke off", "Try again."),
            Self::Busy(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                p::BUSY,
                "the portal is busy",
                "The portal's database cannot be reached or is too busy. What it has acknowledged is kept; try again.",
            ),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "/problems/too-many-requests",
                "too many requests",
                "Try again after the seconds that Retry-After says.",
            ),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "/problems/cross-site",
                "the request comes from another site",
                "A cookie is good for requests of the portal's own pages alone.",
            ),
            Self::SignInRefused => (
                StatusCode::UNAUTHORIZED,
                "/problems/sign-in-refused",
                "sign-in refused",
                "Name, password or code is wrong, or the code was used before. Ask your administrator if you are locked out.",
            ),
            Self::FactorNeeded => (
                StatusCode::UNAUTHORIZED,
                "/problems/second-factor-needed",
                "show your second factor again",
                "This needs a code that was shown within the last 15 minutes: POST it to /v1/session/factor.",
            ),
            Self::FactorRefused => (
                StatusCode::FORBIDDEN,
                "/problems/second-factor-refused",
                "the code is refused",
                "Password or code is wrong, or the code was used before. Wait for the next code.",
            ),
            Self::NotAssigned => (
                StatusCode::FORBIDDEN,
                "/problems/not-assigned",
                "not assigned",
                "Only who is assigned to the ticket reads its snapshots. Assign yourself first.",
            ),
            Self::UserUnknown => (StatusCode::NOT_FOUND, "/problems/user-unknown", "no such user", ""),
            Self::InvitationUnknown => {
                (StatusCode::NOT_FOUND, "/problems/invitation-unknown", "no such invitation", "")
            }
            Self::InvitationRefused => (
                StatusCode::FORBIDDEN,
                "/problems/invitation-refused",
                "the invitation is refused",
                "The invitation is unknown, was used, or has expired. Ask for a new one.",
            ),
            Self::NameTaken => {
                (StatusCode::CONFLICT, "/problems/name-taken", "the name is taken", "Choose another name.")
            }
            Self::Fault(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                p::FAULT,
                "a fault of the portal",
                "The portal's log says more, under the request id of this answer.",
            ),
        }
    }
}

const fn cannot_extend(why: crate::track::extension::CannotExtend) -> &'static str {
    use crate::track::extension::CannotExtend as C;
    match why {
        C::NotClosed => "The ticket is open: nothing but the hard cap is counted.",
        C::Over => "The snapshot's time is over, or it was withdrawn.",
        C::TooOften => "It was moved on as often as the policy allows.",
        C::TooFar => "The policy does not allow that many days at once.",
        C::AtCap => "It stands at the hard cap, which nothing moves.",
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(fault: sqlx::Error) -> Self {
        match trouble(&fault) {
            Trouble::NoRoom => Self::NoRoom,
            Trouble::Passing => Self::Busy(Box::new(fault)),
            Trouble::Lasting => Self::Fault(Box::new(fault)),
        }
    }
}

impl From<io::Error> for ApiError {
    fn from(fault: io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            io::ErrorKind::NetworkUnreachable => Self::StoreAway(fault),
            _ => Self::Fault(Box::new(fault)),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Busy(cause) = &self {
            tracing::warn!(
                cause = &**cause as &(dyn std::error::Error + 'static),
                "the database did not answer a request"
            );
        }
        if let Self::Fault(cause) = &self {
            tracing::error!(cause = &**cause as &(dyn std::error::Error + 'static), "the portal failed at a request");
        }
        if let Self::StoreAway(cause) = &self {
            tracing::error!(cause = cause as &(dyn std::error::Error + 'static), "the bucket does not answer");
        }
        let (status, kind, title, detail) = self.told();
        let problem = Problem {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.to_owned(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        match self {
            Self::TokenRefused => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::OffsetMismatch(offset) => {
                headers.insert("upload-offset", HeaderValue::from(offset));
            }
            Self::TusVersion => {
                headers.insert("tus-version", HeaderValue::from_static(TUS_VERSION));
            }
            Self::StoreAway(_) | Self::Ending => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("15"));
            }
            Self::FactorNeeded => {
                // RFC 9470.
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer error=\"insufficient_user_authentication\", max_age=\"900\""),
                );
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::NoRoom => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("300"));
            }
            Self::Busy(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}
