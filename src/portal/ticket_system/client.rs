//! Asks a ticket system over HTTP: one request at a time, no redirect, a limit on time and on bytes.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use reqwest::{Certificate, redirect};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::config::{Login, LoginKind, Written};
use super::fault::Fault;
use super::secret;
use super::source::{self, is_loopback, seconds};
use crate::causes::causes;
use crate::clock::Timestamp;

/// The longest time a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The longest file of certificates in bytes.
const CA_LIMIT: u64 = 4 << 20;

/// The longest time a system can ask to be left alone, in seconds.
const LONGEST_WAIT: i64 = 86_400;

/// A client of one ticket system.
pub(super) struct Client {
    http: reqwest::Client,
    limit: usize,
    missing: Vec<u16>,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Reply {
    /// Status 200, and JSON.
    Found(Value),
    /// A status that says that there is no such thing.
    Missing,
}

impl Client {
    /// Reads the secret and the certificates; nothing is sent yet.
    pub(super) fn new(written: &Written, address: &Url, directory: &Path) -> Result<Self, source::Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &written.headers {
            let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
            let (Ok(name), Ok(value)) = (name, value) else { return Err("a header cannot stand in a request".into()) };
            if [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING].contains(&name) {
                return Err(source::Fault::Told(format!(
                    "the header {name} is not for headers; a secret has its file"
                )));
            }
            headers.insert(name, value);
        }
        if let Some(login) = &written.login {
            let (name, value) = authorization(login, directory)?;
            headers.insert(name, value);
        }
        let timeout = seconds("timeout", written.timeout, 1, 300)?;
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("tarseal/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .timeout(Duration::from_secs(timeout.unsigned_abs()));
        // No proxy is asked for this machine, and without TLS a machine without any certificates can still ask itself.
        builder = if is_loopback(address) { builder.no_proxy() } else { builder.https_only(true) };
        if let Some(file) = &written.ca_file {
            builder = builder.tls_certs_only(certificates(&directory.join(file))?);
        } else if address.scheme() != "https" {
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|fault| source::Fault::Told(format!("TLS cannot be set up: {fault}")))?;
        if !(1024..=64 << 20).contains(&written.reply_limit) {
            return Err("reply_limit is 1 KiB to 64 MiB, in bytes".into());
        }
        Ok(Self { http, limit: written.reply_limit, missing: written.ask.missing.clone() })
    }

    /// Sends one GET; `now` is for a Retry-After that is a date.
    pub(super) async fn ask(&self, url: Url, now: Timestamp) -> Result<Reply, Fault> {
        let response = self.http.get(url).send().await.map_err(|fault| told(&fault))?;
        let status = response.status().as_u16();
        if status == 200 {
            return self.body(response).await.map(Reply::Found);
        }
        let wait = wait_of(response.headers(), now);
        Err(match status {
            _ if self.missing.contains(&status) => return Ok(Reply::Missing),
            403 if wait.is_some() => Fault::Busy(status, wait),
            401 | 403 => Fault::Refused(status),
            429 | 503 => Fault::Busy(status, wait),
            500.. => Fault::Failing(status, wait),
            300..=399 => Fault::Redirected(status),
            _ => Fault::Unexpected(status),
        })
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Value, Fault> {
        if response.content_length().is_some_and(|length| length > self.limit as u64) {
            return Err(Fault::TooLong(self.limit));
        }
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(|fault| told(&fault))? {
            if body.len() + bytes.len() > self.limit {
                return Err(Fault::TooLong(self.limit));
            }
            body.extend_from_slice(&bytes);
        }
        serde_json::from_slice(&body).map_err(|_| Fault::NotJson)
    }
}

/// For how many seconds the system asks to be left alone: `Retry-After` (RFC 9110, 10.2.3), or GitHub's `x-ratelimit-reset`
/// when nothing remains.
fn wait_of(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let until = |at: i64| at.saturating_sub(now.seconds());
    let asked = text(&RETRY_AFTER).and_then(|text| match text.parse::<i64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(until(i64::try_from(at.as_secs()).ok()?))
        }
    });
    let used_up = text(&HeaderName::from_static("x-ratelimit-remaining")) == Some("0");
    let reset = || text(&HeaderName::from_static("x-ratelimit-reset"))?.parse().ok().map(until);
    asked.or_else(|| if used_up { reset() } else { None }).map(|wait| wait.clamp(0, LONGEST_WAIT))
}

fn authorization(login: &Login, directory: &Path) -> Result<(HeaderName, HeaderValue), source::Fault> {
    let Some(file) = &login.file else { return Err("login.file names the file of the secret".into()) };
    let secret = secret::read(&directory.join(file))?;
    let secret = secret.expose();
    let (name, value) = match (login.kind, &login.user, &login.header) {
        (LoginKind::Bearer, None, None) => (AUTHORIZATION, Zeroizing::new(format!("Bearer {secret}"))),
        (LoginKind::Basic, Some(user), None) if !user.contains(':') => {
            let pair = Zeroizing::new(format!("{user}:{secret}"));
            (AUTHORIZATION, Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes()))))
        }
        (LoginKind::Header, None, Some(header)) => {
            let name = HeaderName::try_from(header).map_err(|_| "login.header cannot stand in a request")?;
            (name, Zeroizing::new(format!("{}{secret}", login.prefix)))
        }
        _ => {
            let rule = "login is bearer; or basic with user; or header with header, and prefix if it has one";
            return Err(rule.into());
        }
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| "the secret cannot stand in a header")?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, source::Fault> {
    use std::io::Read as _;
    let mut pem = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(CA_LIMIT).read_to_end(&mut pem));
    read.map_err(|fault| source::Fault::Told(format!("{}: {fault}", file.display())))?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() {
        return Err(source::Fault::Told(format!("{} holds no certificate (PEM)", file.display())));
    }
    Ok(found)
}

/// A failure below HTTP. Its words hold no URL: that may name a ticket.
fn told(fault: &reqwest::Error) -> Fault {
    if let Some(tls) = causes(fault).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        use rustls::Error as E;
        if matches!(
            tls,
            E::InvalidCertificate(_)
                | E::NoCertificatesPresented
                | E::PeerIncompatible(_)
                | E::AlertReceived(_)
                | E::InvalidMessage(rustls::InvalidMessage::InvalidContentType)
        ) {
            return Fault::Untrusted(words(tls));
        }
    }
    if fault.is_timeout() {
        Fault::TimedOut
    } else if fault.is_connect() {
        Fault::Unreachable(causes(fault).last().map(words).unwrap_or_default())
    } else {
        Fault::BrokeOff
    }
}

fn words(error: &(impl Error + ?Sized)) -> String {
    error.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_says_how_long_it_wants_to_be_left_alone() {
        let now: Timestamp = "2026-11-21T14:20:00Z".parse().unwrap();
        let wait = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            wait_of(&pairs.collect(), now)
        };
        assert_eq!(wait(&[("retry-after", "120")]), Some(120));
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2026 14:21:30 GMT")]), Some(90));
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2020 14:21:30 GMT")]), Some(0));
        assert_eq!(wait(&[("retry-after", "99999999999")]), Some(LONGEST_WAIT));
        assert_eq!(wait(&[("retry-after", "-5")]), Some(0));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795270860")]), Some(60));
        assert_eq!(wait(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1795270860")]), None);
        assert_eq!(wait(&[]), None);
    }
}
