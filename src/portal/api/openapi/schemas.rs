//! How the values look that are parsed at the door.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId, TenantId, TicketId};
use crate::portal::auth::Role;
use crate::wire::{Moment, RequestCode, TUS_VERSION};

/// Bytes as they are.
pub(crate) struct Octets;

/// Why something is done, for the audit log.
pub(crate) struct Reason;

/// The version of tus that is spoken.
pub(crate) struct TusVersion;

/// Gives types the schema that is written as JSON.
macro_rules! schemas {
    ($($name:ty = $schema:expr;)+) => {
        $(
            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    written($schema)
                }
            }

            impl ToSchema for $name {}
        )+
    };
}

const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
const RANDOM: &str = "^[0-9a-f]{32}$";

schemas! {
    TicketId = json!({ "type": "string", "description": "The support case, by the name both sides use.", "pattern": NAME });
    TenantId = json!({ "type": "string", "description": "A customer of the portal.", "pattern": NAME });
    FileId = json!({ "type": "string", "description": "16 random bytes in the header of a sealed file.", "pattern": RANDOM });
    ShareId = json!({ "type": "string", "description": "Names the portal's part of a file key.", "pattern": RANDOM });
    Timestamp = json!({ "type": "string", "description": "An instant (RFC 3339).", "format": "date-time" });
    Moment = json!({
        "type": "string",
        "description": "An instant (RFC 3339), or a day, which means its end in the tenant's zone.",
        "anyOf": [{ "format": "date-time" }, { "format": "date" }],
    });
    Role = json!({
        "type": "string",
        "description": "What somebody is to their tenant.",
        "enum": Role::ALL.map(Role::word),
    });
    RequestCode = json!({
        "type": "string",
        "description": "Seven characters of five random bits and one that checks them (Crockford's alphabet).",
        "pattern": "^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$",
    });
    Octets = json!({ "type": "string", "description": "Bytes as they are.", "format": "binary" });
    Reason = json!({
        "type": "string",
        "description": "One line of 1 to 500 characters.",
        "minLength": 1,
        "maxLength": 500,
    });
    TusVersion = json!({ "type": "string", "description": "The version of tus.", "enum": [TUS_VERSION] });
}

fn written(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).expect("the schema is one of those above, which a test writes out")
}
