//! Proofs out of the tiles in the database.

use crate::portal::error::ApiError;
use crate::portal::store::{Connection, log};
use crate::track::log::tree::{self, Tiles};

/// The hashes that prove the record at `index` in the tree of `size`; `tiles` keeps what was loaded for the next proof.
pub(crate) async fn inclusion(
    connection: &mut Connection,
    index: u64,
    size: u64,
    tiles: &mut Tiles,
) -> Result<Vec<[u8; 32]>, ApiError> {
    log::load(connection, tiles, tree::needed_for_inclusion(index, size)).await?;
    tree::inclusion(index, size, tiles).map_err(ApiError::fault)
}

/// The hashes that prove that the tree of `new` records begins with the tree of `old`.
pub(crate) async fn consistency(connection: &mut Connection, old: u64, new: u64) -> Result<Vec<[u8; 32]>, ApiError> {
    let mut tiles = Tiles::default();
    log::load(connection, &mut tiles, tree::needed_for_consistency(old, new)).await?;
    tree::consistency(old, new, &tiles).map_err(ApiError::fault)
}
