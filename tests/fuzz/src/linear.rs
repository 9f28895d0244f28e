//! Sixteen times the text takes about sixteen times as long, whatever the text says.

#![no_main]

mod support;

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rustix::time::{ClockId, clock_gettime};
use tarseal::redact::Rules;

use support::{item, redacted, redactor};

/// The short text, in bytes.
const SHORT: usize = 4 << 10;
/// How much longer the long one is.
const TIMES: usize = 16;
/// How much slower than linear it may be: other work on the machine and cold caches are no finding.
const GENEROUS: u32 = 3;
/// What is faster than this is not looked at.
const SMALL: Duration = Duration::from_millis(100);

fuzz_target!(|input: &[u8]| {
    let Some((&kind, piece)) = input.split_first() else { return };
    if piece.is_empty() || piece.len() > 512 {
        return;
    }
    let Some(long) = cost(&text(kind, piece, SHORT * TIMES)) else { return };
    if long < SMALL {
        return;
    }
    // Only what is slow three times is slow.
    let cost = |length: usize| (0..3).filter_map(|_| cost(&text(kind, piece, length))).min();
    let (Some(short), Some(long)) = (cost(SHORT), cost(SHORT * TIMES)) else { return };
    let factor = u32::try_from(TIMES).expect("a small number") * GENEROUS;
    assert!(
        long < short * factor,
        "{long:?} for {TIMES} times the text that takes {short:?}: {:?}",
        String::from_utf8_lossy(piece)
    );
});

/// The piece again and again, in one line or in many, all alike or numbered.
fn text(kind: u8, piece: &[u8], length: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(length + piece.len() + 16);
    let mut number = 0_u32;
    while text.len() < length {
        text.extend_from_slice(piece);
        if kind & 1 == 1 {
            text.extend_from_slice(number.to_string().as_bytes());
        }
        match kind >> 1 & 3 {
            0 => text.push(b'\n'),
            1 => text.push(b' '),
            2 => text.push(b','),
            _ => {}
        }
        number += 1;
    }
    text
}

/// What both passes cost in processor time; `None` when the text cannot be read.
fn cost(text: &[u8]) -> Option<Duration> {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let items = [item("log", text)];
    let begin = now();
    let redactor = redactor(&Rules::default(), &items, 1 << 20)?;
    redacted(&redactor, &items[0])?;
    Some(now().saturating_sub(begin))
}
