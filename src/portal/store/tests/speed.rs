//! How quick the store is with a million deadlines. Not part of the tests: a command of its own.
//!
//!     TARSEAL_POSTGRES=postgres://… cargo test --release --lib -- --ignored --nocapture a_million_deadlines
//!
//! `TARSEAL_DEADLINES` says how many instead.

use std::time::Instant;

use sqlx::AssertSqlSafe;

use super::{TestStore, stores};
use crate::clock::Timestamp;
use crate::portal::store::snapshots;
use crate::track::receipt::DeletionReason;

const BATCH: i64 = 500;
const DAY: i64 = 86_400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; run it by itself"]
async fn a_million_deadlines() {
    let rows = std::env::var("TARSEAL_DEADLINES").map_or(1_000_000, |rows| rows.parse::<i64>().unwrap());
    for store in stores().await {
        let began = Instant::now();
        fill(&store, rows).await;
        println!("{}: {rows} deadlines over 90 days, written in {:.1?}", store.name(), began.elapsed());
        idle(&store).await;
        due(&store).await;
    }
}

/// Stored snapshots of one ticket, due evenly over 90 days.
async fn fill(store: &TestStore, rows: i64) {
    let mut transaction = store.begin_across().await.unwrap();
    for sql in [
        String::from("INSERT INTO tenants (id, policy, created_at) VALUES ('acme', '{}', 0)"),
        String::from("INSERT INTO tickets (tenant, id, alias, opened_at) VALUES ('acme', '4711', 'a', 0)"),
        format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})
             INSERT INTO snapshots (tenant, id, ticket, size, sha256, phase, announced_at, uploaded_at, due_at, begins_at)
             SELECT 'acme', '0000000000000000000000' || CAST(1000000000 + i AS TEXT), '4711', 1, '', 'stored', 0, 0,
                    (2 + i * 7919 % 90) * {DAY} + i % {DAY}, (1 + i * 7919 % 90) * {DAY} + i % {DAY} FROM n"
        ),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    sqlx::raw_sql("ANALYZE").execute(&store.writer).await.unwrap();
}

/// The sweep's question when nothing is due.
async fn idle(store: &TestStore) {
    let before_all = Timestamp::from_seconds(DAY - 1);
    let mut connection = store.read_across().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..10_000 {
        let began = Instant::now();
        assert!(snapshots::due(&mut connection, before_all, None, BATCH).await.unwrap().is_empty());
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("{}: nothing is due: {:?} (p99 {:?})", store.name(), times[5_000], times[9_900]);
}

/// A day's due set: read in batches, and begun.
async fn due(store: &TestStore) {
    let now = Timestamp::from_seconds(2 * DAY - 1);
    let began = Instant::now();
    let all = snapshots::due(&mut store.read_across().await.unwrap(), now, None, i64::MAX).await.unwrap();
    let rate = |count: usize| count as f64 / began.elapsed().as_secs_f64();
    println!("{}: a day's {} due rows read: {:.0} rows/s", store.name(), all.len(), rate(all.len()));
    let (began, mut begun) = (Instant::now(), 0);
    loop {
        let mut transaction = store.begin_across().await.unwrap();
        let batch = snapshots::due(&mut transaction, now, None, BATCH).await.unwrap();
        for snapshot in &batch {
            let (tenant, id) = (&snapshot.tenant, &snapshot.id);
            let reason = DeletionReason::TicketClosed;
            assert!(snapshots::begin_deletion(&mut transaction, tenant, id, reason).await.unwrap());
        }
        transaction.commit().await.unwrap();
        begun += batch.len();
        if batch.is_empty() {
            break;
        }
    }
    assert_eq!(begun, all.len());
    let rate = begun as f64 / began.elapsed().as_secs_f64();
    println!("{}: a day's {begun} due rows read in batches of {BATCH} and begun: {rate:.0} rows/s", store.name());
}
