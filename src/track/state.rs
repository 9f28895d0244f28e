//! Where a snapshot is on its way, from the first byte that arrives to the receipt that it is gone.
//!
//! [`State::after`] folds events into a state. It never fails: an event that does not apply changes nothing, so events may
//! come late, twice or out of order. What the ticket's source tells is kept with its own instants and read in their order,
//! whatever order it arrived in:
//!
//! | event | what it does |
//! |---|---|
//! | closed while open | the days begin to count at that instant |
//! | closed again while closed | nothing: the earliest closing of a closed period counts |
//! | reopened before deletion began | the deadline is cleared; the next closing begins a new count; the hard cap stays |
//! | reopened after deletion began | nothing: what was deleted stays deleted |
//! | an older event that arrives late | takes its place in the history, as if it had come in time |
//! | the same event twice | nothing |
//! | missing twice, a day apart | closed when it was first missing; seen again: open |
//! | merged ([`State::merged`]) | the other ticket's history counts, its closing from the merge on; the hard cap stays |
//! | held | deletion does not begin; from the deadline on nobody reads it, whatever is told after ([`State::settled`]) |
//! | lifted after the deadline | gone within a day |
//! | closed, told late ([`State::told`]) | counted from the closing, but not due before a week has passed |
//! | extended | more days after the closing that stands, never past the hard cap |
//! | withdrawn | deletion begins at once; under a hold nobody reads it any more |

use serde::{Deserialize, Serialize};

use super::deadline::{Ended, Facts, Term, ended, not_before, term};
use super::extension::{CannotExtend, Extensions};
use super::history::{History, Told};
use super::phase::Phase;
use super::policy::RetentionPolicy;
use crate::clock::Timestamp;

/// Something that happened to a snapshot or to its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The last byte is stored and the digest agrees.
    Stored,
    /// The ticket was closed.
    TicketClosed,
    /// The ticket was opened again.
    TicketReopened,
    /// The ticket's source does not know it any more.
    TicketMissing,
    /// The ticket's source knows it.
    TicketSeen,
    /// A hold is in force.
    Held,
    /// The hold is lifted.
    HoldLifted,
    /// It may stay this many calendar days longer after the closing that stands.
    Extended(u16),
    /// It was taken back, or ordered gone.
    Withdrawn,
    /// Deletion begins: the deadline has come, or someone who may has asked for it.
    DeletionBegan,
    /// Deletion reached this phase. Only the phase that comes next counts, so no step can be left out.
    Reached(Phase),
    /// A verified receipt says that the snapshot is gone. For one who did not do the deleting: it counts at any time.
    DeletionConfirmed,
}

/// A snapshot's way so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    phase: Phase,
    uploaded_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    history: History,
    extensions: Extensions,
    held: bool,
    lifted_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
    /// Until when a merged snapshot's own ticket was open: the other's closing counts from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}

impl Default for State {
    fn default() -> Self {
        Self::uploading()
    }
}

impl State {
    /// The state of a snapshot that has been announced and not yet stored.
    #[must_use]
    pub const fn uploading() -> Self {
        Self {
            phase: Phase::Uploading,
            uploaded_at: None,
            deleted_at: None,
            history: History::new(),
            extensions: Extensions::new(),
            held: false,
            lifted_at: None,
            withdrawn_at: None,
            open_until: None,
            not_before: None,
            ended: None,
        }
    }

    /// The state after `event`, which happened at `at`. An event that does not apply gives the same state.
    ///
    /// What is told of a ticket may lie in the past: whoever acts by the deadline uses [`told`](Self::told).
    #[must_use]
    pub fn after(&self, event: &Event, at: Timestamp) -> Self {
        let mut next = self.clone();
        let before_deletion = self.phase <= Phase::Stored;
        match *event {
            Event::Stored if self.phase == Phase::Uploading => {
                next.phase = Phase::Stored;
                next.uploaded_at = Some(at);
            }
            Event::TicketClosed if before_deletion => next.history.add(Told::Closed, at),
            Event::TicketReopened if before_deletion => next.history.add(Told::Reopened, at),
            Event::TicketMissing if before_deletion => next.history.add(Told::Missing, at),
            Event::TicketSeen if before_deletion => next.history.add(Told::Seen, at),
            Event::Held if before_deletion => next.held = true,
            Event::HoldLifted if self.held => {
                next.held = false;
                next.lifted_at = Some(at);
            }
            Event::Extended(days) if before_deletion => next.extensions.add(at, days),
            Event::Withdrawn if before_deletion && self.withdrawn_at.is_none() => next.withdrawn_at = Some(at),
            Event::DeletionBegan if before_deletion && !self.held => next.phase = Phase::Due,
            Event::Reached(phase) if self.phase.next_of_deletion() == Some(phase) => {
                next.phase = phase;
                next.deleted_at = (phase == Phase::Deleted).then_some(at);
            }
            Event::DeletionConfirmed if self.phase != Phase::Deleted => {
                next.phase = Phase::Deleted;
                next.deleted_at = Some(at);
            }
            _ => {}
        }
        next
    }

    /// The state after an event of its ticket that happened at `at` and was told at `told_at`: what had ended by then stays so,
    /// and what would be over at once has a week.
    #[must_use]
    pub fn told(&self, event: &Event, at: Timestamp, policy: &RetentionPolicy, told_at: Timestamp) -> Self {
        let before = self.settled(policy, told_at);
        before.after(event, at).with_notice(&before, policy, told_at)
    }

    /// The state after its ticket was merged into another at `now`: from now on the other ticket's history is its own, but no
    /// closing of it counts from before this ticket was closed itself, or was merged while it was open.
    #[must_use]
    pub fn merged(&self, other: &History, policy: &RetentionPolicy, now: Timestamp) -> Self {
        if self.phase > Phase::Stored {
            return self.clone();
        }
        let before = self.settled(policy, now);
        let open_until = Some(self.closed_at().unwrap_or(now));
        Self { history: other.clone(), open_until, ..before.clone() }.with_notice(&before, policy, now)
    }

    /// The state at `now`, before something is told or decided: if its time is over and only a hold keeps it, that is so for good.
    #[must_use]
    pub fn settled(&self, policy: &RetentionPolicy, now: Timestamp) -> Self {
        let held = self.facts().filter(|facts| facts.held && self.phase == Phase::Stored);
        Self { ended: held.map_or(self.ended, |facts| ended(&facts, policy, now)), ..self.clone() }
    }

    /// This state, unless its deadline would be nearer than a notice allows to what was told of its ticket.
    fn with_notice(self, before: &Self, policy: &RetentionPolicy, told_at: Timestamp) -> Self {
        match (before.facts(), self.facts()) {
            (Some(was), Some(is)) => Self { not_before: not_before(&was, &is, policy, told_at), ..self },
            _ => self,
        }
    }

    /// How far it is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// When its last byte was stored.
    #[must_use]
    pub const fn uploaded_at(&self) -> Option<Timestamp> {
        self.uploaded_at
    }

    /// When its ticket was closed, if it is closed.
    #[must_use]
    pub fn closed_at(&self) -> Option<Timestamp> {
        let closed_at = self.history.closed_at()?;
        Some(self.open_until.map_or(closed_at, |open_until| closed_at.max(open_until)))
    }

    /// When it was deleted.
    #[must_use]
    pub const fn deleted_at(&self) -> Option<Timestamp> {
        self.deleted_at
    }

    /// What its ticket's source told.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Whether a hold stops its deletion.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held
    }

    /// What decides when it must be gone; `None` while its bytes are still arriving.
    #[must_use]
    pub fn facts(&self) -> Option<Facts> {
        let closed_at = self.closed_at();
        Some(Facts {
            uploaded_at: self.uploaded_at?,
            closed_at,
            not_before: self.not_before,
            extended_days: self.extensions.days_for(closed_at),
            withdrawn_at: self.withdrawn_at,
            held: self.held,
            lifted_at: self.lifted_at,
            ended: self.ended,
        })
    }

    /// When its time is over; `None` while its bytes are still arriving.
    #[must_use]
    pub fn term(&self, policy: &RetentionPolicy) -> Option<Term> {
        self.facts().map(|facts| term(&facts, policy))
    }

    /// The instant by which it must be gone, unless it is held; `None` while its bytes are still arriving.
    #[must_use]
    pub fn deadline(&self, policy: &RetentionPolicy) -> Option<Timestamp> {
        self.term(policy).map(|term| term.due_at)
    }

    /// Whether it is stored and `now` is the time to begin deleting it.
    #[must_use]
    pub fn is_due(&self, policy: &RetentionPolicy, now: Timestamp) -> bool {
        self.phase == Phase::Stored
            && self.term(policy).and_then(|term| term.begins_at).is_some_and(|begins_at| begins_at <= now)
    }

    /// Moves the deadline on by `days` calendar days, as far as the policy and the hard cap allow; refused when nothing would
    /// come of it.
    pub fn extend(&self, days: u16, policy: &RetentionPolicy, now: Timestamp) -> Result<Self, CannotExtend> {
        match self.facts() {
            Some(facts) if self.phase == Phase::Stored => {
                self.extensions.extend(days, &facts, policy, now).map(|_| self.after(&Event::Extended(days), now))
            }
            _ => Err(CannotExtend::Over),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::EPOCH.plus_days(20_000 + number)
    }

    fn stored() -> State {
        State::uploading().after(&Event::Stored, day(0))
    }

    fn fold(start: State, events: &[(Event, i64)]) -> State {
        events.iter().fold(start, |state, (event, on)| state.after(event, day(*on)))
    }

    #[test]
    fn a_snapshot_is_due_when_its_deadline_nears_and_not_before() {
        let policy = RetentionPolicy::default();
        let closed = fold(stored(), &[(Event::TicketClosed, 10)]);
        assert_eq!(closed.deadline(&policy), Some(day(101)));
        assert!(!closed.is_due(&policy, day(100).plus_seconds(-1)));
        assert!(closed.is_due(&policy, day(100)));
        assert!(!stored().is_due(&policy, day(363)), "an open ticket waits for the hard cap");
        assert!(stored().is_due(&policy, day(364)));
        assert_eq!(State::uploading().deadline(&policy), None);
    }

    #[test]
    fn reopening_clears_the_deadline_and_the_next_closing_counts_anew() {
        let policy = RetentionPolicy::default();
        let reopened = fold(stored(), &[(Event::TicketClosed, 10), (Event::TicketReopened, 20)]);
        assert_eq!(reopened.closed_at(), None);
        assert_eq!(reopened.deadline(&policy), Some(day(365)), "the hard cap stays");
        assert_eq!(reopened.after(&Event::TicketClosed, day(30)).deadline(&policy), Some(day(121)));
    }

    #[test]
    fn the_earliest_closing_of_a_closed_period_counts() {
        let twice = fold(stored(), &[(Event::TicketClosed, 10), (Event::TicketClosed, 15), (Event::TicketClosed, 8)]);
        assert_eq!(twice.closed_at(), Some(day(8)));
    }

    #[test]
    fn a_late_event_takes_its_place_in_the_history() {
        let late_close = fold(stored(), &[(Event::TicketReopened, 20), (Event::TicketClosed, 10)]);
        assert_eq!(late_close.closed_at(), None, "that closing was undone on day 20");
        let late_reopen =
            fold(stored(), &[(Event::TicketClosed, 10), (Event::TicketClosed, 30), (Event::TicketReopened, 20)]);
        assert_eq!(late_reopen.closed_at(), Some(day(30)), "a new period began on day 30");
    }

    #[test]
    fn closing_and_reopening_within_one_second_follow_their_arrival() {
        let one = fold(stored(), &[(Event::TicketClosed, 5), (Event::TicketReopened, 5)]);
        assert_eq!(one.closed_at(), None);
        assert_eq!(one.after(&Event::TicketClosed, day(5)).closed_at(), Some(day(5)));
    }

    #[test]
    fn deletion_goes_step_by_step_and_never_back() {
        let mut state = fold(stored(), &[(Event::TicketClosed, 1), (Event::DeletionBegan, 91)]);
        let steps =
            [Phase::ShareDestroyed, Phase::BytesGone, Phase::VerifiedAbsent, Phase::RowScrubbed, Phase::Deleted];
        for (index, step) in steps.into_iter().enumerate() {
            for later in &steps[index + 1..] {
                assert_eq!(state.after(&Event::Reached(*later), day(91)), state, "{step:?} was left out");
            }
            state = state.after(&Event::Reached(step), day(92));
            assert_eq!(state.phase(), step);
            assert_eq!(state.after(&Event::Reached(step), day(93)), state, "told twice");
            assert_eq!(state.after(&Event::TicketReopened, day(93)), state, "reopened too late");
            assert_eq!(state.after(&Event::Stored, day(93)), state);
        }
        assert_eq!(state.deleted_at(), Some(day(92)));
    }

    #[test]
    fn a_ledger_takes_a_receipt_at_any_time() {
        for state in [State::uploading(), stored(), fold(stored(), &[(Event::DeletionBegan, 3)])] {
            let gone = state.after(&Event::DeletionConfirmed, day(4));
            assert_eq!((gone.phase(), gone.deleted_at()), (Phase::Deleted, Some(day(4))));
            assert_eq!(gone.after(&Event::DeletionConfirmed, day(9)), gone);
        }
    }

    #[test]
    fn a_merged_snapshot_is_due_with_the_other_ticket() {
        let policy = RetentionPolicy::default();
        let mut other = History::new();
        let closed = fold(stored(), &[(Event::TicketClosed, 5)]);
        assert_eq!(closed.merged(&other, &policy, day(6)).deadline(&policy), Some(day(365)), "the other is open");
        other.add(Told::Closed, day(50));
        let merged = closed.merged(&other, &policy, day(60));
        assert_eq!((merged.closed_at(), merged.deadline(&policy)), (Some(day(50)), Some(day(141))));
        let later = fold(merged, &[(Event::TicketReopened, 60), (Event::TicketClosed, 300)]);
        assert_eq!(later.deadline(&policy), Some(day(365)), "its own cap stays");
        let gone = closed.after(&Event::DeletionBegan, day(95));
        assert_eq!(gone.merged(&other, &policy, day(96)), gone);
    }

    #[test]
    fn a_closing_of_the_other_ticket_counts_from_the_merge_on() {
        let policy = RetentionPolicy::default();
        let mut other = History::new();
        other.add(Told::Closed, day(-150));
        let open = stored().merged(&other, &policy, day(2));
        assert_eq!((open.closed_at(), open.deadline(&policy)), (Some(day(2)), Some(day(93))), "it was open until then");
        let closed = fold(stored(), &[(Event::TicketClosed, 5)]).merged(&other, &policy, day(20));
        assert_eq!((closed.closed_at(), closed.deadline(&policy)), (Some(day(5)), Some(day(96))), "its own closing");
        let again = fold(open, &[(Event::TicketReopened, 30), (Event::TicketClosed, 40)]);
        assert_eq!(again.closed_at(), Some(day(40)));
    }

    #[test]
    fn what_was_over_under_a_hold_is_not_brought_back_by_what_is_told() {
        let policy = RetentionPolicy::default();
        let held = fold(stored(), &[(Event::TicketClosed, 10), (Event::Held, 20)]);
        let told = |event, on| held.told(&event, day(on), &policy, day(on)).term(&policy).unwrap();
        assert_eq!(told(Event::TicketReopened, 100).readable_until, day(365), "in time");
        let late = told(Event::TicketReopened, 101);
        assert_eq!((late.readable_until, late.due_at, late.begins_at), (day(101), day(101), None));
        assert_eq!(held.merged(&History::new(), &policy, day(150)).term(&policy), Some(late));
        let longer = RetentionPolicy { after_close_days: 300, ..policy.clone() };
        assert_eq!(held.settled(&policy, day(150)).term(&longer), Some(late));
        let reopened = held.told(&Event::TicketReopened, day(150), &policy, day(150));
        assert_eq!(reopened.extend(5, &policy, day(151)), Err(CannotExtend::Over));
        let lifted = reopened.after(&Event::HoldLifted, day(200));
        assert!(lifted.is_due(&policy, day(200)));
        assert_eq!(lifted.term(&policy).unwrap().reason, crate::track::receipt::DeletionReason::TicketClosed);
    }

    #[test]
    fn a_closing_told_late_counts_from_the_closing_and_leaves_a_week() {
        let policy = RetentionPolicy::default();
        let told = |at, on| stored().told(&Event::TicketClosed, day(at), &policy, day(on));
        assert_eq!(told(5, 60).deadline(&policy), Some(day(96)), "the days count from the closing");
        let late = told(5, 150);
        assert_eq!(late.deadline(&policy), Some(day(158)));
        assert!(!late.is_due(&policy, day(157).plus_seconds(-1)) && late.is_due(&policy, day(157)));
        assert_eq!(late.extend(30, &policy, day(151)), Err(CannotExtend::Past));
        let corrected = late.told(&Event::TicketReopened, day(151), &policy, day(151));
        assert_eq!(corrected.deadline(&policy), Some(day(365)), "a slip can be mended");
        let before = told(-150, 0);
        assert_eq!(before.deadline(&policy), Some(day(8)), "closed before it came");
    }

    #[test]
    fn what_is_held_is_not_deleted_and_goes_within_a_day_of_the_lifting() {
        let policy = RetentionPolicy::default();
        let held = fold(stored(), &[(Event::TicketClosed, 10), (Event::Held, 20)]);
        assert!(!held.is_due(&policy, day(5000)));
        assert_eq!(held.after(&Event::DeletionBegan, day(200)), held);
        let lifted = held.after(&Event::HoldLifted, day(200));
        assert!(lifted.is_due(&policy, day(200)) && !lifted.is_due(&policy, day(200).plus_seconds(-1)));
        assert_eq!(lifted.deadline(&policy), Some(day(201)));
        let early = held.after(&Event::HoldLifted, day(30));
        assert_eq!(early.deadline(&policy), Some(day(101)), "as if it had not been held");
        assert_eq!(stored().after(&Event::HoldLifted, day(30)), stored());
        let again = fold(lifted, &[(Event::Held, 200), (Event::HoldLifted, 300)]);
        assert_eq!(again.deadline(&policy), Some(day(301)), "held a second time");
    }

    #[test]
    fn what_is_withdrawn_goes_at_once_unless_it_is_held() {
        let policy = RetentionPolicy::default();
        let withdrawn = stored().after(&Event::Withdrawn, day(3));
        assert!(withdrawn.is_due(&policy, day(3)));
        assert_eq!(withdrawn.after(&Event::Withdrawn, day(9)), withdrawn, "told twice");
        let held = fold(stored(), &[(Event::Held, 2), (Event::Withdrawn, 3)]);
        let term = held.term(&policy).unwrap();
        assert_eq!((term.readable_until, term.begins_at), (day(3), None));
        assert!(held.after(&Event::HoldLifted, day(4)).is_due(&policy, day(4)));
    }

    #[test]
    fn an_extension_counts_for_the_closing_that_stands_and_is_limited() {
        let policy = RetentionPolicy::default();
        let closed = fold(stored(), &[(Event::TicketClosed, 10)]);
        let once = closed.extend(30, &policy, day(20)).unwrap();
        assert_eq!(once.deadline(&policy), Some(day(131)));
        assert_eq!(once.extend(31, &policy, day(21)), Err(CannotExtend::TooFar));
        assert_eq!(once.extend(0, &policy, day(21)), Err(CannotExtend::TooFar));
        let twice = once.extend(7, &policy, day(130)).unwrap();
        assert_eq!(twice.deadline(&policy), Some(day(138)));
        assert_eq!(twice.extend(1, &policy, day(131)), Err(CannotExtend::TooOften));
        let anew = fold(twice, &[(Event::TicketReopened, 131), (Event::TicketClosed, 140)]);
        assert_eq!(anew.deadline(&policy), Some(day(231)), "a new count without the days of the old one");
        assert_eq!(stored().extend(5, &policy, day(20)), Err(CannotExtend::NotClosed));
        assert_eq!(closed.extend(5, &policy, day(101)), Err(CannotExtend::Over));
        assert_eq!(closed.after(&Event::Withdrawn, day(20)).extend(5, &policy, day(21)), Err(CannotExtend::Over));
        let near_cap = fold(stored(), &[(Event::TicketClosed, 270)]);
        let capped = near_cap.extend(30, &policy, day(271)).unwrap();
        assert_eq!(capped.deadline(&policy), Some(day(365)));
        assert_eq!(capped.extend(30, &policy, day(272)), Err(CannotExtend::AtCap));
    }

    proptest! {
        #[test]
        fn the_order_in_which_events_arrive_does_not_matter(
            events in prop::collection::btree_map(0_i64..500, any::<bool>(), 0..12), seed in any::<u64>(),
        ) {
            let told: Vec<_> = events
                .into_iter()
                .map(|(on, closed)| (if closed { Event::TicketClosed } else { Event::TicketReopened }, on))
                .collect();
            let mut shuffled = told.clone();
            shuffled.sort_by_key(|(_, on)| (on.cast_unsigned() + 1).wrapping_mul(seed | 1));
            shuffled.extend_from_slice(&told);
            prop_assert_eq!(fold(stored(), &told), fold(stored(), &shuffled));
        }
    }
}
