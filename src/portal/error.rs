//! What goes wrong: [`PortalError`] for whoever runs the portal, [`ApiError`] for whoever calls it.
//!
//! An [`ApiError`] has two texts: the line in the log, which stands here and says nothing of the client's secrets, and the
//! problem+json that the client gets, which `problem` tells and which says nothing of the portal's inside.

use std::io;

use axum::http::StatusCode;

use super::store::{SeesEverything, Trouble, trouble};

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
    /// The sealed files lie elsewhere: in this bucket, or in the directory.
    #[error("the portal's sealed files lie elsewhere (\"{}\"): say so with --blobs or TARSEAL_BLOBS", .0.escape_debug())]
    OtherBlobs(String),
    /// The address under which people reach the portal is not usable.
    #[error("{0} is no address that browsers trust: https://HOST, or http://localhost on this machine")]
    Address(String),
    /// The role at the database sees the rows of every tenant, whatever the portal says.
    #[error("the role \"{}\" is a superuser at the database, or has BYPASSRLS: no row is kept from it. Use one that owns the database and is neither (docs/DATABASE.md)", .0.escape_debug())]
    SeesEverything(String),
    /// The database belongs to a portal with another key.
    #[error(
        "the database belongs to a portal with another key for receipts; copy its receipt.key into the data directory"
    )]
    OtherKey,
    /// Which tenant is meant cannot be told.
    #[error("there is more than one tenant; say which")]
    TenantNeeded,
    /// What is said for the record of processing activities cannot be read.
    #[error("{}: {}", .0.display(), .1)]
    Records(std::path::PathBuf, crate::records::BadFacts),
    /// A backup is not made, or not put back.
    #[error(transparent)]
    Backup(#[from] super::backup::BackupError),
    /// The ticket systems cannot be used as they are written down.
    #[error(transparent)]
    TicketSystems(#[from] super::ticket_system::TicketSystemsError),
    /// The directory holds something else than a portal's data.
    #[error("{} holds other files, and no portal; a new one is made where nothing is, or in an empty directory", .0.display())]
    OtherFiles(std::path::PathBuf),
}

impl From<sqlx::Error> for PortalError {
    fn from(fault: sqlx::Error) -> Self {
        match fault {
            sqlx::Error::Configuration(cause) => match cause.downcast::<SeesEverything>() {
                Ok(role) => Self::SeesEverything(role.0),
                Err(cause) => Self::Database(Box::new(sqlx::Error::Configuration(cause))),
            },
            fault => Self::Database(Box::new(fault)),
        }
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
    #[error("the portal was told no address, so it has no passkeys")]
    NoPasskeys,
    #[error("no such passkey")]
    PasskeyUnknown,
    #[error("a passkey that does not fit what was asked")]
    PasskeyRefused,
    #[error("no such request of a person concerned")]
    RequestUnknown,
    #[error("a request that stands elsewhere")]
    RequestState,
    #[error("a person must do this")]
    PersonNeeded,
    #[error("no such grant")]
    GrantUnknown,
    #[error("no such question")]
    QuestionUnknown,
    #[error("no such code or request, or it was used or has expired")]
    CodeRefused,
    #[error("the request is used up")]
    CodeUsed,
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
