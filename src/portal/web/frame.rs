//! What stands around every page: who is signed in, where to go, what was just done.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};

use super::visitor::Visitor;
use crate::portal::auth::{Action, Object, Role};
use crate::portal::error::ApiError;

/// What stands around a page.
pub(super) struct Frame {
    pub(super) title: String,
    /// Who is signed in.
    pub(super) who: Option<Who>,
    /// What was just done, in a sentence.
    pub(super) notice: Option<&'static str>,
    /// Where to go; the page that is shown is marked.
    pub(super) links: Vec<Link>,
}

pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) tenant: String,
}

pub(super) struct Link {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
    pub(super) is_here: bool,
}

impl Frame {
    /// For everyone.
    pub(super) fn open(title: impl Into<String>) -> Self {
        Self { title: title.into(), who: None, notice: None, links: Vec::new() }
    }

    /// For a person, on the page that `here` leads to.
    pub(super) fn of(visitor: &Visitor, here: &str, title: impl Into<String>) -> Self {
        let can = |action| visitor.may(action, Object::Tenant);
        let mut links = vec![("/tickets", "Tickets")];
        if can(Action::ReadAudit) {
            links.push(("/audit", "Audit log"));
        }
        if can(Action::SeePolicy) {
            links.push(("/policy", "Deletion rules"));
        }
        if can(Action::SeeRequests) {
            links.push(("/subject-requests", "Requests of persons"));
        }
        if can(Action::SeeRecords) {
            links.push(("/records", "Record of processing"));
        }
        if can(Action::SeeUsers) {
            links.push(("/people", "People"));
        }
        links.extend([("/receipt", "Check a receipt"), ("/account", "Your account")]);
        let links = links.into_iter().map(|(path, text)| Link { path, text, is_here: path == here }).collect();
        let who =
            Who { name: visitor.name().to_owned(), role: role(visitor.0.role), tenant: visitor.0.tenant.to_string() };
        Self { title: title.into(), who: Some(who), notice: None, links }
    }

    /// Says what was just done, by the word that the page was led to with.
    #[must_use]
    pub(super) fn after(self, word: &str) -> Self {
        Self { notice: said(word), ..self }
    }
}

/// A role as people say it.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Upload => "sender",
        Role::Staff => "staff",
        Role::Technician => "technician",
        Role::Lead => "lead",
        Role::Admin => "administrator",
        Role::Dpo => "data-protection officer",
        Role::Auditor => "auditor",
    }
}

/// What was done, by its word. A word that is none says nothing: it comes out of an address that anybody may write.
fn said(word: &str) -> Option<&'static str> {
    Some(match word {
        "opened" => "The ticket is open.",
        "closed" => "The ticket is closed. The days until deletion are counted from now on.",
        "reopened" => "The ticket is open again.",
        "assigned" => "Put on the ticket.",
        "unassigned" => "Taken off the ticket.",
        "extended" => "The deadline was moved on.",
        "withdrawn" => "The snapshot was withdrawn. It is being deleted.",
        "hold-asked" => "The hold was asked for. It is in force when a second person has confirmed it.",
        "hold-confirmed" => "The hold is in force. Nothing is deleted until it is lifted.",
        "lift-asked" => "Lifting was asked for. The hold is lifted when a second person has asked for it, too.",
        "lifted" => "The hold is lifted.",
        "proposed" => {
            "The new rules are proposed. They are in force when the data-protection officer has approved them."
        }
        "approved" => "The new rules are in force. Every deadline was counted anew.",
        "password" => "Your password is changed. Your other sessions have ended.",
        "role" => "The role was changed. The person was taken off their tickets.",
        "disabled" => "The person cannot sign in any more, and is signed out.",
        "enabled" => "The person can sign in again.",
        "token-revoked" => "The token is revoked. It is refused from now on.",
        "request-revoked" => "The request is taken back. Its code is refused from now on, and so is the token it gave.",
        "asked" => "It is asked. You will not see who it is unless the sender answers.",
        "answered" => "Answered. It is stored with the snapshot, and deleted with it.",
        "revoked" => "Revoked. The portal gives them nothing more.",
        "lodged" => "The request is taken in. The time for its answer runs.",
        "decided" => "The request is granted.",
        "refused" => "The request is refused. Tell the person why, and where they can complain.",
        "longer" => "The answer may take three months from the receipt. Tell the person why.",
        "finished" => "The request is done.",
        "unblocked" => "The block is ended.",
        "records" => "What you said stands in the record.",
        "passkey-added" => "The passkey is added. It signs you in from now on.",
        "passkey-removed" => "The passkey is removed. It signs nobody in any more.",
        "signed-out" => "You are signed out.",
        _ => return None,
    })
}

/// A page as the answer to a request.
pub(super) fn page(template: &impl Template) -> Result<Response, ApiError> {
    Ok(Html(template.render().map_err(ApiError::fault)?).into_response())
}
