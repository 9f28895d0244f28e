//! Any text is redacted without a panic, redacting it again changes nothing, and a value planted behind it is gone.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use tarseal::redact::Rules;

use support::{item, redacted, redactor};

/// Learned from another file, and planted behind the text on lines of their own.
const PEOPLE: &[u8] = b"Participant=\"Zyxquill Canarius\"\nuser=zcanar77\n";
const PLANTED: &[u8] = b"\nZyxquill Canarius\nzcanar77\npeer 203.0.113.77 up\nmail canary@kanarie.example sent\n";
const GONE: [&[u8]; 5] = [b"Zyxquill", b"Canarius", b"zcanar77", b"203.0.113.77", b"canary@kanarie.example"];

fuzz_target!(|input: &[u8]| {
    let Some((&chunk, text)) = input.split_first() else { return };
    // A mark says that all of it is UTF-16; the planted lines are not.
    if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) {
        return;
    }
    let text = [text, PLANTED].concat();
    let items = [item("people", PEOPLE), item("log", &text)];
    let Some(redactor) = redactor(&Rules::default(), &items, 1 + 16 * usize::from(chunk)) else { return };
    let Some((once, _)) = redacted(&redactor, &items[1]) else { return };
    // Lines stay lines. The fuzzer learns to write the planted values elsewhere, glued to anything.
    let lines: Vec<&[u8]> = once.split(|&b| b == b'\n').collect();
    let last = lines[lines.len() - PLANTED.iter().filter(|&&b| b == b'\n').count()..].concat().to_ascii_lowercase();
    for gone in GONE {
        let there = last.windows(gone.len()).any(|window| window == gone.to_ascii_lowercase());
        assert!(!there, "{} is left in {:?}", String::from_utf8_lossy(gone), String::from_utf8_lossy(&once));
    }
    // A line may hold so many control characters that it is no text once it is shorter: that is left out, not passed.
    let Some((twice, unchanged)) = redacted(&redactor, &item("log", &once)) else { return };
    assert!(once == twice, "{:?}\nbecomes\n{:?}", String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
    assert!(unchanged, "something was counted");
});
