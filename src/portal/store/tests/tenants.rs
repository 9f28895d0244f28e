//! What one tenant sees of another.

use sqlx::{AssertSqlSafe, Executor as _};

use super::{Home, TestStore, on_server, stores};
use crate::clock::Timestamp;
use crate::ids::{FileId, ShareId, TenantId};
use crate::portal::store::shares::{self, ShareRow};
use crate::portal::store::{Connection, Store, tenants, turn_to};
use crate::secret::Secret;
use crate::track::RetentionPolicy;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn other() -> TenantId {
    "other".parse().unwrap()
}

/// Two tenants with a ticket and a share each.
async fn two(store: &Store) {
    for tenant in [acme(), other()] {
        let mut transaction = store.begin(&tenant).await.unwrap();
        assert!(tenants::add(&mut transaction, &tenant, &RetentionPolicy::default(), NOW).await.unwrap());
        let ticket = "4711".parse().unwrap();
        crate::portal::store::tickets::add(&mut transaction, &tenant, &ticket, NOW).await.unwrap();
        transaction.commit().await.unwrap();
        let share =
            ShareRow { id: ShareId([1; 16]), secret: Secret::new([7; 32]), not_after: Timestamp::from_seconds(0) };
        let mut connection = store.shares(&tenant).await.unwrap();
        shares::put(&mut connection, &tenant, &FileId([2; 16]), &share).await.unwrap();
    }
}

/// What a question that forgets the tenant finds.
async fn forgetful(connection: &mut Connection, table: &str) -> Vec<String> {
    let question = AssertSqlSafe(format!("SELECT tenant FROM {table} ORDER BY tenant"));
    let rows: Vec<(String,)> = sqlx::query_as(question).fetch_all(connection).await.unwrap();
    rows.into_iter().map(|(tenant,)| tenant).collect()
}

/// The servers of `PostgreSQL` that are there.
async fn servers() -> Vec<TestStore> {
    stores().await.into_iter().filter(|store| store.is_postgres()).collect()
}

#[tokio::test]
async fn a_statement_that_forgets_the_tenant_sees_nothing_of_another() {
    for store in servers().await {
        two(&store).await;
        let mut lent = store.read(&acme()).await.unwrap();
        assert_eq!(forgetful(&mut lent, "tickets").await, ["acme"]);
        let (tenants,): (i64,) = sqlx::query_as("SELECT count(*) FROM tenants").fetch_one(&mut *lent).await.unwrap();
        assert_eq!(tenants, 1);
        drop(lent);
        assert_eq!(forgetful(&mut store.shares(&other()).await.unwrap(), "shares").await, ["other"]);
        assert_eq!(forgetful(&mut store.read_across().await.unwrap(), "tickets").await, ["acme", "other"]);
        assert_eq!(forgetful(&mut store.shares_across().await.unwrap(), "shares").await, ["acme", "other"]);
        // A connection that saw everything comes back seeing what it is lent for.
        for _ in 0..20 {
            assert_eq!(forgetful(&mut store.read(&other()).await.unwrap(), "tickets").await, ["other"]);
        }

        let mut transaction = store.begin(&acme()).await.unwrap();
        assert_eq!(forgetful(&mut transaction, "tickets").await, ["acme"]);
        let closed = transaction.execute("UPDATE tickets SET closed_at = 1").await.unwrap().rows_affected();
        let gone = transaction.execute("DELETE FROM ticket_events").await.unwrap().rows_affected();
        assert_eq!((closed, gone), (1, 0));
        turn_to(&mut transaction, &other()).await.unwrap();
        assert_eq!(forgetful(&mut transaction, "tickets").await, ["other"]);
        transaction.commit().await.unwrap();
        let (open,): (i64,) = sqlx::query_as("SELECT count(*) FROM tickets WHERE closed_at IS NULL")
            .fetch_one(&mut *store.read_across().await.unwrap())
            .await
            .unwrap();
        assert_eq!(open, 1);
    }
}

#[tokio::test]
async fn nothing_is_written_in_the_name_of_another_tenant() {
    for store in servers().await {
        two(&store).await;
        for statement in [
            "INSERT INTO tickets (tenant, id, alias, opened_at) VALUES ('other', '4712', 'x', 0)",
            "UPDATE tickets SET tenant = 'other', id = '4713'",
            "INSERT INTO tenants (id, policy, created_at) VALUES ('third', '{}', 0)",
        ] {
            let mut transaction = store.begin(&acme()).await.unwrap();
            let fault = transaction.execute(statement).await.unwrap_err();
            let code = fault.as_database_error().unwrap().code().unwrap().into_owned();
            assert_eq!(code, "42501", "{statement}: {fault}");
        }
    }
}

#[tokio::test]
async fn whoever_comes_for_nobody_sees_nothing() {
    for store in servers().await {
        two(&store).await;
        use sqlx::Connection as _;
        let mut connection = Connection::connect(store.home.url().whole().expose()).await.unwrap();
        assert!(forgetful(&mut connection, "tarseal.tickets").await.is_empty());
        assert!(forgetful(&mut connection, "tarseal_shares.shares").await.is_empty());
    }
}

#[tokio::test]
async fn every_table_with_tenants_keeps_them_apart() {
    for store in servers().await {
        let mut connection = store.read_across().await.unwrap();
        let open: Vec<(String,)> = sqlx::query_as(
            "SELECT CAST(c.oid::regclass AS TEXT) FROM pg_class c WHERE c.relkind = 'r'
             AND c.relnamespace IN ('tarseal'::regnamespace, 'tarseal_shares'::regnamespace)
             AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1",
        )
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let open: Vec<&str> = open.iter().map(|(table,)| table.as_str()).collect();
        // What is of the whole portal.
        let whole = [
            "applied",
            "backups",
            "checkpoints",
            "clock_mark",
            "clock_starts",
            "facts",
            "tarseal_shares.applied",
            "tiles",
        ];
        assert_eq!(open, whole);
    }
}

#[tokio::test]
async fn a_role_that_sees_everything_is_refused_and_makes_nothing() {
    let Ok(server) = std::env::var("TARSEAL_POSTGRES_SUPERUSER") else {
        assert!(std::env::var_os("TARSEAL_REQUIRE_PEERS").is_none(), "TARSEAL_POSTGRES_SUPERUSER is not set");
        eprintln!("skipped a superuser at PostgreSQL: TARSEAL_POSTGRES_SUPERUSER is not set");
        return;
    };
    let name = format!("tarseal_test_{}", crate::portal::app::random_id());
    on_server(&server, &format!("CREATE DATABASE {name}")).await;
    let home = Home::Database { server: server.clone(), name: name.clone() };
    let fault = Store::open_postgres(&home.url(), None).await.err().expect("it is refused");
    let fault = crate::portal::PortalError::from(fault);
    assert!(matches!(fault, crate::portal::PortalError::SeesEverything(_)), "{fault}");
    let made = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'tarseal%'");
    use sqlx::Connection as _;
    let mut connection = Connection::connect(home.url().whole().expose()).await.unwrap();
    assert!(made.fetch_optional(&mut connection).await.unwrap().is_none());
    connection.close().await.unwrap();
    on_server(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_not_lent() {
    for store in servers().await {
        two(&store).await;
        drop((store.read(&acme()).await.unwrap(), store.read(&acme()).await.unwrap()));
        store.begin(&acme()).await.unwrap().rollback().await.unwrap();
        on_server(
            store.home.url().whole().expose(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        assert_eq!(forgetful(&mut store.read(&acme()).await.unwrap(), "tickets").await, ["acme"]);
        let mut transaction = store.begin(&acme()).await.unwrap();
        assert_eq!(forgetful(&mut transaction, "tickets").await, ["acme"]);
    }
}

#[tokio::test]
async fn a_policy_that_got_lost_is_there_again_after_the_next_start() {
    for store in servers().await {
        two(&store).await;
        let mut transaction = store.begin_across().await.unwrap();
        let lost = "ALTER TABLE tickets DISABLE ROW LEVEL SECURITY; DROP POLICY of_tenant ON audit; DROP POLICY of_tenant ON tenants";
        transaction.execute(sqlx::raw_sql(lost)).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(forgetful(&mut store.read(&acme()).await.unwrap(), "tickets").await, ["acme", "other"]);
        let again = store.again().await;
        let mut lent = again.read(&acme()).await.unwrap();
        assert_eq!(forgetful(&mut lent, "tickets").await, ["acme"]);
        let policies = "SELECT CAST(count(*) AS BIGINT) FROM pg_policies WHERE tablename IN ('audit', 'tenants')";
        let (found,): (i64,) = sqlx::query_as(policies).fetch_one(&mut *lent).await.unwrap();
        assert_eq!(found, 2);
    }
}
