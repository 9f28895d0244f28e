//! The audit log on the command line: fetched, verified without the portal, and looked at on the host.

use std::fs;

use crate::desk::Desk;

#[test]
fn an_export_is_verified_without_the_portal_and_any_change_of_it_is_named() {
    let mut desk = Desk::new();
    desk.keep_token("auditor.token", &["--role", "auditor"]);
    let (token, file) = (desk.at("auditor.token"), desk.at("audit.jsonl"));
    let key = desk.at("portal.key");
    fs::write(&key, desk.portal.as_ref().unwrap().key().to_string()).unwrap();
    desk.technician(&["audit", "export", "--token-file", &token, "-o", &file]).ends(0).says("EXPORTED.");
    desk.portal = None;

    let verify = |file: &str| desk.technician(&["audit", "verify", file, "--key", &key]);
    verify(&file).ends(0).says("VALID.");
    let whole = fs::read_to_string(&file).unwrap();
    let changed = desk.at("changed.jsonl");
    fs::write(&changed, whole.replacen("\"make-token\"", "\"revoke-token\"", 1)).unwrap();
    let found = verify(&changed).ends(6).says("NOT VALID.");
    assert!(found.out.contains("was changed"), "{}", found.out);
    let kept: Vec<&str> = whole.lines().enumerate().filter(|(number, _)| *number != 2).map(|(_, line)| line).collect();
    fs::write(&changed, kept.join("\n")).unwrap();
    let found = verify(&changed).ends(6);
    assert!(found.out.contains("record 2 is missing"), "{}", found.out);
    fs::write(&changed, "not an export\n").unwrap();
    verify(&changed).ends(6).says("NOT VALID.");
}

#[test]
fn the_portal_s_own_log_is_verified_on_its_host_and_an_edited_record_is_named() {
    let mut desk = Desk::new();
    desk.operator(&["sweep"]).ends(0);
    desk.portal = None;
    desk.operator(&["audit", "verify"]).ends(0).says("VALID.");
    let database = rusqlite::Connection::open(desk.dir.path().join("portal/portal.db")).unwrap();
    database.execute("UPDATE audit SET outcome = 'denied' WHERE tenant = 'agency' AND number = 2", []).unwrap();
    let found = desk.operator(&["audit", "verify"]).ends(6).says("NOT VALID.");
    assert!(found.out.contains("record 2 of agency"), "{}", found.out);
    desk.operator(&["audit", "rebuild"]).ends(7);
    database.execute("UPDATE audit SET outcome = 'done' WHERE tenant = 'agency' AND number = 2", []).unwrap();
    database.execute("DELETE FROM tiles", []).unwrap();
    desk.operator(&["audit", "verify"]).ends(6);
    desk.operator(&["audit", "rebuild"]).ends(0).says("REBUILT.");
    desk.operator(&["audit", "verify"]).ends(0);
}
