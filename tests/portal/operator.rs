//! What the operator does on the host, while the portal runs and before.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::json;
use tarseal::clock::{ManualClock, SystemClock};
use tarseal::portal::admin::{Admin, TokenOrder};
use tarseal::portal::{Config, Portal, PortalError, Role};
use tarseal::track::RetentionPolicy;

use crate::client::{Sample, event, get, snapshot, store};
use crate::support::{START, TICKET, TestPortal, ticket};

#[test]
fn the_first_start_makes_everything_for_its_owner_alone() {
    let portal = TestPortal::start();
    let mode = |name: &str| std::fs::metadata(portal.data().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("receipt.key"), 0o600);
    assert_eq!(mode("blobs"), 0o700);
    assert_eq!(portal.admin().tenants().unwrap(), ["default".parse().unwrap()]);
}

#[test]
fn a_directory_of_other_files_does_not_become_a_portal() {
    let place = tempfile::tempdir().unwrap();
    let clock = || Arc::new(ManualClock::at(START.parse().unwrap()));
    let admin = |data: &std::path::Path| Admin::with(&Config::new(data, ([127, 0, 0, 1], 0).into()), clock());
    let logs = place.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    for name in ["meeting.log", "lock"] {
        std::fs::write(logs.join(name), "mine").unwrap();
    }
    std::fs::set_permissions(&logs, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(admin(&logs), Err(PortalError::OtherFiles(_))));
    assert!(matches!(
        Portal::start(Config::new(&logs, ([127, 0, 0, 1], 0).into()), clock()),
        Err(PortalError::OtherFiles(_))
    ));
    assert_eq!(std::fs::read_dir(&logs).unwrap().count(), 2, "nothing was made in it");
    assert_eq!(std::fs::metadata(&logs).unwrap().permissions().mode() & 0o777, 0o755);

    // An empty one does, as a new file system is, and one whose first start was cut short.
    for (name, there) in [("empty", None), ("disk", Some("lost+found")), ("begun", Some("lock"))] {
        let data = place.path().join(name);
        std::fs::create_dir(&data).unwrap();
        if let Some(there) = there {
            std::fs::write(data.join(there), "").unwrap();
        }
        assert!(admin(&data).is_ok(), "{name}");
        assert!(admin(&data).is_ok(), "{name}, again");
    }
    assert!(admin(&place.path().join("new/below")).is_ok());
}

#[test]
fn one_directory_has_one_portal() {
    let portal = TestPortal::start();
    let second = Portal::start(Config::new(portal.data(), ([127, 0, 0, 1], 0).into()), Arc::new(SystemClock));
    assert!(matches!(second, Err(PortalError::Locked)));
    assert_eq!(get(&portal, "", "/healthz").status(), 200);
}

#[test]
fn a_portal_whose_files_lie_in_its_directory_is_not_opened_on_a_bucket() {
    let mut portal = TestPortal::start();
    portal.stop();
    let elsewhere =
        |config: &mut Config| config.blobs = Some(String::from("s3://elsewhere?endpoint=http://127.0.0.1:9"));
    let refused = portal.admin_with(elsewhere).err().unwrap();
    assert!(matches!(&refused, PortalError::OtherBlobs(place) if place == "directory"), "{refused}");
    assert!(portal.admin_with(|_| {}).is_ok());
}

#[test]
fn a_portal_does_not_listen_to_the_world_without_tls() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(directory.path(), ([0, 0, 0, 0], 0).into());
    assert!(matches!(Portal::start(config, Arc::new(SystemClock)), Err(PortalError::Insecure(_))));
}

#[test]
fn tokens_made_before_the_first_start_are_good_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
    let data = directory.path().join("a/b/data");
    let admin = Admin::open(&data, clock.clone()).unwrap();
    let key = admin.key();
    let token = admin.new_token(&TokenOrder::new(Role::Technician)).unwrap();
    drop(admin);
    let portal = Portal::start(Config::new(&data, ([127, 0, 0, 1], 0).into()), clock).unwrap();
    assert_eq!(portal.key(), key);
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{}/v1/tickets", portal.url())).bearer_auth(token.token.expose()).send().unwrap();
    assert_eq!(answer.status(), 200);
    portal.stop();
}

#[test]
fn tenants_and_tokens_are_listed_and_refused_plainly() {
    let portal = TestPortal::start();
    let admin = portal.admin();
    let acme = "acme".parse().unwrap();
    admin.new_tenant(&acme, &RetentionPolicy::default()).unwrap();
    assert!(matches!(admin.new_tenant(&acme, &RetentionPolicy::default()), Err(PortalError::TenantExists(_))));
    assert_eq!(admin.tenants().unwrap(), [acme.clone(), "default".parse().unwrap()]);
    assert!(matches!(admin.new_token(&TokenOrder::new(Role::Upload)), Err(PortalError::TicketNeeded)));
    let mut order = TokenOrder::new(Role::Auditor);
    order.tenant = Some("nobody".parse().unwrap());
    assert!(matches!(admin.new_token(&order), Err(PortalError::TenantUnknown(_))));
    assert!(matches!(admin.revoke("none"), Err(PortalError::TokenUnknown(_))));

    let tokens = admin.tokens().unwrap();
    assert_eq!(tokens.len(), 2);
    let upload = tokens.iter().find(|token| token.role == Role::Upload).unwrap();
    assert_eq!(upload.ticket, Some(ticket()));
    admin.revoke(&upload.id).unwrap();
    assert!(admin.tokens().unwrap().iter().any(|token| token.id == upload.id && token.revoked.is_some()));
    assert_eq!(get(&portal, &portal.upload, &format!("/v1/tickets/{TICKET}")).status(), 401);
}

#[test]
fn a_preview_lists_what_would_go_and_changes_nothing() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    let admin = portal.admin();
    assert_eq!(admin.sweep_preview("2027-02-18T23:59:59Z".parse().unwrap()).unwrap(), []);
    let due = admin.sweep_preview("2027-02-19T00:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].id.to_string(), due[0].due.to_string()),
        (sample.id.clone(), String::from("2027-02-20T00:00:00Z"))
    );
    assert_eq!(snapshot(&portal, &sample)["state"], "stored");
}

#[test]
fn the_operator_may_sweep_while_the_portal_runs() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.days_pass(95);
    assert_eq!(portal.admin().sweep().unwrap().deleted, 1);
    assert_eq!(snapshot(&portal, &sample)["state"], "deleted");
}
