//! Copies of the databases for backups, made while the portal works.

use std::path::Path;

use sqlx::AssertSqlSafe;

use super::{Kind, Result, Store};

impl Store {
    /// Whether the databases are files beneath the data directory.
    pub(crate) fn is_embedded(&self) -> bool {
        self.kind == Kind::Sqlite
    }

    /// Writes what the portal's database holds now into a file that is not there yet. Nothing that was deleted is in it: the
    /// copy has no free pages and no log. Others may read and write in the meantime.
    pub(crate) async fn copy_portal(&self, to: &Path) -> Result<()> {
        copy(&mut *self.read_across().await?, to).await
    }

    /// The same for the shares.
    pub(crate) async fn copy_shares(&self, to: &Path) -> Result<()> {
        copy(&mut *self.shares_across().await?, to).await
    }

    /// Reads both databases from end to end and returns the first thing in them that cannot be. A server checks its own pages
    /// while it reads them, and its constraints when they are made.
    pub(crate) async fn inspect(&self) -> Result<Option<String>> {
        if self.is_postgres() {
            return Ok(None);
        }
        let (mut portal, mut shares) = (self.read_across().await?, self.shares_across().await?);
        for connection in [&mut *portal, &mut *shares] {
            let (said,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await?;
            if said != "ok" {
                return Ok(Some(said));
            }
            let strays = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *connection).await?;
            if !strays.is_empty() {
                return Ok(Some(format!("{} rows belong to nothing", strays.len())));
            }
        }
        Ok(None)
    }
}

async fn copy(connection: &mut super::Connection, to: &Path) -> Result<()> {
    let path = to.to_str().ok_or_else(|| sqlx::Error::Configuration("the path of a backup must be text".into()))?;
    // The file's name is an expression, but takes no parameter in every driver: quoted as SQL quotes.
    let quoted = path.replace('\'', "''");
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{quoted}'"))).execute(connection).await?;
    Ok(())
}
