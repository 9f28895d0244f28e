//! Reads a file at an address where it is asked for, and no more of it: HTTP range requests (RFC 9110, section 14).

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use rand::CryptoRng;
use reqwest::Method;
use reqwest::blocking::Response;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE,
    LAST_MODIFIED, RANGE,
};

use crate::send::address::FileUrl;
use crate::send::answer;
use crate::send::backoff;
use crate::send::client::{Client, reason_value};
use crate::send::error::SendError;
use crate::send::run::Pace;
use crate::wire::REASON_HEADER;

/// The least that is asked for, in bytes; parts begin at its multiples unless they go on from another.
const LEAST: u64 = 64 << 10;
/// The most that is asked for at once, in bytes. A server that gives no parts may give a file this small whole.
const MOST: u64 = 1 << 20;
/// How many parts are kept.
const KEPT: usize = 3;
/// How often a part is asked for again when hardly anything of it arrives.
const TRIES: u32 = 5;
/// What must arrive for a broken answer to count as progress, in bytes.
const PROGRESS: usize = 16 << 10;
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// A file at an address, as a source of bytes that can be read anywhere. Holds 3 MiB.
///
/// Parts of 64 KiB are fetched; when it is read on from one, the next ones double to 1 MiB. A broken way is tried again,
/// with pauses; what had arrived is kept. A file that is replaced meanwhile is an error, as its tag, its date or its length
/// tell. Whether the bytes are the right ones is not known here: the seal knows.
pub struct RangedFile {
    client: Client,
    url: FileUrl,
    reason: Option<HeaderValue>,
    pace: Box<dyn Pace>,
    rng: Box<dyn CryptoRng>,
    known: Option<Known>,
    /// Whether the server has given a part where one was asked for.
    gives_parts: bool,
    position: u64,
    parts: Vec<Part>,
    uses: u64,
    /// Where the last part that was fetched ends, and how long the next one is that goes on there.
    next: (u64, u64),
}

/// What the first answer said of the file, which must stay so.
struct Known {
    length: u64,
    tag: Option<HeaderValue>,
    date: Option<HeaderValue>,
}

/// Some bytes of the file.
struct Part {
    begin: u64,
    bytes: Vec<u8>,
    used: u64,
}

/// An error of the way to a file, as it stands inside an [`io::Error`] of reading.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct RangedError {
    /// The machine the file lies at.
    pub host: String,
    /// What happened.
    #[source]
    pub error: SendError,
}

impl RangedError {
    /// Finds the reason inside an error of [`RangedFile`]'s `read`.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl RangedFile {
    /// Fetches the beginning of the file and learns how long it is.
    ///
    /// `client` speaks to the file's own host; its token goes along. `reason` is for a portal, which writes it down.
    /// [`SendError::NoRanges`] when the server gives files only whole and this one is longer than 1 MiB.
    pub fn open(
        client: Client,
        url: FileUrl,
        reason: Option<&str>,
        pace: Box<dyn Pace>,
        rng: Box<dyn CryptoRng>,
    ) -> Result<Self, SendError> {
        let reason = reason.map(reason_value).transpose()?;
        let mut file = Self {
            client,
            url,
            reason,
            pace,
            rng,
            known: None,
            gives_parts: false,
            position: 0,
            parts: Vec::with_capacity(KEPT),
            uses: 0,
            next: (0, LEAST),
        };
        file.load(0, LEAST)?;
        Ok(file)
    }

    /// Length of the file in bytes, as the server says.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.length)
    }

    /// Fetches a part that holds `position`, in place of the one that was used longest ago.
    fn load(&mut self, position: u64, wanted: u64) -> Result<(), SendError> {
        let goes_on = position == self.next.0;
        let begin = if goes_on { position } else { position - position % LEAST };
        let ahead = if goes_on { self.next.1 } else { LEAST };
        let length = ahead.max((position - begin + wanted.min(MOST)).next_multiple_of(LEAST)).min(MOST);
        // What is here already is not fetched again.
        let after = self.parts.iter().map(|part| part.begin).filter(|&other| other > position).min();
        let end = (begin + length).min(after.unwrap_or(u64::MAX));

        let bytes = self.fetch(begin, end - begin)?;
        self.next = (begin + bytes.len() as u64, (2 * length).min(MOST));
        self.uses += 1;
        let part = Part { begin, bytes, used: self.uses };
        if self.parts.len() < KEPT {
            self.parts.push(part);
        } else if let Some(oldest) = self.parts.iter_mut().min_by_key(|part| part.used) {
            *oldest = part;
        }
        Ok(())
    }

    /// Fetches `length` bytes, fewer only where the file ends. Tries again as long as it makes sense.
    fn fetch(&mut self, begin: u64, length: u64) -> Result<Vec<u8>, SendError> {
        let mut bytes = Vec::new();
        let mut failures = 0;
        loop {
            let end = begin.saturating_add(length).min(self.known.as_ref().map_or(u64::MAX, |known| known.length));
            let before = bytes.len();
            if self.known.is_some() && begin + before as u64 >= end {
                return Ok(bytes);
            }
            let error = match self.ask(begin + before as u64, end, &mut bytes) {
                Err(error) if !error.is_temporary() => return Err(error),
                answer => answer.err(),
            };
            failures = if bytes.len() - before >= PROGRESS { 0 } else { failures + 1 };
            let Some(error) = error else {
                if failures > TRIES {
                    return Err(self.senseless("it sends the file in crumbs"));
                }
                continue;
            };
            if !self.gives_parts {
                // What is given only whole is asked for whole again.
                bytes.clear();
                self.known = None;
            }
            let asked = error.retry_after();
            if failures > TRIES || asked.is_some_and(|wait| wait > LONGEST_WAIT) {
                return Err(error);
            }
            let pause = backoff::delay(failures, asked, &mut *self.rng);
            self.pace.wait(self.pace.elapsed() + pause, &error);
        }
    }

    /// Asks once for the bytes from `begin` to `end` and puts what comes behind `bytes`, also before an error.
    fn ask(&mut self, begin: u64, end: u64, bytes: &mut Vec<u8>) -> Result<(), SendError> {
        let mut request = self
            .client
            .request(Method::GET, self.url.url())
            .header(RANGE, format!("bytes={begin}-{}", end - 1))
            .header(ACCEPT_ENCODING, "identity");
        if let Some(reason) = &self.reason {
            request = request.header(REASON_HEADER, reason.clone());
        }
        if let Some(tag) = self.known.as_ref().and_then(|known| known.tag.as_ref()).filter(|tag| is_strong(tag)) {
            request = request.header(IF_RANGE, tag.clone());
        }
        let response = self.client.send(request, &[200, 206, 416])?;
        let coding = response.headers().get(CONTENT_ENCODING);
        if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(self.senseless("it sends the file in another form"));
        }
        let due = match response.status().as_u16() {
            206 => self.part(response.headers(), begin, end)?,
            416 => self.nothing(response.headers(), begin)?,
            _ => self.whole(&response, begin)?,
        };
        self.receive(response, due, bytes)
    }

    /// How many bytes a part holds that is the one asked for, or a beginning of it.
    fn part(&mut self, headers: &HeaderMap, begin: u64, end: u64) -> Result<u64, SendError> {
        let Some(range) = headers.get(CONTENT_RANGE).and_then(content_range) else {
            return Err(self.senseless("it does not say which part it sends"));
        };
        let (first, last, total) = range;
        if first != begin || last < first || last >= end || last >= total {
            return Err(self.senseless("it sends another part than was asked for"));
        }
        self.same_file(headers, total)?;
        self.gives_parts = true;
        let due = last - first + 1;
        if answer::number(headers, &CONTENT_LENGTH).is_some_and(|length| length != due) {
            return Err(self.senseless("the part it sends has another length than it says"));
        }
        Ok(due)
    }

    /// An answer that there are no such bytes: an empty file has none, and one that was longer before has changed.
    fn nothing(&mut self, headers: &HeaderMap, begin: u64) -> Result<u64, SendError> {
        let total = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes */"));
        match total.and_then(|total| total.parse().ok()) {
            Some(0) if begin == 0 => self.same_file(headers, 0).map(|()| 0),
            _ if self.known.is_some() => Err(SendError::Changed { host: self.url.host().to_owned() }),
            _ => Err(self.senseless("it has no first byte of the file")),
        }
    }

    /// A whole file where a part was asked for: taken when it is short. Later on it is the answer to `If-Range` when the
    /// file has changed.
    fn whole(&mut self, response: &Response, begin: u64) -> Result<u64, SendError> {
        let host = || self.url.host().to_owned();
        let length = answer::number(response.headers(), &CONTENT_LENGTH);
        match (length, &self.known) {
            (Some(length), None) if begin == 0 && length <= MOST => {
                self.same_file(response.headers(), length).map(|()| length)
            }
            (_, None) => Err(SendError::NoRanges { host: host() }),
            (_, Some(known)) if known.tag.is_some() && response.headers().get(ETAG) != known.tag.as_ref() => {
                Err(SendError::Changed { host: host() })
            }
            (Some(length), Some(known)) if length != known.length => Err(SendError::Changed { host: host() }),
            _ => Err(SendError::NoRanges { host: host() }),
        }
    }

    /// Learns at the first answer what the file is, and at each later one that it is still the same.
    fn same_file(&mut self, headers: &HeaderMap, length: u64) -> Result<(), SendError> {
        let (tag, date) = (headers.get(ETAG).cloned(), headers.get(LAST_MODIFIED).cloned());
        let Some(known) = &self.known else {
            self.known = Some(Known { length, tag, date });
            return Ok(());
        };
        // A date tells something only where there is no tag.
        let same = known.length == length && known.tag == tag && (tag.is_some() || known.date == date);
        if same { Ok(()) } else { Err(SendError::Changed { host: self.url.host().to_owned() }) }
    }

    /// Reads a body of exactly `due` bytes, for at most the time an answer may take.
    fn receive(&mut self, mut body: Response, due: u64, bytes: &mut Vec<u8>) -> Result<(), SendError> {
        let begun = Instant::now();
        let end = bytes.len() + usize::try_from(due).expect("at most 1 MiB is asked for");
        let mut buffer = vec![0; PROGRESS];
        loop {
            let length = body.read(&mut buffer).map_err(|error| SendError::Temporary {
                what: format!("the connection to {} broke", self.url.host()),
                retry_after: None,
                source: Some(Box::new(error)),
            })?;
            if length > end - bytes.len() {
                return Err(self.senseless("it sends more than it says"));
            }
            bytes.extend_from_slice(&buffer[..length]);
            if length == 0 {
                let whole = bytes.len() == end;
                let broke = || SendError::temporary(format!("{} sends less than it says", self.url.host()));
                return if whole { Ok(()) } else { Err(broke()) };
            }
            if begun.elapsed() > self.client.answer_timeout() {
                return Err(SendError::temporary(format!("{} sends too slowly", self.url.host())));
            }
        }
    }

    fn senseless(&self, what: &str) -> SendError {
        SendError::Unexpected(format!("{}: {what}", self.url.host()))
    }
}

impl Read for RangedFile {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() || self.position >= self.length() {
            return Ok(0);
        }
        let position = self.position;
        let here = |parts: &[Part]| parts.iter().position(|part| part.holds(position));
        let at = match here(&self.parts) {
            Some(at) => at,
            None => {
                let host = self.url.host().to_owned();
                self.load(position, target.len() as u64)
                    .map_err(|error| io::Error::other(RangedError { host, error }))?;
                here(&self.parts).expect("it was just fetched")
            }
        };
        self.uses += 1;
        let part = &mut self.parts[at];
        part.used = self.uses;
        let within = usize::try_from(position - part.begin).expect("a part fits into memory");
        let length = (&part.bytes[within..]).read(target)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for RangedFile {
    /// Moves without asking the server.
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
            SeekFrom::End(distance) => self.length().checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl Part {
    fn holds(&self, position: u64) -> bool {
        position >= self.begin && position - self.begin < self.bytes.len() as u64
    }
}

/// First byte, last byte and whole length out of `bytes 7-9/10`.
fn content_range(value: &HeaderValue) -> Option<(u64, u64, u64)> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (range, total) = value.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((number(first)?, number(last)?, number(total)?))
}

/// Whether a tag names the bytes exactly; a weak one cannot stand in `If-Range`.
fn is_strong(tag: &HeaderValue) -> bool {
    tag.as_bytes().starts_with(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_named_in_one_way() {
        let of = |text: &str| content_range(&HeaderValue::from_str(text).unwrap());
        assert_eq!(of("bytes 7-9/10"), Some((7, 9, 10)));
        for bad in [
            "bytes 7-9/*",
            "bytes */10",
            "7-9/10",
            "bytes 7-9",
            "bytes +7-9/10",
            "bytes 7-9/99999999999999999999",
            "bytes -9/10",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert!(is_strong(&HeaderValue::from_static("\"a\"")) && !is_strong(&HeaderValue::from_static("W/\"a\"")));
    }
}
