//! The log over every database: what was changed in it is found, and named.

use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::sequence::{advance, rebuild};
use super::verify::verify;
use super::*;
use crate::portal::Role;
use crate::portal::store::tests::stores;
use crate::portal::store::{Store, audit, log, receipts, tenants, tickets};
use crate::track::log::{Field, checkpoint};
use crate::track::receipt::{Kind, Receipt, sign, verify_logged};
use crate::track::{ReceiptKey, RetentionPolicy};

fn key() -> ReceiptKey {
    ReceiptKey::generate("support.vendor.example", &mut StdRng::seed_from_u64(1)).unwrap()
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T14:20:00Z".parse().unwrap()
}

fn person() -> Principal {
    Principal {
        tenant: tenant("acme"),
        token: String::from("0011223344556677"),
        role: Role::Technician,
        ticket: None,
        max_bytes: None,
        once: false,
        request: "cd".repeat(16),
        session: None,
        origin: Origin {
            address: Some("192.0.2.7".parse().unwrap()),
            tool: Tool::Tarseal,
            name: Some(String::from("Ada Example")),
        },
    }
}

/// Records `count` acts, of two tenants by turns.
async fn fill(store: &Store, count: usize) {
    let person = person();
    let mut transaction = store.begin_across().await.unwrap();
    for name in ["acme", "borg"] {
        tenants::add(&mut transaction, &tenant(name), &RetentionPolicy::default(), now()).await.unwrap();
    }
    for number in 0..count {
        let (tenant, actor) =
            if number % 2 == 0 { (tenant("acme"), Actor::Token(&person)) } else { (tenant("borg"), Actor::Worker) };
        let ticket = format!("47{number}");
        let what = (Act::ReadContent, On::Ticket(&ticket), Outcome::Done);
        record(&mut transaction, &tenant, now(), actor, what, Some("audio drops")).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// One receipt of each of `count` snapshots, as the portal signs it.
async fn sign_some(store: &Store, key: &ReceiptKey, count: u8) {
    let (tenant, ticket) = (tenant("acme"), "4711".parse().unwrap());
    let mut transaction = store.begin_across().await.unwrap();
    tenants::add(&mut transaction, &tenant, &RetentionPolicy::default(), now()).await.unwrap();
    tickets::add(&mut transaction, &tenant, &ticket, now()).await.unwrap();
    for number in 0..count {
        let id = crate::ids::FileId([number; 16]);
        sqlx::query(
            "INSERT INTO snapshots (tenant, id, ticket, size, sha256, phase, announced_at) VALUES ($1, $2, '4711', 6, $3, $4, 1)",
        )
        .bind(tenant.as_str())
        .bind(id.to_string())
        .bind("ab".repeat(32))
        .bind("stored")
        .execute(&mut *transaction)
        .await
        .unwrap();
        let receipt = Receipt {
            version: 1,
            kind: Kind::Upload,
            id: crate::portal::app::random_id(),
            portal: key.name().to_owned(),
            ticket: key.hide_ticket(&tenant, &ticket),
            sha256: "ab".repeat(32),
            size: 6,
            uploaded: now(),
            closed: None,
            due: now().plus_days(90),
            deleted: None,
            reason: None,
            steps: Vec::new(),
            backup_horizon_days: 7,
            policy_version: 1,
            grants: None,
        };
        let note = sign(&receipt, key).unwrap();
        let what = (Act::Store, On::Snapshot(&id), Outcome::Done);
        let number = record_signed(&mut transaction, &tenant, now(), Actor::Worker, what, &note).await.unwrap();
        receipts::add(&mut transaction, &tenant, &id, Kind::Upload, &receipt.id, (&note, number)).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn findings(store: &Store) -> Vec<String> {
    verify(store, &key(), None).await.unwrap().findings
}

async fn run(store: &Store, sql: &str) -> u64 {
    let mut transaction = store.begin_across().await.unwrap();
    let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    done.rows_affected()
}

#[tokio::test]
async fn every_edit_of_every_record_is_found_and_named() {
    for store in stores().await {
        fill(&store, 8).await;
        advance(&store, &key()).await.unwrap();
        assert_eq!(findings(&store).await, Vec::<String>::new());
        for column in
            ["id", "action", "purpose", "actor", "role", "tool", "kind", "object", "outcome", "ticket", "request"]
        {
            let was = format!("SELECT coalesce({column}, '') FROM audit WHERE tenant = 'acme' AND number = 2");
            let (was,): (String,) = sqlx::query_as(sqlx::AssertSqlSafe(was))
                .fetch_one(&mut *store.read_across().await.unwrap())
                .await
                .unwrap();
            run(&store, &format!("UPDATE audit SET {column} = 'x' WHERE tenant = 'acme' AND number = 2")).await;
            let found = findings(&store).await;
            assert!(found[0].contains("record 2 of acme"), "{column}: {found:?}");
            run(
                &store,
                &format!("UPDATE audit SET {column} = nullif('{was}', '') WHERE tenant = 'acme' AND number = 2"),
            )
            .await;
            assert_eq!(findings(&store).await, Vec::<String>::new(), "{column}");
        }
        for (name, number) in ["acme", "borg"].into_iter().flat_map(|name| (1..=4).map(move |number| (name, number))) {
            let its = format!("WHERE tenant = '{name}' AND number = {number}");
            run(&store, &format!("UPDATE audit SET at = at + 1 {its}")).await;
            let found = findings(&store).await;
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(&format!("record {number} of {name}")), "{found:?}");
            run(&store, &format!("UPDATE audit SET at = at - 1 {its}")).await;
        }
        assert_eq!(findings(&store).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn every_removed_or_moved_record_is_found_and_named() {
    for store in stores().await {
        fill(&store, 8).await;
        advance(&store, &key()).await.unwrap();
        for place in 0..8 {
            run(&store, &format!("UPDATE audit SET place = 1000 WHERE place = {place}")).await;
            let found = findings(&store).await;
            assert!(found.contains(&format!("the record at {place} of the log is gone")), "{found:?}");
            assert!(found.iter().any(|found| found.contains("behind the end")), "{found:?}");
            run(&store, &format!("UPDATE audit SET place = {place} WHERE place = 1000")).await;
        }
        for place in 0..7 {
            let swap = |from: i64, to: i64| format!("UPDATE audit SET place = {to} WHERE place = {from}");
            for (from, to) in [(place, 1000), (place + 1, place), (1000, place + 1)] {
                run(&store, &swap(from, to)).await;
            }
            let found = findings(&store).await;
            assert_eq!(found.len(), 2, "{found:?}");
            for (from, to) in [(place, 1000), (place + 1, place), (1000, place + 1)] {
                run(&store, &swap(from, to)).await;
            }
        }
        assert_eq!(findings(&store).await, Vec::<String>::new());
        run(&store, "DELETE FROM audit WHERE place = 7").await;
        assert_eq!(findings(&store).await[0], "the record at 7 of the log is gone");
    }
}

#[tokio::test]
async fn changed_tiles_checkpoints_openings_and_receipts_are_found() {
    for store in stores().await {
        let key = key();
        fill(&store, 300).await;
        sign_some(&store, &key, 3).await;
        advance(&store, &key).await.unwrap();
        let first = log::checkpoint(&mut store.read_across().await.unwrap()).await.unwrap().unwrap();
        fill(&store, 20).await;
        advance(&store, &key).await.unwrap();
        let good = verify(&store, &key, Some(&first.note)).await.unwrap();
        assert_eq!((good.records, good.receipts, good.waiting, good.findings), (323, 3, 0, Vec::new()));
        assert_eq!(good.openings, 160 * 3 + 160, "acme's have three, borg's the reason alone");

        for (change, back, named) in [
            (
                "UPDATE openings SET value = 'Bob Example' WHERE tenant = 'acme' AND number = 3 AND field = 'name'",
                "UPDATE openings SET value = 'Ada Example' WHERE tenant = 'acme' AND number = 3 AND field = 'name'",
                "the name of record 3 of acme",
            ),
            (
                "UPDATE receipts SET note = replace(note, '\"size\":6', '\"size\":7') WHERE record = 151",
                "UPDATE receipts SET note = replace(note, '\"size\":7', '\"size\":6') WHERE record = 151",
                "the signature does not fit",
            ),
            (
                "UPDATE receipts SET record = 9 WHERE record = 152",
                "UPDATE receipts SET record = 152 WHERE record = 9",
                "was signed for another record",
            ),
            (
                "UPDATE checkpoints SET size = size + 1",
                "UPDATE checkpoints SET size = size - 1",
                "the checkpoint's size was changed",
            ),
            (
                "UPDATE checkpoints SET note = replace(note, 'support', 'suppors')",
                "UPDATE checkpoints SET note = replace(note, 'suppors', 'support')",
                "the checkpoint: ",
            ),
        ] {
            assert!(run(&store, change).await > 0, "{change}");
            let found = findings(&store).await;
            assert!(found.iter().any(|found| found.contains(named)), "{change}: {found:?}");
            run(&store, back).await;
            assert_eq!(findings(&store).await, Vec::<String>::new(), "{back}");
        }
        run(&store, "DELETE FROM receipts WHERE record = 153").await;
        assert_eq!(findings(&store).await, ["the receipt of record 153 of acme is gone"]);
        for level in [0, 1] {
            let mut transaction = store.begin_across().await.unwrap();
            let was = log::tile(&mut transaction, (level, 0)).await.unwrap().unwrap();
            let mut changed = was.clone();
            changed[0] ^= 1;
            log::put_tile(&mut transaction, (level, 0), &changed).await.unwrap();
            transaction.commit().await.unwrap();
            assert!(findings(&store).await.len() > 1, "level {level}");
            rebuild(&store, &key).await.unwrap();
            assert_eq!(findings(&store).await.len(), 1);
        }
        // Whoever holds the key may sign another history; the witness has seen the first one.
        run(&store, "UPDATE audit SET action = 'store' WHERE place = 5").await;
        assert!(rebuild(&store, &key).await.is_err(), "other records are never taken for those that were signed");
        run(&store, "DELETE FROM tiles").await;
        run(&store, "DELETE FROM checkpoints").await;
        run(&store, "UPDATE audit SET place = NULL").await;
        advance(&store, &key).await.unwrap();
        let other = verify(&store, &key, Some(&first.note)).await.unwrap();
        assert!(
            other.findings.iter().any(|found| found.contains("the checkpoint that was kept")),
            "{:?}",
            other.findings
        );
    }
}

#[tokio::test]
async fn a_commitment_stays_when_what_opens_it_is_erased() {
    for store in stores().await {
        fill(&store, 6).await;
        advance(&store, &key()).await.unwrap();
        let mut transaction = store.begin_across().await.unwrap();
        let acme = tenant("acme");
        assert_eq!(audit::erase_value(&mut transaction, &acme, Field::Name, "Ada Example").await.unwrap(), 3);
        assert!(!audit::any_opening(&mut transaction, &acme, now()).await.unwrap(), "none is older");
        assert_eq!(audit::erase_openings(&mut transaction, &acme, now().plus_seconds(1)).await.unwrap(), 6);
        transaction.commit().await.unwrap();
        let left = audit::find(&mut store.read_across().await.unwrap(), &acme, 1).await.unwrap().unwrap().record;
        assert!(left.name.is_some() && left.address.is_some() && left.reason.is_some());
        assert!(!left.line().contains("Ada") && !left.line().contains("192.0.2.7") && !left.line().contains("audio"));
        assert_eq!(findings(&store).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn one_sequences_at_a_time_and_each_receipt_gets_its_proof_once() {
    for store in stores().await {
        let key = key();
        let other = store.again().await;
        fill(&store, 30).await;
        sign_some(&store, &key, 20).await;
        let (one, two) = tokio::join!(advance(&store, &key), advance(&other, &key));
        assert_eq!(one.unwrap() + two.unwrap(), 50);
        let mut connection = store.read_across().await.unwrap();
        let signed = receipts::page(&mut connection, None, 100).await.unwrap();
        assert_eq!(signed.len(), 20);
        for receipt in &signed {
            let found = verify_logged(&receipt.note, &key.portal_key()).unwrap();
            assert_eq!((found.receipt.id.as_str(), found.head.size), (receipt.id.as_str(), 50));
        }
        drop(connection);
        fill(&store, 10).await;
        advance(&store, &key).await.unwrap();
        let mut connection = store.read_across().await.unwrap();
        for (before, after) in signed.iter().zip(receipts::page(&mut connection, None, 100).await.unwrap()) {
            assert_eq!(before.note, after.note, "a proved receipt is never changed");
        }
        let head = log::checkpoint(&mut connection).await.unwrap().unwrap();
        assert_eq!(checkpoint::open(&head.note, &key.portal_key()).unwrap().size, 60);
        drop(connection);
        other.close().await;
    }
}

/// Prints how many records a second are written and sequenced, ten acts to a transaction, and how long a receipt takes to
/// verify: `cargo test --release --lib audit::tests::speed -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn speed() {
    let key = key();
    for store in stores().await {
        let acts = 50_000_usize;
        let begun = Instant::now();
        let (tenant, person) = (tenant("acme"), person());
        for _ in 0..acts / 10 {
            let mut transaction = store.begin_across().await.unwrap();
            for _ in 0..10 {
                let what = (Act::ReadContent, On::Ticket("4711"), Outcome::Done);
                record(&mut transaction, &tenant, now(), Actor::Worker, what, None).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }
        let written = begun.elapsed();
        advance(&store, &key).await.unwrap();
        let sequenced = begun.elapsed().checked_sub(written).unwrap();
        let each = |time: Duration| (acts as f64 / time.as_secs_f64()).round();
        println!("written {}/s, sequenced {}/s, both {}/s", each(written), each(sequenced), each(begun.elapsed()));
        let mut transaction = store.begin_across().await.unwrap();
        let begun = Instant::now();
        for _ in 0..1000 {
            let what = (Act::ReadContent, On::Ticket("4711"), Outcome::Done);
            record(&mut transaction, &tenant, now(), Actor::Token(&person), what, Some("why")).await.unwrap();
        }
        println!("with three openings {}/s", (1000.0 / begun.elapsed().as_secs_f64()).round());
        transaction.commit().await.unwrap();
        sign_some(&store, &key, 1).await;
        advance(&store, &key).await.unwrap();
        let signed = receipts::page(&mut store.read_across().await.unwrap(), None, 1).await.unwrap();
        let begun = Instant::now();
        for _ in 0..1000 {
            verify_logged(&signed[0].note, &key.portal_key()).unwrap();
        }
        println!("a receipt of {} bytes verifies in {:?}", signed[0].note.len(), begun.elapsed() / 1000);
        let begun = Instant::now();
        let told = verify(&store, &key, None).await.unwrap();
        println!("{} records looked at in {:?}, {:?}", told.records, begun.elapsed(), told.findings);
    }
}
