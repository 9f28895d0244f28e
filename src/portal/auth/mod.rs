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
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    const FILE: FileId = FileId([7; 16]);

    fn token(role: Role, ticket: Option<&str>) -> Principal {
        Principal {
            tenant: "acme".parse().unwrap(),
            token: String::from("0011223344556677"),
            role,
            ticket: ticket.map(|ticket| ticket.parse().unwrap()),
            max_bytes: None,
            once: false,
            request: String::new(),
            session: None,
            origin: crate::portal::audit::Origin::default(),
        }
    }

    fn person(role: Role, on: &[&str], factor_age: i64) -> Principal {
        let now = Timestamp::from_seconds(1_000_000);
        let tickets = on.iter().map(|ticket| ticket.parse().unwrap()).collect();
        let session = Session {
            id: String::from("8899aabbccddeeff"),
            factor_at: now.plus_seconds(-factor_age),
            at: now,
            tickets: std::sync::Arc::new(tickets),
            granted: std::sync::Arc::default(),
        };
        Principal { session: Some(session), ..token(role, None) }
    }

    fn names() -> (TenantId, TenantId, TicketId, TicketId) {
        ("acme".parse().unwrap(), "other".parse().unwrap(), "4711".parse().unwrap(), "4712".parse().unwrap())
    }

    #[test]
    fn a_token_reaches_its_tenant_and_its_ticket_alone() {
        let (acme, other, one, two) = names();
        let wide = token(Role::Technician, None);
        let bound = token(Role::Upload, Some("4711"));
        assert!(authorize(&wide, Action::ReadContent, Object::Snapshot(&acme, &two, &FILE)).is_ok());
        assert!(matches!(
            authorize(&wide, Action::ReadContent, Object::Snapshot(&other, &two, &FILE)),
            Err(ApiError::SnapshotUnknown)
        ));
        assert!(authorize(&bound, Action::Upload, Object::Ticket(&acme, &one)).is_ok());
        assert!(matches!(authorize(&bound, Action::Upload, Object::Ticket(&acme, &two)), Err(ApiError::TicketUnknown)));
        assert!(matches!(authorize(&bound, Action::Upload, Object::Upload(&acme, &two)), Err(ApiError::UploadUnknown)));
        assert!(matches!(authorize(&bound, Action::SeeTicket, Object::Tenant), Err(ApiError::NotAllowed)));
        assert!(matches!(authorize(&bound, Action::SeeTicket, Object::Reached), Err(ApiError::NotAllowed)));
    }

    #[test]
    fn a_technician_reaches_the_tickets_they_are_on_alone() {
        let (acme, _, one, two) = names();
        let technician = person(Role::Technician, &["4711"], 0);
        for action in [Action::SeeTicket, Action::CloseTicket, Action::ReadContent, Action::GetShare, Action::Upload] {
            assert!(authorize(&technician, action, Object::Ticket(&acme, &one)).is_ok(), "{action:?}");
            let refused = authorize(&technician, action, Object::Ticket(&acme, &two));
            assert!(matches!(refused, Err(ApiError::TicketUnknown)), "{action:?}");
        }
        assert!(matches!(authorize(&technician, Action::SeeTicket, Object::Tenant), Err(ApiError::NotAllowed)));
        assert!(authorize(&technician, Action::SeeTicket, Object::Reached).is_ok());
    }

    #[test]
    fn a_lead_sees_the_team_and_reads_what_they_took_on() {
        let (acme, other, one, two) = names();
        let lead = person(Role::Lead, &["4711"], 0);
        assert!(authorize(&lead, Action::SeeSnapshot, Object::Snapshot(&acme, &two, &FILE)).is_ok());
        assert!(authorize(&lead, Action::ReadContent, Object::Snapshot(&acme, &one, &FILE)).is_ok());
        let refused = authorize(&lead, Action::ReadContent, Object::Snapshot(&acme, &two, &FILE));
        assert!(matches!(refused, Err(ApiError::NotAssigned)));
        let refused = authorize(&lead, Action::ReadContent, Object::Snapshot(&other, &one, &FILE));
        assert!(matches!(refused, Err(ApiError::SnapshotUnknown)));
    }

    #[test]
    fn a_second_factor_serves_for_a_quarter_of_an_hour() {
        let (acme, _, one, _) = names();
        for (age, fresh) in [(0, true), (FACTOR_SECONDS, true), (FACTOR_SECONDS + 1, false), (-1, false)] {
            let technician = person(Role::Technician, &["4711"], age);
            let content = authorize(&technician, Action::ReadContent, Object::Snapshot(&acme, &one, &FILE));
            assert_eq!(content.is_ok(), fresh, "{age}");
            assert_eq!(matches!(content, Err(ApiError::FactorNeeded)), !fresh, "{age}");
            assert!(authorize(&technician, Action::SeeSnapshot, Object::Snapshot(&acme, &one, &FILE)).is_ok());
        }
    }

    #[test]
    fn only_technicians_and_assigned_leads_read_content() {
        let (acme, _, one, _) = names();
        for role in Role::ALL {
            for action in [Action::ReadContent, Action::GetShare] {
                let by_token = authorize(&token(role, None), action, Object::Snapshot(&acme, &one, &FILE)).is_ok();
                assert_eq!(by_token, role == Role::Technician, "{role} {action:?}");
                let by_person =
                    authorize(&person(role, &["4711"], 0), action, Object::Snapshot(&acme, &one, &FILE)).is_ok();
                assert_eq!(by_person, matches!(role, Role::Technician | Role::Lead), "{role} {action:?}");
            }
        }
    }

    #[test]
    fn a_grant_reaches_one_snapshot_for_reading_and_nothing_else() {
        let (acme, other, one, _) = names();
        let mut subcontractor = person(Role::Technician, &[], 0);
        let session = subcontractor.session.as_mut().unwrap();
        session.granted = std::sync::Arc::new([FILE].into());
        let may = |principal: &Principal, action, object| authorize(principal, action, object).is_ok();
        for action in [Action::SeeSnapshot, Action::ReadContent, Action::GetShare] {
            assert!(may(&subcontractor, action, Object::Snapshot(&acme, &one, &FILE)), "{action:?}");
            assert!(!may(&subcontractor, action, Object::Snapshot(&acme, &one, &FileId([8; 16]))), "{action:?}");
            assert!(!may(&subcontractor, action, Object::Snapshot(&other, &one, &FILE)), "{action:?}");
            assert!(!may(&subcontractor, action, Object::Ticket(&acme, &one)), "{action:?}");
        }
        for action in [
            Action::Grant,
            Action::SeeGrants,
            Action::RevokeGrant,
            Action::AskQuestion,
            Action::SeeQuestions,
            Action::ReadAnswer,
            Action::Extend,
            Action::Withdraw,
        ] {
            assert!(!may(&subcontractor, action, Object::Snapshot(&acme, &one, &FILE)), "{action:?}");
        }
        let mut stale = person(Role::Technician, &[], FACTOR_SECONDS + 1);
        stale.session.as_mut().unwrap().granted = std::sync::Arc::new([FILE].into());
        let refused = authorize(&stale, Action::ReadContent, Object::Snapshot(&acme, &one, &FILE));
        assert!(matches!(refused, Err(ApiError::FactorNeeded)));
    }

    #[test]
    fn a_technician_off_the_ticket_does_not_learn_that_it_is_there() {
        let (acme, _, one, _) = names();
        for action in [Action::Grant, Action::AskQuestion, Action::ReadAnswer] {
            let technician = authorize(&person(Role::Technician, &[], 0), action, Object::Snapshot(&acme, &one, &FILE));
            assert!(matches!(technician, Err(ApiError::SnapshotUnknown)), "{action:?}");
            let lead = authorize(&person(Role::Lead, &[], 0), action, Object::Snapshot(&acme, &one, &FILE));
            assert!(matches!(lead, Err(ApiError::NotAssigned)), "{action:?}");
        }
    }

    #[test]
    fn tokens_make_no_accounts_and_assign_nobody() {
        let (acme, _, one, _) = names();
        for role in Role::ALL {
            assert!(authorize(&token(role, None), Action::ManageUsers, Object::Tenant).is_err(), "{role}");
            assert!(authorize(&token(role, None), Action::Assign, Object::Ticket(&acme, &one)).is_err(), "{role}");
        }
    }

    #[test]
    fn what_takes_two_persons_is_done_by_people_alone() {
        for action in [Action::Hold, Action::ProposePolicy, Action::ApprovePolicy] {
            let mut people = 0;
            for role in Role::ALL {
                let by_token = authorize(&token(role, None), action, Object::Tenant);
                match reach(action)[role as usize] {
                    Reach::None => assert!(matches!(by_token, Err(ApiError::NotAllowed)), "{role} {action:?}"),
                    _ => assert!(matches!(by_token, Err(ApiError::PersonNeeded)), "{role} {action:?}"),
                }
                people += usize::from(authorize(&person(role, &[], 0), action, Object::Tenant).is_ok());
            }
            assert_eq!(people, 1, "{action:?}");
        }
    }

    #[test]
    fn those_who_watch_change_nothing() {
        for role in [Role::Dpo, Role::Auditor] {
            for action in
                [Action::OpenTicket, Action::CloseTicket, Action::ReopenTicket, Action::MakeToken, Action::Upload]
            {
                assert_eq!(reach(action)[role as usize], Reach::None, "{role} {action:?}");
            }
        }
    }

    #[test]
    fn the_columns_of_the_table_are_the_roles_in_their_order() {
        for (column, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, column);
        }
    }
}
