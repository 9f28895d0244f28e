//! What takes two persons: one asks, another confirms.
//!
//! An administrator can invite anybody anew, and gets the invitation. So that nobody is both persons that way, who took up an
//! administrator's invitation confirms nothing for a day: long enough for the one whose account it was to find it shut.

use crate::clock::Timestamp;
use crate::portal::auth::Principal;
use crate::portal::error::ApiError;
use crate::portal::store::{Connection, vouchers};

/// For how many seconds after an administrator's invitation was taken up.
const DAY: i64 = 86_400;

/// Lets through who may confirm what `first` has asked for.
pub(super) async fn confirms(
    connection: &mut Connection,
    principal: &Principal,
    first: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    if first == principal.token {
        return Err(ApiError::SecondPerson);
    }
    match vouchers::since(connection, &principal.tenant, &principal.token).await? {
        Some(since) if now < since.plus_seconds(DAY) => Err(ApiError::SecondPerson),
        _ => Ok(()),
    }
}
