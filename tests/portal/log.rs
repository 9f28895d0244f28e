//! The audit log: who may read it, what proves it, and what of it is public.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::blocking::Response;
use serde_json::Value;
use tarseal::portal::Role;
use tarseal::portal::admin::TokenOrder;
use tarseal::track::log::checkpoint;
use tarseal::track::log::export::{Report, Verifier};
use tarseal::track::log::tree::{check_consistency, check_inclusion, leaf};
use tarseal::track::receipt::verify_logged;
use tlog_tiles::{Error, Hash, HashReader as _, Tile, TileHashReader, TileReader, stored_hash_index};

use crate::client::{Sample, content, get, problem, store};
use crate::support::{TICKET, TestPortal, ticket};

fn token(portal: &TestPortal, role: Role, of_ticket: bool) -> String {
    let mut order = TokenOrder::new(role);
    order.valid_seconds = Some(400 * 86_400);
    order.ticket = of_ticket.then(ticket);
    portal.admin().new_token(&order).unwrap().token.expose().clone()
}

fn head(portal: &TestPortal) -> checkpoint::Head {
    let note = get(portal, "", "/log/checkpoint").text().unwrap();
    checkpoint::open(&note, &portal.portal().key()).unwrap()
}

fn hashes(response: Response) -> Vec<[u8; 32]> {
    assert_eq!(response.status(), 200);
    let body: Value = serde_json::from_str(&response.text().unwrap()).unwrap();
    let read = |hash: &Value| BASE64_STANDARD.decode(hash.as_str().unwrap()).unwrap().try_into().unwrap();
    body["hashes"].as_array().unwrap().iter().map(read).collect()
}

/// Every page of an export, one after the other.
fn export(portal: &TestPortal, token: &str, query: &str) -> String {
    let (mut whole, mut path) = (String::new(), format!("/v1/audit?{query}"));
    loop {
        let response = get(portal, token, &path);
        assert_eq!(response.status(), 200);
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        whole += &response.text().unwrap();
        let Some(link) = link else { return whole };
        path = link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned();
    }
}

fn verified(portal: &TestPortal, export: &str) -> Report {
    let mut lines = export.lines();
    let mut verifier = Verifier::new(lines.next().unwrap(), &portal.portal().key()).unwrap();
    lines.for_each(|line| verifier.line(line));
    verifier.finish()
}

#[test]
fn a_receipt_carries_the_proof_of_its_record_and_the_log_goes_on_from_it() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let path = format!("/v1/snapshots/{}/receipt", sample.id);
    let note = get(&portal, "", &path).text().unwrap();
    assert!(note.len() <= 4096, "{}", note.len());
    let logged = verify_logged(&note, &portal.portal().key()).unwrap();
    assert_eq!((logged.record.act.as_str(), logged.record.object.as_str()), ("store", sample.id.as_str()));
    assert!(logged.record.ticket.as_ref().is_some_and(|alias| alias != TICKET), "the log has no ticket's name");

    for _ in 0..3 {
        assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    }
    portal.portal().sweep().unwrap();
    let now = head(&portal);
    assert_eq!(now.size, logged.head.size + 3);
    let from = logged.head.size;
    let proof = hashes(get(&portal, "", &format!("/log/proof?from={from}&size={}", now.size)));
    check_consistency(&logged.head, &proof, &now).unwrap();
    let proof = hashes(get(&portal, "", &format!("/log/proof?index={}", logged.index)));
    check_inclusion(leaf(&logged.record.line()), logged.index, &proof, &now).unwrap();
    assert_eq!(get(&portal, "", &path).text().unwrap(), note, "a receipt never changes");
    for wrong in ["", "?index=9999", "?from=0", "?index=1&from=1", "?index=1&size=999999", "?index=-1", "?other=1"] {
        assert_eq!(problem(get(&portal, "", &format!("/log/proof{wrong}"))).0, 400, "{wrong}");
    }
}

/// Tiles as a client of C2SP's logs fetches them.
struct Tiles<'a>(&'a TestPortal, AtomicUsize);

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let fetch = |tile: &Tile| {
            self.1.fetch_add(1, Ordering::SeqCst);
            let path = tile.path();
            let response = get(self.0, "", &format!("/log/tile/{}", path.strip_prefix("tile/8/").unwrap()));
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.headers()["content-type"], "application/octet-stream");
            response.bytes().unwrap().to_vec()
        };
        Ok(tiles.iter().map(fetch).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn a_client_of_tiled_logs_reads_every_hash_and_no_record() {
    let portal = TestPortal::start();
    let admin = portal.admin();
    for number in 0..270 {
        let mut order = TokenOrder::new(Role::Auditor);
        order.valid_seconds = Some(3600 + number);
        admin.new_token(&order).unwrap();
        if number % 100 == 0 {
            portal.portal().sweep().unwrap();
        }
    }
    portal.portal().sweep().unwrap();
    let head = head(&portal);
    assert!(head.size > 270);
    let tiles = Tiles(&portal, AtomicUsize::new(0));
    let reader = TileHashReader::new(head.size, Hash(head.root), &tiles);
    let leaves: Vec<u64> = (0..head.size).map(|index| stored_hash_index(0, index)).collect();
    let found = reader.read_hashes(&leaves).unwrap();
    let auditor = token(&portal, Role::Auditor, false);
    for line in export(&portal, &auditor, "").lines().skip(1).take(270) {
        let exported: tarseal::track::log::Exported = serde_json::from_str(line).unwrap();
        assert_eq!(found[usize::try_from(exported.index).unwrap()].0, leaf(&exported.record.line()));
    }
    for path in ["entries/000", "data/000", "0/000.p/0", "64/000", "0/999", "0/001.p/256", "0/../../v1/audit"] {
        assert_eq!(get(&portal, "", &format!("/log/tile/{path}")).status(), 404, "{path}");
    }
}

#[test]
fn the_log_is_read_by_those_who_watch_and_a_ticket_s_part_by_its_customer() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    let other = "other".parse().unwrap();
    portal.admin().new_tenant(&other, &tarseal::track::RetentionPolicy::default()).unwrap();

    for role in [Role::Auditor, Role::Dpo, Role::Admin] {
        let whole = export(&portal, &order_in_default(&portal, role), "limit=3");
        let report = verified(&portal, &whole);
        assert_eq!(report.findings, Vec::new(), "{role}");
        assert!(report.statement.only.is_empty() && report.records >= 6);
        assert!(whole.contains("audio drop analysis"), "the reason is told to {role}");
        assert!(!whole.contains("\"tenant\":\"other\""));
    }
    for role in [Role::Technician, Role::Lead, Role::Staff] {
        let token = order_in_default(&portal, role);
        assert_eq!(problem(get(&portal, &token, "/v1/audit")).0, 403, "{role}");
    }
    assert_eq!(problem(get(&portal, "", "/v1/audit")).0, 401);

    let own = export(&portal, &portal.upload, "");
    let report = verified(&portal, &own);
    assert_eq!(report.findings, Vec::new());
    assert_eq!(report.statement.only["ticket"], TICKET);
    for act in ["\"act\":\"store\"", "\"act\":\"read-content\""] {
        assert!(own.contains(act), "{act}");
    }
    assert!(!own.contains("audio drop analysis"), "what the technician wrote is not the customer's to read");
    assert!(!own.contains("add-tenant"));
    assert_eq!(problem(get(&portal, &portal.upload, "/v1/audit?ticket=4712")).0, 404);
    for wrong in ["?limit=x", "?after=x", "?from=yesterday", "?format=xml", "?tenant=other"] {
        assert_eq!(problem(get(&portal, &portal.upload, &format!("/v1/audit{wrong}"))).0, 400, "{wrong}");
    }
}

/// A token in the first tenant, also when there are others.
fn order_in_default(portal: &TestPortal, role: Role) -> String {
    let mut order = TokenOrder::new(role);
    order.tenant = Some("default".parse().unwrap());
    portal.admin().new_token(&order).unwrap().token.expose().clone()
}

#[test]
fn an_export_that_was_tampered_with_on_its_way_is_found_out() {
    let portal = TestPortal::start();
    store(&portal, &Sample::new(1, 100));
    let whole = export(&portal, &token(&portal, Role::Auditor, false), "");
    let lines: Vec<&str> = whole.lines().collect();
    for gone in 1..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(gone);
        assert_ne!(verified(&portal, &fewer.join("\n")).findings, Vec::new());
    }
    let changed = whole.replacen("\"store\"", "\"delete\"", 1);
    assert_eq!(verified(&portal, &changed).findings.len(), 1);
}

#[test]
fn filters_and_forms_give_what_was_asked_for() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    portal.days_pass(3);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    let auditor = token(&portal, Role::Auditor, false);
    let late = export(&portal, &auditor, "from=2026-11-23T00:00:00Z&act=read-content");
    let report = verified(&portal, &late);
    assert_eq!((report.records, report.findings.len()), (1, 0));
    let early = export(&portal, &auditor, "until=2026-11-23T00:00:00Z&act=read-content");
    assert_eq!(verified(&portal, &early).records, 0);

    let table = export(&portal, &auditor, "format=csv&limit=2");
    assert_eq!(table.matches("number,index").count(), 1, "one head line for all pages");
    assert!(table.contains(",read-content,support,"));
    let events = export(&portal, &auditor, "format=ocsf&act=read-content");
    let event: Value = serde_json::from_str(events.trim_end()).unwrap();
    assert_eq!((event["class_uid"].as_u64(), event["activity_id"].as_u64()), (Some(6006), Some(2)));
    assert_eq!(event["file"]["uid"], sample.id);
    let syslog = export(&portal, &auditor, "format=syslog&act=read-content");
    assert!(syslog.starts_with("<85>1 2026-11-24T14:20:00Z tarseal-portal tarseal - read-content ["), "{syslog}");
}

#[test]
fn what_happened_while_no_portal_ran_is_logged_at_its_start_and_old_openings_are_erased() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);
    let auditor = token(&portal, Role::Auditor, false);
    assert!(export(&portal, &auditor, "").contains("audio drop analysis"));
    let before = head(&portal).size;
    portal.stop();
    for _ in 0..5 {
        portal.admin().new_token(&TokenOrder::new(Role::Auditor)).unwrap();
    }
    portal.restart();
    assert_eq!(head(&portal).size, before + 5, "at the start, before the first request");
    portal.days_pass(366);
    portal.portal().sweep().unwrap();
    let looked = portal.admin().audit_verify(None).unwrap();
    assert_eq!((looked.findings, looked.openings), (Vec::new(), 0));
    let whole = export(&portal, &auditor, "");
    assert_eq!(verified(&portal, &whole).findings, Vec::new());
    assert!(!whole.contains("audio drop analysis") && whole.contains("erase-openings"));
}
