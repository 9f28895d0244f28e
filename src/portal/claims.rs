//! Who is about to announce which file: one request at a time, within one process.
//!
//! A small file is written before anything is recorded of it. Its claim keeps every other request from announcing the same
//! file in the meantime. Processes that share a bucket do not take in files that way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::ids::{FileId, TenantId};

type Key = (TenantId, FileId);
type Places = Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>;

/// The files that are claimed.
#[derive(Default)]
pub(crate) struct Claims(Arc<Places>);

/// The right to announce a file, until it is dropped.
pub(crate) struct Claim {
    places: Arc<Places>,
    key: Key,
    held: Option<OwnedMutexGuard<()>>,
}

impl Claims {
    /// Claims a file; waits until whoever has claimed it is done.
    pub(crate) async fn claim(&self, tenant: &TenantId, id: &FileId) -> Claim {
        let key = (tenant.clone(), *id);
        let place = lock(&self.0).entry(key.clone()).or_default().clone();
        // Made before it is held: it clears up also when nobody waits for it any more.
        let mut claim = Claim { places: self.0.clone(), key, held: None };
        claim.held = Some(place.lock_owned().await);
        claim
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.held = None;
        let mut places = lock(&self.places);
        if places.get(&self.key).is_some_and(|place| Arc::strong_count(place) == 1) {
            places.remove(&self.key);
        }
    }
}

/// Locks what holds no half-made state: each change to it is one call.
fn lock(places: &Places) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<tokio::sync::Mutex<()>>>> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_has_a_file_at_a_time_and_nothing_is_left_of_it() {
        let claims = Arc::new(Claims::default());
        let tenant: TenantId = "acme".parse().unwrap();
        let inside = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..50_u8)
            .map(|number| {
                let (claims, tenant, inside) = (claims.clone(), tenant.clone(), inside.clone());
                tokio::spawn(async move {
                    let _claim = claims.claim(&tenant, &FileId([number % 2; 16])).await;
                    *inside.lock().unwrap() += 1;
                    tokio::task::yield_now().await;
                    assert!(*inside.lock().unwrap() <= 2, "two files, two claims");
                    *inside.lock().unwrap() -= 1;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(lock(&claims.0).is_empty());
    }

    #[tokio::test]
    async fn whoever_no_longer_waits_leaves_nothing() {
        let claims = Claims::default();
        let tenant: TenantId = "acme".parse().unwrap();
        let id = FileId([7; 16]);
        let held = claims.claim(&tenant, &id).await;
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(1), claims.claim(&tenant, &id)).await;
        assert!(waiting.is_err());
        drop(held);
        assert!(lock(&claims.0).is_empty());
    }
}
