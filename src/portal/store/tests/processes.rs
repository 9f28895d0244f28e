//! What processes of one portal agree on, and what one of them does alone.

use super::stores;
use crate::portal::store::facts;

#[tokio::test]
async fn a_fact_stays_what_it_was_first() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        assert!(facts::agree(&mut transaction, "colour", "green").await.unwrap());
        assert!(facts::agree(&mut transaction, "colour", "green").await.unwrap());
        assert!(!facts::agree(&mut transaction, "colour", "blue").await.unwrap());
        assert!(facts::agree(&mut transaction, "taste", "blue").await.unwrap());
    }
}

#[tokio::test]
async fn what_one_process_does_alone_another_does_not_until_it_ended() {
    // A directory has one process, so there is nobody to be kept out.
    for store in stores().await.into_iter().skip(1) {
        let other = store.again().await;
        let first = store.alone(false).await.unwrap().unwrap();
        assert!(other.alone(false).await.unwrap().is_none());
        drop(first);
        let waited = other.alone(true).await.unwrap();
        assert!(waited.is_some());
        assert!(store.alone(false).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_store_of_a_newer_portal_is_not_opened() {
    for store in stores().await {
        let mut transaction = store.begin_across().await.unwrap();
        sqlx::query("INSERT INTO applied (step) VALUES ('from-the-future')").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let refused = store.try_again().await.err().unwrap().to_string();
        assert!(refused.contains("from-the-future"), "{refused}");
    }
}
