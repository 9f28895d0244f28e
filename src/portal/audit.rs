//! The audit log: one row per act, written in the transaction of the act. No row, no act.
//!
//! Words are closed sets, except the reason a technician gives for reading.

use super::auth::Principal;
use super::store::{Connection, Result};
use crate::clock::Timestamp;
use crate::ids::TenantId;

/// Who acts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Actor<'a> {
    /// Someone with a token, or who signed in.
    Token(&'a Principal),
    /// The operator, with a command on the host.
    Operator,
    /// The portal itself, when the time has come.
    Worker,
    /// Someone who has not signed in, by the id of the request.
    Nobody(&'a str),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    AddTenant,
    OpenTicket,
    CloseTicket,
    ReopenTicket,
    MakeToken,
    RevokeToken,
    Announce,
    Store,
    EndUpload,
    ExpireUpload,
    ReadContent,
    GiveShare,
    BeginDeletion,
    DestroyShare,
    RemoveBytes,
    VerifyAbsence,
    ScrubRow,
    Delete,
    SignIn,
    SignOut,
    ShowFactor,
    ChangePassword,
    RenewCodes,
    EndSessions,
    Invite,
    WithdrawInvitation,
    AcceptInvitation,
    ChangeRole,
    DisableUser,
    EnableUser,
    Assign,
    Unassign,
    MergeTicket,
    AskTicket,
    MissTicket,
    SeeTicket,
    AskHold,
    ConfirmHold,
    AskLift,
    LiftHold,
    CallReview,
    Extend,
    Withdraw,
    ProposePolicy,
    ApprovePolicy,
    ClockJumped,
    ConfirmClock,
}

impl Act {
    const fn word(self) -> &'static str {
        match self {
            Self::AddTenant => "add-tenant",
            Self::OpenTicket => "open-ticket",
            Self::CloseTicket => "close-ticket",
            Self::ReopenTicket => "reopen-ticket",
            Self::MakeToken => "make-token",
            Self::RevokeToken => "revoke-token",
            Self::Announce => "announce",
            Self::Store => "store",
            Self::EndUpload => "end-upload",
            Self::ExpireUpload => "expire-upload",
            Self::ReadContent => "read-content",
            Self::GiveShare => "give-share",
            Self::BeginDeletion => "begin-deletion",
            Self::DestroyShare => "destroy-share",
            Self::RemoveBytes => "remove-bytes",
            Self::VerifyAbsence => "verify-absence",
            Self::ScrubRow => "scrub-row",
            Self::Delete => "delete",
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::ShowFactor => "show-factor",
            Self::ChangePassword => "change-password",
            Self::RenewCodes => "renew-codes",
            Self::EndSessions => "end-sessions",
            Self::Invite => "invite",
            Self::WithdrawInvitation => "withdraw-invitation",
            Self::AcceptInvitation => "accept-invitation",
            Self::ChangeRole => "change-role",
            Self::DisableUser => "disable-user",
            Self::EnableUser => "enable-user",
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::MergeTicket => "merge-ticket",
            Self::AskTicket => "ask-ticket",
            Self::MissTicket => "miss-ticket",
            Self::SeeTicket => "see-ticket",
            Self::AskHold => "ask-hold",
            Self::ConfirmHold => "confirm-hold",
            Self::AskLift => "ask-lift",
            Self::LiftHold => "lift-hold",
            Self::CallReview => "call-review",
            Self::Extend => "extend",
            Self::Withdraw => "withdraw",
            Self::ProposePolicy => "propose-policy",
            Self::ApprovePolicy => "approve-policy",
            Self::ClockJumped => "clock-jumped",
            Self::ConfirmClock => "confirm-clock",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Told before; nothing changed.
    Repeated,
    /// The role does not allow it.
    Denied,
    /// The bytes were not the announced ones.
    DigestMismatch,
    /// The deadline had come.
    Expired,
    /// The bytes were not the sealed file that was named.
    NotSealed,
    /// The bytes broke off, by a door where they come at once or not at all.
    Broken,
    /// A newer version of it is known; nothing changed.
    Outdated,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::Denied => "denied",
            Self::DigestMismatch => "digest-mismatch",
            Self::Expired => "expired",
            Self::NotSealed => "not-sealed",
            Self::Broken => "broken",
            Self::Outdated => "outdated",
        }
    }
}

/// What it is done to, by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On<'a> {
    Tenant(&'a str),
    Ticket(&'a str),
    Token(&'a str),
    Snapshot(&'a crate::ids::FileId),
    User(&'a str),
    Session(&'a str),
    Invitation(&'a str),
}

/// Writes one row: who did what to what, when, how it ended and why.
pub(crate) async fn record(
    connection: &mut Connection,
    tenant: &TenantId,
    at: Timestamp,
    actor: Actor<'_>,
    (act, on, outcome): (Act, On<'_>, Outcome),
    reason: Option<&str>,
) -> Result<()> {
    let (who, role, request) = match actor {
        Actor::Token(principal) => (principal.token.as_str(), principal.role.word(), Some(principal.request.as_str())),
        Actor::Operator => ("operator", "operator", None),
        Actor::Worker => ("worker", "worker", None),
        Actor::Nobody(request) => ("nobody", "nobody", Some(request)),
    };
    let (kind, object) = match on {
        On::Tenant(id) => ("tenant", id.to_owned()),
        On::Ticket(id) => ("ticket", id.to_owned()),
        On::Token(id) => ("token", id.to_owned()),
        On::Snapshot(id) => ("snapshot", id.to_string()),
        On::User(id) => ("user", id.to_owned()),
        On::Session(id) => ("session", id.to_owned()),
        On::Invitation(id) => ("invitation", id.to_owned()),
    };
    sqlx::query(
        "INSERT INTO audit (tenant, at, actor, role, action, kind, object, outcome, reason, request)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tenant.as_str())
    .bind(at.seconds())
    .bind(who)
    .bind(role)
    .bind(act.word())
    .bind(kind)
    .bind(object)
    .bind(outcome.word())
    .bind(reason)
    .bind(request)
    .execute(connection)
    .await?;
    Ok(())
}
