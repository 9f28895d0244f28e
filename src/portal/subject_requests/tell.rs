//! What is told of requests, and to whom.

use zeroize::Zeroizing;

use super::{REFERENCE, STATEMENT, place, rows};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId};
use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::store::Connection;
use crate::portal::store::subject_requests::Request;
use crate::track::answer::REMINDER_SECONDS;
use crate::wire::subject::{Concerned, Standing, Statement, SubjectRequest};

/// A request as it stands in lists: what describes a person is left out.
pub(crate) fn tell(request: &Request, now: Timestamp) -> SubjectRequest {
    SubjectRequest {
        id: request.id.clone(),
        number: request.number,
        kind: request.kind,
        state: request.state,
        standing: standing(request, now),
        received_at: request.received_at,
        due_at: request.due_at,
        longer: request.longer,
        decided_at: request.decided_at,
        ended_at: request.ended_at,
        ground: request.ground,
        lifted_at: request.lifted_at,
        reference: None,
        statement: None,
        snapshots: None,
    }
}

/// A request with its snapshots; with what describes a person for the `officer` alone. What was sealed with a key that is gone
/// is left out.
pub(crate) async fn tell_whole(
    app: &App,
    connection: &mut Connection,
    request: &Request,
    officer: bool,
) -> Result<SubjectRequest, ApiError> {
    let now = app.clock.now();
    let open = |sealed: &Option<Vec<u8>>, what: &str| {
        let sealed = sealed.as_ref().filter(|_| officer)?;
        app.authority.unseal_text(sealed, &request.tenant, &place(request.number, what))
    };
    let mut told = tell(request, now);
    told.reference = open(&request.reference, REFERENCE);
    told.statement = open(&request.statement, STATEMENT);
    let mut snapshots = Vec::new();
    for (link, known) in rows::concerned(connection, request).await? {
        let stand_ins = open(&link.stand_ins, &link.snapshot.to_string());
        snapshots.push(Concerned {
            snapshot: link.snapshot,
            ticket: known.as_ref().map(|known| known.ticket.clone()),
            state: known.as_ref().map(|known| known.to_wire(now).state),
            blocked: link.blocked_at.is_some(),
            held: known.is_some_and(|known| known.is_held()),
            stand_ins: stand_ins.map(|text| lines(&text)).unwrap_or_default(),
        });
    }
    told.snapshots = Some(snapshots);
    Ok(told)
}

/// The statements that stand beside a snapshot.
pub(crate) async fn statements(
    app: &App,
    connection: &mut Connection,
    tenant: &TenantId,
    snapshot: &FileId,
) -> Result<Vec<Statement>, ApiError> {
    let mut told = Vec::new();
    for (request, stand_ins) in rows::statements(connection, tenant, snapshot).await? {
        let open = |sealed: Option<&Vec<u8>>, what: &str| {
            app.authority.unseal_text(sealed?, tenant, &place(request.number, what))
        };
        let Some(statement) = open(request.statement.as_ref(), STATEMENT) else { continue };
        let stand_ins = open(stand_ins.as_ref(), &snapshot.to_string());
        told.push(Statement {
            number: request.number,
            since: request.decided_at.unwrap_or(request.lodged_at),
            statement,
            stand_ins: stand_ins.map(|text| lines(&text)).unwrap_or_default(),
        });
    }
    Ok(told)
}

fn lines(text: &str) -> Vec<Zeroizing<String>> {
    text.lines().map(|line| Zeroizing::new(line.to_owned())).collect()
}

fn standing(request: &Request, now: Timestamp) -> Standing {
    if request.ended_at.is_some() {
        Standing::Ended
    } else if now > request.due_at {
        Standing::Late
    } else if now.plus_seconds(REMINDER_SECONDS) > request.due_at {
        Standing::Near
    } else {
        Standing::InTime
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::subject::{SubjectKind, SubjectState};

    #[test]
    fn a_request_is_near_for_a_week_and_late_after_its_last_second() {
        let due_at: Timestamp = "2026-12-20T23:59:59Z".parse().unwrap();
        let mut request = Request {
            tenant: "acme".parse().unwrap(),
            number: 1,
            id: String::from("00"),
            kind: SubjectKind::Information,
            state: SubjectState::Received,
            received_at: due_at.plus_days(-30),
            lodged_at: due_at.plus_days(-30),
            due_at,
            longer: None,
            decided_at: None,
            ended_at: None,
            ground: None,
            lifted_at: None,
            reminded: 0,
            reference: None,
            statement: None,
        };
        for (seconds, expected) in [
            (-7 * 86_400, Standing::InTime),
            (-7 * 86_400 + 1, Standing::Near),
            (0, Standing::Near),
            (1, Standing::Late),
        ] {
            assert_eq!(standing(&request, due_at.plus_seconds(seconds)), expected, "{seconds}");
        }
        request.ended_at = Some(due_at);
        assert_eq!(standing(&request, due_at.plus_days(9)), Standing::Ended);
    }
}
