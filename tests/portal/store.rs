//! The same portal on `SQLite` and on `PostgreSQL` (`TARSEAL_POSTGRES`), and several processes on one database.

use std::sync::Arc;

use tarseal::clock::SystemClock;
use tarseal::portal::admin::Admin;
use tarseal::portal::{Config, Portal, PortalError};

use crate::client::{Sample, content, event, get, snapshot, store, told};
use crate::support::database::TestDatabase;
use crate::support::{TICKET, TestPortal};

/// A portal on each database that is there.
fn portals() -> Vec<(TestPortal, Option<TestDatabase>)> {
    let mut portals = vec![(TestPortal::start_with(|config| config.database = None), None)];
    if let Some(database) = TestDatabase::make() {
        let url = database.url().parse().unwrap();
        portals.push((TestPortal::start_with(|config| config.database = Some(url)), Some(database)));
    }
    portals
}

#[test]
fn a_snapshot_lives_and_is_deleted_alike_on_both_databases() {
    for (mut portal, _database) in portals() {
        let sample = Sample::new(1, 100_000);
        store(&portal, &sample);
        assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
        portal.restart();
        assert_eq!(event(&portal, "close", &serde_json::json!({})).0, 200);
        assert_eq!(snapshot(&portal, &sample)["state"], "stored");
        portal.days_pass(92);
        assert_eq!(portal.portal().sweep().unwrap().failed, 0);
        assert_eq!(snapshot(&portal, &sample)["state"], "deleted");
        let (status, _) = told(get(&portal, &portal.technician, &format!("/v1/snapshots/{}/receipt", sample.id)));
        assert_eq!(status, 200);
        assert_eq!(content(&portal, &sample).send().unwrap().status(), 410);
    }
}

#[test]
fn a_directory_goes_with_its_database_and_no_other() {
    let Some(database) = TestDatabase::make() else { return };
    let portal = TestPortal::start_with(|config| config.database = Some(database.url().parse().unwrap()));
    let sample = Sample::new(1, 1000);
    store(&portal, &sample);
    assert!(!portal.data().join("portal.db").exists() && !portal.data().join("shares.db").exists());
    let said = std::fs::read_to_string(portal.data().join("database")).unwrap();
    let password = database.url().split([':', '@']).nth(2).unwrap().to_owned();
    assert!(said.starts_with("postgres://") && !said.contains(&password), "{said}");

    let mut other = Config::new(portal.data(), ([127, 0, 0, 1], 0).into());
    other.database = Some("postgres://tarseal@127.0.0.1/another".parse().unwrap());
    let refused = Admin::with(&other, Arc::new(SystemClock)).err();
    assert!(matches!(refused, Some(PortalError::OtherDatabase(_))), "{refused:?}");
}

#[test]
fn a_second_process_has_the_key_of_the_first_or_does_not_start() {
    let Some(database) = TestDatabase::make() else { return };
    let portal = TestPortal::start_with(|config| config.database = Some(database.url().parse().unwrap()));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut config = Config::new(elsewhere.path().join("data"), ([127, 0, 0, 1], 0).into());
    config.database = Some(database.url().parse().unwrap());
    let refused = Portal::start(config.clone(), portal.clock.clone()).err();
    assert!(matches!(refused, Some(PortalError::OtherKey)), "{refused:?}");
    std::fs::copy(portal.data().join("receipt.key"), config.data.join("receipt.key")).unwrap();
    let second = Portal::start(config, portal.clock.clone()).unwrap();
    assert_eq!(second.key().to_string(), portal.portal().key().to_string());
    assert!(second.sweep().is_ok());
    // Whatever one process opens, the other knows at once.
    let path = format!("{}/v1/tickets/{TICKET}", second.url());
    assert_eq!(get(&portal, &portal.technician, &path).status(), 200);
}

#[test]
fn a_list_is_read_page_by_page_to_its_end() {
    for (portal, _database) in portals() {
        let samples: Vec<Sample> = (1..=5).map(|number| Sample::new(number, 100)).collect();
        samples[..4].iter().for_each(|sample| store(&portal, sample));
        let mut path = Some(String::from("/v1/snapshots?limit=2"));
        let (mut seen, mut pages) = (Vec::new(), 0);
        while let Some(next) = path {
            let response = get(&portal, &portal.technician, &next);
            path = response.headers().get("link").map(|link| {
                let link = link.to_str().unwrap();
                link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
            });
            let (status, page) = told(response);
            assert_eq!(status, 200);
            for snapshot in page["items"].as_array().unwrap() {
                seen.push(snapshot["id"].as_str().unwrap().to_owned());
            }
            pages += 1;
            if pages == 1 {
                // What comes in between is on a later page, and nothing twice.
                store(&portal, &samples[4]);
            }
        }
        assert_eq!(seen, samples.iter().map(|sample| sample.id.clone()).collect::<Vec<_>>());
        for wrong in ["?limit=0", "?limit=1001", "?limit=x", "?after=x", "?after=MQ"] {
            let path = format!("/v1/snapshots{wrong}");
            assert_eq!(get(&portal, &portal.technician, &path).status(), 400, "{wrong}");
        }
    }
}
