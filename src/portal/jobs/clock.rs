//! The guard of the clock: nothing is deleted by a clock that jumped.
//!
//! The store keeps a mark, the latest instant that was trusted, and for each start of a machine what its wall clock was ahead
//! of the time it runs. Each look compares:
//!
//! | what is known | trusted when the wall clock is |
//! |---|---|
//! | this start of the machine | at most an hour from where it should be after the time that passed, also while the portal was down or the machine slept |
//! | only the mark: the machine was started anew | at most an hour behind the mark and at most [`OFF_DAYS`] past it |
//! | nothing: a new portal | anything |
//!
//! After a start only the mark is there, and a machine that was off for a month cannot be told from a clock that was set a
//! month forward. Up to a week it is taken for a machine that was off; beyond, an operator must say so, since what is deleted
//! too early is lost and what is deleted too late is not. Many small steps add up: they are measured from the machine's start.
//!
//! From a jump on no deletion begins, no unfinished upload is ended and no ticket is closed for want of activity, on any
//! machine of the portal, until an operator confirms the clock (`tarseal portal clock confirm`). Deletions that had begun go
//! on. The jump stands in the log, in every tenant's audit log and in `/healthz`.

use crate::clock::{Running, Timestamp};
use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::error::ApiError;
use crate::portal::store::clock::{self, Alarm};
use crate::portal::store::{Connection, look_across, tenants, turn_back};

/// By how many seconds a wall clock may be wrong.
const JUMP: i64 = 3600;

/// For how many days a machine may be off without anyone having to say so.
pub(crate) const OFF_DAYS: i64 = 7;

/// How old the mark may be before it is written again, in seconds.
const MARK_EVERY: i64 = 30;

/// An instant by which things may be deleted. Only a look at the clock gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trusted(Timestamp);

impl Trusted {
    pub(crate) const fn now(self) -> Timestamp {
        self.0
    }
}

/// Looks at the clock, within a transaction that may write; `None` when it jumped or an earlier jump was not confirmed. A new
/// jump is written down.
pub(crate) async fn look(app: &App, connection: &mut Connection) -> Result<Option<Trusted>, ApiError> {
    let now = app.clock.now();
    let running = app.clock.running();
    let mark = match clock::mark(connection).await? {
        Some((_, Some(_))) => return Ok(None),
        Some((mark, None)) => Some(mark),
        None => None,
    };
    let ahead = match &running {
        Some(running) => clock::ahead(connection, &running.start).await?,
        None => None,
    };
    let expected = match judge(mark, ahead, running.as_ref(), now) {
        Ok(()) => {
            let is_old = mark.is_none_or(|mark| now >= mark.plus_seconds(MARK_EVERY));
            if is_old {
                clock::set_mark(connection, now).await?;
            }
            if let Some(running) = running.filter(|_| is_old || ahead.is_none()) {
                clock::remember(connection, &running.start, now.seconds() - running.seconds, now).await?;
            }
            return Ok(Some(Trusted(now)));
        }
        Err(expected) => expected,
    };
    clock::raise(connection, Alarm { expected, found: now }).await?;
    // Whoever found it may be at work for one tenant; it is told to all.
    let seen = look_across(connection).await?;
    for tenant in tenants::all(connection).await? {
        let act = (Act::ClockJumped, On::Tenant(tenant.as_str()), Outcome::Done);
        record(connection, &tenant, now, Actor::Worker, act, None).await?;
    }
    turn_back(connection, seen).await?;
    tracing::error!(%expected, found = %now, "the clock jumped: nothing is deleted until an operator confirms it");
    Ok(None)
}

/// The jump that waits for an operator.
pub(crate) async fn jump(connection: &mut Connection) -> Result<Option<Alarm>, ApiError> {
    Ok(clock::mark(connection).await?.and_then(|(_, alarm)| alarm))
}

/// Takes what the clock says for right, whatever was before.
pub(crate) async fn confirm(app: &App, connection: &mut Connection) -> Result<Timestamp, ApiError> {
    let now = app.clock.now();
    clock::confirm(connection, now).await?;
    if let Some(running) = app.clock.running() {
        clock::remember(connection, &running.start, now.seconds() - running.seconds, now).await?;
    }
    for tenant in tenants::all(connection).await? {
        let act = (Act::ConfirmClock, On::Tenant(tenant.as_str()), Outcome::Done);
        record(connection, &tenant, now, Actor::Operator, act, None).await?;
    }
    Ok(now)
}

/// Whether the wall clock may be trusted; if not, where it should be.
fn judge(
    mark: Option<Timestamp>,
    ahead: Option<i64>,
    running: Option<&Running>,
    now: Timestamp,
) -> Result<(), Timestamp> {
    let Some(mark) = mark else { return Ok(()) };
    if let (Some(ahead), Some(running)) = (ahead, running) {
        let expected = Timestamp::from_seconds(ahead.saturating_add(running.seconds));
        if (now.seconds() - expected.seconds()).abs() > JUMP {
            return Err(expected);
        }
    } else if now > mark.plus_days(OFF_DAYS) {
        return Err(mark);
    }
    if now < mark.plus_seconds(-JUMP) { Err(mark) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn running(seconds: i64) -> Running {
        Running { start: String::from("a"), seconds }
    }

    #[test]
    fn a_machine_that_runs_is_believed_for_an_hour_of_difference() {
        let ahead = Some(at(0).seconds());
        for (passed, wall, trusted) in [
            (60, 60, true),
            (60, 60 + JUMP, true),
            (60, 61 + JUMP, false),
            (60, 60 - JUMP, true),
            (60, 59 - JUMP, false),
            // The portal was down, or the machine slept, for long.
            (400 * DAY, 400 * DAY, true),
            (60, 400 * DAY, false),
            (60, -400 * DAY, false),
            (400 * DAY, 60, false),
        ] {
            let judged = judge(Some(at(0)), ahead, Some(&running(passed)), at(wall));
            assert_eq!(judged.is_ok(), trusted, "{passed} {wall}");
            assert!(trusted || judged == Err(at(passed)));
        }
    }

    #[test]
    fn small_steps_add_up() {
        let ahead = Some(at(0).seconds());
        let refused = (1..10).find(|step| {
            let mark = at((step - 1) * 1800);
            judge(Some(mark), ahead, Some(&running(step * 60)), at(step * 1800)).is_err()
        });
        assert_eq!(refused, Some(3));
    }

    #[test]
    fn after_a_start_the_mark_is_all_there_is() {
        for (running, ahead) in [(None, None), (Some(running(5)), None)] {
            for (wall, trusted) in [
                (0, true),
                (-JUMP, true),
                (-JUMP - 1, false),
                (OFF_DAYS * DAY, true),
                (OFF_DAYS * DAY + 1, false),
                (400 * DAY, false),
                (-400 * DAY, false),
            ] {
                assert_eq!(judge(Some(at(0)), ahead, running.as_ref(), at(wall)).is_ok(), trusted, "{wall}");
            }
        }
        assert_eq!(judge(None, None, None, at(12_345)), Ok(()), "a new portal believes what it is told");
    }

    #[test]
    fn a_machine_that_is_behind_the_others_is_not_believed() {
        // It runs as it always did, but another machine's trusted clock is two hours further.
        let judged = judge(Some(at(7200)), Some(at(0).seconds()), Some(&running(60)), at(60));
        assert_eq!(judged, Err(at(7200)));
    }
}
