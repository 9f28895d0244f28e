//! What moves a deadline: holds and extensions.

use serde::{Deserialize, Serialize};

use super::Moment;
use crate::clock::Timestamp;

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
