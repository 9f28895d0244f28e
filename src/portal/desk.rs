//! Who may write to an upload: one at a time, and the newest that starts where the upload stands.
//!
//! A client that lost its connection comes back while the portal still waits for bytes on the old one. So a newer request
//! that begins at the very byte the upload has reached takes it over, and the older one ends with what it has; a request that
//! begins elsewhere is refused and disturbs nobody. Of many requests for one offset, the one whose first byte arrives first
//! goes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::Sha256;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::ids::TenantId;

/// The uploads that someone writes to, or wrote to since the portal started.
#[derive(Default)]
pub(crate) struct Desk(Mutex<HashMap<(TenantId, String), Arc<Slot>>>);

/// One upload.
pub(crate) struct Slot {
    front: Mutex<Front>,
    turn: Arc<tokio::sync::Mutex<Progress>>,
}

#[derive(Default)]
struct Front {
    /// The byte that comes next, counting those that are on their way to the disk; unknown until someone looked.
    reached: Option<u64>,
    /// Counts those who asked for the upload; the last number may write.
    newest: u64,
    stop: CancellationToken,
}

/// The digest of the bytes so far, kept between requests so that nothing is read twice.
#[derive(Default)]
pub(crate) struct Progress(pub(crate) Option<(u64, Sha256)>);

/// The right to write to an upload, until someone newer comes.
pub(crate) struct Turn {
    slot: Arc<Slot>,
    number: u64,
    /// Ends when someone newer asks.
    pub(crate) stop: CancellationToken,
}

impl Desk {
    /// Asks for an upload from `offset` on. `known` is what the database says has been received. Fails with the byte the
    /// upload has reached when that is another.
    pub(crate) fn ask(&self, tenant: &TenantId, id: &str, offset: u64, known: u64) -> Result<Turn, u64> {
        self.slot(tenant, id).ask(Some(offset), known)
    }

    /// Asks for an upload wherever it stands: whoever writes to it ends.
    pub(crate) fn take(&self, tenant: &TenantId, id: &str, known: u64) -> Turn {
        match self.slot(tenant, id).ask(None, known) {
            Ok(turn) => turn,
            Err(_) => unreachable!("only an offset can be refused"),
        }
    }

    /// Forgets an upload that is over.
    pub(crate) fn forget(&self, tenant: &TenantId, id: &str) {
        lock(&self.0).remove(&(tenant.clone(), id.to_owned()));
    }

    /// Ends every request that is writing.
    pub(crate) fn stop_all(&self) {
        for slot in lock(&self.0).values() {
            lock(&slot.front).stop.cancel();
        }
    }

    fn slot(&self, tenant: &TenantId, id: &str) -> Arc<Slot> {
        let fresh = || Arc::new(Slot { front: Mutex::default(), turn: Arc::default() });
        lock(&self.0).entry((tenant.clone(), id.to_owned())).or_insert_with(fresh).clone()
    }
}

impl Slot {
    fn ask(self: Arc<Self>, offset: Option<u64>, known: u64) -> Result<Turn, u64> {
        let mut front = lock(&self.front);
        let reached = *front.reached.get_or_insert(known);
        if offset.is_some_and(|offset| offset != reached) {
            return Err(reached);
        }
        front.stop.cancel();
        front.stop = CancellationToken::new();
        front.newest += 1;
        let (number, stop) = (front.newest, front.stop.clone());
        drop(front);
        Ok(Turn { slot: self, number, stop })
    }
}

impl Turn {
    /// Waits until the one before has ended. `None` when someone newer came in the meantime.
    pub(crate) async fn begin(&self) -> Option<OwnedMutexGuard<Progress>> {
        let progress = self.slot.turn.clone().lock_owned().await;
        (lock(&self.slot.front).newest == self.number).then_some(progress)
    }

    /// Takes `length` more bytes on, unless someone newer came: then false, and they are to be dropped.
    pub(crate) fn accept(&self, length: u64) -> bool {
        let mut front = lock(&self.slot.front);
        if front.newest != self.number {
            return false;
        }
        front.reached = front.reached.map(|reached| reached.saturating_add(length));
        true
    }

    /// Says where the upload stands when the writing is over.
    pub(crate) fn stands_at(&self, offset: u64) {
        lock(&self.slot.front).reached = Some(offset);
    }
}

/// Locks what holds no half-made state: each change to it is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        "acme".parse().unwrap()
    }

    #[tokio::test]
    async fn a_newer_request_for_the_same_byte_takes_over() {
        let desk = Desk::default();
        let old = desk.ask(&tenant(), "u", 5, 5).unwrap_or_else(|_| panic!());
        let held = old.begin().await.unwrap();
        let new = desk.ask(&tenant(), "u", 5, 5).unwrap_or_else(|_| panic!());
        assert!(old.stop.is_cancelled());
        assert!(!old.accept(1), "the old one may not go on");
        drop(held);
        assert!(new.begin().await.is_some());
        assert!(new.accept(1));
    }

    #[tokio::test]
    async fn a_request_for_another_byte_disturbs_nobody() {
        let desk = Desk::default();
        let first = desk.ask(&tenant(), "u", 0, 0).unwrap_or_else(|_| panic!());
        let _held = first.begin().await.unwrap();
        assert!(first.accept(10));
        assert_eq!(desk.ask(&tenant(), "u", 0, 0).err(), Some(10));
        assert!(first.accept(10));
        assert!(!first.stop.is_cancelled());
    }

    #[tokio::test]
    async fn of_those_who_wait_the_newest_goes_on() {
        let desk = Desk::default();
        let turns: Vec<_> = (0..20).map(|_| desk.ask(&tenant(), "u", 0, 0).unwrap_or_else(|_| panic!())).collect();
        let mut through = 0;
        for turn in &turns {
            through += usize::from(turn.begin().await.is_some());
        }
        assert_eq!(through, 1);
    }
}
