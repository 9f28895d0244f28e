//! Writes a record and what opens its commitments.

use super::{Act, Actor, On, Origin, Outcome, Tool};
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::app::{random_id, system_rng};
use crate::portal::store::audit::{self as table, NewRow};
use crate::portal::store::{Connection, Result};
use crate::track::log::{Field, Opening};
use crate::track::receipt;

/// Writes the record, with the reason that was given and the receipt that was signed; gives its number.
pub(super) async fn record(
    connection: &mut Connection,
    tenant: &TenantId,
    at: Timestamp,
    actor: Actor<'_>,
    (act, on, outcome): (Act, On<'_>, Outcome),
    (reason, note): (Option<&str>, Option<&str>),
) -> Result<i64> {
    let (who, role, request) = match actor {
        Actor::Token(principal) => (principal.token.as_str(), principal.role.word(), Some(principal.request.as_str())),
        Actor::Operator => ("operator", "operator", None),
        Actor::Worker => ("worker", "worker", None),
        Actor::Nobody(request) => ("nobody", "nobody", Some(request.0.as_str())),
    };
    let from = |Origin { address, tool, name }: &Origin| (*tool, address.map(|it| it.to_string()), name.clone());
    let (tool, address, name) = match actor {
        Actor::Token(principal) => from(&principal.origin),
        Actor::Nobody(request) => from(&request.1),
        Actor::Operator => (Tool::Host, None, None),
        Actor::Worker => (Tool::Portal, None, None),
    };
    let (kind, object) = match on {
        On::Tenant(id) => ("tenant", id.to_owned()),
        On::Ticket(id) => ("ticket", id.to_owned()),
        On::Token(id) => ("token", id.to_owned()),
        On::Snapshot(id) => ("snapshot", id.to_string()),
        On::User(id) => ("user", id.to_owned()),
        On::Session(id) => ("session", id.to_owned()),
        On::Invitation(id) => ("invitation", id.to_owned()),
        On::Request(id) => ("subject-request", id.to_owned()),
        On::Code(id) => ("request", id.to_owned()),
        On::Passkey(id) => ("passkey", id.to_owned()),
    };
    let hidden = [(Field::Address, address), (Field::Name, name), (Field::Reason, reason.map(str::to_owned))];
    let openings: Vec<(Field, Opening)> =
        hidden.into_iter().filter_map(|(field, value)| value.map(|value| (field, seal(value)))).collect();
    let commitment = |wanted: Field| {
        openings.iter().find(|(field, _)| *field == wanted).and_then(|(field, opening)| opening.commitment(*field))
    };
    let row = NewRow {
        id: random_id(),
        at,
        actor: who,
        role,
        name: commitment(Field::Name),
        address: commitment(Field::Address),
        tool: tool.word(),
        act: act.word(),
        purpose: act.purpose(),
        kind,
        object: &object,
        outcome: outcome.word(),
        reason: commitment(Field::Reason),
        request,
        receipt: note.map(receipt::digest),
    };
    let number = table::add(connection, tenant, &row).await?;
    for (field, opening) in &openings {
        table::add_opening(connection, tenant, number, at, *field, opening).await?;
    }
    Ok(number)
}

/// Draws the salt that hides a value.
fn seal(value: String) -> Opening {
    let mut salt = [0; 32];
    rand::Rng::fill_bytes(&mut system_rng(), &mut salt);
    Opening { salt: hex::encode(salt), value }
}
