//! What is `SQLite`'s own: how its files are opened and its write-ahead log emptied.

use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Executor as _};

use super::Result;

/// Connections that only read.
pub(super) const READERS: u32 = 4;

/// Takes the right to write at once, so that nothing read inside can be changed by another before the end.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// How long to wait for a connection or for another process's transaction. The pragma below says the same in milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

const PRAGMAS: &str = "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;";

/// The address of a file beneath a directory that exists.
pub(super) fn url(directory: &Path, name: &str) -> Result<String> {
    let unusable = || sqlx::Error::Configuration("the path of the data directory is not UTF-8".into());
    // An address drops the dots of a path before the links in it are followed, so they are followed here.
    let directory = directory.canonicalize()?;
    let directory = directory.to_str().ok_or_else(unusable)?;
    let path = format!("{directory}/{name}");
    let mut url = String::from("sqlite://");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str("?mode=rwc");
    Ok(url)
}

/// Opens a file, makes it when it is not there.
pub(super) async fn pool(url: &str, connections: u32) -> Result<AnyPool> {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(sqlx::raw_sql(PRAGMAS)).await.map(drop) })
        })
        .connect(url)
        .await
}

/// Moves everything from the write-ahead log into the database and empties the log. An error when a reader stands in the way.
pub(super) async fn empty_log(pool: &AnyPool) -> Result<()> {
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await?;
    if busy != 0 {
        return Err(sqlx::Error::Protocol(String::from("the write-ahead log is in use")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_may_have_any_name() {
        let above = tempfile::tempdir().unwrap();
        for name in ["a b", "100%", "%41", "what?mode=ro", "#1", "ä", "a;b&c", "new\nline"] {
            let directory = above.path().join(name);
            std::fs::create_dir(&directory).unwrap();
            let url = url(&directory, "x.db").unwrap();
            let pool = pool(&url, 1).await.unwrap_or_else(|fault| panic!("{url}: {fault}"));
            pool.close().await;
            assert!(directory.join("x.db").exists(), "{name:?}");
        }
    }

    #[tokio::test]
    async fn deleted_rows_are_overwritten_and_commits_are_durable() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(&url(directory.path(), "x.db").unwrap(), 1).await.unwrap();
        for (pragma, value) in [("secure_delete", 1), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0)] {
            let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
            let (found,): (i64,) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
            assert_eq!(found, value, "{pragma}");
        }
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&pool).await.unwrap();
        assert_eq!(mode, "wal");
    }
}
