//! What an act leaves behind, and what an act that was dropped does not.

use super::stores;
use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId, TenantId, TicketId};
use crate::portal::blobs::Mark;
use crate::portal::store::shares::{self, ShareRow};
use crate::portal::store::snapshots::{self, Snapshot};
use crate::portal::store::uploads::{self, Upload};
use crate::portal::store::{Store, marks, tenants, tickets};
use crate::secret::Secret;
use crate::track::RetentionPolicy;

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn ticket() -> TicketId {
    "4711".parse().unwrap()
}

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

fn announced(id: u8) -> Snapshot {
    let snapshot = Snapshot::announced(&tenant(), FileId([id; 16]), &ticket(), 6, "ab".repeat(32));
    Snapshot { share: Some(ShareId([9; 16])), ..snapshot }
}

/// A tenant with a ticket and one announced snapshot.
async fn announce(store: &Store) -> Snapshot {
    let snapshot = announced(7);
    let mut transaction = store.begin_across().await.unwrap();
    assert!(tenants::add(&mut transaction, &tenant(), &RetentionPolicy::default(), NOW).await.unwrap());
    assert!(tickets::add(&mut transaction, &tenant(), &ticket(), NOW).await.unwrap());
    snapshots::add(&mut transaction, &snapshot, "token", NOW).await.unwrap();
    let upload =
        Upload { tenant: tenant(), id: "u".into(), snapshot: snapshot.id, received: 0, expires_at: NOW.plus_days(7) };
    uploads::add(&mut transaction, &upload).await.unwrap();
    transaction.commit().await.unwrap();
    snapshot
}

#[tokio::test]
async fn what_was_committed_is_there_for_every_process() {
    for store in stores().await {
        let snapshot = announce(&store).await;
        let again = store.again().await;
        let mut connection = again.read_across().await.unwrap();
        let found = snapshots::find(&mut connection, &tenant(), &snapshot.id).await.unwrap().unwrap();
        assert_eq!((found.size, found.sha256, found.share), (6, snapshot.sha256, snapshot.share));
        assert_eq!((found.uploaded_at, found.reason), (None, None));
        assert_eq!(snapshots::bytes_awaited(&mut connection, None).await.unwrap(), 6);
        assert_eq!(snapshots::bytes_of_token(&mut connection, &tenant(), "token").await.unwrap(), 6);
        assert_eq!(snapshots::bytes_of_token(&mut connection, &tenant(), "other").await.unwrap(), 0);
        let found = tickets::find(&mut connection, &tenant(), &ticket()).await.unwrap().unwrap();
        assert_eq!((found.opened_at, found.closed_at), (NOW, None));
    }
}

#[tokio::test]
async fn what_was_not_committed_never_happened() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        tenants::add(&mut transaction, &tenant(), &RetentionPolicy::default(), NOW).await.unwrap();
        drop(transaction);
        assert!(tenants::all(&mut store.read_across().await.unwrap()).await.unwrap().is_empty());
        announce(&store).await;
    }
}

#[tokio::test]
async fn one_transaction_writes_at_a_time_over_all_processes() {
    for store in stores().await {
        announce(&store).await;
        let again = store.again().await;
        let count = |store: Store| async move {
            for _ in 0..25 {
                let mut transaction = store.begin_across().await.unwrap();
                let found = uploads::find(&mut transaction, &tenant(), "u").await.unwrap().unwrap();
                // Read, then written: two at once would lose one.
                tokio::task::yield_now().await;
                let mark = Mark { received: found.received + 1, ..Mark::default() };
                assert!(marks::keep(&mut transaction, &found, &mark, b"digest", NOW).await.unwrap());
                transaction.commit().await.unwrap();
            }
        };
        let writers = [store.clone(), again.clone(), store.clone(), again].map(|store| tokio::spawn(count(store)));
        for writer in writers {
            writer.await.unwrap();
        }
        let found = uploads::find(&mut store.read_across().await.unwrap(), &tenant(), "u").await.unwrap().unwrap();
        assert_eq!(found.received, 100);
    }
}

#[tokio::test]
async fn a_mark_moves_only_from_where_the_upload_stands() {
    for store in stores().await {
        announce(&store).await;
        let mut transaction = store.begin_across().await.unwrap();
        let begun = uploads::find(&mut transaction, &tenant(), "u").await.unwrap().unwrap();
        let mut mark = Mark {
            received: 20,
            multipart: Some(String::from("m")),
            parts: vec![String::from("a"), String::from("b")],
            tail: Some(String::from("tail.1")),
        };
        assert!(marks::keep(&mut transaction, &begun, &mark, b"one", NOW).await.unwrap());
        assert!(!marks::keep(&mut transaction, &begun, &mark, b"two", NOW).await.unwrap(), "somebody was quicker");
        let stands = uploads::find(&mut transaction, &tenant(), "u").await.unwrap().unwrap();
        assert_eq!(marks::find(&mut transaction, &stands).await.unwrap(), (mark.clone(), Some(b"one".to_vec())));
        (mark.received, mark.tail) = (30, None);
        mark.parts.push(String::from("c"));
        assert!(marks::keep(&mut transaction, &stands, &mark, b"three", NOW).await.unwrap());
        let stands = uploads::find(&mut transaction, &tenant(), "u").await.unwrap().unwrap();
        assert_eq!(marks::find(&mut transaction, &stands).await.unwrap(), (mark.clone(), Some(b"three".to_vec())));
        assert!(uploads::begin_end(&mut transaction, &stands).await.unwrap());
        assert!(!uploads::begin_end(&mut transaction, &stands).await.unwrap());
        assert!(!marks::keep(&mut transaction, &stands, &mark, b"four", NOW).await.unwrap(), "it ends");
        assert!(uploads::find(&mut transaction, &tenant(), "u").await.unwrap().is_none());
        assert!(uploads::is_ending(&mut transaction, &tenant(), &stands.snapshot).await.unwrap());
        assert_eq!(uploads::ending(&mut transaction, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn lists_have_one_order_and_optional_parameters_work() {
    for store in stores().await {
        announce(&store).await;
        let mut transaction = store.begin_across().await.unwrap();
        for name in ["b", "B", "a", "A-1", "A_1"] {
            tickets::add(&mut transaction, &tenant(), &name.parse().unwrap(), NOW).await.unwrap();
        }
        tickets::set_closed_at(&mut transaction, &tenant(), &"B".parse().unwrap(), Some(NOW)).await.unwrap();
        let names = async |transaction: &mut _, closed| {
            let found = tickets::list(transaction, &tenant(), (closed, None), None, 10).await.unwrap();
            found.iter().map(|ticket| ticket.id.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&mut transaction, None).await, "b a B A_1 A-1 4711");
        assert_eq!(names(&mut transaction, Some(true)).await, "B");
        assert_eq!(names(&mut transaction, Some(false)).await, "b a A_1 A-1 4711");
        let other = "a".parse().unwrap();
        for (ticket, count) in [(None, 1), (Some(&ticket()), 1), (Some(&other), 0)] {
            let found = snapshots::list(&mut transaction, &tenant(), ticket, None, 10).await.unwrap();
            assert_eq!(found.len(), count, "{ticket:?}");
        }
    }
}

#[tokio::test]
async fn a_share_that_came_to_nothing_is_replaced_and_a_destroyed_one_is_gone() {
    for store in stores().await {
        let id = FileId([7; 16]);
        let row =
            |byte| ShareRow { id: ShareId([byte; 16]), secret: Secret::new([byte; 32]), not_after: Timestamp::MAX };
        let mut connection = store.shares_across().await.unwrap();
        shares::put(&mut connection, &tenant(), &id, &row(1)).await.unwrap();
        shares::put(&mut connection, &tenant(), &id, &row(2)).await.unwrap();
        let found = shares::find(&mut connection, &tenant(), &id).await.unwrap().unwrap();
        assert_eq!((found.id, found.secret.expose(), found.not_after), (ShareId([2; 16]), &[2; 32], Timestamp::MAX));
        assert_eq!(shares::holders(&mut connection).await.unwrap(), [(tenant(), id)]);
        assert!(shares::destroy(&mut connection, &tenant(), &id).await.unwrap());
        assert!(!shares::destroy(&mut connection, &tenant(), &id).await.unwrap());
        assert!(shares::find(&mut connection, &tenant(), &id).await.unwrap().is_none());
        drop(connection);
        store.checkpoint().await.unwrap();
    }
}
