//! Deadlines against an oracle that was written apart from them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

#[path = "../support/histories.rs"]
mod histories;

use histories::{Act, DAY, History, Kinds, Oracle};
use tarseal::clock::Timestamp;
use tarseal::track::history::Told;
use tarseal::track::{Event, RetentionPolicy, State};

/// The time between two sweeps of a portal, in seconds.
const TICK: i64 = 60;

/// 20 000 histories; `TARSEAL_HISTORIES=1000000 cargo test --release --test track` is the campaign.
#[test]
fn twenty_thousand_histories_are_deleted_when_the_oracle_says() {
    let count = std::env::var("TARSEAL_HISTORIES").map_or(20_000, |count| count.parse().unwrap());
    let mut oracle = Oracle::default();
    let mut seen = [0_u64; 8];
    for number in 0..count {
        let history = History::random(number, Kinds { sightings: true });
        assert!(history.opened <= history.uploaded, "{number}: {history:?}");
        let verdict = oracle.judge(&history);
        let mut life = Life::begin(&history);
        for (now, act) in &history.acts {
            life.until(*now);
            life.take(*now, *act);
        }
        life.until(history.uploaded + 5000 * DAY);

        assert_eq!(life.granted, verdict.granted, "{number}: {history:?}");
        assert_eq!(life.readable_until(), verdict.readable_until, "{number}: {history:?}");
        match (life.begun, verdict.begins) {
            (None, None) => seen[0] += 1,
            (Some(begun), Some(begins)) => {
                assert!(begun >= begins, "{number}: {} s early: {history:?}", begins - begun);
                assert!(begun - begins < TICK, "{number}: {} s late: {history:?}", begun - begins);
                seen[1] += 1;
            }
            other => panic!("{number}: begun and expected: {other:?}: {history:?}"),
        }
        let told = |wanted: fn(&Act) -> bool| u64::from(history.acts.iter().any(|(_, act)| wanted(act)));
        seen[2] += told(|act| matches!(act, Act::Merge));
        seen[3] += told(|act| matches!(act, Act::Lift));
        seen[4] += told(|act| matches!(act, Act::Withdraw));
        seen[5] += u64::from(verdict.granted.contains(&true));
        seen[6] += u64::from(verdict.noticed);
        seen[7] += u64::from(verdict.ended);
    }
    // What never occurs is not shown: each kind is in at least one history of fifty.
    assert!(seen.iter().all(|kind| *kind * 50 > count), "{seen:?}");
}

/// One snapshot and its two tickets, as a portal that sweeps every minute keeps them.
struct Life {
    policy: RetentionPolicy,
    state: State,
    other: tarseal::track::History,
    merged: bool,
    /// The last sweep.
    swept: i64,
    begun: Option<i64>,
    granted: Vec<bool>,
}

impl Life {
    fn begin(history: &History) -> Self {
        let days = |days: i64| u16::try_from(days).unwrap();
        Self {
            policy: RetentionPolicy {
                after_close_days: days(history.rules.after_close),
                hard_cap_days: days(history.rules.cap),
                extensions: u8::try_from(history.rules.extensions).unwrap(),
                extension_days: days(history.rules.extension_days),
                zone: history.rules.zone.parse().unwrap(),
                ..RetentionPolicy::default()
            },
            state: State::uploading().after(&Event::Stored, Timestamp::from_seconds(history.uploaded)),
            other: tarseal::track::History::new(),
            merged: false,
            swept: history.uploaded,
            begun: None,
            granted: Vec::new(),
        }
    }

    fn due(&self, now: i64) -> bool {
        self.state.is_due(&self.policy, Timestamp::from_seconds(now))
    }

    /// Sweeps every minute up to `now`. Nothing changes in between, so the first sweep that finds it due is searched for.
    fn until(&mut self, now: i64) {
        if self.begun.is_some() {
            return;
        }
        let first = (self.swept + TICK - 1) / TICK;
        let last = now / TICK;
        self.swept = now;
        let (mut not_yet, mut due) = (first - 1, last + 1);
        while due - not_yet > 1 {
            let middle = (not_yet + due) / 2;
            if self.due(middle * TICK) { due = middle } else { not_yet = middle }
        }
        if due <= last {
            self.start_deletion(due * TICK);
        }
    }

    fn start_deletion(&mut self, now: i64) {
        self.begun = Some(now);
        self.state = self.state.after(&Event::DeletionBegan, Timestamp::from_seconds(now));
    }

    fn take(&mut self, now: i64, act: Act) {
        // As the portal does it: what is due when something is told is due whatever is told.
        if self.begun.is_none() && self.due(now) {
            self.start_deletion(now);
        }
        if self.begun.is_some() {
            return;
        }
        let at = Timestamp::from_seconds(now);
        self.state = self.state.settled(&self.policy, at);
        let event = match act {
            Act::Close(other, told, _) | Act::Reopen(other, told, _) => {
                let told = Timestamp::from_seconds(told);
                let closing = matches!(act, Act::Close(..));
                if other {
                    self.other.add(if closing { Told::Closed } else { Told::Reopened }, told);
                }
                if other != self.merged {
                    return;
                }
                let event = if closing { Event::TicketClosed } else { Event::TicketReopened };
                self.state = self.state.told(&event, told, &self.policy, at);
                return;
            }
            Act::Missing | Act::Seen => {
                if !self.merged {
                    let event = if act == Act::Missing { Event::TicketMissing } else { Event::TicketSeen };
                    self.state = self.state.told(&event, at, &self.policy, at);
                }
                return;
            }
            Act::Merge => {
                if !self.merged {
                    self.merged = true;
                    self.state = self.state.merged(&self.other, &self.policy, at);
                }
                return;
            }
            Act::Hold => Event::Held,
            Act::Lift => Event::HoldLifted,
            Act::Extend(days) => {
                let next = self.state.extend(u16::try_from(days).unwrap(), &self.policy, at);
                self.granted.push(next.is_ok());
                self.state = next.unwrap_or_else(|_| self.state.clone());
                return;
            }
            Act::Withdraw => Event::Withdrawn,
        };
        self.state = self.state.after(&event, at);
    }

    fn readable_until(&self) -> i64 {
        self.state.term(&self.policy).unwrap().readable_until.seconds()
    }
}
