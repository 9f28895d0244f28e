//! What the portal does by itself: once at its start, then every minute.

pub(crate) mod clock;
pub(crate) mod delete;
pub(crate) mod expire;
pub(crate) mod hide;
pub(crate) mod idle;
pub(crate) mod poll;
pub(crate) mod reconcile;
pub(crate) mod replay;
pub(crate) mod review;
pub(crate) mod sighting;

pub use poll::Polled;

use std::sync::Arc;
use std::time::Duration;

use super::api::once;
use super::app::App;
use super::audit::Actor;
use super::audit::{erase, sequence};
use super::error::ApiError;
use super::{records, subject_requests};

/// The time between two sweeps.
const PERIOD: Duration = Duration::from_secs(60);

/// How long after its start a portal first compares files with rows, in seconds; afterwards it does so once a day.
const FIRST_COMPARISON: i64 = 3600;

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Snapshots that are gone, with a receipt.
    pub deleted: u64,
    /// Steps of deletions that failed and will be tried again.
    pub failed: u64,
    /// Unfinished uploads that had waited too long.
    pub expired: u64,
}

/// Does everything that is due now. One sweep runs at a time; `all` also tries what waits for its next attempt.
pub(crate) async fn sweep(app: &Arc<App>, all: bool) -> Result<Swept, ApiError> {
    let _alone = app.sweeping.lock().await;
    let Some(_first) = app.store.alone(all).await? else { return Ok(Swept::default()) };
    let mut transaction = app.store.begin_across().await?;
    let trusted = clock::look(app, &mut transaction).await?;
    transaction.commit().await?;
    // By a clock that jumped nothing ends. Deletions that had begun go on.
    if let Some(trusted) = trusted {
        idle::run(app, trusted).await?;
        review::run(app).await?;
        subject_requests::remind(app).await?;
    }
    let mut swept = delete::run(app, all).await?;
    subject_requests::run(app).await?;
    if trusted.is_some() {
        subject_requests::erase_old(app).await?;
        swept.expired = expire::run(app).await?;
        erase::run(app).await?;
    }
    once::expire(app, app.clock.now()).await?;
    expire::requests(app).await?;
    sequence::advance(&app.store, &app.key).await?;
    Ok(swept)
}

/// Sweeps for as long as the portal runs, and once a day compares files with rows.
pub(crate) async fn run(app: Arc<App>) {
    let mut compare_at = app.clock.now().plus_seconds(FIRST_COMPARISON);
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match sweep(&app, false).await {
            Ok(swept) if swept != Swept::default() => {
                tracing::info!(swept.deleted, swept.failed, swept.expired, "swept");
            }
            Ok(_) => {}
            Err(fault) => tracing::error!(%fault, cause = ?std::error::Error::source(&fault), "a sweep failed"),
        }
        if compare_at <= app.clock.now() {
            compare_at = app.clock.now().plus_days(1);
            nightly(&app).await;
        }
    }
}

/// What is done once a day.
async fn nightly(app: &Arc<App>) {
    if let Err(fault) = reconcile::run(app, Actor::Worker, reconcile::STRAY_DAYS).await {
        tracing::error!(%fault, cause = ?std::error::Error::source(&fault), "files and rows could not be compared");
    }
    if let Err(fault) = records::settle(app).await {
        tracing::error!(%fault, cause = ?std::error::Error::source(&fault), "the record of processing activities was not kept");
    }
    if let Err(fault) = app.tombstones.forget_old(app.clock.now()) {
        tracing::error!(%fault, "old tombstones could not be removed");
    }
}
