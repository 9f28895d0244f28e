//! The words between client and portal: the JSON bodies of the API, and nothing else.
//!
//! Both sides use these types, so a word cannot be spelled in two ways. Paths, header names and limits are here too.
//! Every error body is an RFC 9457 [`Problem`].

mod code;
mod grants;
mod holds;
mod moment;
mod problem;
mod questions;
mod request;
mod snapshots;
pub mod subject;
mod tickets;
mod tokens;

pub use code::{NotACode, RequestCode};
pub use grants::{Grant, NewGrant};
pub use holds::{Extension, Hold, HoldAsked, HoldConfirmed, HoldOrder, Holds};
pub use moment::Moment;
pub use problem::{Problem, problems};
pub use questions::{Answered, Asked, NewAnswer, NewQuestion, Question, QuestionState};
pub use request::{MadeRequest, NewRequest, PendingRequest, Redeem, Redeemed};
pub use snapshots::{NewShare, NewSnapshot, Received, SealedShare, ShareRequest, Snapshot, SnapshotState, share_info};
pub use tickets::{ListedTicket, NewTicket, Ticket, TicketEvent, TicketMerge, TicketState};
pub use tokens::{ListedToken, NewToken, Token};

use serde::{Deserialize, Serialize};

/// The header that carries why a technician reads a snapshot.
pub const REASON_HEADER: &str = "tarseal-reason";

/// The version of the tus protocol that is spoken.
pub const TUS_VERSION: &str = "1.0.0";

/// The media type of a request that appends bytes to an upload.
pub const OFFSET_MEDIA_TYPE: &str = "application/offset+octet-stream";

/// The media type of an error body (RFC 9457).
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct List<T> {
    /// What is on the page, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins, for `?after=`; `null` on the last page.
    pub next: Option<String>,
}
