//! Speaks the portal's API.

use std::fs;
use std::io::{self, Read, Take};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::{
    AUTHORIZATION, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, RANGE,
};
use reqwest::{Certificate, Method, redirect};
use serde::Serialize;
use url::Url;

use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::secret::Secret;
use crate::send::address::{PortalAddress, UploadUrl, is_loopback};
use crate::send::answer;
use crate::send::error::SendError;
use crate::send::tls::network_error;
use crate::send::transport::Announced;
use crate::wire::{
    List, MadeRequest, NewRequest, NewSnapshot, NewTicket, NewToken, PendingRequest, REASON_HEADER, Redeem, Redeemed,
    SealedShare, ShareRequest, Snapshot, SnapshotState, TUS_VERSION, Ticket, TicketEvent, Token,
};

/// The header that names the version of tus.
const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
/// The most snapshots of one ticket that are asked for.
const SNAPSHOTS_LIMIT: usize = 100_000;
/// The longest reason that is sent, in bytes.
const REASON_LIMIT: usize = 500;
/// The longest file of certificates that is read, in bytes.
const CA_FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// How a [`Client`] connects.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Certificates (PEM) that alone are trusted; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take to come about. Default: 20 s.
    pub connect_timeout: Duration,
    /// How long an answer, or the next bytes of one, may take; a request's own bytes included. Default: 60 s.
    pub answer_timeout: Duration,
    /// What the client calls itself.
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            connect_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(60),
            user_agent: concat!("tarseal/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A connection to one portal with one token.
///
/// Follows no redirect, reads no reply beyond a limit, sends the token to the portal's own origin in the `Authorization`
/// header and nowhere else, and repeats no request by itself. Proxies come from the environment, and none is asked for
/// a portal on this machine.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::blocking::Client,
    address: PortalAddress,
    authorization: Option<HeaderValue>,
    answer_timeout: Duration,
}

impl Client {
    /// Makes a client; nothing is sent yet. Without a token only what anyone may ask can be asked.
    ///
    /// [`SendError::Token`] when the token cannot stand in a header, [`SendError::Local`] when the certificates cannot be
    /// read, [`SendError::Tls`] when they are none or the system has none.
    pub fn new(
        address: PortalAddress,
        token: Option<&Secret<String>>,
        options: &ClientOptions,
    ) -> Result<Self, SendError> {
        let http = connection(address.url(), options)?;
        let authorization = token.map(bearer).transpose()?;
        Ok(Self { http, address, authorization, answer_timeout: options.answer_timeout })
    }

    /// The portal it speaks to.
    #[must_use]
    pub fn address(&self) -> &PortalAddress {
        &self.address
    }

    /// Opens a ticket. [`SendError::TicketExists`] when it is there already.
    pub fn open_ticket(&self, ticket: &TicketId) -> Result<Ticket, SendError> {
        self.post_json(&["v1", "tickets"], &NewTicket { ticket: ticket.clone() }, &[200, 201])
    }

    /// Asks for a ticket with its snapshots.
    pub fn ticket(&self, ticket: &TicketId) -> Result<Ticket, SendError> {
        self.get_json(&["v1", "tickets", ticket.as_str()], &[])
    }

    /// Tells that a ticket was closed; told twice with the same `event` it counts once.
    pub fn close(&self, ticket: &TicketId, event: &TicketEvent) -> Result<Ticket, SendError> {
        self.post_json(&["v1", "tickets", ticket.as_str(), "close"], event, &[200])
    }

    /// Tells that a ticket was opened again.
    pub fn reopen(&self, ticket: &TicketId, event: &TicketEvent) -> Result<Ticket, SendError> {
        self.post_json(&["v1", "tickets", ticket.as_str(), "reopen"], event, &[200])
    }

    /// Makes an upload token for one ticket. The answer is the only place it is ever told.
    pub fn new_token(&self, ticket: &TicketId, valid_seconds: u64) -> Result<Token, SendError> {
        self.post_json(&["v1", "tickets", ticket.as_str(), "tokens"], &NewToken { valid_seconds }, &[200, 201])
    }

    /// Leaves a signed request for a ticket. Its code is told in the answer and nowhere else.
    pub fn new_request(&self, ticket: &TicketId, note: &str) -> Result<MadeRequest, SendError> {
        let body = NewRequest { request: note.to_owned() };
        self.post_json(&["v1", "tickets", ticket.as_str(), "requests"], &body, &[200, 201])
    }

    /// Asks for the requests for a ticket that have not expired.
    pub fn requests(&self, ticket: &TicketId) -> Result<Vec<PendingRequest>, SendError> {
        let list: List<PendingRequest> = self.get_json(&["v1", "tickets", ticket.as_str(), "requests"], &[])?;
        Ok(list.items)
    }

    /// Takes a request back: its code and its token are refused from now on.
    pub fn revoke_request(&self, ticket: &TicketId, id: &str) -> Result<(), SendError> {
        let url = self.address.below(&["v1", "tickets", ticket.as_str(), "requests", id]);
        self.send(self.request(Method::DELETE, url), &[200, 204]).map(drop)
    }

    /// Gives a request's code for the request and a token. No token is needed; the portal counts who asks how often.
    pub fn redeem(&self, redeem: &Redeem) -> Result<Redeemed, SendError> {
        self.post_json(&["v1", "requests", "redeem"], redeem, &[200])
    }

    /// Asks for the snapshots of a ticket, oldest first, at most 100 000 of them.
    pub fn snapshots(&self, ticket: &TicketId) -> Result<Vec<Snapshot>, SendError> {
        self.snapshots_of(Some(ticket))
    }

    /// Asks for every snapshot that the token may see, oldest first, at most 100 000 of them.
    pub fn every_snapshot(&self) -> Result<Vec<Snapshot>, SendError> {
        self.snapshots_of(None)
    }

    fn snapshots_of(&self, ticket: Option<&TicketId>) -> Result<Vec<Snapshot>, SendError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let mut query = vec![("limit", "1000")];
            query.extend(ticket.map(|ticket| ("ticket", ticket.as_str())));
            query.extend(after.as_deref().map(|after| ("after", after)));
            let List { items, next } = self.get_json::<List<Snapshot>>(&["v1", "snapshots"], &query)?;
            let empty = items.is_empty();
            all.extend(items);
            if next.is_none() || all.len() >= SNAPSHOTS_LIMIT {
                return Ok(all);
            }
            if empty || next == after {
                return Err(self.senseless("the list of snapshots goes on where it began"));
            }
            after = next;
        }
    }

    /// Asks what the portal has of a snapshot, also after its deletion.
    pub fn snapshot(&self, id: &FileId) -> Result<Snapshot, SendError> {
        self.get_json(&["v1", "snapshots", &id.to_string()], &[])
    }

    /// Announces a sealed file: the upload's address, or that it is there already.
    pub fn announce(&self, ticket: &TicketId, snapshot: &NewSnapshot) -> Result<Announced, SendError> {
        let url = self.address.below(&["v1", "tickets", ticket.as_str(), "snapshots"]);
        let request = self.request(Method::POST, url).json(snapshot);
        let response = self.send(request, &[200, 201])?;
        let location = response.headers().get(LOCATION).map(|place| place.to_str().unwrap_or_default().to_owned());
        let known: Snapshot = answer::json(response, self.answer_timeout, self.address.host())?;
        if known.state != SnapshotState::Uploading {
            return Ok(Announced::Stored(known));
        }
        let location = location.ok_or_else(|| self.senseless("it awaits an upload and does not say where"))?;
        UploadUrl::parse(&self.address, &location)
            .map(Announced::Upload)
            .map_err(|_| self.senseless("it points the upload elsewhere"))
    }

    /// Ends an unfinished upload; the portal forgets its bytes and its share. One that is gone already is no error.
    pub fn delete_upload(&self, upload: &UploadUrl) -> Result<(), SendError> {
        match self.send(self.tus(Method::DELETE, upload), &[200, 204]) {
            Ok(_) | Err(SendError::NotFound(_) | SendError::Expired(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks for the portal's part of the file key, sealed to `recipient` (`tarseal1…`). The portal writes down who asked
    /// and the `reason`. [`SendError::Expired`] from the deadline on.
    pub fn share(&self, id: &FileId, recipient: &str, reason: &str) -> Result<SealedShare, SendError> {
        self.share_with(id, &ShareRequest { recipient: recipient.to_owned(), granted: false }, reason)
    }

    pub(super) fn share_with(&self, id: &FileId, asked: &ShareRequest, reason: &str) -> Result<SealedShare, SendError> {
        let url = self.address.below(&["v1", "snapshots", &id.to_string(), "share"]);
        let request = self.request(Method::POST, url).header(REASON_HEADER, reason_value(reason)?).json(asked);
        let response = self.send(request, &[200])?;
        answer::json(response, self.answer_timeout, self.address.host())
    }

    /// Fetches the sealed bytes from byte `from` on. The portal writes down who asked and the `reason`.
    ///
    /// [`SendError::Expired`] from the deadline on.
    pub fn content(&self, id: &FileId, reason: &str, from: u64) -> Result<Content, SendError> {
        let url = self.address.below(&["v1", "snapshots", &id.to_string(), "content"]);
        let mut request = self.request(Method::GET, url).header(REASON_HEADER, reason_value(reason)?);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = self.send(request, if from > 0 { &[206] } else { &[200] })?;
        let headers = response.headers();
        let length = if from > 0 { total_of_range(headers, from) } else { response.content_length() };
        let length = length
            .filter(|length| *length >= from)
            .ok_or_else(|| self.senseless("it does not say how long the content is"))?;
        let sha256 = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).and_then(digest_of_tag);
        Ok(Content { length, sha256, left: length - from, body: response.take(length - from) })
    }

    /// Fetches the snapshot's latest receipt: the deletion receipt when it was deleted, else the upload receipt.
    pub fn receipt(&self, id: &FileId) -> Result<String, SendError> {
        let url = self.address.below(&["v1", "snapshots", &id.to_string(), "receipt"]);
        self.get_text(url)
    }

    /// Fetches the key that the portal's receipts are verified with. It is to be pinned at the first use.
    pub fn receipt_key(&self) -> Result<String, SendError> {
        let text = self.get_text(self.address.below(&["v1", "receipt-key"]))?;
        Ok(text.trim_end().to_owned())
    }

    /// Fetches one page of the audit log, in the form and with the limits that `query` names, from its beginning or from where
    /// the page before says that the next one begins.
    pub fn audit(&self, query: &[(&str, String)], after: Option<&str>) -> Result<AuditPage, SendError> {
        let mut url = self.address.below(&["v1", "audit"]);
        url.query_pairs_mut().extend_pairs(query).extend_pairs(after.map(|after| ("after", after)));
        let response = self.send(self.request(Method::GET, url.clone()), &[200])?;
        let next = response.headers().get(LINK).and_then(|link| link.to_str().ok()).and_then(|link| {
            let target = link.strip_prefix('<')?.split_once(">; rel=\"next\"")?.0;
            let next = url.join(target).ok()?;
            next.query_pairs().find(|(name, _)| name == "after").map(|(_, after)| after.into_owned())
        });
        if next.is_some() && next.as_deref() == after {
            return Err(self.senseless("the audit log goes on where it began"));
        }
        Ok(AuditPage { text: answer::text(response, self.answer_timeout, self.host())?, next })
    }

    /// Asks whether the portal is there, and what time it says it is (the `Date` of its answer), if it says so.
    pub fn time(&self) -> Result<Option<Timestamp>, SendError> {
        let response = self.send(self.request(Method::GET, self.address.below(&["healthz"])), &[200])?;
        let told = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(told.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp().into()))
    }

    pub(crate) fn host(&self) -> &str {
        self.address.host()
    }

    pub(crate) fn tus(&self, method: Method, upload: &UploadUrl) -> RequestBuilder {
        self.request(method, upload.url()).header(TUS_RESUMABLE, TUS_VERSION)
    }

    pub(crate) fn send(&self, request: RequestBuilder, wanted: &[u16]) -> Result<Response, SendError> {
        let response = request.send().map_err(|error| network_error(error, self.host()))?;
        answer::expect(response, wanted, self.host())
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    pub(super) fn get_json<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, SendError> {
        let mut url = self.address.below(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let response = self.send(self.request(Method::GET, url), &[200])?;
        answer::json(response, self.answer_timeout, self.host())
    }

    fn get_text(&self, url: Url) -> Result<String, SendError> {
        let response = self.send(self.request(Method::GET, url), &[200])?;
        answer::text(response, self.answer_timeout, self.host())
    }

    pub(super) fn post_json<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
        wanted: &[u16],
    ) -> Result<T, SendError> {
        let response = self.send(self.request(Method::POST, self.address.below(path)).json(body), wanted)?;
        answer::json(response, self.answer_timeout, self.host())
    }

    fn senseless(&self, what: &str) -> SendError {
        SendError::Unexpected(format!("{}: {what}", self.host()))
    }
}

/// A part of the portal's audit log.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The records, in the form that was asked for.
    pub text: String,
    /// Where the next part begins; `None` at the end.
    pub next: Option<String>,
}

/// The sealed bytes of a snapshot on their way from the portal; ends with an error when they end too early.
#[derive(Debug)]
pub struct Content {
    length: u64,
    sha256: Option<String>,
    left: u64,
    body: Take<Response>,
}

impl Content {
    /// Length of the whole sealed file in bytes, also when only a part of it was asked for.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 of the whole sealed file in hexadecimal, as the portal says.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.body.read(buffer)?;
        if length == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the portal's bytes ended too early"));
        }
        self.left -= length as u64;
        Ok(length)
    }
}

/// What speaks HTTP to the machine that `url` names and follows no redirect. Proxies come from the environment, and none is
/// asked for this machine.
pub(crate) fn connection(url: &Url, options: &ClientOptions) -> Result<reqwest::blocking::Client, SendError> {
    let host = url.host_str().unwrap_or_default();
    let mut builder = reqwest::blocking::Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .timeout(options.answer_timeout)
        .tcp_nodelay(true)
        .user_agent(&options.user_agent);
    if is_loopback(url) {
        builder = builder.no_proxy();
    } else {
        builder = builder.https_only(true);
    }
    if host == "localhost" {
        // The name alone is no proof that it is this machine.
        let here: [SocketAddr; 2] = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        builder = builder.resolve_to_addrs("localhost", &here);
    }
    if let Some(path) = &options.ca_file {
        builder = builder.tls_certs_only(certificates(path, host)?);
    } else if url.scheme() != "https" {
        // No TLS will be spoken, so a machine without any certificates can still speak to itself.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| SendError::Tls {
        host: host.to_owned(),
        what: format!("TLS cannot be set up ({})", root_cause(&error)),
    })
}

fn bearer(token: &Secret<String>) -> Result<HeaderValue, SendError> {
    let token = token.expose();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SendError::Token);
    }
    let text = zeroize::Zeroizing::new(format!("Bearer {token}"));
    let mut value = HeaderValue::from_str(&text).map_err(|_| SendError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn reason_value(reason: &str) -> Result<HeaderValue, SendError> {
    if reason.trim().is_empty() || reason.len() > REASON_LIMIT || reason.chars().any(char::is_control) {
        return Err(SendError::Reason);
    }
    HeaderValue::from_bytes(reason.as_bytes()).map_err(|_| SendError::Reason)
}

fn certificates(path: &std::path::Path, host: &str) -> Result<Vec<Certificate>, SendError> {
    let local = |source| SendError::Local { path: path.to_owned(), source };
    let mut pem = Vec::new();
    fs::File::open(path).map_err(local)?.take(CA_FILE_LIMIT).read_to_end(&mut pem).map_err(local)?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() {
        let what = format!("{} holds no certificate (PEM)", path.display());
        return Err(SendError::Tls { host: host.to_owned(), what });
    }
    Ok(found)
}

/// The whole length from `Content-Range: bytes 7-9/10`, when the part begins where it was asked to.
fn total_of_range(headers: &HeaderMap, from: u64) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let total: u64 = total.parse().ok()?;
    let whole = first.parse::<u64>().ok()? == from && last.parse::<u64>().ok()?.checked_add(1)? == total;
    whole.then_some(total)
}

fn digest_of_tag(tag: &str) -> Option<String> {
    let digest = tag.strip_prefix('"')?.strip_suffix('"')?;
    (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digest.to_ascii_lowercase())
}

fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_one_header_and_is_not_printed() {
        let token = Secret::new("swordfish".to_owned());
        let client =
            Client::new("http://127.0.0.1:9".parse().unwrap(), Some(&token), &ClientOptions::default()).unwrap();
        let request = client.request(Method::GET, client.address.below(&["v1"])).build().unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer swordfish");
        assert!(!format!("{client:?} {request:?}").contains("swordfish"));
    }

    #[test]
    fn a_token_that_would_break_the_header_is_refused() {
        for bad in ["", "a b", "a\r\nX: y", "ä"] {
            let token = Secret::new(bad.to_owned());
            assert!(matches!(bearer(&token), Err(SendError::Token)), "{bad:?}");
        }
    }

    #[test]
    fn a_reason_is_a_short_line_of_text() {
        assert!(reason_value("Störung 4711").is_ok());
        for bad in ["", "  ", "a\nb", &"x".repeat(501)] {
            assert!(reason_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_part_counts_only_when_it_is_the_part_asked_for() {
        let of = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            total_of_range(&[(CONTENT_RANGE, value)].into_iter().collect(), 7)
        };
        assert_eq!(of("bytes 7-9/10"), Some(10));
        for bad in
            ["bytes 0-9/10", "bytes 7-8/10", "bytes 7-9/*", "bytes 7-9", "7-9/10", "bytes 7-18446744073709551615/0"]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
        let digest = "0".repeat(64);
        assert_eq!(digest_of_tag(&format!("\"{digest}\"")), Some(digest.clone()));
        assert_eq!(digest_of_tag(&format!("W/\"{digest}\"")), None);
    }

    #[test]
    fn a_file_without_certificates_trusts_nobody() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("ca.pem");
        let options = ClientOptions { ca_file: Some(path.clone()), ..ClientOptions::default() };
        let make = || Client::new("https://support.vendor.example".parse().unwrap(), None, &options);
        assert!(matches!(make(), Err(SendError::Local { .. })));
        fs::write(&path, "nothing").unwrap();
        assert!(matches!(make(), Err(SendError::Tls { .. })));
    }
}
