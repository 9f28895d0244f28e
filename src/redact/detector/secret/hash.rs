//! Hashes of passwords: `$6$…`, `$2y$…`, `$argon2id$…`, `{SSHA}…`. Who has one can try passwords against it.

use super::token::end_of;
use super::{base64, drop};
use crate::redact::hit::Hits;
use crate::redact::text::{before, byte};

/// What stands between the first two `$` (crypt(5), passlib's modular crypt format, Cisco's types 5, 8 and 9).
const SCHEMES: [&[u8]; 34] = [
    b"1",
    b"2",
    b"2a",
    b"2b",
    b"2x",
    b"2y",
    b"5",
    b"6",
    b"7",
    b"8",
    b"9",
    b"14",
    b"y",
    b"gy",
    b"sm3",
    b"md5",
    b"sha1",
    b"apr1",
    b"P",
    b"H",
    b"S",
    b"scrypt",
    b"argon2i",
    b"argon2d",
    b"argon2id",
    b"pbkdf2",
    b"pbkdf2-sha1",
    b"pbkdf2-sha256",
    b"pbkdf2-sha512",
    b"bcrypt-sha256",
    b"sha512",
    b"sha256",
    b"ml",
    b"3",
];

/// A hash that begins with the `$` at `at`.
pub(super) fn modular(text: &[u8], at: usize, hits: &mut Hits) {
    const LONGEST_SCHEME: usize = 16;
    let rest = &text[at + 1..text.len().min(at + 2 + LONGEST_SCHEME)];
    let Some(length) = memchr::memchr(b'$', rest) else { return };
    if !SCHEMES.contains(&&rest[..length]) {
        return;
    }
    let end = end_of(text, at + length + 2, |b| base64(b) || matches!(b, b'.' | b'$' | b','));
    let signs = &text[at + length + 2..end.max(at + length + 2)];
    // A salt and a hash: two parts, or one long one. `$1$2` in a shell script is neither.
    if signs.len() >= 20 && super::varied(signs) {
        drop(at, end, hits);
    }
}

/// The schemes of RFC 2307 in braces.
pub(super) const WORDS: [&str; 12] =
    ["ssha", "ssha256", "ssha512", "sha", "sha256", "sha512", "smd5", "md5", "crypt", "pbkdf2", "argon2", "cleartext"];

/// `{SSHA}…`
pub(super) fn braced(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    if before(text, 0, start) != b'{' || byte(text, end) != b'}' {
        return;
    }
    let to = end_of(text, end + 1, |b| base64(b) || matches!(b, b'.' | b'$' | b','));
    if to - end > 12 && WORDS.iter().any(|word| text[start..end].eq_ignore_ascii_case(word.as_bytes())) {
        drop(end + 1, to, hits);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_hashed_password_goes() {
        for hash in [
            format!("${}$rounds=5000$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH", 6),
            format!("${}$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "2y"),
            format!("${}$v=19$m=65536,t=2,p=1$gZiV/M1gPc22ElAH$Jh1HOWCFSNQDWQdWSNQDWQ", "argon2id"),
            format!("${}$r31abcde$Xw3dF9kQzL0pVt2mN8sYb1", "apr1"),
        ] {
            finds(&format!("hash {hash} end"), &[(&hash, "secret")]);
        }
        finds("rootpw2 {SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3", &[("DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3", "secret")]);
    }

    #[test]
    fn variables_stay() {
        for line in ["echo $1$2", "awk '{print $1, $6}'", "cost $6$ each", "${HOME} $PATH", "{md5} is a name"] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
