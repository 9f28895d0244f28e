//! Who may do what. There is one door: [`authorize`].
//!
//! A [`Principal`] is a person who signed in or the bearer of a token. What each role may do, and how far it reaches, is the
//! table in [`reach`]; every route beside every role is a row of `table.txt`, which a test walks.

mod authority;
mod factor;
mod key;
mod limits;
mod network;
mod passkey;
mod password;
mod principal;
mod role;
mod session;
#[cfg(test)]
mod table;
mod token;

pub(crate) use authority::Authority;
pub(crate) use factor::{Factor, recovery_codes, recovery_hash};
pub(crate) use limits::Limits;
pub(crate) use network::{Client, Proxies};
pub(crate) use passkey::{
    Challenge, MOST as MOST_PASSKEYS, Made as MadePasskey, Passkeys, Purpose, Refused as PasskeyRefused,
    Shown as ShownPasskey,
};
pub(crate) use password::{PASSWORD_RULE, is_good as is_good_password};
pub(crate) use principal::{Principal, Session};
pub use role::Role;
pub(crate) use session::{ABSOLUTE_SECONDS, IDLE_SECONDS, WRONG_CODES, cookie, cookie_ended, same_origin};
pub(crate) use token::{DEVICE, INVITATION, SESSION, draw, hash, new_token};

use crate::ids::{FileId, TenantId, TicketId};
use crate::portal::error::ApiError;

/// For how long after the second factor was shown someone may read content, in seconds.
pub(crate) const FACTOR_SECONDS: i64 = 15 * 60;

/// What someone asks to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    OpenTicket,
    SeeTicket,
    CloseTicket,
    ReopenTicket,
    MakeToken,
    RevokeToken,
    Upload,
    SeeSnapshot,
    ReadContent,
    GetShare,
    ReadReceipt,
    SeeUsers,
    ManageUsers,
    SeeAssignments,
    Assign,
    MergeTicket,
    Hold,
    SeeHold,
    Extend,
    Withdraw,
    SeePolicy,
    ProposePolicy,
    ApprovePolicy,
    ReadAudit,
    ReadTicketAudit,
    SeeRequests,
    HandleRequests,
    SeeStatements,
    SeeRecords,
    SetRecords,
    Grant,
    SeeGrants,
    RevokeGrant,
    AskQuestion,
    SeeQuestions,
    ReadAnswer,
    AnswerQuestion,
}

/// What it is to be done to. Everything below a tenant belongs to a ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Object<'a> {
    /// Something of the whole tenant.
    Tenant,
    /// A list out of which the handler leaves what [`Principal::limit`] says is out of reach.
    Reached,
    Ticket(&'a TenantId, &'a TicketId),
    Snapshot(&'a TenantId, &'a TicketId, &'a FileId),
    Upload(&'a TenantId, &'a TicketId),
}

impl Object<'_> {
    /// The answer to someone for whom it does not exist.
    fn unknown(&self) -> ApiError {
        match self {
            Self::Tenant | Self::Reached => ApiError::NotAllowed,
            Self::Ticket(..) => ApiError::TicketUnknown,
            Self::Snapshot(..) => ApiError::SnapshotUnknown,
            Self::Upload(..) => ApiError::UploadUnknown,
        }
    }
}

/// How far a role reaches with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Not at all.
    None,
    /// The tickets one is on: because one opened them, or was assigned. A token is on those it was made for.
    Mine,
    /// The same, for people alone.
    Assigned,
    /// Everything of the tenant.
    All,
    /// Everything of the tenant, for people alone.
    Person,
}

/// The table of roles: how far each of [`Role::ALL`], in its order, reaches with an action.
#[rustfmt::skip]
const fn reach(action: Action) -> [Reach; 7] {
    use Reach::{All as A, Assigned as S, Mine as M, None as N, Person as P};
    match action {
        //                         upload staff technician lead admin dpo auditor
        Action::OpenTicket     => [N,     A,    A,         A,   A,    N,  N],
        Action::SeeTicket      => [M,     M,    M,         A,   A,    A,  A],
        Action::CloseTicket    => [N,     N,    M,         A,   N,    N,  N],
        Action::ReopenTicket   => [N,     N,    M,         A,   N,    N,  N],
        Action::MakeToken      => [N,     M,    M,         A,   A,    N,  N],
        Action::RevokeToken    => [N,     M,    M,         A,   A,    N,  N],
        Action::Upload         => [M,     M,    M,         A,   N,    N,  N],
        Action::SeeSnapshot    => [M,     M,    M,         A,   A,    A,  A],
        Action::ReadContent    => [N,     N,    M,         S,   N,    N,  N],
        Action::GetShare       => [N,     N,    M,         S,   N,    N,  N],
        Action::ReadReceipt    => [M,     M,    N,         N,   A,    A,  A],
        Action::SeeUsers       => [N,     N,    N,         A,   A,    A,  A],
        Action::ManageUsers    => [N,     N,    N,         N,   P,    N,  N],
        Action::SeeAssignments => [N,     N,    M,         A,   A,    A,  A],
        Action::Assign         => [N,     N,    N,         P,   N,    N,  N],
        Action::MergeTicket    => [N,     N,    M,         A,   N,    N,  N],
        Action::Hold           => [N,     N,    N,         N,   N,    P,  N],
        Action::SeeHold        => [N,     N,    N,         N,   A,    A,  A],
        Action::Extend         => [N,     N,    N,         A,   A,    N,  N],
        Action::Withdraw       => [M,     M,    N,         A,   A,    A,  N],
        Action::SeePolicy      => [N,     N,    N,         N,   A,    A,  A],
        Action::ProposePolicy  => [N,     N,    N,         N,   P,    N,  N],
        Action::ApprovePolicy  => [N,     N,    N,         N,   N,    P,  N],
        Action::ReadAudit      => [N,     N,    N,         N,   A,    A,  A],
        Action::ReadTicketAudit => [M,    M,    N,         N,   A,    A,  A],
        Action::SeeRequests    => [N,     N,    N,         N,   N,    A,  A],
        Action::HandleRequests => [N,     N,    N,         N,   N,    P,  N],
        Action::SeeStatements  => [M,     M,    M,         A,   N,    A,  N],
        Action::SeeRecords     => [N,     N,    N,         N,   A,    A,  A],
        Action::SetRecords     => [N,     N,    N,         N,   A,    N,  N],
        Action::Grant          => [N,     N,    S,         S,   N,    N,  N],
        Action::SeeGrants      => [N,     N,    M,         A,   A,    A,  A],
        Action::RevokeGrant    => [N,     N,    M,         A,   A,    A,  N],
        Action::AskQuestion    => [N,     N,    M,         S,   N,    N,  N],
        Action::SeeQuestions   => [M,     M,    M,         A,   N,    N,  N],
        Action::ReadAnswer     => [M,     M,    M,         S,   N,    N,  N],
        Action::AnswerQuestion => [M,     M,    N,         N,   N,    N,  N],
    }
}

/// What needs a second factor that was shown within [`FACTOR_SECONDS`].
const fn needs_factor(action: Action) -> bool {
    matches!(
        action,
        Action::ReadContent
            | Action::GetShare
            | Action::ManageUsers
            | Action::HandleRequests
            | Action::Grant
            | Action::ReadAnswer
    )
}

/// What a technician may do to a snapshot that was granted to them, though they are not on its ticket.
const fn comes_with_a_grant(action: Action) -> bool {
    matches!(action, Action::SeeSnapshot | Action::ReadContent | Action::GetShare)
}

/// Lets through what the role allows on an object within reach. What is out of reach, because it is another tenant's or
/// a ticket one is not on, answers as if it was not there.
pub(crate) fn authorize(principal: &Principal, action: Action, object: Object<'_>) -> Result<(), ApiError> {
    let reach = reach(action)[principal.role as usize];
    let for_people = matches!(reach, Reach::Assigned | Reach::Person);
    if reach == Reach::None {
        return Err(ApiError::NotAllowed);
    }
    if for_people && principal.session.is_none() {
        return Err(ApiError::PersonNeeded);
    }
    let everything = matches!(reach, Reach::All | Reach::Person);
    match object {
        Object::Tenant if principal.ticket.is_some() || !everything && principal.session.is_some() => {
            return Err(object.unknown());
        }
        Object::Reached if principal.ticket.is_some() => return Err(object.unknown()),
        Object::Tenant | Object::Reached => {}
        Object::Ticket(tenant, ticket) | Object::Snapshot(tenant, ticket, _) | Object::Upload(tenant, ticket) => {
            if *tenant != principal.tenant || principal.ticket.as_ref().is_some_and(|bound| bound != ticket) {
                return Err(object.unknown());
            }
            let granted = |session: &Session| match object {
                Object::Snapshot(_, _, id) => comes_with_a_grant(action) && session.is_granted(id),
                _ => false,
            };
            let on = |session: &Session| session.is_on(ticket) || granted(session);
            if !everything && principal.session.as_ref().is_some_and(|session| !on(session)) {
                // Who may see the ticket is told what is missing.
                let sees = self::reach(Action::SeeTicket)[principal.role as usize] == Reach::All;
                return Err(if reach == Reach::Assigned && sees { ApiError::NotAssigned } else { object.unknown() });
            }
        }
    }
    match &principal.session {
        Some(session) if needs_factor(action) && !session.is_factor_fresh() => Err(ApiError::FactorNeeded),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
