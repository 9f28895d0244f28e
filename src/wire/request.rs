//! Requests on their way: made for a ticket, redeemed with a code.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::RequestCode;
use crate::clock::Timestamp;

/// `POST /v1/tickets/{ticket}/requests`: leaves a signed request at the portal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// The signed note.
    pub request: String,
}

/// A request that was just made. Its code is told this once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct MadeRequest {
    /// Names it for revoking.
    pub id: String,
    /// What the sender types.
    pub code: RequestCode,
    /// From when on the code is refused.
    pub expires: Timestamp,
}

/// `GET /v1/tickets/{ticket}/requests`: a request that has not expired, without its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct PendingRequest {
    /// Names it for revoking.
    pub id: String,
    /// From when on its code is refused.
    pub expires: Timestamp,
    /// When its code was used, if it was.
    pub used_at: Option<Timestamp>,
}

/// `POST /v1/requests/redeem`: gives a code for the request and a token to send with.
///
/// The same code is taken again with the same `claim` alone, while nothing was sent with it: for whom the answer was lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The code.
    pub code: RequestCode,
    /// 32 hexadecimal digits that the sender drew for this code.
    #[cfg_attr(feature = "portal", schema(value_type = String, pattern = "^[0-9A-Fa-f]{32}$"))]
    pub claim: Zeroizing<String>,
}

/// What a code is good for.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Redeemed {
    /// The signed note.
    pub request: String,
    /// An upload token for the request's ticket, good for one snapshot.
    #[cfg_attr(feature = "portal", schema(value_type = String))]
    pub token: Zeroizing<String>,
    /// From when on the token is refused.
    pub expires: Timestamp,
    /// How many days after the ticket is closed the snapshot is deleted.
    pub after_close_days: u16,
    /// After how many days it is deleted at the latest.
    pub hard_cap_days: u16,
}
