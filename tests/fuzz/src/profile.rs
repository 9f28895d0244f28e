//! Any text is a profile, or is refused with the place where it is wrong; whatever its patterns are, redacting with them ends.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use tarseal::profile::Profile;

use support::{item, redacted, redactor};

/// A text in which patterns find something, and some much to try.
const TEXT: &str = "2026-11-21 14:20:01 CASE-4711 user=amelie host=a.example aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n";

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    // Half of the inputs need not find the first lines of every profile by themselves.
    let text = text.strip_prefix('+').map_or_else(|| text.to_owned(), |rest| format!("schema = 1\nname = \"x\"\n{rest}"));
    let profile = match Profile::read(&text) {
        Ok(profile) => profile,
        Err(error) => {
            assert!(error.line >= 1 && error.line <= text.lines().count().max(1) + 1, "line {} of {text:?}", error.line);
            assert!(!error.what.is_empty());
            return;
        }
    };
    assert_eq!(Profile::read(&text).as_ref(), Ok(&profile), "it is read the same way again");
    let items = [item("var/log/x.log", TEXT.repeat(20).as_bytes())];
    if let Some(redactor) = redactor(&profile.rules, &items, 64 << 10) {
        redacted(&redactor, &items[0]);
    }
});
