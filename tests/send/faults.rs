//! Every fault, alone, together and for ever.

use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::progress::{Progress, Step};
use tarseal::send::{PIECE_LIMIT, SendError, Transport, upload};

use crate::support::{FINAL, FakePace, FakePortal, Fault, GIVE_UP_AFTER, Place, SECRET, SURVIVED, run};

const MIB: usize = 1024 * 1024;

/// Some bytes more than a few pieces.
const LENGTH: usize = 20 * MIB + 12_345;

#[test]
fn without_a_fault_every_byte_is_sent_once() {
    let place = Place::new(LENGTH);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, []);
    let mut checkpoint = place.begin();
    let sent = run(&portal, &pace, &mut checkpoint).unwrap();
    assert_eq!(*portal.kept.borrow(), place.bytes);
    assert_eq!(portal.sent_twice.get(), 0);
    assert_eq!(sent.receipt.as_deref(), Some("a signed note"));
    assert_eq!(pace.waits.borrow().len(), 0);
    assert_eq!((portal.count("announce"), portal.count("offset"), portal.count("snapshot")), (1, 1, 1));
    assert!(portal.count("append") <= 6, "pieces grow quickly to their limit");
    assert!(checkpoint.is_stored());
    assert!(!fs::read_to_string(place.state()).unwrap().contains(SECRET));
}

#[test]
fn each_fault_at_each_request_is_survived() {
    let place = Place::new(3 * MIB);
    for fault in SURVIVED {
        for at in 0..8 {
            let pace = FakePace::default();
            let portal = FakePortal::new(&pace, std::iter::repeat_n(Fault::Pass, at).chain([fault]));
            let mut checkpoint = place.begin();
            run(&portal, &pace, &mut checkpoint).unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            assert_eq!(*portal.kept.borrow(), place.bytes, "{fault:?} at {at}");
            assert!(portal.sent_twice.get() <= PIECE_LIMIT, "{fault:?} at {at}");
            checkpoint.remove().unwrap();
        }
    }
}

#[test]
fn each_final_fault_ends_it_at_once_and_resume_goes_on() {
    let place = Place::new(3 * MIB);
    for fault in FINAL {
        for at in 0..5 {
            let pace = FakePace::default();
            let portal = FakePortal::new(&pace, std::iter::repeat_n(Fault::Pass, at).chain([fault]));
            let outcome = run(&portal, &pace, &mut place.begin());
            let (call, played) = *portal.calls.borrow().last().unwrap();
            let seen = portal.calls.borrow().iter().any(|(_, played)| *played == fault);
            assert!(seen, "{fault:?} at {at}");
            match (fault, call) {
                // These speak of an upload; elsewhere they pass.
                (Fault::Beyond | Fault::OtherLength, _) if played != fault => {
                    outcome.unwrap();
                }
                // An upload that has expired is announced again, and the portal has it or says why not.
                (Fault::Expired, _) if played != fault => {
                    outcome.unwrap();
                }
                _ => {
                    let error = outcome.unwrap_err();
                    assert!(!error.is_temporary(), "{fault:?} at {at}: {error}");
                    assert_eq!(played, fault, "nothing is asked after it");
                    run(&portal, &pace, &mut place.load()).unwrap();
                }
            }
            assert_eq!(*portal.kept.borrow(), place.bytes, "{fault:?} at {at}");
            fs::remove_file(place.state()).unwrap();
        }
    }
}

#[test]
fn a_lost_reply_is_asked_about_and_nothing_is_sent_twice() {
    let place = Place::new(LENGTH);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, [Fault::Pass, Fault::Pass, Fault::LostReply, Fault::Pass, Fault::LostReply]);
    run(&portal, &pace, &mut place.begin()).unwrap();
    assert_eq!(portal.sent_twice.get(), 0);
    assert_eq!(*portal.kept.borrow(), place.bytes);
}

#[test]
fn the_portals_wish_to_wait_is_kept() {
    let place = Place::new(MIB);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, [Fault::Busy, Fault::Locked, Fault::Unwell]);
    run(&portal, &pace, &mut place.begin()).unwrap();
    let waits = pace.waits.borrow();
    assert_eq!(waits.len(), 3);
    assert!(waits[0].0 >= Duration::from_secs(90), "{waits:?}");
    assert!(waits[1].0 >= Duration::from_secs(1), "{waits:?}");
    assert_eq!(waits[2].1, "503", "a user hears why");
}

#[test]
fn it_gives_up_after_a_day_without_progress_and_says_why() {
    let place = Place::new(MIB);
    for fault in [Fault::Cut, Fault::Stall, Fault::Unwell, Fault::Busy, Fault::NoRoom] {
        let pace = FakePace::default();
        let portal = FakePortal::new(&pace, std::iter::repeat_n(fault, 1999));
        let error = run(&portal, &pace, &mut place.begin()).unwrap_err();
        let SendError::GaveUp { after, last } = &error else { panic!("{error}") };
        assert!(*after >= GIVE_UP_AFTER && *after < GIVE_UP_AFTER + Duration::from_secs(300), "{after:?}");
        assert!(error.is_temporary() && !matches!(**last, SendError::GaveUp { .. }));
        let waits = pace.waits.borrow();
        assert!(waits.len() > 500, "a minute is the longest wait: {}", waits.len());
        assert!(waits.iter().all(|(wait, _)| *wait <= Duration::from_secs(90)));
        drop(waits);
        portal.replan([]);
        run(&portal, &pace, &mut place.load()).unwrap();
        assert_eq!(*portal.kept.borrow(), place.bytes);
        fs::remove_file(place.state()).unwrap();
    }
}

#[test]
fn a_portal_that_wants_a_week_is_not_waited_for() {
    let place = Place::new(MIB);
    let pace = FakePace::default();
    struct Week;
    impl Transport for Week {
        fn announce(
            &self,
            _: &tarseal::ids::TicketId,
            _: &tarseal::wire::NewSnapshot,
        ) -> Result<tarseal::send::Announced, SendError> {
            Err(crate::support::temporary("429", Some(7 * 24 * 3600)))
        }
        fn offset(&self, _: &tarseal::send::UploadUrl) -> Result<tarseal::send::Offset, SendError> {
            unreachable!()
        }
        fn append(&self, _: &tarseal::send::UploadUrl, _: tarseal::send::Piece) -> Result<u64, SendError> {
            unreachable!()
        }
        fn snapshot(&self, _: &tarseal::ids::FileId) -> Result<tarseal::wire::Snapshot, SendError> {
            unreachable!()
        }
        fn receipt(&self, _: &tarseal::ids::FileId) -> Result<String, SendError> {
            unreachable!()
        }
    }
    let mut rng = StdRng::seed_from_u64(1);
    let silent = tarseal::progress::Silent;
    let outcome = upload(&Week, &mut place.begin(), GIVE_UP_AFTER, &pace, &mut rng, &silent);
    assert!(matches!(outcome, Err(SendError::GaveUp { .. })));
    assert_eq!(pace.waits.borrow().len(), 0);
}

#[test]
fn a_portal_that_lost_bytes_is_given_them_again_but_not_for_ever() {
    let place = Place::new(LENGTH);
    let pace = FakePace::default();
    let back = [Fault::Pass, Fault::Pass, Fault::Pass, Fault::Cut, Fault::Back(3 * MIB as u64)];
    let portal = FakePortal::new(&pace, back);
    run(&portal, &pace, &mut place.begin()).unwrap();
    assert_eq!(*portal.kept.borrow(), place.bytes);

    fs::remove_file(place.state()).unwrap();
    let again = [Fault::Pass, Fault::Cut, Fault::Back(3 * MIB as u64), Fault::Pass].into_iter().cycle().take(1900);
    let portal = FakePortal::new(&pace, [Fault::Pass, Fault::Pass].into_iter().chain(again));
    let error = run(&portal, &pace, &mut place.begin()).unwrap_err();
    assert!(matches!(error, SendError::Unexpected(_)), "{error}");
}

#[test]
fn a_portal_that_forgets_every_upload_is_given_up() {
    let place = Place::new(3 * MIB);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, std::iter::repeat_n(Fault::Forgotten, 1999));
    let error = run(&portal, &pace, &mut place.begin()).unwrap_err();
    assert!(matches!(error, SendError::Unexpected(_)), "{error}");
    assert!(portal.calls.borrow().len() < 30);
}

#[test]
fn a_piece_that_always_arrives_damaged_is_told_as_that() {
    let place = Place::new(MIB);
    let pace = FakePace::default();
    let damaged = [Fault::Pass, Fault::Damaged].into_iter().cycle().take(1999);
    let portal = FakePortal::new(&pace, [Fault::Pass].into_iter().chain(damaged));
    let error = run(&portal, &pace, &mut place.begin()).unwrap_err();
    assert!(matches!(error, SendError::DigestMismatch(_)), "{error}");
    assert_eq!(portal.count("append"), 5);
}

#[test]
fn a_whole_that_is_refused_is_not_sent_again() {
    let place = Place::new(3 * MIB);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, [Fault::Pass, Fault::Pass, Fault::Pass, Fault::WholeRefused]);
    let error = run(&portal, &pace, &mut place.begin()).unwrap_err();
    assert!(matches!(error, SendError::DigestMismatch(_)), "{error}");
    assert_eq!(portal.count("append"), 2);
}

#[test]
fn a_slow_line_gets_small_pieces_and_a_fast_one_large() {
    let place = Place::new(LENGTH);
    for (speed, length) in [(20_000, 256 << 10), (300_000, 1 << 20), (1_200_000, 4 << 20), (100_000_000, 8 << 20)] {
        let pace = FakePace::default();
        let portal = FakePortal::new(&pace, []);
        portal.speed.set(speed);
        run(&portal, &pace, &mut place.begin()).unwrap();
        assert!(portal.lengths.borrow().contains(&length), "{speed}: {:?}", portal.lengths.borrow());
        assert!(portal.lengths.borrow().iter().all(|sent| *sent <= length.max(1 << 20)));
        fs::remove_file(place.state()).unwrap();
    }
}

#[test]
fn sent_is_not_said_when_the_portal_has_other_bytes() {
    let place = Place::new(MIB);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, [Fault::Pass, Fault::Pass, Fault::OtherBytes]);
    let mut checkpoint = place.begin();
    let error = run(&portal, &pace, &mut checkpoint).unwrap_err();
    assert!(matches!(error, SendError::DigestMismatch(_)), "{error}");
    assert!(!checkpoint.is_stored() && fs::read_to_string(place.state()).unwrap().contains(SECRET));
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_blamed_for_it() {
    let place = Place::new(MIB);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, []);
    let mut checkpoint = place.begin();
    let mut bytes = place.bytes.clone();
    bytes[5] ^= 1;
    fs::write(place.file(), &bytes).unwrap();
    assert!(matches!(run(&portal, &pace, &mut checkpoint), Err(SendError::FileChanged(_))));

    let calls = portal.calls.borrow().len();
    assert!(matches!(run(&portal, &pace, &mut place.load()), Err(SendError::FileChanged(_))));
    assert_eq!(portal.calls.borrow().len(), calls, "resume looks at the file before it speaks to the portal");
}

#[test]
fn a_file_that_is_cut_while_it_is_sent_is_no_shorter_upload() {
    struct Cutting<'a>(&'a Place);
    impl Progress for Cutting<'_> {
        fn begin(&self, _: Step, _: Option<u64>) {}
        fn advance(&self, _: u64) {
            fs::write(self.0.file(), &self.0.bytes[..2 * MIB]).unwrap();
        }
        fn end(&self, _: &str) {}
    }
    let place = Place::new(LENGTH);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, []);
    let mut rng = StdRng::seed_from_u64(1);
    let outcome = upload(&portal, &mut place.begin(), GIVE_UP_AFTER, &pace, &mut rng, &Cutting(&place));
    assert!(matches!(outcome, Err(SendError::FileChanged(_))));
}

#[test]
fn a_second_run_after_stored_asks_and_sends_nothing() {
    let place = Place::new(MIB);
    let pace = FakePace::default();
    let portal = FakePortal::new(&pace, []);
    run(&portal, &pace, &mut place.begin()).unwrap();
    let appended = portal.count("append");
    fs::remove_file(place.file()).unwrap();
    let sent = run(&portal, &pace, &mut place.load()).unwrap();
    assert!(sent.receipt.is_some());
    assert_eq!((portal.count("append"), portal.count("announce")), (appended, 1));
}

#[test]
fn a_missing_receipt_does_not_make_it_unsent() {
    let place = Place::new(MIB);
    for fault in [Fault::Unwell, Fault::Refused] {
        let pace = FakePace::default();
        let plan = std::iter::repeat_n(Fault::Pass, 4).chain(std::iter::repeat_n(fault, 100));
        let portal = FakePortal::new(&pace, plan);
        let mut checkpoint = place.begin();
        let sent = run(&portal, &pace, &mut checkpoint).unwrap();
        assert!(sent.receipt.is_none() && checkpoint.is_stored());
        assert!(portal.count("receipt") <= 5);
        checkpoint.remove().unwrap();
    }
}

#[test]
fn progress_never_goes_back_and_ends_at_the_whole() {
    #[derive(Default)]
    struct Seen(Mutex<(Option<u64>, u64, Vec<String>)>);
    impl Progress for Seen {
        fn begin(&self, step: Step, total: Option<u64>) {
            assert_eq!(step, Step::Upload);
            self.0.lock().unwrap().0 = total;
        }
        fn advance(&self, amount: u64) {
            self.0.lock().unwrap().1 += amount;
        }
        fn end(&self, summary: &str) {
            self.0.lock().unwrap().2.push(summary.to_owned());
        }
    }
    let place = Place::new(LENGTH);
    let pace = FakePace::default();
    let plan = [Fault::Pass, Fault::Pass, Fault::Pass, Fault::Cut, Fault::Back(MIB as u64), Fault::Forgotten];
    let portal = FakePortal::new(&pace, plan);
    let seen = Seen::default();
    upload(&portal, &mut place.begin(), GIVE_UP_AFTER, &pace, &mut StdRng::seed_from_u64(1), &seen).unwrap();
    let (total, amount, ended) = seen.0.into_inner().unwrap();
    assert_eq!((total, amount, ended.len()), (Some(LENGTH as u64), LENGTH as u64, 1));
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        20 => prop::sample::select(SURVIVED.to_vec()),
        10 => Just(Fault::Pass),
        1 => prop::sample::select(FINAL.to_vec()),
        1 => (1..16 * MIB as u64).prop_map(Fault::Back),
        1 => Just(Fault::OtherBytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_ends_with_the_right_bytes_or_with_an_error(
        plan in prop::collection::vec(any_fault(), 0..40),
        length in 1..LENGTH,
    ) {
        let place = Place::new(length);
        let pace = FakePace::default();
        let portal = FakePortal::new(&pace, plan.iter().copied());
        drop(place.begin());
        // A run that ends with an error leaves the state file as a killed one does; each is followed by a resume.
        let mut runs = 0;
        let outcome = loop {
            let mut checkpoint = place.load();
            let outcome = run(&portal, &pace, &mut checkpoint);
            runs += 1;
            let lost = matches!(outcome, Err(SendError::DigestMismatch(_)));
            if outcome.is_ok() || lost || runs == 40 {
                break outcome;
            }
        };
        // A damaged piece of an upload that is then forgotten looks like a whole that was refused.
        let other_bytes = plan.iter().any(|fault| matches!(fault, Fault::OtherBytes | Fault::Forgotten));
        match outcome {
            Ok(_) => prop_assert_eq!(&*portal.kept.borrow(), &place.bytes),
            Err(SendError::DigestMismatch(_)) if other_bytes => {}
            Err(error) => prop_assert!(false, "after 40 runs: {}", error),
        }
        prop_assert!(portal.sent_twice.get() <= portal.breaks.get() * PIECE_LIMIT);
    }
}
