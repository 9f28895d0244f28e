//! Upload tokens for one ticket.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;

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
