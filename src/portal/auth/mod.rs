//! Who may do what. There is one door: [`authorize`].
//!
//! For now every principal is a token: the upload token of one ticket, or an automation token that the operator made on the
//! host. People do not sign in yet, so there is no second factor and no assignment: a technician's token reaches every ticket
//! of its tenant unless it was made for one.

mod role;
mod token;

pub use role::Role;
pub(crate) use token::{Principal, hash, new_token};

use crate::ids::{TenantId, TicketId};
use crate::portal::error::ApiError;

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
}

/// What it is to be done to. Everything below a tenant belongs to a ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Object<'a> {
    Tenant,
    Ticket(&'a TenantId, &'a TicketId),
    Snapshot(&'a TenantId, &'a TicketId),
    Upload(&'a TenantId, &'a TicketId),
}

impl Object<'_> {
    /// The answer to someone for whom it does not exist.
    fn unknown(&self) -> ApiError {
        match self {
            Self::Tenant => ApiError::NotAllowed,
            Self::Ticket(..) => ApiError::TicketUnknown,
            Self::Snapshot(..) => ApiError::SnapshotUnknown,
            Self::Upload(..) => ApiError::UploadUnknown,
        }
    }
}

/// Lets through what the role allows on an object within reach. What is out of reach, because it is another tenant's or
/// another ticket's, answers as if it was not there.
pub(crate) fn authorize(principal: &Principal, action: Action, object: Object<'_>) -> Result<(), ApiError> {
    if !role_allows(principal.role, action) {
        return Err(ApiError::NotAllowed);
    }
    let reachable = match object {
        Object::Tenant => principal.ticket.is_none(),
        Object::Ticket(tenant, ticket) | Object::Snapshot(tenant, ticket) | Object::Upload(tenant, ticket) => {
            *tenant == principal.tenant && principal.ticket.as_ref().is_none_or(|bound| bound == ticket)
        }
    };
    if reachable { Ok(()) } else { Err(object.unknown()) }
}

/// What each role may do at all; what is not named is refused.
fn role_allows(role: Role, action: Action) -> bool {
    use Action::{
        CloseTicket, GetShare, MakeToken, OpenTicket, ReadContent, ReadReceipt, ReopenTicket, RevokeToken, SeeSnapshot,
        SeeTicket, Upload,
    };
    match role {
        Role::Upload => matches!(action, Upload | SeeTicket | SeeSnapshot | ReadReceipt),
        Role::Staff => {
            matches!(action, OpenTicket | MakeToken | RevokeToken | Upload | SeeTicket | SeeSnapshot | ReadReceipt)
        }
        Role::Technician => match action {
            OpenTicket | MakeToken | RevokeToken | Upload | SeeTicket | SeeSnapshot | ReadReceipt => true,
            CloseTicket | ReopenTicket | ReadContent | GetShare => true,
        },
        Role::Lead => !matches!(action, ReadContent | GetShare),
        Role::Admin => matches!(action, OpenTicket | MakeToken | RevokeToken | SeeTicket | SeeSnapshot | ReadReceipt),
        Role::Dpo | Role::Auditor => matches!(action, SeeTicket | SeeSnapshot | ReadReceipt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, ticket: Option<&str>) -> Principal {
        Principal {
            tenant: "acme".parse().unwrap(),
            token: String::from("0011223344556677"),
            role,
            ticket: ticket.map(|ticket| ticket.parse().unwrap()),
            max_bytes: None,
            request: String::new(),
        }
    }

    #[test]
    fn a_token_reaches_its_tenant_and_its_ticket_alone() {
        let (acme, other): (TenantId, TenantId) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let (one, two): (TicketId, TicketId) = ("4711".parse().unwrap(), "4712".parse().unwrap());
        let wide = principal(Role::Technician, None);
        let bound = principal(Role::Upload, Some("4711"));
        assert!(authorize(&wide, Action::ReadContent, Object::Snapshot(&acme, &two)).is_ok());
        assert!(matches!(
            authorize(&wide, Action::ReadContent, Object::Snapshot(&other, &two)),
            Err(ApiError::SnapshotUnknown)
        ));
        assert!(authorize(&bound, Action::Upload, Object::Ticket(&acme, &one)).is_ok());
        assert!(matches!(authorize(&bound, Action::Upload, Object::Ticket(&acme, &two)), Err(ApiError::TicketUnknown)));
        assert!(matches!(authorize(&bound, Action::Upload, Object::Upload(&acme, &two)), Err(ApiError::UploadUnknown)));
        assert!(matches!(authorize(&bound, Action::SeeTicket, Object::Tenant), Err(ApiError::NotAllowed)));
    }

    #[test]
    fn only_a_technician_reads_content() {
        let acme: TenantId = "acme".parse().unwrap();
        let ticket: TicketId = "4711".parse().unwrap();
        for role in Role::ALL {
            for action in [Action::ReadContent, Action::GetShare] {
                let allowed = authorize(&principal(role, None), action, Object::Snapshot(&acme, &ticket)).is_ok();
                assert_eq!(allowed, role == Role::Technician, "{role} {action:?}");
            }
        }
    }

    #[test]
    fn those_who_watch_change_nothing() {
        for role in [Role::Dpo, Role::Auditor] {
            for action in
                [Action::OpenTicket, Action::CloseTicket, Action::ReopenTicket, Action::MakeToken, Action::Upload]
            {
                assert!(!role_allows(role, action), "{role} {action:?}");
            }
        }
    }
}
