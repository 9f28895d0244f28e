//! Unfinished uploads that nobody goes on with.

use std::sync::Arc;

use crate::portal::app::App;
use crate::portal::audit::{Act, Actor, Outcome};
use crate::portal::error::ApiError;
use crate::portal::receive::{discard, end};
use crate::portal::store::{requests, uploads};

/// Forgets the requests that have expired.
pub(crate) async fn requests(app: &App) -> Result<(), ApiError> {
    let mut transaction = app.store.begin_across().await?;
    requests::expire(&mut transaction, app.clock.now()).await?;
    Ok(transaction.commit().await?)
}

const BATCH: i64 = 100;

/// Ends what has waited too long and returns how many there were. What was ended before and could not be removed is tried again.
pub(crate) async fn run(app: &Arc<App>) -> Result<u64, ApiError> {
    let now = app.clock.now();
    let mut ended = 0;
    for upload in uploads::ending(&mut *app.store.read_across().await?, BATCH).await? {
        if let Err(fault) = end(app, &upload).await {
            tracing::warn!(%fault, cause = ?std::error::Error::source(&fault), "an ended upload is not gone yet");
        }
    }
    loop {
        let expired = uploads::expired(&mut *app.store.read_across().await?, now, BATCH).await?;
        if expired.is_empty() {
            return Ok(ended);
        }
        for upload in expired {
            let turn = app.desk.take(&upload.tenant, &upload.id, upload.received);
            // Whoever came in between goes on with it, and each byte begins the wait anew.
            if let Some(_progress) = turn.begin().await {
                discard(app, &upload, Actor::Worker, Act::ExpireUpload, Outcome::Done).await?;
                ended += 1;
            } else {
                return Ok(ended);
            }
        }
    }
}
