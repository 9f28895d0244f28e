//! Who read a snapshot, when, and why: its part of the audit log.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::answer::Refusal;
use super::audit::{Entry, entries};
use super::frame::{Frame, page};
use super::snapshot::seen;
use super::visitor::Visitor;
use super::words::short;
use crate::portal::app::App;

/// What counts as reading.
const READ: &str = "read-content";
const GAVE: &str = "give-share";

/// How many pages of the log are looked through.
const PAGES: usize = 20;

#[derive(Template)]
#[template(path = "readings.html")]
struct ReadingsPage {
    frame: Frame,
    id: String,
    ticket: String,
    entries: Vec<Entry>,
    /// Whether there is more than was looked through.
    is_cut: bool,
    zone: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let found = seen(&app, &visitor, id).await?;
    let (id, ticket) = (found.id.to_string(), found.ticket.to_string());
    let (mut read, mut after, mut is_cut) = (Vec::new(), None, false);
    let mut zone = String::new();
    for turn in 0..PAGES {
        let mut query = vec![("ticket", ticket.clone())];
        query.extend(after.take().map(|after| ("after", after)));
        let part = entries(&app, &visitor, &query).await?;
        zone = part.zone;
        read.extend(
            part.entries.into_iter().filter(|entry| entry.object == id && matches!(entry.act.as_str(), READ | GAVE)),
        );
        after = part.next;
        is_cut = after.is_some() && turn + 1 == PAGES;
        if after.is_none() {
            break;
        }
    }
    let frame = Frame::of(&visitor, "/tickets", format!("Who read snapshot {}", short(&id)));
    Ok(page(&ReadingsPage { frame, id, ticket, entries: read, is_cut, zone })?)
}
