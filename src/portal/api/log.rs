//! The transparency log for whoever watches it: <https://c2sp.org/tlog-tiles> below `/log`.
//!
//! Anyone may ask: a hash of the tree says nothing of its record, because each record holds 16 random bytes. The records
//! themselves are their tenants' (`/v1/audit`), so there are no tiles of entries.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use tlog_tiles::Tile;
use utoipa::{IntoParams, ToSchema};

use super::openapi::Octets;
use crate::portal::app::App;
use crate::portal::audit::prove;
use crate::portal::error::ApiError;
use crate::portal::store::log;
use crate::track::log::tree::Tiles;

/// The height of a tile, as everywhere in C2SP's logs.
const HEIGHT: u8 = 8;

/// The longest path of a tile.
const MAX_PATH: usize = 64;

/// Gives the last checkpoint.
#[utoipa::path(
    get, path = "/log/checkpoint",
    responses((status = 200, description = "A signed note (C2SP)", body = String, content_type = "text/plain")),
    extensions(("x-problems" = json!(["page-unknown"]))),
)]
pub(crate) async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let last = log::checkpoint(&mut *app.store.read_across().await?).await?.ok_or(ApiError::PageUnknown)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], last.note).into_response())
}

/// Gives a tile of hashes: `/log/tile/LEVEL/NUMBER[.p/WIDTH]`.
#[utoipa::path(
    get, path = "/log/tile/{path}",
    responses((status = 200, description = "Hashes", body = Octets, content_type = "application/octet-stream")),
)]
pub(crate) async fn tile(State(app): State<Arc<App>>, Path(path): Path<String>) -> Result<Response, ApiError> {
    let tile = tile_of(&path).ok_or(ApiError::PageUnknown)?;
    let place = (tile.level(), tile.level_index());
    let hashes = log::tile(&mut *app.store.read_across().await?, place).await?.ok_or(ApiError::PageUnknown)?;
    let wanted = tile.width() as usize * 32;
    let part = hashes.get(..wanted).ok_or(ApiError::PageUnknown)?.to_vec();
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], part).into_response())
}

/// What is to be proved: a record in a tree (`index`, `size`), or a tree in a later one (`from`, `size`).
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// The place of a record in the log.
    index: Option<u64>,
    /// The size of the earlier tree.
    from: Option<u64>,
    /// The size of the tree; the last checkpoint's when absent.
    size: Option<u64>,
}

/// A proof.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proof {
    /// The place of the record that is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// The size of the earlier tree that is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    /// The size of the tree.
    size: u64,
    /// In Base64.
    hashes: Vec<String>,
}

/// Gives a proof: the hashes in the order of RFC 6962, sections 2.1.1 and 2.1.2.
#[utoipa::path(
    get, path = "/log/proof", params(Asked),
    responses((status = 200, description = "The proof", body = Proof)),
    extensions(("x-problems" = json!(["page-unknown"]))),
)]
pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Proof>, ApiError> {
    let wrong = || ApiError::bad("Ask with ?index=, or with ?from=, and with a ?size= that the log has.");
    let Query(asked) = asked.map_err(|_| wrong())?;
    let mut connection = app.store.read_across().await?;
    let last = log::checkpoint(&mut connection).await?.ok_or(ApiError::PageUnknown)?;
    let size = asked.size.unwrap_or(last.size);
    if size > last.size {
        return Err(wrong());
    }
    let hashes = match (asked.index, asked.from) {
        (Some(index), None) if index < size => {
            prove::inclusion(&mut connection, index, size, &mut Tiles::default()).await?
        }
        (None, Some(from)) if (1..=size).contains(&from) => prove::consistency(&mut connection, from, size).await?,
        _ => return Err(wrong()),
    };
    let hashes = hashes.iter().map(|hash| BASE64_STANDARD.encode(hash)).collect();
    Ok(Json(Proof { index: asked.index, from: asked.from, size, hashes }))
}

/// The tile that a path names; `None` for every other spelling.
fn tile_of(path: &str) -> Option<Tile> {
    let (level, number) = path.split_once('/')?;
    // The parser of the crate panics at levels from 64 on and at a width of 0.
    let level: u8 = level.parse().ok().filter(|level| *level < 64)?;
    if path.len() > MAX_PATH || number.ends_with(".p/0") || number.contains(".p/00") {
        return None;
    }
    Tile::from_path(&format!("tile/{HEIGHT}/{level}/{number}")).ok().filter(|tile| {
        let spelled = tile.path();
        spelled.strip_prefix("tile/8/") == Some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_has_one_path_and_no_path_does_harm() {
        for (path, place) in [("0/000", (0, 0, 256)), ("1/x001/234.p/7", (1, 1234, 7)), ("63/999", (63, 999, 256))] {
            let tile = tile_of(path).unwrap();
            assert_eq!((tile.level(), tile.level_index(), tile.width()), place);
        }
        for path in [
            "",
            "0",
            "0/",
            "0/0",
            "0/000.p/0",
            "0/000.p/00",
            "0/000.p/256",
            "64/000",
            "255/000",
            "256/000",
            "00/000",
            "+0/000",
            "entries/000",
            "data/000",
            "0/x000/000",
            "0/../000",
            "0/000.p/-1",
            "0/000/",
            "0/x018/x446/x744/x073/x709/x551/616",
            "0/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert!(tile_of(path).is_none(), "{path}");
        }
    }
}
