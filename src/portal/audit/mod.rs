//! The audit log: one record per act, written in the transaction of the act. No record, no act.
//!
//! Words are closed sets. What names a person or a place (the address a request came from, the actor's name, the reason a
//! technician gives) stands in the record as a salted commitment, and in the clear in a table of openings from which it can be
//! erased; the record stays. Within a second of the act [`sequence`] gives the record its place in the transparency log
//! ([`crate::track::log`]) and signs a checkpoint; [`verify`] looks for anything that was changed since.
//!
//! A ticket stands in it under its alias: the log is never changed, and a ticket's name must be able to go.

pub(crate) mod erase;
pub(crate) mod export;
mod origin;
pub(crate) mod prove;
pub(crate) mod sequence;
pub(crate) mod verify;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use origin::{Origin, Tool};

use super::app::RequestId;
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
    Nobody(&'a RequestId),
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
    ReadAudit,
    EraseOpenings,
    BackUp,
    Restore,
    Reconcile,
    RemoveStray,
    HideTicket,
    LodgeRequest,
    DecideRequest,
    RefuseRequest,
    ExtendRequest,
    FinishRequest,
    CallRequest,
    ExportRequest,
    EraseRequest,
    Block,
    Unblock,
    SetRecords,
    Grant,
    RevokeGrant,
    AskQuestion,
    ReadAnswer,
    DeclineAnswer,
    AnswerQuestion,
    RevealValue,
    MakeRequest,
    RedeemRequest,
    RevokeRequest,
    AddPasskey,
    RemovePasskey,
    SuspectPasskey,
}

impl Act {
    /// What it is done for.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Announce | Self::Store | Self::EndUpload | Self::ExpireUpload => "transfer",
            Self::OpenTicket
            | Self::CloseTicket
            | Self::ReopenTicket
            | Self::ReadContent
            | Self::GiveShare
            | Self::Grant
            | Self::RevokeGrant
            | Self::AskQuestion
            | Self::ReadAnswer
            | Self::DeclineAnswer
            | Self::AnswerQuestion
            | Self::RevealValue => "support",
            Self::BeginDeletion
            | Self::DestroyShare
            | Self::RemoveBytes
            | Self::VerifyAbsence
            | Self::ScrubRow
            | Self::Delete
            | Self::RemoveStray
            | Self::HideTicket
            | Self::EraseOpenings => "retention",
            Self::ReadAudit => "oversight",
            Self::LodgeRequest
            | Self::DecideRequest
            | Self::RefuseRequest
            | Self::ExtendRequest
            | Self::FinishRequest
            | Self::CallRequest
            | Self::ExportRequest
            | Self::EraseRequest
            | Self::Block
            | Self::Unblock => "rights",
            _ => "administration",
        }
    }

    pub(crate) const fn word(self) -> &'static str {
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
            Self::ReadAudit => "read-audit",
            Self::EraseOpenings => "erase-openings",
            Self::BackUp => "back-up",
            Self::Restore => "restore",
            Self::Reconcile => "reconcile",
            Self::RemoveStray => "remove-stray",
            Self::HideTicket => "hide-ticket",
            Self::LodgeRequest => "lodge-request",
            Self::DecideRequest => "decide-request",
            Self::RefuseRequest => "refuse-request",
            Self::ExtendRequest => "extend-request",
            Self::FinishRequest => "finish-request",
            Self::CallRequest => "call-request",
            Self::ExportRequest => "export-request",
            Self::EraseRequest => "erase-request",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::SetRecords => "set-records",
            Self::Grant => "grant",
            Self::RevokeGrant => "revoke-grant",
            Self::AskQuestion => "ask-question",
            Self::ReadAnswer => "read-answer",
            Self::DeclineAnswer => "decline-answer",
            Self::AnswerQuestion => "answer-question",
            Self::RevealValue => "reveal-value",
            Self::MakeRequest => "make-request",
            Self::RedeemRequest => "redeem-request",
            Self::RevokeRequest => "revoke-request",
            Self::AddPasskey => "add-passkey",
            Self::RemovePasskey => "remove-passkey",
            Self::SuspectPasskey => "suspect-passkey",
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
    /// Done, but something was not as it should be.
    Incomplete,
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
            Self::Incomplete => "incomplete",
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
    Request(&'a str),
    Code(&'a str),
    Passkey(&'a str),
}

/// Writes one record: who did what to what, when, from where, with what, how it ended and why. Gives its number.
pub(crate) async fn record(
    connection: &mut Connection,
    tenant: &TenantId,
    at: Timestamp,
    actor: Actor<'_>,
    what: (Act, On<'_>, Outcome),
    reason: Option<&str>,
) -> Result<()> {
    write::record(connection, tenant, at, actor, what, (reason, None)).await.map(drop)
}

/// Writes the record of an act with which `note`, a receipt, was signed. Gives its number.
pub(crate) async fn record_signed(
    connection: &mut Connection,
    tenant: &TenantId,
    at: Timestamp,
    actor: Actor<'_>,
    what: (Act, On<'_>, Outcome),
    note: &str,
) -> Result<i64> {
    write::record(connection, tenant, at, actor, what, (None, Some(note))).await
}
