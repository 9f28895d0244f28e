//! One ticket system of one tenant, checked and ready to be asked.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use url::Url;

use super::client::Client;
use super::config::{self, Written};
use super::error::TicketSystemsError;
use super::read::{Pointer, Reading, is_taken, with_prefix};
use super::signature::Signature;
use super::template::Template;
use crate::ids::{SourceName, TenantId, TicketId};

/// Hints of one system: so many at once, and so many each second.
const HINTS: (NonZeroU32, NonZeroU32) =
    (NonZeroU32::new(200).expect("200 is not 0"), NonZeroU32::new(10).expect("10 is not 0"));

/// One ticket system of one tenant.
pub(crate) struct Source {
    pub(crate) name: SourceName,
    pub(crate) tenant: TenantId,
    pub(super) prefix: String,
    /// How long after an answer each ticket is asked for again, in seconds.
    pub(crate) every: i64,
    /// The time between two requests.
    pub(super) pause: Duration,
    pub(super) client: Client,
    pub(super) ask: Template,
    pub(super) probe: Option<Probe>,
    pub(super) reading: Reading,
    pub(super) merged: Option<Merged>,
    pub(super) list: Option<List>,
    pub(crate) hook: Option<Hook>,
    /// Held by the one turn of this process.
    pub(crate) asking: tokio::sync::Mutex<()>,
}

/// What must be there to be seen.
pub(super) struct Probe {
    pub(super) url: Url,
    pub(super) holds: Option<Pointer>,
}

/// The second question about a ticket that was merged.
pub(super) struct Merged {
    pub(super) url: Template,
    pub(super) id: Pointer,
    pub(super) items: Pointer,
    pub(super) conditions: Vec<(Pointer, String)>,
    pub(super) value: Pointer,
    pub(super) ticket: Pointer,
}

/// The question about what changed of late.
pub(super) struct List {
    pub(super) url: Template,
    pub(super) every: i64,
    pub(super) items: Pointer,
    pub(super) paging: Paging,
}

/// How the rest of a long list is asked for.
pub(super) enum Paging {
    /// There is one page.
    None,
    /// `{page}` or `{offset}` goes on until a page is not full.
    Counted(usize),
    /// Each page says, at this place, what the next request has in this parameter.
    Told(Pointer, String),
}

/// What its webhooks are checked with.
pub(crate) struct Hook {
    pub(crate) signature: Signature,
    pub(super) ticket: Pointer,
    pub(crate) limit: DefaultDirectRateLimiter,
}

impl Hook {
    /// The system's own name of the ticket that a body is about.
    pub(crate) fn ticket(&self, body: &serde_json::Value) -> Option<String> {
        self.ticket.text(body)
    }
}

impl Source {
    pub(super) fn new(written: Written, directory: &Path) -> Result<Self, TicketSystemsError> {
        let name = written.name.clone();
        Self::build(written, directory).map_err(|fault| match fault {
            Fault::Told(what) => TicketSystemsError::Source(name.to_string(), what),
            Fault::Of(fault) => fault,
        })
    }

    fn build(written: Written, directory: &Path) -> Result<Self, Fault> {
        if is_taken(&written.name) {
            return Err(Fault::told("the portal uses this name itself"));
        }
        if !written.prefix.is_empty() && with_prefix(&written.prefix, "").is_none() {
            return Err(Fault::told("the prefix cannot begin a ticket's name"));
        }
        let address = address(&written.address)?;
        let client = Client::new(&written, &address, directory)?;
        let template = |text: &str, names: &[&str]| Template::new(text, &address, &written.values, names);
        let probe = match (&written.ask.probe, &written.ask.probe_holds) {
            (Some(text), holds) => {
                let url = template(text, &[])?.fill(&[]).ok_or("the URL of the probe cannot be read")?;
                Some(Probe { url, holds: holds.as_deref().map(Pointer::new).transpose()? })
            }
            (None, Some(_)) => return Err(Fault::told("ask.probe_holds needs ask.probe")),
            (None, None) => None,
        };
        let read = &written.read;
        let pointer = |text: &Option<String>| text.as_deref().map(Pointer::new).transpose();
        let reading = Reading {
            items: pointer(&read.items)?,
            ticket: pointer(&read.ticket)?,
            renamed: read.renamed,
            state: Pointer::new(&read.state)?,
            closed_at: pointer(&read.closed_at)?,
            updated_at: pointer(&read.updated_at)?,
            merged_into: pointer(&read.merged_into)?,
            open: read.open.clone(),
            closed: read.closed.clone(),
            merged: read.merged.clone(),
            times: read.times,
        };
        if reading.ticket.is_none() && (reading.items.is_some() || written.list.is_some()) {
            return Err(Fault::told("read.ticket says where in a list the ticket's name stands"));
        }
        let mut words = [&read.open[..], &read.closed[..], &read.merged[..]].concat();
        let count = words.len();
        words.sort();
        words.dedup();
        if read.closed.is_empty() || words.len() != count {
            return Err(Fault::told("read.closed has a word, and no word stands in two lists"));
        }
        Ok(Self {
            ask: template(&written.ask.url, &["ticket"])?,
            probe,
            reading,
            merged: written.merged.as_ref().map(|it| merged(it, &address, &written.values)).transpose()?,
            list: written.list.as_ref().map(|it| list(it, &address, &written.values)).transpose()?,
            hook: written.hook.as_ref().map(|it| hook(it, directory)).transpose()?.flatten(),
            every: seconds("every", written.every, 60, 7 * 86_400)?,
            pause: match written.requests_per_minute {
                0 => return Err(Fault::told("requests_per_minute is at least 1")),
                number => Duration::from_secs(60) / number,
            },
            client,
            asking: tokio::sync::Mutex::new(()),
            name: written.name,
            tenant: written.tenant,
            prefix: written.prefix,
        })
    }

    /// The name under which this system knows a ticket of the portal; `None` when it is none of its tickets.
    pub(crate) fn name_there<'a>(&self, ticket: &'a TicketId) -> Option<&'a str> {
        ticket.as_str().strip_prefix(self.prefix.as_str()).filter(|rest| !rest.is_empty())
    }

    /// The portal's name of a ticket of this system.
    pub(crate) fn name_here(&self, name: &str) -> Option<TicketId> {
        with_prefix(&self.prefix, name).filter(|ticket| self.name_there(ticket).is_some())
    }

    /// How long after a list the next one is asked for, in seconds, if it has lists.
    pub(crate) fn list_every(&self) -> Option<i64> {
        self.list.as_ref().map(|list| list.every)
    }
}

/// Whether a URL names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn address(text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|_| Fault::told("the address is no URL"))?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !plain || url.host().is_none() {
        return Err(Fault::told("the address is https://HOST, without a secret, a query or a fragment in it"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(Fault::told("the address is https:// (http:// for this machine alone)")),
    }
}

fn merged(it: &config::Merged, address: &Url, values: &BTreeMap<String, String>) -> Result<Merged, Fault> {
    let conditions = it.conditions.iter().map(|(place, word)| Ok((Pointer::new(place)?, word.clone())));
    Ok(Merged {
        url: Template::new(&it.url, address, values, &["id"])?,
        id: Pointer::new(&it.id)?,
        items: Pointer::new(&it.items)?,
        conditions: conditions.collect::<Result<_, String>>()?,
        value: Pointer::new(&it.value)?,
        ticket: Pointer::new(&it.ticket)?,
    })
}

fn list(it: &config::List, address: &Url, values: &BTreeMap<String, String>) -> Result<List, Fault> {
    let counted = it.url.contains("{page}") || it.url.contains("{offset}");
    let paging = match (it.page_size, &it.next, &it.next_parameter) {
        (Some(size), None, None) if size > 0 && counted => Paging::Counted(size),
        (None, Some(next), Some(parameter)) if !counted => Paging::Told(Pointer::new(next)?, parameter.clone()),
        (None, None, None) if !counted => Paging::None,
        _ => {
            let rule = "a list goes on by {page} or {offset} with page_size, or by next with next_parameter";
            return Err(Fault::told(rule));
        }
    };
    Ok(List {
        url: Template::new(&it.url, address, values, &["since", "minutes", "page", "offset"])?,
        every: seconds("list.every", it.every, 30, 86_400)?,
        items: Pointer::new(&it.items)?,
        paging,
    })
}

fn hook(it: &config::Hook, directory: &Path) -> Result<Option<Hook>, Fault> {
    let Some(file) = &it.secret_file else { return Ok(None) };
    let secret = super::secret::read(&directory.join(file))?;
    let quota = Quota::per_second(HINTS.1).allow_burst(HINTS.0);
    Ok(Some(Hook {
        signature: Signature::new(it.signature, &it.header, &it.prefix, &secret)?,
        ticket: Pointer::new(&it.ticket)?,
        limit: RateLimiter::direct(quota),
    }))
}

pub(super) fn seconds(what: &str, span: config::Span, least: u64, most: u64) -> Result<i64, Fault> {
    let seconds = span.0.as_secs();
    if !(least..=most).contains(&seconds) {
        return Err(Fault::Told(format!("{what} is {least} s to {most} s")));
    }
    Ok(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// What is wrong, in words or as the error it is.
pub(super) enum Fault {
    Told(String),
    Of(TicketSystemsError),
}

impl Fault {
    pub(super) fn told(what: &str) -> Self {
        Self::Told(what.to_owned())
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Self::Told(what)
    }
}

impl From<&str> for Fault {
    fn from(what: &str) -> Self {
        Self::told(what)
    }
}

impl From<TicketSystemsError> for Fault {
    fn from(fault: TicketSystemsError) -> Self {
        Self::Of(fault)
    }
}
