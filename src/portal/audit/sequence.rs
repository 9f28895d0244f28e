//! Gives audit records their places in the log, and signs what the log has become.
//!
//! One portal sequences at a time, whatever their number: it happens in the one transaction that may write. The tree, the
//! checkpoint and the proofs of receipts are written together or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::prove;
use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::store::audit::Row;
use crate::portal::store::{Connection, Store, audit, log, receipts};
use crate::track::ReceiptKey;
use crate::track::log::tree::{self, Tiles, Tree};
use crate::track::log::{LogError, checkpoint};
use crate::track::receipt::with_proof;

/// How often the portal looks for records without a place. A checkpoint follows an act within a second.
const PERIOD: Duration = Duration::from_millis(500);

/// How many records get their places in one transaction.
const BATCH: i64 = 4096;

/// Sequences for as long as the portal runs.
pub(crate) async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(fault) = advance(&app.store, &app.key).await {
            tracing::error!(%fault, cause = ?std::error::Error::source(&fault), "the audit log does not go on");
        }
    }
}

/// Gives every record that waits its place, and signs a checkpoint; the first call signs one of the empty log. Gives how many
/// records there were.
pub(crate) async fn advance(store: &Store, key: &ReceiptKey) -> Result<u64, ApiError> {
    let mut sequenced = 0;
    loop {
        {
            let mut connection = store.read_across().await?;
            let idle = !audit::any_waiting(&mut connection).await?;
            if idle && log::checkpoint(&mut connection).await?.is_some() {
                return Ok(sequenced);
            }
        }
        let mut transaction = store.begin_across().await?;
        sequenced += batch(key, &mut transaction).await?;
        transaction.commit().await?;
    }
}

/// Gives every record that waits its place within a transaction that others have begun. Gives how many there were.
pub(crate) async fn sequence(key: &ReceiptKey, connection: &mut Connection) -> Result<u64, ApiError> {
    let mut sequenced = 0;
    loop {
        match batch(key, connection).await? {
            0 => return Ok(sequenced),
            some => sequenced += some,
        }
    }
}

/// Makes the tiles anew from the records. Nothing changes when they do not give the root that was signed. Gives how many records
/// there are.
pub(crate) async fn rebuild(store: &Store, key: &ReceiptKey) -> Result<u64, ApiError> {
    let mut transaction = store.begin_across().await?;
    let Some(last) = log::checkpoint(&mut transaction).await? else { return Ok(0) };
    let head = checkpoint::open(&last.note, &key.portal_key()).map_err(ApiError::fault)?;
    log::forget_tiles(&mut transaction).await?;
    let mut tree = Tree::new(0, Tiles::default());
    while tree.size() < head.size {
        let rows = audit::by_place(&mut transaction, tree.size(), head.size, BATCH).await?;
        let in_order = (tree.size()..).zip(&rows).all(|(place, row)| row.place == Some(place));
        if rows.is_empty() || !in_order {
            return Err(ApiError::fault(LogError::NotTheSameLog));
        }
        grow(&mut tree, &rows)?;
        for (place, hashes) in tree.take_changed() {
            log::put_tile(&mut transaction, place, &hashes).await?;
        }
    }
    if tree.head().map_err(ApiError::fault)? != head {
        return Err(ApiError::fault(LogError::NotTheSameLog));
    }
    transaction.commit().await?;
    Ok(head.size)
}

/// Sequences one batch.
async fn batch(key: &ReceiptKey, connection: &mut Connection) -> Result<u64, ApiError> {
    let waiting = audit::waiting(connection, BATCH).await?;
    let before = log::checkpoint(connection).await?;
    let old = before.as_ref().map_or(0, |before| before.size);
    if waiting.is_empty() && before.is_some() {
        return Ok(0);
    }
    let mut tiles = Tiles::default();
    log::load(connection, &mut tiles, tree::edge(old)).await?;
    let mut tree = Tree::new(old, tiles);
    grow(&mut tree, &waiting)?;
    let head = tree.head().map_err(ApiError::fault)?;
    for (place, hashes) in tree.take_changed() {
        log::put_tile(connection, place, &hashes).await?;
    }
    place(connection, &waiting, old).await?;
    let note = checkpoint::sign(&head, key).map_err(ApiError::fault)?;
    if !log::set_checkpoint(connection, old, head.size, &note).await? {
        return Err(ApiError::fault("another portal sequenced at the same time"));
    }
    let mut tiles = Tiles::default();
    for (index, row) in (old..).zip(&waiting) {
        if row.record.receipt.is_some() {
            give_proof(connection, row, index, (head.size, &note), &mut tiles).await?;
        }
    }
    Ok(waiting.len() as u64)
}

/// Adds records to the tree.
fn grow(tree: &mut Tree, rows: &[Row]) -> Result<(), ApiError> {
    rows.iter()
        .try_for_each(|row| tree.append(tree::leaf(&row.record.line())))
        .map_err(|fault: LogError| ApiError::fault(fault))
}

/// Writes the places down, one statement for each tenant's run of numbers.
async fn place(connection: &mut Connection, rows: &[Row], first: u64) -> Result<(), ApiError> {
    // The rows are sorted by tenant and number, and a tenant's numbers have no gap.
    let mut runs = BTreeMap::new();
    for (place, row) in (first..).zip(rows) {
        let number = row.record.number;
        let run = runs.entry(&row.record.tenant).or_insert((number, number, place));
        run.1 = number;
    }
    for (tenant, (from, to, place)) in runs {
        audit::set_places(connection, tenant, (from, to), place).await?;
    }
    Ok(())
}

/// Puts the proof behind the receipt that was signed with a record. The receipt is never changed again.
async fn give_proof(
    connection: &mut Connection,
    row: &Row,
    index: u64,
    (size, checkpoint): (u64, &str),
    tiles: &mut Tiles,
) -> Result<(), ApiError> {
    let (tenant, number) = (&row.record.tenant, row.record.number);
    let Some(note) = receipts::unproved(connection, tenant, number).await? else { return Ok(()) };
    let hashes = prove::inclusion(connection, index, size, tiles).await?;
    match with_proof(&note, row.record.line(), index, hashes, checkpoint.to_owned()) {
        Ok(whole) => receipts::prove(connection, tenant, number, &whole).await?,
        // The log goes on in any case.
        Err(fault) => tracing::error!(%fault, "a receipt stays without its proof"),
    }
    Ok(())
}
