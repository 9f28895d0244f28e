//! Secrets with a form of their own: JSON Web Tokens, Terraform's tokens, private keys on one line.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::token::end_of;
use super::{drop, token_or_base64, url64};
use crate::redact::category::Category;
use crate::redact::hit::{Form, Hits, rank};
use crate::redact::pem::{self, KEY};
use crate::redact::text::{WORD, before, byte, is};

/// Longest head of a token that is decoded.
const LONGEST_HEAD: usize = 2048;

/// A JSON Web Token (RFC 7519): two or more parts in Base64, the first of which is a JSON object.
pub(super) fn jwt(text: &[u8], start: usize, hits: &mut Hits) -> bool {
    let head_end = end_of(text, start, url64);
    let head = &text[start..head_end];
    if byte(text, head_end) != b'.' || head.len() > LONGEST_HEAD || is(before(text, 0, start), WORD) {
        return false;
    }
    let stop = end_of(text, head_end + 1, token_or_base64);
    let body = text[head_end + 1..stop].split(|&b| b == b'.').next().unwrap_or_default();
    // An encrypted token may have an empty second part, but is long.
    if body.len() < 8 && stop - start < 100 {
        return false;
    }
    let object = URL_SAFE_NO_PAD
        .decode(head)
        .ok()
        .and_then(|json| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&json).ok());
    if object.is_some() {
        drop(start, stop, hits);
    }
    object.is_some()
}

/// `14 signs.atlasv1.60 signs`
pub(super) fn terraform(text: &[u8], start: usize, end: usize, hits: &mut Hits) {
    let from = start.saturating_sub(15);
    let stop = end_of(text, (end + 1).min(text.len()), url64);
    let front = text[from..start].strip_suffix(b".").is_some_and(|id| id.len() == 14 && id.iter().all(|&b| url64(b)));
    if front && byte(text, end) == b'.' && stop.saturating_sub(end) >= 30 && super::varied(&text[end + 1..stop]) {
        drop(from, stop, hits);
    }
}

/// `-----BEGIN … PRIVATE KEY-----` with what follows on the same line. Keys over many lines are [`pem`]'s.
pub(super) fn private_key(text: &[u8], start: usize, hits: &mut Hits) {
    if !text[..start].ends_with(b"-----") {
        return;
    }
    let Some(head) = text.get(start..(start + 60).min(text.len())) else { return };
    let Some(found) = memchr::memmem::find(head, KEY) else { return };
    let body = pem::behind_label(text, start + found + KEY.len());
    let from = body.0;
    if text[from - 1] != b'-' {
        return;
    }
    let to = pem::end_in_line(text, body)
        .or_else(|| memchr::memchr(b'"', &text[from..]).map(|length| from + length))
        .unwrap_or(text.len());
    if text[from..to].iter().any(|&b| is(b, WORD)) {
        hits.push(from, to, Category::Secret, Form::Drop, rank::SECRET + 1);
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use crate::redact::detector::tests::{finds, found};

    fn token(head: &str, body: &str) -> String {
        format!("{}.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(body))
    }

    #[test]
    fn a_web_token_goes_whole() {
        let token = token(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"1"}"#);
        finds(&format!("got {token} end"), &[(&token, "secret")]);
        finds(&format!("got {token}."), &[(&token, "secret")]);
    }

    #[test]
    fn what_is_no_object_is_no_token() {
        assert!(found(&format!("got {} end", token(r#"{"alg":"HS256","#, "x12345678"))).is_empty());
        assert!(found("eyJAAAA.eyJBBB").is_empty());
    }

    #[test]
    fn a_private_key_on_one_line_goes() {
        let dashes = "-----";
        let line = format!(r#""key":"{dashes}BEGIN PRIVATE KEY{dashes}\nMIIBVgIB\n{dashes}END PRIVATE KEY{dashes}\n""#);
        finds(&line, &[(r"\nMIIBVgIB\n", "secret")]);
        assert!(found("-----BEGIN CERTIFICATE-----").is_empty());
    }

    #[test]
    fn terraform_keeps_its_tokens() {
        let token = format!("abCDef12345678.{}.{}", "atlasv1", "a1B2c3D4e5".repeat(6));
        finds(&format!("token {token} x"), &[(&token, "secret")]);
        assert!(found("the atlasv1 form").is_empty());
    }
}
