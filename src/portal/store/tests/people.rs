//! People, their sessions, invitations and assignments.

use super::stores;
use crate::clock::Timestamp;
use crate::ids::{TenantId, TicketId};
use crate::portal::auth::Role;
use crate::portal::store::invitations::{self, Chosen, InvitationRow};
use crate::portal::store::sessions::{self, NewSession};
use crate::portal::store::users::{self, UserRow};
use crate::portal::store::{Connection, assignments, snapshots, tenants, tickets};
use crate::track::RetentionPolicy;

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn user(id: &str, name: &str) -> UserRow {
    UserRow {
        tenant: tenant(),
        id: id.into(),
        name: name.into(),
        role: Role::Technician,
        password: String::from("$argon2id$"),
        factor: vec![1, 2, 3],
        factor_step: 10,
        wrong_codes: 0,
        created_at: NOW,
        disabled_at: None,
    }
}

/// A tenant with Ada and Bob.
async fn people(connection: &mut Connection) {
    assert!(tenants::add(connection, &tenant(), &RetentionPolicy::default(), NOW).await.unwrap());
    assert!(!users::is_anyone_there(connection).await.unwrap());
    assert!(users::add(connection, &user("1", "ada")).await.unwrap());
    assert!(users::add(connection, &user("2", "bob")).await.unwrap());
    assert!(users::is_anyone_there(connection).await.unwrap());
}

#[tokio::test]
async fn a_user_is_found_by_id_and_by_name_and_names_are_taken_once() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        people(&mut transaction).await;
        assert!(!users::add(&mut transaction, &user("3", "ada")).await.unwrap());
        let ada = users::by_name(&mut transaction, &tenant(), "ada").await.unwrap().unwrap();
        assert_eq!(
            (ada.id.as_str(), ada.role, ada.factor, ada.factor_step),
            ("1", Role::Technician, vec![1, 2, 3], 10)
        );
        users::set_role(&mut transaction, &tenant(), "1", Role::Lead).await.unwrap();
        users::set_disabled(&mut transaction, &tenant(), "1", Some(NOW)).await.unwrap();
        users::set_password(&mut transaction, &tenant(), "1", "other").await.unwrap();
        users::set_wrong_codes(&mut transaction, &tenant(), "1", 7).await.unwrap();
        let ada = users::find(&mut transaction, &tenant(), "1").await.unwrap().unwrap();
        assert_eq!((ada.role, ada.disabled_at, ada.wrong_codes), (Role::Lead, Some(NOW), 7));
        users::set_disabled(&mut transaction, &tenant(), "1", None).await.unwrap();
        assert_eq!(users::find(&mut transaction, &tenant(), "1").await.unwrap().unwrap().disabled_at, None);
        let other = "other".parse().unwrap();
        assert!(users::find(&mut transaction, &other, "1").await.unwrap().is_none());
        let names = |found: Vec<UserRow>| found.into_iter().map(|user| user.name).collect::<Vec<_>>();
        assert_eq!(names(users::list(&mut transaction, &tenant(), None, 10).await.unwrap()), ["ada", "bob"]);
        assert_eq!(names(users::list(&mut transaction, &tenant(), Some("ada"), 10).await.unwrap()), ["bob"]);
    }
}

#[tokio::test]
async fn codes_are_used_once_and_devices_are_few() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        people(&mut transaction).await;
        assert!(!users::use_step(&mut transaction, &tenant(), "1", 10).await.unwrap());
        assert!(users::use_step(&mut transaction, &tenant(), "1", 11).await.unwrap());
        assert!(!users::use_step(&mut transaction, &tenant(), "1", 11).await.unwrap());
        users::set_recovery_codes(&mut transaction, &tenant(), "1", &[[1; 32], [2; 32]]).await.unwrap();
        assert!(!users::use_recovery_code(&mut transaction, &tenant(), "2", &[1; 32]).await.unwrap());
        assert!(users::use_recovery_code(&mut transaction, &tenant(), "1", &[1; 32]).await.unwrap());
        assert!(!users::use_recovery_code(&mut transaction, &tenant(), "1", &[1; 32]).await.unwrap());
        users::set_recovery_codes(&mut transaction, &tenant(), "1", &[[3; 32]]).await.unwrap();
        assert!(!users::use_recovery_code(&mut transaction, &tenant(), "1", &[2; 32]).await.unwrap());
        for number in 0..12 {
            let at = NOW.plus_seconds(number.into());
            users::add_device(&mut transaction, &tenant(), "1", &[number; 32], at).await.unwrap();
        }
        for (number, known) in [(0, false), (1, false), (2, true), (11, true)] {
            let is_known = users::is_device_known(&mut transaction, &tenant(), "ada", &[number; 32]).await.unwrap();
            assert_eq!(is_known, known, "{number}");
        }
        assert!(!users::is_device_known(&mut transaction, &tenant(), "bob", &[11; 32]).await.unwrap());
        users::forget_devices(&mut transaction, &tenant(), "1").await.unwrap();
        assert!(!users::is_device_known(&mut transaction, &tenant(), "ada", &[11; 32]).await.unwrap());
    }
}

#[tokio::test]
async fn sessions_end_one_by_one_all_at_once_and_with_their_user() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        people(&mut transaction).await;
        for number in 1..=3 {
            let expires_at = NOW.plus_seconds(100 * i64::from(number));
            let (id, hash) = (number.to_string(), [number; 32]);
            let session = NewSession { tenant: &tenant(), id: &id, user: "1", hash, expires_at };
            sessions::add(&mut transaction, &session, NOW).await.unwrap();
        }
        let found = sessions::by_hash(&mut transaction, &[2; 32]).await.unwrap().unwrap();
        assert_eq!(
            (found.id.as_str(), found.user.as_str(), found.role, found.is_over),
            ("2", "1", Role::Technician, false)
        );
        assert_eq!((found.seen_at, found.factor_at), (NOW, NOW));
        sessions::seen(&mut transaction, &tenant(), "2", NOW.plus_seconds(5)).await.unwrap();
        sessions::factor_shown(&mut transaction, &tenant(), "2", NOW.plus_seconds(6)).await.unwrap();
        let found = sessions::by_hash(&mut transaction, &[2; 32]).await.unwrap().unwrap();
        assert_eq!((found.seen_at, found.factor_at), (NOW.plus_seconds(5), NOW.plus_seconds(6)));
        assert!(!sessions::wrong_code(&mut transaction, &tenant(), "3", 2).await.unwrap());
        assert!(sessions::wrong_code(&mut transaction, &tenant(), "3", 2).await.unwrap());
        assert!(sessions::by_hash(&mut transaction, &[3; 32]).await.unwrap().is_none());
        users::set_disabled(&mut transaction, &tenant(), "1", Some(NOW)).await.unwrap();
        assert!(sessions::by_hash(&mut transaction, &[2; 32]).await.unwrap().unwrap().is_over);
        sessions::end_all(&mut transaction, &tenant(), "1", Some("2")).await.unwrap();
        assert!(sessions::by_hash(&mut transaction, &[1; 32]).await.unwrap().is_none());
        sessions::end(&mut transaction, &tenant(), "2").await.unwrap();
        assert!(sessions::by_hash(&mut transaction, &[2; 32]).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_invitation_holds_what_was_chosen_until_it_goes() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        people(&mut transaction).await;
        for (number, user) in [(1, None), (2, Some(String::from("1")))] {
            let expires_at = NOW.plus_seconds(100);
            let id = format!("i{number}");
            let row = InvitationRow { tenant: tenant(), id, role: Role::Dpo, user, expires_at, chosen: None };
            invitations::add(&mut transaction, &row, &[number; 32], NOW).await.unwrap();
        }
        let chosen = Chosen { name: "eve".into(), password: "hash".into(), factor: vec![7] };
        invitations::choose(&mut transaction, &tenant(), "i1", &chosen).await.unwrap();
        let found = invitations::by_hash(&mut transaction, &[1; 32]).await.unwrap().unwrap();
        let held = found.chosen.unwrap();
        assert_eq!((found.role, held.name.as_str(), held.factor), (Role::Dpo, "eve", vec![7]));
        assert_eq!(invitations::list(&mut transaction, &tenant(), NOW, None, 10).await.unwrap().len(), 2);
        invitations::remove_of_user(&mut transaction, &tenant(), "1").await.unwrap();
        assert!(invitations::by_hash(&mut transaction, &[2; 32]).await.unwrap().is_none());
        assert!(invitations::remove(&mut transaction, &tenant(), "i1").await.unwrap());
        assert!(!invitations::remove(&mut transaction, &tenant(), "i1").await.unwrap());
    }
}

#[tokio::test]
async fn a_user_on_a_ticket_is_listed_that_ticket_alone() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        people(&mut transaction).await;
        let (one, two): (TicketId, TicketId) = ("4711".parse().unwrap(), "4712".parse().unwrap());
        for ticket in [&one, &two] {
            assert!(tickets::add(&mut transaction, &tenant(), ticket, NOW).await.unwrap());
        }
        assert!(assignments::add(&mut transaction, &tenant(), &one, "1", NOW).await.unwrap());
        assert!(!assignments::add(&mut transaction, &tenant(), &one, "1", NOW).await.unwrap());
        assert!(assignments::of_user(&mut transaction, &tenant(), "1").await.unwrap().into_iter().eq([one.clone()]));
        assert_eq!(
            assignments::of_ticket(&mut transaction, &tenant(), &one, None, 10).await.unwrap(),
            [("1".into(), NOW)]
        );
        for (on, count) in [(None, 2), (Some("1"), 1), (Some("2"), 0)] {
            let found = tickets::list(&mut transaction, &tenant(), (Some(false), on), None, 10).await.unwrap();
            assert_eq!(found.len(), count, "{on:?}");
            assert!(snapshots::list(&mut transaction, &tenant(), None, on, 10).await.unwrap().is_empty());
        }
        assert!(assignments::remove(&mut transaction, &tenant(), &one, "1").await.unwrap());
        assert!(!assignments::remove(&mut transaction, &tenant(), &one, "1").await.unwrap());
        assignments::add(&mut transaction, &tenant(), &two, "1", NOW).await.unwrap();
        assignments::remove_of_user(&mut transaction, &tenant(), "1").await.unwrap();
        assert!(assignments::of_user(&mut transaction, &tenant(), "1").await.unwrap().is_empty());
    }
}
