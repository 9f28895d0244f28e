//! Asks a ticket system: for one ticket, or for what changed of late.

use serde_json::Value;
use tokio::time::Instant;

use super::client::Reply;
use super::fault::Fault;
use super::read::{Answer, Half, State, with_prefix};
use super::source::{Merged, Paging, Source};
use crate::clock::Timestamp;
use crate::ids::TicketId;

/// The most pages of one list; the rest comes with the next list, or when each ticket is asked for.
const PAGES: usize = 100;

/// The most minutes that a list reaches back.
const MOST_MINUTES: i64 = 7 * 24 * 60;

/// A ticket system while it is being asked: one request after another, not too fast.
pub(crate) struct Asking<'a> {
    source: &'a Source,
    next: Instant,
    /// Whether it showed what must be there, once it was asked for that.
    shown: Option<bool>,
}

impl<'a> Asking<'a> {
    /// Begins to ask.
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, next: Instant::now(), shown: None }
    }

    /// Asks for one ticket.
    pub(crate) async fn ticket(&mut self, ticket: &TicketId, now: Timestamp) -> Result<Answer, Fault> {
        let source = self.source;
        let name = source.name_there(ticket).ok_or(Fault::OtherTicket)?;
        let url = source.ask.fill(&[("ticket", name)]).ok_or_else(|| unreadable("the ticket has no URL"))?;
        let found = match self.get(url, now).await? {
            Reply::Missing => None,
            Reply::Found(answer) => match source.reading.find(&answer, name)? {
                None => None,
                Some(value) => {
                    let half = source.reading.ticket(value, &source.prefix)?;
                    Some(self.whole(half, value, now).await?)
                }
            },
        };
        match found {
            Some(answer) => Ok(answer),
            None => {
                self.show(now).await?;
                Ok(Answer::Missing)
            }
        }
    }

    /// Asks whether what must be there is there: a ticket that is not shown may also be one that must not be seen.
    pub(crate) async fn show(&mut self, now: Timestamp) -> Result<(), Fault> {
        let Some(probe) = &self.source.probe else { return Ok(()) };
        if self.shown.is_none() {
            self.shown = Some(match self.get(probe.url.clone(), now).await? {
                Reply::Missing => false,
                Reply::Found(value) => probe.holds.as_ref().is_none_or(|place| place.text(&value).is_some()),
            });
        }
        if self.shown == Some(true) { Ok(()) } else { Err(Fault::NothingThere) }
    }

    /// Asks for a page of what changed since `since`: the tickets that could be read, and what the next page is asked for
    /// with. Tickets that cannot be read are left out; they are asked for one by one.
    pub(crate) async fn page(
        &mut self,
        page: &Page,
        now: Timestamp,
    ) -> Result<(Vec<(TicketId, Answer)>, Option<Page>), Fault> {
        let source = self.source;
        let Some(list) = &source.list else { return Ok((Vec::new(), None)) };
        let since = page.since.to_string();
        // Ten more, for clocks that differ and for what was being written then.
        let minutes = ((now.seconds() - page.since.seconds()) / 60 + 10).clamp(10, MOST_MINUTES).to_string();
        let (number, offset) = ((page.number + 1).to_string(), page.offset.to_string());
        let names = [("since", &*since), ("minutes", &*minutes), ("page", &*number), ("offset", &*offset)];
        let mut url = list.url.fill(&names).ok_or_else(|| unreadable("the list has no URL"))?;
        if let (Paging::Told(_, parameter), Some(token)) = (&list.paging, &page.token) {
            url.query_pairs_mut().append_pair(parameter, token);
        }
        let Reply::Found(answer) = self.get(url, now).await? else { return Err(Fault::NothingThere) };
        let items = list.items.of(&answer).and_then(Value::as_array);
        let items = items.ok_or_else(|| unreadable("there is no list where one should be"))?;
        let mut seen = Vec::new();
        for item in items {
            let Some(ticket) = source.reading.name_in(item).and_then(|name| source.name_here(&name)) else { continue };
            let Ok(half) = source.reading.ticket(item, &source.prefix) else { continue };
            if half.merged && half.seen.state == State::Unknown {
                // Into which is a second question: the ticket is asked for by itself.
                continue;
            }
            seen.push((ticket, Answer::Seen(half.seen)));
        }
        let token = match &list.paging {
            Paging::None => return Ok((seen, None)),
            Paging::Counted(size) if items.len() < *size => return Ok((seen, None)),
            Paging::Counted(_) => None,
            Paging::Told(place, _) => match place.text(&answer) {
                Some(token) if Some(&token) != page.token.as_ref() => Some(token),
                _ => return Ok((seen, None)),
            },
        };
        let next = Page { number: page.number + 1, offset: page.offset + items.len(), token, since: page.since };
        Ok((seen, (next.number < PAGES).then_some(next)))
    }

    /// Completes a ticket that was merged: into which, if that is a second question.
    async fn whole(&mut self, half: Half, ticket: &Value, now: Timestamp) -> Result<Answer, Fault> {
        let mut seen = half.seen;
        if let (true, State::Unknown, Some(merged)) = (half.merged, &seen.state, &self.source.merged)
            && let Some(into) = self.into(merged, ticket, now).await?
        {
            seen.state = State::Merged(into);
        }
        Ok(Answer::Seen(seen))
    }

    async fn into(&mut self, merged: &Merged, ticket: &Value, now: Timestamp) -> Result<Option<TicketId>, Fault> {
        // An id is as plain as a ticket's name: nothing in it leads elsewhere.
        let id = merged.id.text(ticket).and_then(|id| id.parse::<TicketId>().ok());
        let Some(url) = id.and_then(|id| merged.url.fill(&[("id", id.as_str())])) else { return Ok(None) };
        let Reply::Found(answer) = self.get(url, now).await? else { return Ok(None) };
        let Some(items) = merged.items.of(&answer).and_then(Value::as_array) else { return Ok(None) };
        let fits = |item: &&Value| {
            merged.conditions.iter().all(|(place, word)| place.text(item).as_deref() == Some(word.as_str()))
        };
        let mut found = items.iter().filter(fits);
        let (Some(one), None) = (found.next(), found.next()) else { return Ok(None) };
        let Some(value) = merged.value.text(one) else { return Ok(None) };
        let name = merged.ticket.with(&value).text(&answer);
        Ok(name.and_then(|name| with_prefix(&self.source.prefix, &name)))
    }

    async fn get(&mut self, url: url::Url, now: Timestamp) -> Result<Reply, Fault> {
        tokio::time::sleep_until(self.next).await;
        self.next = Instant::now() + self.source.pause;
        self.source.client.ask(url, now).await
    }
}

/// Which page of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    since: Timestamp,
    number: usize,
    offset: usize,
    token: Option<String>,
}

impl Page {
    /// The first page of what changed since `since`.
    pub(crate) const fn first(since: Timestamp) -> Self {
        Self { since, number: 0, offset: 0, token: None }
    }
}

fn unreadable(what: &str) -> Fault {
    Fault::Unreadable(what.to_owned())
}
