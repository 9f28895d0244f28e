//! Any bytes are opened, redacted inside and packed again, or left out: no panic, and no more memory than the limits allow.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use tarseal::redact::{OpeningLimits, Rules};

use support::{item, redacted, redactor};

fuzz_target!(|bytes: &[u8]| {
    let limits = OpeningLimits { opened: 4 << 20, free: 1 << 20, ..OpeningLimits::default() };
    let rules = Rules { limits, ..Rules::default() };
    let items = [item("log", bytes)];
    let Some(redactor) = redactor(&rules, &items, 1 << 16) else { return };
    let Some((once, _)) = redacted(&redactor, &items[0]) else { return };
    // Stand-ins may be longer than what they stand for, headers are written anew: but nothing grows without end.
    assert!(once.len() <= (64 << 20), "{} bytes came of {}", once.len(), bytes.len());
});
