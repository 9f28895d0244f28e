//! The tiles of the transparency log and its signed checkpoint.

use super::{Connection, Result, signed, unsigned};
use crate::track::log::tree::{Place, Tiles};

/// The last checkpoint: the size of its tree and the signed note.
pub(crate) struct Checkpoint {
    pub(crate) size: u64,
    pub(crate) note: String,
}

/// The last checkpoint, if one was ever signed.
pub(crate) async fn checkpoint(connection: &mut Connection) -> Result<Option<Checkpoint>> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT size, note FROM checkpoints WHERE log = 'audit'").fetch_optional(connection).await?;
    Ok(row.map(|(size, note)| Checkpoint { size: unsigned(size), note }))
}

/// Puts a new checkpoint in the place of the one of `old` records; false when that is no longer the last one.
pub(crate) async fn set_checkpoint(connection: &mut Connection, old: u64, size: u64, note: &str) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO checkpoints (log, size, note) VALUES ('audit', $1, $2)
         ON CONFLICT (log) DO UPDATE SET size = excluded.size, note = excluded.note WHERE checkpoints.size = $3",
    )
    .bind(signed(size))
    .bind(note)
    .bind(signed(old))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The hashes of one tile.
pub(crate) async fn tile(connection: &mut Connection, (level, number): Place) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT hashes FROM tiles WHERE level = $1 AND number = $2")
        .bind(i64::from(level))
        .bind(signed(number))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(hashes,)| hashes))
}

/// Adds the tiles of `places` that are not in `tiles` yet. One that is in the database neither stays away.
pub(crate) async fn load(
    connection: &mut Connection,
    tiles: &mut Tiles,
    places: impl IntoIterator<Item = Place> + Send,
) -> Result<()> {
    for place in places {
        if !tiles.holds(place)
            && let Some(hashes) = tile(connection, place).await?
        {
            tiles.put(place, hashes);
        }
    }
    Ok(())
}

/// Writes a tile, in the place of a shorter one.
pub(crate) async fn put_tile(connection: &mut Connection, (level, number): Place, hashes: &[u8]) -> Result<()> {
    sqlx::query(
        "INSERT INTO tiles (level, number, hashes) VALUES ($1, $2, $3)
         ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
    )
    .bind(i64::from(level))
    .bind(signed(number))
    .bind(hashes)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets every tile, so that they are made anew from the records.
pub(crate) async fn forget_tiles(connection: &mut Connection) -> Result<()> {
    sqlx::query("DELETE FROM tiles").execute(connection).await?;
    Ok(())
}
