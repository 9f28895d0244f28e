//! How long to wait before another try.

use std::time::Duration;

use rand::{CryptoRng, RngExt};

/// The first delay, before chance is mixed in.
const FIRST: f64 = 0.5;
/// The longest delay, before chance is mixed in, in seconds.
const LONGEST: f64 = 60.0;

/// The delay after `failures` failed tries in a row (at least 1): min(60 s, 0.5 s · 2^(failures−1)), times chance from
/// 0.5 to 1.5 so that many senders do not come back at once, and at least what the portal asked for.
pub(crate) fn delay(failures: u32, asked: Option<Duration>, rng: &mut dyn CryptoRng) -> Duration {
    let doublings = i32::try_from(failures.saturating_sub(1).min(30)).expect("at most 30");
    let base = (FIRST * 2f64.powi(doublings)).min(LONGEST);
    let chance: f64 = rng.random_range(0.5..1.5);
    Duration::from_secs_f64(base * chance).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn delays_grow_to_a_minute_and_keep_their_spread() {
        let mut rng = StdRng::seed_from_u64(1);
        for (failures, base) in
            [(0, 0.5), (1, 0.5), (2, 1.0), (5, 8.0), (7, 32.0), (8, 60.0), (9, 60.0), (u32::MAX, 60.0)]
        {
            let mut seen = Vec::new();
            for _ in 0..200 {
                let seconds = delay(failures, None, &mut rng).as_secs_f64();
                assert!((base * 0.5..base * 1.5).contains(&seconds), "{failures}: {seconds}");
                seen.push(seconds);
            }
            assert!(seen.iter().any(|seconds| *seconds < base * 0.75));
            assert!(seen.iter().any(|seconds| *seconds > base * 1.25));
        }
    }

    #[test]
    fn the_portals_wish_is_kept() {
        let mut rng = StdRng::seed_from_u64(2);
        assert_eq!(delay(1, Some(Duration::from_secs(120)), &mut rng), Duration::from_secs(120));
        assert!(delay(9, Some(Duration::from_secs(1)), &mut rng) >= Duration::from_secs(30));
    }
}
