//! Judges what came back: status, headers and body of a reply, each behind a limit.

use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::blocking::Response;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::send::error::SendError;
use crate::wire::{PROBLEM_MEDIA_TYPE, Problem, problems};

/// The longest JSON or text body that is read, in bytes.
const BODY_LIMIT: u64 = 1024 * 1024;
/// The longest text of a portal that is shown, in characters.
const SHOWN_LIMIT: usize = 300;

/// Passes a reply with one of the `wanted` statuses; every other one becomes the error it stands for.
pub(crate) fn expect(response: Response, wanted: &[u16], host: &str) -> Result<Response, SendError> {
    let status = response.status();
    if wanted.contains(&status.as_u16()) {
        return Ok(response);
    }
    if status.is_redirection() {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        let to = to.split(['?', '#']).next().unwrap_or_default();
        return Err(SendError::Redirect { host: host.to_owned(), to: plain(to) });
    }
    if status.is_success() || status.is_informational() {
        return Err(SendError::Unexpected(format!("{host} answered {} where another answer was due", status.as_u16())));
    }
    let retry_after = retry_after(response.headers());
    Err(refusal(status, problem(response), retry_after, host))
}

/// Reads a body as JSON, at most 1 MiB and at most `within`.
pub(crate) fn json<T: DeserializeOwned>(response: Response, within: Duration, host: &str) -> Result<T, SendError> {
    let bytes = body(response, within, host)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        SendError::Unexpected(format!("{host} sent JSON that is not the expected (line {})", error.line()))
    })
}

/// Reads a body as text, at most 1 MiB and at most `within`.
pub(crate) fn text(response: Response, within: Duration, host: &str) -> Result<String, SendError> {
    String::from_utf8(body(response, within, host)?)
        .map_err(|_| SendError::Unexpected(format!("{host} sent text that is not UTF-8")))
}

/// Reads a header that holds a number.
pub(crate) fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn body(mut response: Response, within: Duration, host: &str) -> Result<Vec<u8>, SendError> {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = response.read(&mut buffer).map_err(|error| SendError::Temporary {
            what: format!("the connection to {host} broke within an answer"),
            retry_after: None,
            source: Some(Box::new(error)),
        })?;
        if length == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&buffer[..length]);
        if bytes.len() as u64 > BODY_LIMIT {
            return Err(SendError::Unexpected(format!("{host} sent more than 1 MiB where a short answer was due")));
        }
        if begun.elapsed() > within {
            return Err(SendError::temporary(format!("{host} answers too slowly")));
        }
    }
}

/// The problem in the body; one made from the status when there is none that can be read.
fn problem(response: Response) -> Problem {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let read = kind
        .starts_with(PROBLEM_MEDIA_TYPE)
        .then(|| body(response, Duration::from_secs(10), "").ok())
        .flatten()
        .and_then(|bytes| serde_json::from_slice::<Problem>(&bytes).ok());
    match read {
        Some(problem) => Problem {
            kind: plain(&problem.kind),
            title: plain(&problem.title),
            status: status.as_u16(),
            detail: plain(&problem.detail),
        },
        None => Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("no reason given").to_lowercase(),
            status: status.as_u16(),
            detail: String::new(),
        },
    }
}

fn refusal(status: StatusCode, problem: Problem, retry_after: Option<Duration>, host: &str) -> SendError {
    // The type may be a path or a whole address that ends in it.
    let is = |kind: &str| problem.kind.ends_with(kind);
    match status.as_u16() {
        401 | 403 | 407 => SendError::Refused(problem),
        404 => SendError::NotFound(problem),
        409 if is(problems::TICKET_CLOSED) => SendError::TicketClosed(problem),
        409 if is(problems::TICKET_EXISTS) => SendError::TicketExists(problem),
        409 if is(problems::SNAPSHOT_DIFFERS) => {
            SendError::DigestMismatch("the portal has a snapshot of this id with other bytes".to_owned())
        }
        410 => SendError::Expired(problem),
        460 => SendError::DigestMismatch("the portal received other bytes than were announced".to_owned()),
        507 => SendError::NoRoom { problem, retry_after },
        408 | 409 | 423 | 425 | 429 | 500..=599 => SendError::Temporary {
            what: format!(
                "{host} is busy or has a fault: {} ({})",
                if problem.detail.is_empty() { &problem.title } else { &problem.detail },
                problem.status
            ),
            retry_after,
            source: None,
        },
        _ => SendError::Rejected(problem),
    }
}

/// How long to wait (RFC 9110, section 10.2.3): seconds, or an instant, which is compared with the portal's own `Date` so
/// that a wrong clock here does not matter.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(seconds) = number(headers, &RETRY_AFTER) {
        return Some(Duration::from_secs(seconds));
    }
    let instant = |name| jiff::fmt::rfc2822::parse(headers.get(name)?.to_str().ok()?).ok();
    let seconds = instant(RETRY_AFTER)?.timestamp().as_second() - instant(DATE)?.timestamp().as_second();
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// A text from the portal as it may be shown: short, on one line, without control or direction characters.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_LIMIT) {
        let hidden = character.is_control()
            || matches!(character, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if hidden {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN_LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn told(status: u16, kind: &str) -> SendError {
        let problem =
            Problem { kind: kind.to_owned(), title: "title".to_owned(), status, detail: "what happened".to_owned() };
        refusal(StatusCode::from_u16(status).unwrap(), problem, Some(Duration::from_secs(7)), "portal")
    }

    #[test]
    fn each_status_becomes_what_a_caller_does_about_it() {
        assert!(matches!(told(401, problems::TOKEN_REFUSED), SendError::Refused(_)));
        assert!(matches!(told(403, ""), SendError::Refused(_)));
        assert!(matches!(told(404, problems::TICKET_UNKNOWN), SendError::NotFound(_)));
        assert!(matches!(told(409, problems::TICKET_CLOSED), SendError::TicketClosed(_)));
        assert!(matches!(told(409, "https://portal.example/problems/ticket-closed"), SendError::TicketClosed(_)));
        assert!(matches!(told(409, problems::TICKET_EXISTS), SendError::TicketExists(_)));
        assert!(matches!(told(409, problems::SNAPSHOT_DIFFERS), SendError::DigestMismatch(_)));
        assert!(matches!(told(410, problems::EXPIRED), SendError::Expired(_)));
        assert!(matches!(told(460, problems::DIGEST_MISMATCH), SendError::DigestMismatch(_)));
        assert!(matches!(told(413, problems::BAD_REQUEST), SendError::Rejected(_)));
        for status in [408, 409, 423, 425, 429, 500, 502, 503, 504, 507] {
            let error = told(status, "");
            assert!(error.is_temporary(), "{status}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{status}");
        }
        assert!(matches!(told(507, problems::NO_ROOM), SendError::NoRoom { .. }));
        assert!(told(403, "").to_string().contains("what happened (403)"));
    }

    #[test]
    fn retry_after_is_seconds_or_an_instant_by_the_portals_own_clock() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let headers =
                pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            retry_after(&headers.collect())
        };
        assert_eq!(of(&[("retry-after", "120")]), Some(Duration::from_secs(120)));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("retry-after", "-5")]), None);
        assert_eq!(of(&[("retry-after", "soon")]), None);
        assert_eq!(of(&[("retry-after", "99999999999999999999999")]), None);
        let instant = ("retry-after", "Sat, 21 Nov 2026 14:21:01 GMT");
        assert_eq!(of(&[instant, ("date", "Sat, 21 Nov 2026 14:20:01 GMT")]), Some(Duration::from_secs(60)));
        assert_eq!(of(&[instant, ("date", "Sat, 21 Nov 2026 14:22:01 GMT")]), None);
        assert_eq!(of(&[instant]), None);
    }

    #[test]
    fn a_portals_text_cannot_paint_the_screen() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(plain("a\u{202e}b\nc"), "a\\u{202e}b\\u{a}c");
        assert_eq!(plain("Zoë"), "Zoë");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), SHOWN_LIMIT + 1);
    }
}
