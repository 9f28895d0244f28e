//! A database of `PostgreSQL` for one test, made at the server that `TARSEAL_POSTGRES` names and gone with the test.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A new, empty database.
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes one. `None` where there is no server; with `TARSEAL_REQUIRE_PEERS` that is a failure.
    pub fn make() -> Option<Self> {
        let Ok(server) = std::env::var("TARSEAL_POSTGRES") else {
            assert!(std::env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "TARSEAL_POSTGRES is not set");
            eprintln!("skipped PostgreSQL: TARSEAL_POSTGRES is not set");
            return None;
        };
        let name = format!("tarseal_test_{:016x}", rand::random::<u64>());
        run(&server, &format!("CREATE DATABASE {name}"));
        Some(Self { server, name })
    }

    /// Makes one for every portal of a test run with `TARSEAL_TEST_STORE=postgres`.
    pub fn asked_for() -> Option<Self> {
        (std::env::var("TARSEAL_TEST_STORE").as_deref() == Ok("postgres")).then(|| Self::make().unwrap())
    }

    /// Runs a statement in it.
    pub fn run(&self, sql: &str) {
        run(&self.url(), sql);
    }

    /// The only column of the rows that a question finds in the portal's tables, as text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let (url, sql) = (self.url(), sql.to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            connection.execute("SET search_path TO tarseal; SET tarseal.tenant TO '*'").await.unwrap();
            let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows.into_iter().map(|(text,)| text).collect()
        })
    }

    /// Its address.
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        run(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn run(server: &str, sql: &str) {
    let (server, sql) = (server.to_owned(), sql.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut connection = PgConnection::connect(&server).await.unwrap();
        // The tests see the rows of every tenant.
        connection.execute("SET tarseal.tenant TO '*'").await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        connection.close().await.unwrap();
    });
}
