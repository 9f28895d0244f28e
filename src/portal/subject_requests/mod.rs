//! What persons concerned ask for, from receipt to answer: lodged, decided, carried out, ended.
//!
//! Each act is one transaction with its record in the audit log. What a person is named by stays with the officer: a request
//! names tickets, snapshots and stand-ins; the officer's own file number, stand-ins and statements are sealed in the database
//! with a key that lies beside it.

mod carry;
mod export;
mod letter;
mod tell;

pub(crate) use carry::{erase_old, remind, run};
pub(crate) use export::{Export, export};
pub(crate) use tell::{statements, tell, tell_whole};

use std::collections::BTreeMap;

use axum::http::StatusCode;
use zeroize::Zeroizing;

use super::app::{App, random_id};
use super::audit::{Act, Actor, On, Outcome, record};
use super::auth::Principal;
use super::error::ApiError;
use super::jobs::hide;
use super::store::subject_requests::{self as rows, Link, Request};
use super::store::{Connection, Transaction, snapshots, tickets};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::track::answer::{LONGER_MONTHS, MONTHS, answer_by};
use crate::track::deadline::{end_of_day, start_of_day};
use crate::track::policy::Zone;
use crate::wire::Moment;
use crate::wire::subject::{
    Ground, LongerBecause, MOST_SNAPSHOTS, MOST_STAND_INS, NewSubjectRequest, SubjectKind, SubjectState, is_stand_in,
};

/// The longest file number in characters.
const LONGEST_REFERENCE: usize = 200;

/// The longest statement in characters.
const LONGEST_STATEMENT: usize = 4000;

/// The snapshots that a new request concerns, with what stands for the person in each.
type Found = BTreeMap<FileId, Vec<Zeroizing<String>>>;

/// Takes a request in. The time for its answer runs from the receipt, by the calendar of the tenant.
pub(crate) async fn lodge(app: &App, principal: &Principal, new: NewSubjectRequest) -> Result<Request, ApiError> {
    check(&new)?;
    let (tenant, now) = (&principal.tenant, app.clock.now());
    let mut transaction = app.store.begin(tenant).await?;
    let zone = app.policy(&mut transaction, tenant).await?.zone;
    let received_at = received(new.received_at, &zone, now)?;
    let found = find(app, &mut transaction, tenant, &new).await?;
    let number = rows::next_number(&mut transaction, tenant).await?;
    let seal = |text: &Zeroizing<String>, what: &str| app.authority.seal_text(text, tenant, &place(number, what));
    let request = Request {
        tenant: tenant.clone(),
        number,
        id: random_id(),
        kind: new.kind,
        state: SubjectState::Received,
        received_at,
        lodged_at: now,
        due_at: answer_by(received_at, MONTHS, &zone),
        longer: None,
        decided_at: None,
        ended_at: None,
        ground: None,
        lifted_at: None,
        reminded: 0,
        reference: new.reference.as_ref().map(|text| seal(text, REFERENCE)),
        statement: new.statement.as_ref().map(|text| seal(text, STATEMENT)),
    };
    rows::add(&mut transaction, &request).await?;
    for (snapshot, stand_ins) in found {
        let listed = Zeroizing::new(stand_ins.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n"));
        let stand_ins = (!stand_ins.is_empty()).then(|| seal(&listed, &snapshot.to_string()));
        rows::add_snapshot(&mut transaction, &request, &Link { snapshot, blocked_at: None, stand_ins }).await?;
    }
    note(&mut transaction, principal, now, &request, Act::LodgeRequest).await?;
    transaction.commit().await?;
    Ok(request)
}

/// Grants a request. From then on nobody reads what is to be deleted or blocked; what is to be deleted begins to go at once, or
/// stays restricted for as long as a hold keeps it. A statement stands beside its snapshots, and what is to be told can be told.
pub(crate) async fn decide(app: &App, principal: &Principal, id: &str) -> Result<Request, ApiError> {
    let now = app.clock.now();
    let (mut transaction, mut request) = begin(app, principal, id).await?;
    if request.state != SubjectState::Received {
        return Err(ApiError::RequestState);
    }
    request.state = SubjectState::Decided;
    request.decided_at = Some(now);
    rows::set_state(&mut transaction, &request).await?;
    note(&mut transaction, principal, now, &request, Act::DecideRequest).await?;
    if request.kind.blocks() {
        rows::set_blocked(&mut transaction, &request, Some(now)).await?;
        let actor = Actor::Token(principal);
        for (link, known) in rows::concerned(&mut transaction, &request).await? {
            let Some(snapshot) = known.filter(|known| known.deleted_at.is_none()) else { continue };
            let what = (Act::Block, On::Snapshot(&link.snapshot), Outcome::Done);
            record(&mut transaction, &request.tenant, now, actor, what, None).await?;
            match request.kind {
                SubjectKind::Deletion => carry::withdraw(app, &mut transaction, &snapshot, actor, now).await?,
                SubjectKind::Revocation => carry::revoke_grants(&mut transaction, &snapshot, principal, now).await?,
                _ => {}
            }
        }
    }
    transaction.commit().await?;
    Ok(request)
}

/// Refuses a request on a ground that the law knows for its kind. A deletion can be refused after it was granted, for what a
/// hold keeps: what has gone is gone, and nobody reads the rest.
pub(crate) async fn refuse(app: &App, principal: &Principal, id: &str, ground: Ground) -> Result<Request, ApiError> {
    let now = app.clock.now();
    let (mut transaction, mut request) = begin(app, principal, id).await?;
    let partly = request.state == SubjectState::Decided && request.kind == SubjectKind::Deletion;
    if request.state != SubjectState::Received && !partly {
        return Err(ApiError::RequestState);
    }
    if !ground.fits(request.kind) {
        let told = "The law knows no such ground for requests of this kind.";
        return Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, told));
    }
    request.state = SubjectState::Refused;
    request.ground = Some(ground);
    request.ended_at = Some(now);
    rows::set_state(&mut transaction, &request).await?;
    note(&mut transaction, principal, now, &request, Act::RefuseRequest).await?;
    transaction.commit().await?;
    Ok(request)
}

/// Takes three months from the receipt for the answer. That must be said within the first.
pub(crate) async fn extend(
    app: &App,
    principal: &Principal,
    id: &str,
    because: LongerBecause,
) -> Result<Request, ApiError> {
    let now = app.clock.now();
    let (mut transaction, mut request) = begin(app, principal, id).await?;
    if request.ended_at.is_some() || request.longer.is_some() || now > request.due_at {
        return Err(ApiError::RequestState);
    }
    let zone = app.policy(&mut transaction, &request.tenant).await?.zone;
    request.due_at = answer_by(request.received_at, LONGER_MONTHS, &zone);
    request.longer = Some(because);
    request.reminded = 0;
    rows::set_state(&mut transaction, &request).await?;
    note(&mut transaction, principal, now, &request, Act::ExtendRequest).await?;
    transaction.commit().await?;
    Ok(request)
}

/// Ends a request that was granted: the person has the answer. A deletion ends when everything is gone.
pub(crate) async fn finish(app: &App, principal: &Principal, id: &str) -> Result<Request, ApiError> {
    let now = app.clock.now();
    let (mut transaction, mut request) = begin(app, principal, id).await?;
    if request.state != SubjectState::Decided {
        return Err(ApiError::RequestState);
    }
    if request.kind == SubjectKind::Deletion {
        let left = rows::concerned(&mut transaction, &request).await?;
        if left.iter().any(|(_, known)| known.as_ref().is_some_and(|snapshot| snapshot.deleted_at.is_none())) {
            return Err(ApiError::RequestState);
        }
    }
    request.state = SubjectState::Done;
    request.ended_at = Some(now);
    rows::set_state(&mut transaction, &request).await?;
    note(&mut transaction, principal, now, &request, Act::FinishRequest).await?;
    transaction.commit().await?;
    Ok(request)
}

/// Lets the snapshots of a blocking or a revocation be read again, unless another request blocks them. The person is told
/// before (Art. 18(3)).
pub(crate) async fn lift(app: &App, principal: &Principal, id: &str) -> Result<Request, ApiError> {
    let now = app.clock.now();
    let (mut transaction, mut request) = begin(app, principal, id).await?;
    let blocks = matches!(request.kind, SubjectKind::Blocking | SubjectKind::Revocation);
    if !blocks || request.decided_at.is_none() || request.lifted_at.is_some() {
        return Err(ApiError::RequestState);
    }
    request.lifted_at = Some(now);
    rows::set_state(&mut transaction, &request).await?;
    rows::set_blocked(&mut transaction, &request, None).await?;
    for (link, known) in rows::concerned(&mut transaction, &request).await? {
        if known.is_some_and(|snapshot| snapshot.deleted_at.is_none()) {
            let what = (Act::Unblock, On::Snapshot(&link.snapshot), Outcome::Done);
            record(&mut transaction, &request.tenant, now, Actor::Token(principal), what, None).await?;
        }
    }
    transaction.commit().await?;
    Ok(request)
}

/// Begins a transaction on a request of the principal's tenant.
async fn begin(app: &App, principal: &Principal, id: &str) -> Result<(Transaction, Request), ApiError> {
    let mut transaction = app.store.begin(&principal.tenant).await?;
    let request = rows::find(&mut transaction, &principal.tenant, id).await?.ok_or(ApiError::RequestUnknown)?;
    Ok((transaction, request))
}

async fn note(
    connection: &mut Connection,
    principal: &Principal,
    now: Timestamp,
    request: &Request,
    act: Act,
) -> Result<(), ApiError> {
    let what = (act, On::Request(&request.id), Outcome::Done);
    Ok(record(connection, &request.tenant, now, Actor::Token(principal), what, None).await?)
}

const REFERENCE: &str = "reference";
const STATEMENT: &str = "statement";

/// Where a sealed text stands. What was sealed for one place opens in no other.
fn place(number: i64, what: &str) -> String {
    format!("subject-request/{number}/{what}")
}

fn check(new: &NewSubjectRequest) -> Result<(), ApiError> {
    let wrong = |told| Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, told));
    if let Some(reference) = &new.reference {
        let length = reference.chars().count();
        if !(1..=LONGEST_REFERENCE).contains(&length) || reference.chars().any(char::is_control) {
            return wrong("The reference is one line of 1 to 200 characters.");
        }
    }
    match (new.kind, &new.statement) {
        (SubjectKind::Correction, None) => return wrong("A correction has a statement."),
        (SubjectKind::Correction, Some(statement)) => {
            let length = statement.trim().chars().count();
            let strange = statement.chars().any(|c| c.is_control() && c != '\n');
            if !(1..=LONGEST_STATEMENT).contains(&length) || strange {
                return wrong("The statement has 1 to 4000 characters, without control characters but the line end.");
            }
        }
        (_, Some(_)) => return wrong("Only a correction has a statement."),
        (_, None) => {}
    }
    let good = |stand_ins: &[Zeroizing<String>]| {
        stand_ins.len() <= MOST_STAND_INS && stand_ins.iter().all(|text| is_stand_in(text))
    };
    if new.about.len() > MOST_SNAPSHOTS || !new.about.iter().all(|about| good(&about.stand_ins)) {
        return wrong("A request is about 1000 snapshots at most, each with at most 100 stand-ins such as person-17.");
    }
    Ok(())
}

/// When a request was received. A day that is told means its end, of today the present instant.
fn received(told: Option<Moment>, zone: &Zone, now: Timestamp) -> Result<Timestamp, ApiError> {
    let at = match told {
        None => now,
        Some(Moment::Instant(instant)) => instant,
        Some(Moment::Day(day)) if start_of_day(day, zone) <= now => end_of_day(day, zone).min(now),
        Some(Moment::Day(_)) => Timestamp::MAX,
    };
    if at > now { Err(ApiError::bad("A request cannot be received in the future.")) } else { Ok(at) }
}

/// The snapshots of the tenant that a request is about.
async fn find(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    new: &NewSubjectRequest,
) -> Result<Found, ApiError> {
    let mut found = Found::new();
    for about in &new.about {
        let ticket = hide::known_as(app, connection, tenant, &about.ticket).await?;
        tickets::find(connection, tenant, &ticket).await?.ok_or(ApiError::TicketUnknown)?;
        let ids = match &about.snapshot {
            Some(id) => {
                let snapshot = snapshots::find(connection, tenant, id).await?;
                snapshot.filter(|snapshot| snapshot.ticket == ticket).ok_or(ApiError::SnapshotUnknown)?;
                vec![*id]
            }
            None => {
                let most = i64::try_from(MOST_SNAPSHOTS).unwrap_or(i64::MAX) + 1;
                let of_ticket = snapshots::list(connection, tenant, Some(&ticket), None, most).await?;
                of_ticket.into_iter().map(|snapshot| snapshot.id).collect()
            }
        };
        for id in ids {
            let stand_ins = found.entry(id).or_default();
            for stand_in in &about.stand_ins {
                if !stand_ins.contains(stand_in) && stand_ins.len() < MOST_STAND_INS {
                    stand_ins.push(stand_in.clone());
                }
            }
        }
        if found.len() > MOST_SNAPSHOTS {
            let told = "A request is about 1000 snapshots at most. Lodge it in parts.";
            return Err(ApiError::Bad(StatusCode::UNPROCESSABLE_ENTITY, told));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_received_in_the_past_or_now() {
        let zone: Zone = "Europe/Brussels".parse().unwrap();
        let now: Timestamp = "2026-11-21T14:20:00Z".parse().unwrap();
        let at = |told: &str| received(Some(told.parse().unwrap()), &zone, now).ok().map(|at| at.to_string());
        assert_eq!(received(None, &zone, now).unwrap(), now);
        assert_eq!(at("2026-11-20").as_deref(), Some("2026-11-20T22:59:59Z"));
        assert_eq!(at("2026-11-21").as_deref(), Some("2026-11-21T14:20:00Z"), "today is not over");
        assert_eq!(at("2026-11-22"), None);
        assert_eq!(at("2026-11-21T14:20:01Z"), None);
    }
}
