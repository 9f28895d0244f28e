//! One suite of sentences that hold for every database: for `SQLite` always, for `PostgreSQL` when `TARSEAL_POSTGRES` is the
//! address of one in which databases may be made.

mod acts;
mod people;
mod processes;
mod speed;
mod tenants;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

use super::{DatabaseUrl, Store};

/// A store that is gone with the test, whatever becomes of it.
pub(in crate::portal) struct TestStore {
    store: Option<Store>,
    home: Home,
}

enum Home {
    Directory(TempDir),
    Database { server: String, name: String },
}

impl TestStore {
    async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        Self { store: Some(store), home: Home::Directory(directory) }
    }

    async fn postgres(server: String) -> Self {
        let name = format!("tarseal_test_{}", crate::portal::app::random_id());
        on_server(&server, &format!("CREATE DATABASE {name}")).await;
        let home = Home::Database { server, name };
        let store = Store::open_postgres(&home.url(), None).await.unwrap();
        Self { store: Some(store), home }
    }

    /// Which database it is, for people.
    pub(super) fn name(&self) -> &'static str {
        match self.home {
            Home::Directory(_) => "SQLite",
            Home::Database { .. } => "PostgreSQL",
        }
    }

    /// Opens it once more, as another process of the same portal would.
    pub(in crate::portal) async fn again(&self) -> Store {
        self.try_again().await.unwrap()
    }

    pub(super) async fn try_again(&self) -> super::Result<Store> {
        match &self.home {
            Home::Directory(directory) => Store::open(directory.path()).await,
            Home::Database { .. } => Store::open_postgres(&self.home.url(), None).await,
        }
    }
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.store.as_ref().unwrap()
    }
}

impl Home {
    fn url(&self) -> DatabaseUrl {
        let Self::Database { server, name } = self else { panic!("only a server has an address") };
        let mut url = url::Url::parse(server).unwrap();
        url.set_path(name);
        url.as_str().parse().unwrap()
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        let Home::Database { server, name } = &self.home else { return };
        let (server, drop) = (server.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        // The test's runtime may be going down: this one is its own.
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(on_server(&server, &drop));
        });
        assert!(gone.join().is_ok() || std::thread::panicking());
    }
}

async fn on_server(server: &str, sql: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = super::Connection::connect(server).await.unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
    connection.close().await.unwrap();
}

/// A new store of every kind.
pub(in crate::portal) async fn stores() -> Vec<TestStore> {
    let mut stores = vec![TestStore::sqlite().await];
    match std::env::var("TARSEAL_POSTGRES") {
        Ok(server) => stores.push(TestStore::postgres(server).await),
        Err(_) if std::env::var_os("TARSEAL_REQUIRE_PEERS").is_some() => panic!("TARSEAL_POSTGRES is not set"),
        Err(_) => eprintln!("skipped PostgreSQL: TARSEAL_POSTGRES is not set"),
    }
    stores
}
