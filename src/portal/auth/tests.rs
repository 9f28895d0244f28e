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
        for action in [Action::OpenTicket, Action::CloseTicket, Action::ReopenTicket, Action::MakeToken, Action::Upload]
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
