//! Acts that come at the same time share one transaction, and so one synchronisation of the disk.
//!
//! Each act stays whole by itself: it runs within a savepoint, sees what the acts before it did, and when it is refused nothing of
//! it stays. Nobody is told how an act ended before the transaction that holds it is durable; when that fails, all of its acts
//! have failed. No act waits for another to come: while one transaction is being committed, the acts of the next one gather.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use sqlx::Connection as _;
use tokio::sync::oneshot;

use super::app::App;
use super::audit::sequence;
use super::error::ApiError;
use super::store::{Connection, Trouble, trouble, turn_across, turn_to};
use crate::ids::TenantId;

/// The most acts of one transaction. Others that write wait for its end.
const MOST: usize = 64;

/// The acts that wait for a transaction.
#[derive(Default)]
pub(crate) struct Together(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether a task is at work on them.
    led: bool,
}

struct Waiting {
    tenant: TenantId,
    job: Box<dyn Job>,
    prove: bool,
}

/// What is left to do when the act is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Its record gets its place in the log with the next that are sequenced.
    Later,
    /// Its record gets its place in the same transaction, and its receipt the proof.
    Now,
}

/// Does an act of a tenant in a transaction that may hold others as well, and returns what it returns when that is durable. The act is done
/// also when nobody waits for its end any more.
pub(crate) async fn act<T, F>(app: &Arc<App>, tenant: &TenantId, proof: Proof, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, ApiError>> + Send + 'static,
{
    let (sender, ended) = oneshot::channel();
    let job = Box::new(One { act: Some(act), answer: None, sender });
    if app.together.add(Waiting { tenant: tenant.clone(), job, prove: proof == Proof::Now }) {
        app.writers.spawn(lead(app.clone()));
    }
    ended.await.map_err(|_| ApiError::fault("an act was cut off"))?
}

impl Together {
    /// Adds an act; true when whoever adds it must see to it that it is done.
    fn add(&self, act: Waiting) -> bool {
        let mut queue = self.lock();
        queue.waiting.push_back(act);
        !std::mem::replace(&mut queue.led, true)
    }

    /// The acts of the next transaction; none when there are none, and then nobody is at work on them.
    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.lock();
        let length = queue.waiting.len().min(MOST);
        queue.led = length > 0;
        queue.waiting.drain(..length).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works on what waits until nothing does.
async fn lead(app: Arc<App>) {
    let leading = Leading(&app.together);
    loop {
        let mut acts = app.together.next();
        if acts.is_empty() {
            std::mem::forget(leading);
            return;
        }
        let ended = commit(&app, &mut acts).await;
        for act in acts {
            act.job.end(ended.as_ref().err());
        }
    }
}

/// When the work was cut off, whatever waits has failed, and the next act begins anew.
struct Leading<'a>(&'a Together);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        *self.0.lock() = Queue::default();
    }
}

/// Does the acts in one transaction. When it fails, none of them is done.
async fn commit(app: &App, acts: &mut [Waiting]) -> Result<(), Failed> {
    let Some(mut seen) = acts.first().map(|first| first.tenant.clone()) else { return Ok(()) };
    let mut transaction = app.store.begin(&seen).await.map_err(Failed::of)?;
    for act in acts.iter_mut() {
        if act.tenant != seen {
            turn_to(&mut transaction, &act.tenant).await.map_err(Failed::of)?;
            seen.clone_from(&act.tenant);
        }
        let mut savepoint = transaction.begin().await.map_err(Failed::of)?;
        match act.job.run(&mut savepoint).await {
            Ok(()) => savepoint.commit().await.map_err(Failed::of)?,
            // A full disk may have undone everything, the savepoint as well.
            Err(refused) => savepoint.rollback().await.map_err(|_| refused)?,
        }
    }
    if acts.iter().any(|act| act.prove) {
        turn_across(&mut transaction).await.map_err(Failed::of)?;
        let mut savepoint = transaction.begin().await.map_err(Failed::of)?;
        match sequence::sequence(&app.key, &mut savepoint).await {
            Ok(_) => savepoint.commit().await.map_err(Failed::of)?,
            Err(fault) => {
                // The records are there; their places come later.
                savepoint.rollback().await.map_err(|_| Failed::like(&fault))?;
                tracing::error!(%fault, cause = ?std::error::Error::source(&fault), "the audit log does not go on");
            }
        }
    }
    transaction.commit().await.map_err(Failed::of)
}

/// Why a transaction came to nothing, for each of those whose act was in it.
#[derive(Debug)]
struct Failed {
    trouble: Trouble,
    cause: String,
}

impl Failed {
    #[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
    fn of(fault: sqlx::Error) -> Self {
        Self { trouble: trouble(&fault), cause: fault.to_string() }
    }

    fn like(fault: &ApiError) -> Self {
        let trouble = match fault {
            ApiError::NoRoom => Trouble::NoRoom,
            ApiError::Busy(_) => Trouble::Passing,
            _ => Trouble::Lasting,
        };
        Self { trouble, cause: std::error::Error::source(fault).map_or_else(|| fault.to_string(), ToString::to_string) }
    }

    fn told(&self) -> ApiError {
        match self.trouble {
            Trouble::NoRoom => ApiError::NoRoom,
            Trouble::Passing => ApiError::Busy(self.cause.clone().into()),
            Trouble::Lasting => ApiError::fault(self.cause.clone()),
        }
    }
}

/// An act with whoever waits for its end.
trait Job: Send {
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Failed>>;

    fn end(self: Box<Self>, failed: Option<&Failed>);
}

struct One<T, F> {
    act: Option<F>,
    answer: Option<Result<T, ApiError>>,
    sender: oneshot::Sender<Result<T, ApiError>>,
}

impl<T, F> Job for One<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, ApiError>> + Send + 'static,
{
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Failed>> {
        Box::pin(async move {
            let act = self.act.take().expect("an act is done once");
            let answer = act(connection).await;
            let ended = answer.as_ref().map(drop).map_err(Failed::like);
            self.answer = Some(answer);
            ended
        })
    }

    fn end(self: Box<Self>, failed: Option<&Failed>) {
        let answer = match (failed, self.answer) {
            // What the act itself was refused for says more than what came of the others.
            (Some(_), Some(Err(refused))) => Err(refused),
            (Some(failed), _) => Err(failed.told()),
            (None, answer) => answer.expect("an act that was committed was done"),
        };
        // Whoever asked may be gone; the act is done all the same.
        drop(self.sender.send(answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::portal::config::Config;
    use crate::portal::store::tenants;
    use crate::track::RetentionPolicy;

    async fn open(home: &tempfile::TempDir) -> Arc<App> {
        let config = Config::new(home.path().join("data"), ([127, 0, 0, 1], 0).into());
        let clock = Arc::new(ManualClock::at("2026-11-21T14:20:00Z".parse().unwrap()));
        Arc::new(App::open(&config, clock).await.unwrap())
    }

    /// Adds a tenant, and then does as told.
    async fn add(app: Arc<App>, name: String, ending: &'static str) -> Result<bool, ApiError> {
        let owner = app.clone();
        let tenant: TenantId = name.parse().unwrap_or_else(|_| "unnamed".parse().unwrap());
        act(&app, &tenant, Proof::Later, move |connection| {
            Box::pin(async move {
                let tenant: TenantId = name.parse().unwrap();
                let added = tenants::add(connection, &tenant, &RetentionPolicy::default(), owner.clock.now()).await?;
                match ending {
                    "done" => Ok(added),
                    "refused" => Err(ApiError::NotAllowed),
                    "broken" => {
                        sqlx::raw_sql("ROLLBACK").execute(connection).await?;
                        Ok(true)
                    }
                    _ => panic!("as told"),
                }
            })
        })
        .await
    }

    /// Adds `t0`, `t1`, … in one transaction, the one of `number` ending otherwise; gives whether each was told that it was done.
    async fn together(app: &Arc<App>, number: usize, ending: &'static str) -> Vec<bool> {
        // One act that waits lets the others gather.
        let (go, held) = oneshot::channel::<()>();
        let first = {
            let app = app.clone();
            tokio::spawn(async move {
                act(&app, &"t".parse().unwrap(), Proof::Later, |_| {
                    Box::pin(async move {
                        held.await.unwrap();
                        Ok(())
                    })
                })
                .await
            })
        };
        let is_begun = || {
            let queue = app.together.lock();
            queue.led && queue.waiting.is_empty()
        };
        while !is_begun() {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..10)
            .map(|other| {
                let ending = if other == number { ending } else { "done" };
                tokio::spawn(add(app.clone(), format!("t{other}"), ending))
            })
            .collect();
        while app.together.lock().waiting.len() < 10 {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        let mut done = Vec::new();
        for other in others {
            done.push(other.await.unwrap().is_ok());
        }
        done
    }

    async fn there(app: &App) -> usize {
        let found = tenants::all(&mut app.store.read_across().await.unwrap()).await.unwrap();
        found.iter().filter(|tenant| tenant.as_str().starts_with('t')).count()
    }

    #[tokio::test]
    async fn an_act_that_is_refused_leaves_nothing_and_takes_nobody_along() {
        let home = tempfile::tempdir().unwrap();
        let app = open(&home).await;
        let done = together(&app, 4, "refused").await;
        assert_eq!(done.iter().filter(|done| **done).count(), 9);
        assert!(!done[4]);
        assert_eq!(there(&app).await, 9);
        app.store.close().await;
    }

    #[tokio::test]
    async fn when_the_transaction_fails_nobody_is_told_otherwise() {
        let home = tempfile::tempdir().unwrap();
        let app = open(&home).await;
        assert_eq!(together(&app, 7, "broken").await, [false; 10]);
        assert_eq!(there(&app).await, 0);
        assert!(add(app.clone(), String::from("t1"), "done").await.unwrap(), "the next one is as good as new");
        app.store.close().await;
    }

    #[tokio::test]
    async fn an_act_that_panics_stops_none_that_come_later() {
        let home = tempfile::tempdir().unwrap();
        let app = open(&home).await;
        assert_eq!(together(&app, 3, "panic").await, [false; 10]);
        assert_eq!(there(&app).await, 0);
        assert!(add(app.clone(), String::from("t1"), "done").await.unwrap());
        app.store.close().await;
    }
}
