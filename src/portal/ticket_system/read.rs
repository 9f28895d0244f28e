//! Reads what a ticket system answered.

use serde_json::Value;

use super::fault::Fault;
use crate::clock::Timestamp;
use crate::ids::{SourceName, TicketId};

/// The longest word of a state that is repeated to people, in characters.
const WORD_LIMIT: usize = 64;

/// What a ticket system answered when it was asked for a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It knows the ticket.
    Seen(Seen),
    /// It does not.
    Missing,
}

/// A ticket as its system shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) state: State,
    /// The state in the system's own word.
    pub(crate) word: String,
    /// When it says that the ticket was closed.
    pub(crate) closed_at: Option<Timestamp>,
    /// When it says that something was last done about it.
    pub(crate) updated_at: Option<Timestamp>,
}

/// What a state means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Closed,
    /// It is worked on as part of that ticket.
    Merged(TicketId),
    /// The word is not among those that are known, or the ticket was merged into one that is not told. Nothing follows.
    Unknown,
}

impl State {
    /// It in one word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged(_) => "merged",
            Self::Unknown => "unknown",
        }
    }
}

/// A place in JSON (RFC 6901).
#[derive(Clone, Debug)]
pub(crate) struct Pointer(String);

impl Pointer {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.starts_with('/') {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("\"{}\" is no JSON pointer; one begins with /", text.escape_debug()))
        }
    }

    pub(super) fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.0)
    }

    /// The text, number, yes or no at that place; `None` for null, nothing, and everything else.
    pub(super) fn text(&self, value: &Value) -> Option<String> {
        match self.of(value)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            _ => None,
        }
    }

    /// The place with a value put in for `{value}`.
    pub(super) fn with(&self, value: &str) -> Self {
        Self(self.0.replace("{value}", &value.replace('~', "~0").replace('/', "~1")))
    }

    fn instant(&self, value: &Value, times: Times) -> Result<Option<Timestamp>, Fault> {
        let Some(found) = self.of(value) else { return Ok(None) };
        if found.is_null() || found.as_str().is_some_and(str::is_empty) {
            return Ok(None);
        }
        let read = self.text(value).and_then(|text| times.read(&text));
        read.map(Some).ok_or_else(|| Fault::Unreadable(format!("there is no point in time at {}", self.0)))
    }
}

/// How a system writes points in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Times {
    /// RFC 3339, also with an offset without a colon.
    Rfc3339,
    /// `2026-11-21 14:20:00`, in UTC.
    Utc,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

impl Times {
    fn read(self, text: &str) -> Option<Timestamp> {
        let instant = match self {
            Self::Rfc3339 => text.parse::<jiff::Timestamp>().ok()?,
            Self::Utc => {
                let local = text.parse::<jiff::civil::DateTime>().ok()?;
                local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
            }
            Self::Seconds => jiff::Timestamp::from_second(text.parse().ok()?).ok()?,
            Self::Milliseconds => jiff::Timestamp::from_millisecond(text.parse().ok()?).ok()?,
        };
        Some(instant.into())
    }
}

/// Where in an answer what stands.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// The list in which the ticket is looked for; the answer is the ticket when absent.
    pub(super) items: Option<Pointer>,
    pub(super) ticket: Option<Pointer>,
    /// Whether a ticket may come back under another name, because it was renamed.
    pub(super) renamed: bool,
    pub(super) state: Pointer,
    pub(super) closed_at: Option<Pointer>,
    pub(super) updated_at: Option<Pointer>,
    pub(super) merged_into: Option<Pointer>,
    pub(super) open: Vec<String>,
    pub(super) closed: Vec<String>,
    pub(super) merged: Vec<String>,
    pub(super) times: Times,
}

/// A ticket out of an answer, before it is known what it was merged into.
pub(super) struct Half {
    pub(super) seen: Seen,
    /// Whether the state says that it was merged.
    pub(super) merged: bool,
}

impl Reading {
    /// The ticket called `name` in an answer; `None` when the list in it does not hold it.
    pub(super) fn find<'a>(&self, answer: &'a Value, name: &str) -> Result<Option<&'a Value>, Fault> {
        let Some(items) = &self.items else {
            let told = self.ticket.as_ref().map(|place| place.text(answer));
            return match told {
                Some(Some(told)) if told == name || self.renamed => Ok(Some(answer)),
                Some(Some(_)) => Err(Fault::OtherTicket),
                Some(None) => Err(Fault::Unreadable(String::from("it does not say which ticket it is about"))),
                None => Ok(Some(answer)),
            };
        };
        let list = items.of(answer).and_then(Value::as_array);
        let list = list.ok_or_else(|| Fault::Unreadable(String::from("there is no list where one should be")))?;
        let of_name = |item: &&Value| self.name_in(item).is_some_and(|told| told == name);
        let mut found = list.iter().filter(of_name);
        match (found.next(), found.next()) {
            (one, None) => Ok(one),
            _ => Err(Fault::Unreadable(String::from("two tickets have this name"))),
        }
    }

    /// The name of the ticket that an item of a list is about.
    pub(super) fn name_in(&self, item: &Value) -> Option<String> {
        self.ticket.as_ref().and_then(|place| place.text(item))
    }

    /// Reads one ticket.
    pub(super) fn ticket(&self, ticket: &Value, prefix: &str) -> Result<Half, Fault> {
        let word = self.state.text(ticket);
        let word = word.ok_or_else(|| Fault::Unreadable(String::from("there is no state")))?;
        let instant = |place: &Option<Pointer>| match place {
            Some(place) => place.instant(ticket, self.times),
            None => Ok(None),
        };
        let (closed_at, updated_at) = (instant(&self.closed_at)?, instant(&self.updated_at)?);
        let into = self.merged_into.as_ref().and_then(|place| place.text(ticket));
        let is = |words: &[String]| words.contains(&word);
        let merged = into.is_some() || is(&self.merged);
        let state = match into.and_then(|name| with_prefix(prefix, &name)) {
            Some(into) => State::Merged(into),
            None if merged => State::Unknown,
            None if is(&self.closed) => State::Closed,
            None if is(&self.open) => State::Open,
            None => State::Unknown,
        };
        let word = word.chars().take(WORD_LIMIT).collect();
        Ok(Half { seen: Seen { state, word, closed_at, updated_at }, merged })
    }
}

/// The portal's name of a ticket that its system calls `name`.
pub(super) fn with_prefix(prefix: &str, name: &str) -> Option<TicketId> {
    format!("{prefix}{name}").parse().ok()
}

/// Words that sources of events have already: what requests and the portal itself tell.
pub(crate) fn is_taken(name: &SourceName) -> bool {
    matches!(name.as_str(), "api" | "portal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_read_as_each_system_writes_them() {
        let at = |times: Times, text: &str| times.read(text).map(|at| at.to_string());
        let same = Some(String::from("2026-11-21T14:20:00Z"));
        assert_eq!(at(Times::Rfc3339, "2026-11-21T14:20:00Z"), same);
        assert_eq!(at(Times::Rfc3339, "2026-11-21T15:20:00.999+01:00"), same);
        assert_eq!(at(Times::Rfc3339, "2026-11-21T16:20:00.123+0200"), same);
        assert_eq!(at(Times::Utc, "2026-11-21 14:20:00"), same);
        assert_eq!(at(Times::Seconds, "1795270800"), same);
        assert_eq!(at(Times::Milliseconds, "1795270800999"), same);
        for (times, text) in [
            (Times::Rfc3339, "2026-11-21 14:20:00"),
            (Times::Rfc3339, "2026-11-21"),
            (Times::Rfc3339, "yesterday"),
            (Times::Utc, "21.11.2026"),
            (Times::Seconds, "1e99"),
            (Times::Seconds, ""),
            (Times::Milliseconds, "-"),
        ] {
            assert_eq!(at(times, text), None, "{text}");
        }
    }

    #[test]
    fn a_pointer_shows_scalars_alone() {
        let value = serde_json::json!({ "a": { "b~c/d": 7, "n": null, "l": [1] }, "t": "x", "y": true });
        let text = |pointer: &str| Pointer::new(pointer).unwrap().text(&value);
        assert_eq!(text("/a/b~0c~1d").as_deref(), Some("7"));
        assert_eq!((text("/t").as_deref(), text("/y").as_deref()), (Some("x"), Some("true")));
        for none in ["/a", "/a/n", "/a/l", "/nothing", ""] {
            assert_eq!(text(none), None, "{none}");
        }
        assert!(Pointer::new("a/b").is_err());
        let with = Pointer::new("/a/{value}").unwrap().with("b~c/d");
        assert_eq!(with.text(&value).as_deref(), Some("7"));
    }
}
