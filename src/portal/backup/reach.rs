//! How deletion reaches the places of backups.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::manifest::Kind;
use super::pool;
use crate::ids::{FileId, TenantId};
use crate::portal::store::{Connection, Result, backups};

/// The places that hold backups of this portal.
pub(crate) async fn in_places(connection: &mut Connection) -> Result<Vec<PathBuf>> {
    Ok(backups::places(connection, Kind::Portal.word()).await?.into_iter().map(PathBuf::from).collect())
}

/// Removes a sealed file from a place of backups and looks whether it is gone. An error when the place is not there: it may
/// lie on a disk that is not mounted.
pub(crate) fn remove_from(place: &Path, tenant: &TenantId, id: &FileId) -> io::Result<()> {
    if !place.is_dir() {
        return Err(io::Error::new(ErrorKind::NotFound, format!("{} is not there", place.display())));
    }
    pool::discard(place, tenant, id)?;
    match pool::path_of(place, tenant, id).symlink_metadata() {
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(()),
        Ok(_) => Err(io::Error::other(format!("{} still has the bytes", place.display()))),
        Err(fault) => Err(fault),
    }
}
