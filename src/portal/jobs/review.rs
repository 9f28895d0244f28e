//! Holds whose day of review has come. Somebody must look at them; nothing is deleted because nobody did.

use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, On, Outcome, record};
use crate::portal::error::ApiError;
use crate::portal::store::holds;

const BATCH: i64 = 200;

/// Calls once for the review of each hold whose day has come: in the log and in the tenant's audit log.
pub(crate) async fn run(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    if holds::to_review(&mut *app.store.read_across().await?, now, 1).await?.is_empty() {
        return Ok(());
    }
    let mut transaction = app.store.begin_across().await?;
    let due = holds::to_review(&mut transaction, now, BATCH).await?;
    for hold in &due {
        holds::set_reminded(&mut transaction, hold, now).await?;
        let what = (Act::CallReview, On::Snapshot(&hold.snapshot), Outcome::Done);
        record(&mut transaction, &hold.tenant, now, Actor::Worker, what, None).await?;
    }
    transaction.commit().await?;
    tracing::error!(holds = due.len(), "holds are past their day of review");
    Ok(())
}
