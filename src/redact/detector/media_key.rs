//! Keys of encrypted media, as a call is set up with them: SDP's `a=crypto` (RFC 4568), `a=key-mgmt` (RFC 4567) and `k=`
//! (RFC 4566, 5.12), and the `key-params` of Jingle (XEP-0167).
//!
//! Who has such a key and the recorded packets can listen to the call.

use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::text::{WORD, byte, is, word_after};

pub(crate) struct MediaKey;

/// How far before a key is looked for what says that it is one, in bytes: an attribute may list several.
const FARTHEST: usize = 320;
/// What says before `inline:` that a key follows.
const CALLS: [&[u8]; 4] = [b"crypto", b"key-params", b"_CM_128", b"AEAD_AES"];
/// Shortest key in Base64: the 14 bytes of the shortest key with its salt are longer, and nothing else has this place.
const SHORTEST: usize = 16;

impl Detector for MediaKey {
    fn words(&self) -> &'static [&'static str] {
        &["inline", "mikey", "k"]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        let before = &text[start.saturating_sub(FARTHEST)..start];
        let said = |word: &[u8]| memchr::memmem::rfind(before, word).is_some();
        match text[start..end].first().map(u8::to_ascii_lowercase) {
            Some(b'i') if byte(text, end) == b':' && CALLS.iter().any(|word| said(word)) => key(line, end + 1, hits),
            Some(b'm') if byte(text, end) == b' ' && said(b"key-mgmt:") => key(line, end + 1, hits),
            Some(b'k') if byte(text, end) == b'=' && !before.last().is_some_and(|&b| is(b, WORD)) => {
                let methods: [&[u8]; 2] = [b"=base64:", b"=clear:"];
                if let Some(method) = methods.iter().find(|method| text[end..].starts_with(method)) {
                    key(line, end + method.len(), hits);
                }
            }
            _ => {}
        }
    }
}

/// A key in Base64 at `start`, also with its slashes escaped as in JSON.
fn key(line: &Line<'_>, start: usize, hits: &mut Hits) {
    let text = line.text;
    let mut end = start;
    loop {
        match byte(text, end) {
            b'+' | b'/' | b'=' => end += 1,
            b'\\' if byte(text, end + 1) == b'/' => end += 2,
            b if is(b, WORD) && end < text.len() => end += 1,
            _ => break,
        }
    }
    line.reached(end);
    if end >= start + SHORTEST && !word_after(text, end) {
        hits.push(start, end, Category::Secret, Form::Drop, rank::SECRET);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    #[test]
    fn a_key_of_media_is_a_secret() {
        let secret = [(KEY, "secret")];
        finds(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"), &secret);
        finds(&format!(r#"Detail="a=crypto:2 AEAD_AES_256_GCM inline:{KEY}^Ma=sendrecv""#), &secret);
        finds(&format!(r"<crypto tag='1' key-params='inline:{KEY}|2^20|1:32'/>"), &secret);
        finds(&format!("a=crypto:1 F8_128 inline:{KEY}|2^20|1:4;inline:{KEY}|2^20|2:4"), &[secret[0], secret[0]]);
        finds(&format!("a=key-mgmt:mikey {KEY}="), &[(&format!("{KEY}="), "secret")]);
        finds(&format!("k=base64:{KEY}"), &secret);
    }

    #[test]
    fn what_is_only_called_so_stays() {
        for line in [
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
            "Content-Disposition: inline; filename=report.pdf",
            "style inline:allTheAttributesOfAnElementStayHere",
            "crypto offered, inline: yes",
            "mikey started the key-mgmt: ok",
            "k=base64 k=clear:x k=prompt",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
