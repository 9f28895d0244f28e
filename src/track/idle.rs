//! A ticket of which nobody tells that it was closed: after half a year without activity it is asked for, and without an answer
//! it counts as closed at its last activity.

use super::policy::RetentionPolicy;
use crate::clock::Timestamp;

/// What is to be done about an open ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Nothing: it is being worked on, or an answer is waited for.
    Wait,
    /// Ask whether it is still open.
    Ask,
    /// Take it as closed at this instant, its last activity.
    Close(Timestamp),
}

/// Decides for an open ticket by its last activity and by when it was last asked for. Any activity since is an answer.
#[must_use]
pub fn idle(active_at: Timestamp, asked_at: Option<Timestamp>, policy: &RetentionPolicy, now: Timestamp) -> Idle {
    match asked_at.filter(|asked_at| *asked_at > active_at) {
        Some(asked_at) if asked_at.plus_days(i64::from(policy.answer_days)) <= now => Idle::Close(active_at),
        None if active_at.plus_days(i64::from(policy.inactivity_days)) <= now => Idle::Ask,
        _ => Idle::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_ticket_is_asked_for_and_then_closed_at_its_last_activity() {
        let policy = RetentionPolicy::default();
        let day = |day| Timestamp::EPOCH.plus_days(20_000 + day);
        let idle = |asked: Option<i64>, now: Timestamp| idle(day(0), asked.map(day), &policy, now);
        assert_eq!(idle(None, day(180).plus_seconds(-1)), Idle::Wait);
        assert_eq!(idle(None, day(180)), Idle::Ask);
        assert_eq!(idle(Some(180), day(210).plus_seconds(-1)), Idle::Wait);
        assert_eq!(idle(Some(180), day(210)), Idle::Close(day(0)));
        assert_eq!(idle(Some(200), day(210)), Idle::Wait, "asked late, the answer has its days");
        assert_eq!(idle(Some(-10), day(180)), Idle::Ask, "activity answered the last question");
        assert_eq!(idle(Some(-10), day(179)), Idle::Wait);
    }
}
