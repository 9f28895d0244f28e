//! Receipts: shown, and checked against the portal's key.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;

use super::answer::{Refusal, sentence, text_of};
use super::form::Form;
use super::frame::{Frame, page};
use super::snapshot::seen;
use super::visitor::Visitor;
use super::words::{short, size};
use crate::causes::causes;
use crate::format::check_phrase_of;
use crate::portal::api::receipts;
use crate::portal::app::App;
use crate::track::Phase;
use crate::track::receipt::{DeletionReason, Kind, Logged, Receipt, verify_logged};

/// The longest part of a pasted text that is looked at, in bytes: more than any receipt has.
const LONGEST: usize = 16 << 10;

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    frame: Frame,
    id: String,
    ticket: String,
    text: String,
    /// What it says; absent when it cannot be read.
    facts: Vec<(&'static str, String)>,
    steps: Vec<(&'static str, String)>,
    checked: Option<Checked>,
}

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage {
    frame: Frame,
    text: String,
    facts: Vec<(&'static str, String)>,
    steps: Vec<(&'static str, String)>,
    checked: Option<Checked>,
}

/// What came out of checking a receipt.
struct Checked {
    is_good: bool,
    why: String,
    /// The size of the log it is proved to be in, and the portal's key.
    size: u64,
    key: String,
}

/// The last receipt of a snapshot.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    shown(&app, &visitor, id, false).await
}

/// The same, checked.
pub(super) async fn check(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    shown(&app, &visitor, id, true).await
}

async fn shown(app: &Arc<App>, visitor: &Visitor, id: String, is_checked: bool) -> Result<Response, Refusal> {
    let found = seen(app, visitor, id).await?;
    let id = found.id.to_string();
    let (text, _) = text_of(receipts::of_snapshot(State(app.clone()), Path(id.clone())).await).await?;
    let outcome = verify_logged(&text, &app.key.portal_key());
    let (facts, steps) = outcome.as_ref().map(|logged| tell(&logged.receipt)).unwrap_or_default();
    let checked = is_checked.then(|| checked(app, outcome));
    let frame = Frame::of(visitor, "/tickets", format!("Receipt of snapshot {}", short(&id)));
    Ok(page(&ReceiptPage { frame, id, ticket: found.ticket.to_string(), text, facts, steps, checked })?)
}

/// The page on which anybody checks a receipt of this portal.
pub(super) async fn ask() -> Result<Response, Refusal> {
    let (frame, text) = (Frame::open("Check a receipt"), String::new());
    Ok(page(&CheckPage { frame, text, facts: Vec::new(), steps: Vec::new(), checked: None })?)
}

/// Checks a text that somebody brings.
pub(super) async fn check_text(State(app): State<Arc<App>>, body: Body) -> Result<Response, Refusal> {
    let form = Form::read(body).await?;
    // Browsers send line ends of their own, and people copy blank lines along.
    let text = form.whole("receipt").replace("\r\n", "\n");
    let text = format!("{}\n", text.trim().get(..LONGEST).unwrap_or(text.trim()));
    let outcome = verify_logged(&text, &app.key.portal_key());
    let (facts, steps) = outcome.as_ref().map(|logged| tell(&logged.receipt)).unwrap_or_default();
    let checked = Some(checked(&app, outcome));
    Ok(page(&CheckPage { frame: Frame::open("Check a receipt"), text, facts, steps, checked })?)
}

fn checked(app: &App, outcome: Result<Logged, crate::track::receipt::ReceiptError>) -> Checked {
    let key = app.key.portal_key().to_string();
    match outcome {
        Ok(logged) => Checked { is_good: true, why: String::new(), size: logged.head.size, key },
        Err(fault) => {
            let why: Vec<_> = causes(&fault).map(ToString::to_string).collect();
            let why = why.join(": ");
            Checked { is_good: false, why: sentence(&why), size: 0, key }
        }
    }
}

/// What is said, under its name.
type Said = (&'static str, String);

/// A receipt's facts and the steps of a deletion.
fn tell(receipt: &Receipt) -> (Vec<Said>, Vec<Said>) {
    let mut facts = vec![
        (
            "What it states",
            String::from(match receipt.kind {
                Kind::Deletion => "the snapshot is deleted",
                _ => "the snapshot is stored, whole",
            }),
        ),
        ("Portal", receipt.portal.clone()),
        ("Size", size(receipt.size)),
        ("SHA-256 of the sealed file", receipt.sha256.clone()),
    ];
    facts.extend(check_phrase_of(&receipt.sha256).map(|phrase| ("Check phrase", phrase)));
    facts.push(("Stored", receipt.uploaded.to_string()));
    facts.extend(receipt.closed.map(|at| ("Ticket closed", at.to_string())));
    facts.push(("To be deleted by", receipt.due.to_string()));
    facts.extend(receipt.deleted.map(|at| ("Deleted", at.to_string())));
    facts.extend(receipt.reason.map(|reason| ("Why", String::from(why(reason)))));
    if receipt.kind == Kind::Deletion {
        let days = receipt.backup_horizon_days;
        facts
            .push(("Backups", format!("may hold the sealed bytes for {days} more days, without the key to open them")));
    }
    facts.push(("Rules of version", receipt.policy_version.to_string()));
    let steps = receipt.steps.iter().map(|step| {
        (phase(step.step), format!("{}: {}, seen to be done {}", step.store, step.method, step.verified_at))
    });
    (facts, steps.collect())
}

const fn why(reason: DeletionReason) -> &'static str {
    match reason {
        DeletionReason::TicketClosed => "the days after the closing of its ticket were over",
        DeletionReason::HardCap => "it was kept as long as anything is kept",
        DeletionReason::Withdrawn => "it was taken back, or ordered gone",
    }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::ShareDestroyed => "The portal's part of the key was destroyed",
        Phase::BytesGone => "The sealed file was removed",
        Phase::VerifiedAbsent => "The store was asked, and has nothing",
        Phase::RowScrubbed => "What else was known of it was erased",
        _ => "Done",
    }
}
