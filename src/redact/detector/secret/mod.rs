//! Secrets that show without a key of their own: tokens of known services, JWT, private keys, HTTP authorization, passwords
//! in URLs, on command lines and in the words of configurations, hashes of passwords.
//!
//! What stands beside a key is [`keyed`](super::keyed)'s.

mod authorization;
mod command;
mod config;
mod hash;
mod jwt;
mod token;
mod url;

use std::sync::LazyLock;

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::{DIGIT, byte, is};

pub(crate) use self::url::url_credentials;

pub(crate) struct Secrets;

/// Words at which something other than a token is looked for.
const LOOKED_AT: [&str; 12] = [
    "begin",
    "bearer",
    "basic",
    "negotiate",
    "digest",
    "atlasv1",
    "hooks",
    "webhooks",
    "webhookb2",
    "bot",
    "identified",
    "auth",
];

static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words = token::WORDS.clone();
    words.extend(LOOKED_AT);
    words.extend(command::COMMANDS);
    words.extend(config::WORDS);
    words.extend(hash::WORDS);
    words.extend(["key", "apikey", "accesskey", "clientsecret", "passphrase", "pwd"]);
    words.sort_unstable();
    words.dedup();
    words
});

impl Detector for Secrets {
    fn anchors(&self) -> &'static [u8] {
        b"@$~"
    }

    fn words(&self) -> &'static [&'static str] {
        &WORDS
    }

    fn at_anchor(&self, line: &Line<'_>, at: usize, _skip: &mut usize, hits: &mut Hits) {
        match line.text[at] {
            b'$' => hash::modular(line.text, at, hits),
            b'~' => token::azure(line.text, at, hits),
            _ => url::credentials(line.text, at, hits),
        }
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        if token::worded(text, start, end, hits) {
            return;
        }
        let mut folded = [0; 24];
        let Some(word) = folded.get_mut(..end - start) else { return };
        word.copy_from_slice(&text[start..end]);
        word.make_ascii_lowercase();
        match &*word {
            b"begin" => jwt::private_key(text, start, hits),
            b"bearer" | b"basic" | b"token" | b"negotiate" | b"auth" => {
                authorization::scheme(text, start, end, word, hits);
            }
            b"atlasv1" => jwt::terraform(text, start, end, hits),
            b"hooks" | b"webhooks" | b"webhookb2" => url::webhook(text, start, end, hits),
            b"bot" => {}
            b"identified" => config::identified_by(text, end, hits),
            _ => {}
        }
        command::command(text, start, end, word, hits);
        command::flag(text, start, end, hits);
        config::keyword(text, start, end, word, hits);
        hash::braced(text, start, end, hits);
    }

    fn at_long_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        if !(text[start..].starts_with(b"eyJ") && jwt::jwt(text, start, hits)) {
            token::glued(text, start, end, hits);
        }
    }
}

fn drop(start: usize, end: usize, hits: &mut Hits) {
    hits.push(start, end, Category::Secret, Form::Drop, rank::SECRET);
}

fn hex(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn url64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

fn base64(b: u8) -> bool {
    url64(b) || matches!(b, b'+' | b'/' | b'=')
}

/// A sign of a token made of parts.
fn token(b: u8) -> bool {
    url64(b) || matches!(b, b'.' | b'~')
}

fn token_or_base64(b: u8) -> bool {
    token(b) || base64(b)
}

/// Whether a token is more than one sign repeated, as in an example.
fn varied(token: &[u8]) -> bool {
    let mut seen = [false; 256];
    token.iter().for_each(|&b| seen[usize::from(b)] = true);
    seen.iter().filter(|&&was| was).count() >= 6
}

/// Whether signs look drawn by lot rather than written: digits among letters, or both cases mixed, and many different ones.
pub(crate) fn random(signs: &[u8]) -> bool {
    let digits = signs.iter().filter(|&&b| is(b, DIGIT)).count();
    let upper = signs.iter().filter(|b| b.is_ascii_uppercase()).count();
    let lower = signs.iter().filter(|b| b.is_ascii_lowercase()).count();
    // How often letters and digits meet: words with a number at their end do so once.
    let meets = signs.windows(2).filter(|pair| is(pair[0], DIGIT) != is(pair[1], DIGIT)).count();
    varied(signs) && upper + lower > 0 && (digits >= 2 && meets >= 3 || digits >= 2 && upper >= 3 && lower >= 3)
}

/// The end of the shell word at `from`, and where what it says begins and ends, without quotation marks.
fn shell_word(text: &[u8], from: usize) -> (usize, usize, usize) {
    const MOST: usize = 512;
    let most = text.len().min(from + MOST);
    let escaped = usize::from(byte(text, from) == b'\\' && matches!(byte(text, from + 1), b'"' | b'\''));
    let quote = byte(text, from + escaped);
    if matches!(quote, b'"' | b'\'') {
        let inner = from + escaped + 1;
        if let Some(length) = text.get(inner..most).and_then(|rest| memchr::memchr(quote, rest)) {
            let end = inner + length - usize::from(escaped > 0 && length > 0);
            return (inner + length + 1, inner, end);
        }
    }
    let end = text[from..most]
        .iter()
        .position(|b| {
            matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`' | b'|' | b';' | b'<' | b'>' | b'&')
        })
        .map_or(most, |length| from + length);
    (end, from, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_random_and_tokens_are() {
        for signs in ["Ab3dE9fGh2Jk", "0a1b2c3d4e5f6071", "sX8Qw0PzLm4k"] {
            assert!(random(signs.as_bytes()), "{signs}");
        }
        for signs in ["connectionManager", "version2", "aaaaaaaa1a2a3a", "HTTP2ServerConfiguration", "20261121142001"] {
            assert!(!random(signs.as_bytes()), "{signs}");
        }
    }
}
