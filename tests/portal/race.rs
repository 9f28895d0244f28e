//! Many writers at one offset: exactly one goes on, each time, on each database.
//!
//! A plain run takes few rounds. The campaign, on `SQLite` and, where `TARSEAL_POSTGRES` says where it is, on `PostgreSQL`:
//!
//! ```sh
//! TARSEAL_RACE_ROUNDS=1000 cargo test --release --test portal race -- --nocapture
//! ```

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use reqwest::blocking::Client;

use crate::client::{Sample, announce, content, offset};
use crate::support::TestPortal;
use crate::support::database::TestDatabase;

/// How many write at once.
const WRITERS: usize = 64;

/// How many rounds a plain run takes.
const ROUNDS: usize = 3;

/// How many bytes each round moves on.
const PIECE: usize = 700;

fn race(portal: &TestPortal, rounds: usize) {
    let sample = Sample::new(1, rounds * PIECE);
    let upload = announce(portal, &sample);
    let url = format!("{}{upload}", portal.url());
    let client = Client::builder().no_proxy().build().unwrap();
    let (start, end) = (Barrier::new(WRITERS), Barrier::new(WRITERS));
    let (won, lost) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for round in 0..rounds {
                    let from = round * PIECE;
                    let racing = client
                        .patch(&url)
                        .bearer_auth(&portal.upload)
                        .header("tus-resumable", "1.0.0")
                        .header("content-type", "application/offset+octet-stream")
                        .header("upload-offset", from)
                        .body(sample.bytes[from..from + PIECE].to_vec());
                    start.wait();
                    match racing.send().unwrap().status().as_u16() {
                        204 => won.fetch_add(1, Ordering::Relaxed),
                        409 => lost.fetch_add(1, Ordering::Relaxed),
                        status => panic!("answered {status}"),
                    };
                    if end.wait().is_leader() {
                        let (won, lost) = (won.swap(0, Ordering::Relaxed), lost.swap(0, Ordering::Relaxed));
                        assert_eq!((won, lost), (1, WRITERS as u64 - 1), "round {round}");
                        assert_eq!(offset(portal, &upload), from + PIECE, "round {round}");
                    }
                    // Nobody begins the next round before the count is taken.
                    end.wait();
                }
            });
        }
    });
    assert_eq!(content(portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
}

#[test]
fn of_many_writers_at_one_offset_exactly_one_goes_on() {
    let rounds = std::env::var("TARSEAL_RACE_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let begun = Instant::now();
    race(&TestPortal::start(), rounds);
    eprintln!("{WRITERS} writers, {rounds} rounds: {:.1} s", begun.elapsed().as_secs_f64());
    let Some(database) = TestDatabase::make() else { return };
    let begun = Instant::now();
    race(&TestPortal::start_with(|config| config.database = Some(database.url().parse().unwrap())), rounds);
    eprintln!("on PostgreSQL: {:.1} s", begun.elapsed().as_secs_f64());
}
