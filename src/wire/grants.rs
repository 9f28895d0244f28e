//! Grants: the vendor's part of a file key, passed on to one more person.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// `POST /v1/snapshots/{id}/grants`: passes the vendor's part on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// The name with which whoever gets it signs in: a technician's account of the same tenant, on the ticket or not.
    #[cfg_attr(feature = "portal", schema(min_length = 1, max_length = 64))]
    pub user: String,
    /// Their recipient (`tarseal1…`).
    pub recipient: String,
    /// The vendor's part, sealed to that recipient: `enc | ct` in Base64 (standard alphabet, padded).
    pub part: String,
}

/// A grant, without the part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Grant {
    /// Names it.
    pub id: String,
    /// Who got it: the id of the account.
    pub user: String,
    /// The account's name.
    pub name: String,
    /// The fingerprint of the key it is sealed to.
    pub fingerprint: String,
    /// When it was made.
    pub granted_at: Timestamp,
    /// When it was revoked; the part is gone since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}
