//! The schemes of HTTP, SIP and mail authorization: `Bearer x`, `Basic x`, `AUTH PLAIN x`.

use super::token::end_of;
use super::{drop, token_or_base64};
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, SPACE, WORD, byte, is, is_uuid};

/// What follows a scheme; the word itself stays.
pub(super) fn scheme(text: &[u8], start: usize, end: usize, word: &[u8], hits: &mut Hits) {
    if word == b"auth" {
        return mail(text, start, end, hits);
    }
    if byte(text, end) != b' ' {
        return;
    }
    let from = text::run(text, end, SPACE);
    let to = end_of(text, from.min(text.len()), token_or_base64);
    let token = &text[from.min(text.len())..to];
    let digit = token.iter().any(|&b| is(b, DIGIT));
    let mixed = digit
        || token.ends_with(b"=")
        || token.iter().any(u8::is_ascii_uppercase) && token[1..].iter().any(u8::is_ascii_uppercase);
    let least = match word {
        b"token" => 20,
        b"negotiate" => 40,
        _ => 8,
    };
    // `Token 22cb…`, but not `token 6ba7b810-…`, which is its identifier.
    let assigned = token.iter().skip_while(|&&b| b != b'=').any(|&b| b != b'=');
    if token.len() >= least && mixed && !assigned && (word != b"token" || digit && !is_uuid(token)) && !is_path(token) {
        drop(from, to, hits);
    }
}

fn is_path(token: &[u8]) -> bool {
    token.starts_with(b"/") || token.starts_with(b"./") || token.starts_with(b"=")
}

/// `AUTH PLAIN AGFubmEA…`, `AUTH LOGIN YW5uYQ==`
fn mail(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if &text[start..end] != b"AUTH" || byte(text, end) != b' ' {
        return;
    }
    let stop = text::run(text, end + 1, WORD);
    if !matches!(&text[end + 1..stop], b"PLAIN" | b"LOGIN" | b"NTLM" | b"XOAUTH2") || byte(text, stop) != b' ' {
        return;
    }
    let to = end_of(text, stop + 1, token_or_base64);
    let next = &text[stop + 1..to];
    let method = next.iter().all(|&b| b.is_ascii_uppercase() || is(b, DIGIT) || b == b'-') && !next.ends_with(b"=");
    if next.len() >= 4 && !method {
        drop(stop + 1, to, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn what_follows_a_scheme_goes() {
        finds("curl -H 'Bearer a1b2c3d4e5'", &[("a1b2c3d4e5", "secret")]);
        finds("send Basic b3R0aTpnZWgzaW0= now", &[("b3R0aTpnZWgzaW0=", "secret")]);
        finds("C: AUTH PLAIN AG90dGkAZ2VoM2lt", &[("AG90dGkAZ2VoM2lt", "secret")]);
    }

    #[test]
    fn sentences_stay() {
        for line in [
            "basic auth",
            "Bearer token missing",
            "token count 5",
            "S: 250 AUTH PLAIN LOGIN CRAM-MD5",
            "digest authentication",
            "Basic authentication required",
            "negotiate failed",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
