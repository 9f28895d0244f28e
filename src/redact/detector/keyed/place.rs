//! Values under a person's key that are nobody: places in a program, channels, identifiers, names of calls.

use crate::redact::text::{self, DIGIT, HEX, WORD, is};

/// Whether a value names a thing of the program and not a person.
pub(super) fn is_nobody(value: &[u8]) -> bool {
    // `caller_id=SessionsController#create` is a place in a program.
    value.contains(&b'#') && !value.contains(&b' ')
        || is_source(value)
        || is_path(value)
        || is_module(value)
        || is_endpoint(value)
        || value.eq_ignore_ascii_case(b"outbound call")
}

/// `pkg/service/room.go:412`, `join (room.js:77)`: a file and a line.
fn is_source(value: &[u8]) -> bool {
    let value = value.strip_suffix(b")").unwrap_or(value);
    let mut rest = value;
    // With the column behind the line: `room.js:77:12`.
    for _ in 0..2 {
        let digits = rest.iter().rev().take_while(|&&b| is(b, DIGIT)).count();
        if !(1..=6).contains(&digits) || rest.len() <= digits || rest[rest.len() - digits - 1] != b':' {
            break;
        }
        rest = &rest[..rest.len() - digits - 1];
    }
    let ending = rest.iter().rev().take_while(|b| b.is_ascii_lowercase()).count();
    rest.len() < value.len()
        && (1..=5).contains(&ending)
        && rest.len() > ending + 1
        && rest[rest.len() - ending - 1] == b'.'
        && is(rest[rest.len() - ending - 2], WORD)
}

/// `api/handler`, `SIP/7041-00000077`: one word with slashes whose parts are not all written like names.
fn is_path(value: &[u8]) -> bool {
    let named = |part: &[u8]| part.first().is_some_and(|&b| b.is_ascii_uppercase() || b >= 0x80);
    !value.contains(&b' ') && value.contains(&b'/') && !value.split(|&b| b == b'/').all(named)
}

/// `com.example.meet.Room.join`: four parts or more, or three behind the root of such names.
fn is_module(value: &[u8]) -> bool {
    const ROOTS: [&[u8]; 9] = [b"com", b"org", b"net", b"io", b"java", b"javax", b"jdk", b"kotlin", b"android"];
    let ident = |part: &[u8]| {
        part.first().is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_')
            && part.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
    };
    let parts = || value.split(|&b| b == b'.');
    let least = if parts().next().is_some_and(|first| ROOTS.contains(&first)) { 3 } else { 4 };
    parts().count() >= least && parts().all(ident)
}

/// What a conference calls an endpoint: `3fa2bc11`, or `PA_x7k2p` of a participant.
fn is_endpoint(value: &[u8]) -> bool {
    let hex = value.len() >= 8
        && value.iter().all(|&b| is(b, HEX) && !b.is_ascii_uppercase())
        && value.iter().any(|&b| is(b, DIGIT))
        && !value.iter().all(|&b| is(b, DIGIT));
    let labelled = value
        .strip_prefix(b"PA_")
        .is_some_and(|rest| (4..=24).contains(&rest.len()) && rest.iter().all(u8::is_ascii_alphanumeric));
    hex || labelled
}

/// Whether an account's value is one of the numbers that Windows gives to itself (a SID that no domain gave, or one below
/// 1000), or the number of an appointment.
pub(super) fn is_no_account(value: &[u8]) -> bool {
    let folded = text::fold(value);
    let sid = folded.strip_prefix("s-1-").is_some_and(|rest| {
        let own = rest.strip_prefix("5-21-").and_then(|rest| rest.rsplit('-').next()?.parse::<u64>().ok());
        rest.bytes().all(|b| is(b, DIGIT) || b == b'-') && own.is_none_or(|number| number < 1000)
    });
    // The number that Outlook gives an appointment begins so ([MS-OXOCAL], 2.2.1.27).
    sid || folded.starts_with("040000008200e00074c5b7101a82e008")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_channels_and_identifiers_are_nobody() {
        for value in [
            "main.go:77",
            "pkg/service/roommanager.go:412",
            "join (room.js:77)",
            "room.js:77:12",
            "api/handler",
            "SIP/7041-00000077",
            "com.gov.meet.Room.join",
            "org.jitsi.Conference",
            "3fa2bc11",
            "PA_x7k2p",
            "SessionsController#create",
            "Outbound Call",
        ] {
            assert!(is_nobody(value.as_bytes()), "{value}");
        }
        for value in [
            "Ana",
            "Ana Krol",
            "j.r.krol",
            "thijs.van.beke",
            "Krol/Ana",
            "Ana / Bo",
            "Ana 2:30",
            "Feeba",
            "7041",
            "PA_",
            "Ana:7",
        ] {
            assert!(!is_nobody(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn numbers_of_windows_itself_are_no_accounts() {
        for value in ["S-1-5-18", "S-1-0-0", "S-1-5-21-1111111111-2222222222-3333333333-500"] {
            assert!(is_no_account(value.as_bytes()), "{value}");
        }
        for value in ["S-1-5-21-1111111111-2222222222-3333333333-1106", "s-1-team", "anna"] {
            assert!(!is_no_account(value.as_bytes()), "{value}");
        }
    }
}
