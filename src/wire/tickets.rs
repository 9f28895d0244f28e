//! Tickets: opened, closed, reopened, merged, and what is told of them.

use serde::{Deserialize, Serialize};

use super::{Moment, Snapshot};
use crate::clock::Timestamp;
use crate::ids::TicketId;

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

/// `POST /v1/tickets/{ticket}/merge`: the ticket is worked on as part of another from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketMerge {
    /// The other ticket.
    pub into: TicketId,
}
