//! Tells a webhook of a ticket system from one that anybody could send.

use axum::http::{HeaderMap, HeaderName};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::config::SignatureKind;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// How far the time in a signature may be from now, in seconds.
const TOLERANCE: i64 = 300;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A webhook that is not signed with the secret. Why is not told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// What the webhooks of one system are checked with.
pub(crate) struct Signature {
    kind: SignatureKind,
    header: HeaderName,
    prefix: String,
    secret: Secret<Vec<u8>>,
}

impl Signature {
    pub(super) fn new(
        kind: SignatureKind,
        header: &str,
        prefix: &str,
        secret: &Secret<String>,
    ) -> Result<Self, String> {
        let (header, secret) = match kind {
            SignatureKind::StandardWebhooks => {
                let text = secret.expose();
                let key = BASE64_STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
                let key = key.map_err(|_| String::from("the secret of a standard webhook is whsec_ and Base64"))?;
                (WEBHOOK_SIGNATURE, Secret::new(key))
            }
            _ => {
                let header =
                    HeaderName::try_from(header).map_err(|_| String::from("hook.header is the header's name"))?;
                (header, Secret::new(secret.expose().as_bytes().to_vec()))
            }
        };
        if secret.expose().len() < 16 {
            return Err(String::from("the secret of a hook has 16 characters at least"));
        }
        Ok(Self { kind, header, prefix: prefix.to_owned(), secret })
    }

    /// Lets a request through that was made with the secret. A header that is there twice is none.
    pub(crate) fn check(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Refused> {
        let told = one(headers, &self.header)?;
        match self.kind {
            SignatureKind::HmacSha256 => self.hexadecimal::<Sha256>(told, body),
            SignatureKind::HmacSha1 => self.hexadecimal::<sha1::Sha1>(told, body),
            SignatureKind::Token => {
                // The digests are of one length, whatever was sent.
                let (told, secret) = (Sha256::digest(told.as_bytes()), Sha256::digest(self.secret.expose()));
                if bool::from(told.ct_eq(&secret)) { Ok(()) } else { Err(Refused) }
            }
            SignatureKind::StandardWebhooks => self.standard(told, headers, body, now),
        }
    }

    fn hexadecimal<D: EagerHash>(&self, told: &str, body: &[u8]) -> Result<(), Refused>
    where
        Hmac<D>: hmac::Mac + hmac::KeyInit,
    {
        let tag = told.strip_prefix(&self.prefix).and_then(|tag| hex::decode(tag).ok()).ok_or(Refused)?;
        self.mac::<Hmac<D>>(&[body])?.verify_slice(&tag).map_err(|_| Refused)
    }

    /// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
    fn standard(&self, told: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Refused> {
        let (id, at) = (one(headers, &WEBHOOK_ID)?, one(headers, &WEBHOOK_TIMESTAMP)?);
        let seconds: i64 = at.parse().map_err(|_| Refused)?;
        if now.seconds().abs_diff(seconds) > TOLERANCE.unsigned_abs() {
            return Err(Refused);
        }
        // Several while a secret is being changed; few, since each costs a digest of the body.
        for tag in told.split(' ').take(4).filter_map(|tag| tag.strip_prefix("v1,")) {
            let Ok(tag) = BASE64_STANDARD.decode(tag) else { continue };
            let mac = self.mac::<Hmac<Sha256>>(&[id.as_bytes(), b".", at.as_bytes(), b".", body])?;
            if mac.verify_slice(&tag).is_ok() {
                return Ok(());
            }
        }
        Err(Refused)
    }

    fn mac<M: hmac::Mac + hmac::KeyInit>(&self, parts: &[&[u8]]) -> Result<M, Refused> {
        let key = Zeroizing::new(self.secret.expose().clone());
        let mut mac = <M as hmac::KeyInit>::new_from_slice(&key).map_err(|_| Refused)?;
        for part in parts {
            mac.update(part);
        }
        Ok(mac)
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refused> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Refused),
        _ => Err(Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(kind: SignatureKind, header: &str, prefix: &str, secret: &str) -> Signature {
        Signature::new(kind, header, prefix, &Secret::new(secret.to_owned())).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    fn check(signature: &Signature, pairs: &[(&'static str, &str)], body: &str) -> bool {
        let now = Timestamp::from_seconds(1_614_265_330);
        signature.check(&headers(pairs), body.as_bytes(), now).is_ok()
    }

    /// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>, "Testing".
    #[test]
    fn githubs_published_signature_is_good_and_every_other_is_not() {
        const TAG: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let github =
            signature(SignatureKind::HmacSha256, "X-Hub-Signature-256", "sha256=", "It's a Secret to Everybody");
        let header = "x-hub-signature-256";
        assert!(check(&github, &[(header, TAG)], "Hello, World!"));
        assert!(check(&github, &[(header, &TAG.to_uppercase().replace("SHA", "sha"))], "Hello, World!"));
        for (told, body) in [
            (TAG, "Hello, World?"),
            (&TAG.replace("757", "758"), "Hello, World!"),
            (&TAG[..TAG.len() - 2], "Hello, World!"),
            (&TAG[7..], "Hello, World!"),
            ("sha256=", "Hello, World!"),
            ("", "Hello, World!"),
            ("sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59", "Hello, World!"),
        ] {
            assert!(!check(&github, &[(header, told)], body), "{told} {body}");
        }
        assert!(!check(&github, &[], "Hello, World!"));
        assert!(!check(&github, &[(header, TAG), (header, TAG)], "Hello, World!"), "told twice");
    }

    #[test]
    fn sha_1_is_good_only_where_it_was_asked_for() {
        let zammad = signature(SignatureKind::HmacSha1, "X-Hub-Signature", "sha1=", "It's a Secret to Everybody");
        let tag = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59";
        assert!(check(&zammad, &[("x-hub-signature", tag)], "Hello, World!"));
        let jira = signature(SignatureKind::HmacSha256, "X-Hub-Signature", "sha256=", "It's a Secret to Everybody");
        assert!(!check(&jira, &[("x-hub-signature", tag)], "Hello, World!"));
        assert!(!check(&jira, &[("x-hub-signature", &tag.replace("sha1", "sha256"))], "Hello, World!"));
    }

    #[test]
    fn a_token_is_compared_whole() {
        let gitlab = signature(SignatureKind::Token, "X-Gitlab-Token", "", "correct horse battery");
        assert!(check(&gitlab, &[("x-gitlab-token", "correct horse battery")], "{}"));
        for told in ["correct horse batter", "correct horse battery ", "Correct horse battery", "x"] {
            assert!(!check(&gitlab, &[("x-gitlab-token", told)], "{}"), "{told:?}");
        }
        assert!(!check(&gitlab, &[], "{}"));
    }

    /// The values of the libraries' own tests: <https://github.com/standard-webhooks/standard-webhooks>.
    #[test]
    fn a_standard_webhook_is_good_for_five_minutes() {
        let signed = signature(SignatureKind::StandardWebhooks, "", "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let tag = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let body = r#"{"test": 2432232314}"#;
        let pairs = |at: &'static str, tag: &str| {
            let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
            headers(&[("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", tag)])
        };
        let at = |seconds: i64| Timestamp::from_seconds(1_614_265_330 + seconds);
        let check = |at: Timestamp, headers: &HeaderMap| signed.check(headers, body.as_bytes(), at).is_ok();
        assert!(check(at(0), &pairs("1614265330", tag)));
        assert!(check(at(300), &pairs("1614265330", &format!("v1,AAAA v1a,x {tag}"))));
        assert!(check(at(-300), &pairs("1614265330", tag)));
        assert!(!check(at(301), &pairs("1614265330", tag)), "told again later");
        assert!(!check(at(-301), &pairs("1614265330", tag)));
        assert!(!check(at(0), &pairs("1614265331", tag)), "with another time");
        assert!(!check(at(0), &pairs("9223372036854775807", tag)));
        assert!(!check(at(0), &pairs("1614265330", "v1,AAAA")));
    }

    #[test]
    fn a_short_secret_is_none() {
        let new = |text: &str| Signature::new(SignatureKind::Token, "X-A", "", &Secret::new(text.to_owned()));
        assert!(new("fifteen letters").is_err());
        assert!(new("sixteen letters!").is_ok());
        assert!(Signature::new(SignatureKind::Token, "", "", &Secret::new("sixteen letters!".into())).is_err());
    }
}
