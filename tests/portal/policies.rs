//! A tenant's policy: tried, proposed, approved.

use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::client::{Sample, event, get, order, post, snapshot, store, token, told};
use crate::person::{join, person, seconds_pass};
use crate::support::TestPortal;

fn policy(portal: &TestPortal, token: &str) -> Value {
    told(get(portal, token, "/v1/policies")).1
}

fn changed(portal: &TestPortal, token: &str, days: u16) -> Value {
    let mut policy = policy(portal, token)["in_force"].clone();
    policy["version"] = json!(policy["version"].as_u64().unwrap() + 1);
    policy["after_close_days"] = json!(days);
    policy["zone"] = json!("Europe/Brussels");
    policy
}

#[test]
fn a_preview_lists_what_would_move_and_changes_nothing() {
    let portal = TestPortal::start();
    let admin = token(&portal, Role::Admin);
    let (closed, open) = (Sample::new(1, 100), Sample::new(2, 100));
    store(&portal, &closed);
    store(&portal, &open);
    let preview = |days: u16| told(post(&portal, &admin, "/v1/policies/preview", &changed(&portal, &admin, days))).1;
    assert_eq!(preview(30)["snapshots"], json!([]), "an open ticket waits for the cap, which stays");
    event(&portal, "close", &json!({}));
    let earlier = preview(30);
    assert_eq!((&earlier["earlier"], &earlier["later"], &earlier["at_once"]), (&json!(2), &json!(0), &json!(0)));
    assert_eq!(earlier["snapshots"][0]["would_be_due_at"], "2026-12-21T23:00:00Z");
    assert_eq!(earlier["snapshots"][0]["due_at"], "2027-02-20T00:00:00Z");
    assert_eq!(preview(0)["at_once"], 2);
    assert_eq!(preview(100)["later"], 2);
    assert_eq!(snapshot(&portal, &closed)["due_at"], "2027-02-20T00:00:00Z");
    assert_eq!(policy(&portal, &admin)["in_force"]["version"], 1);
}

#[test]
fn a_policy_is_in_force_when_the_data_protection_officer_has_approved_it() {
    let portal = TestPortal::start();
    let (admin, dpo) = (person(&portal, Role::Admin, "admin"), person(&portal, Role::Dpo, "dpo"));
    let (admin, dpo) = (admin.session, dpo.session);
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    event(&portal, "close", &json!({}));
    let put = |token: &str, body: &Value| order(&portal, token, "PUT", "/v1/policies", Some(body));
    let thirty = changed(&portal, &admin, 30);
    assert_eq!(put(&portal.technician, &thirty).0, 403);
    assert_eq!(put(&dpo, &thirty).0, 403, "who approves does not propose");
    let (status, proposed) = put(&admin, &thirty);
    assert_eq!((status, &proposed["in_force"]["version"]), (202, &json!(1)));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-02-20T00:00:00Z");
    let approval = json!({ "approves": proposed["proposed"]["id"] });
    assert_eq!(put(&admin, &approval).0, 403, "who proposes does not approve");
    // Proposed anew in the meantime: what was looked at is not what would be approved.
    let (_, twenty) = put(&admin, &changed(&portal, &admin, 20));
    assert_eq!(put(&dpo, &approval).1["type"], "/problems/policy-version");
    let (status, approved) = put(&dpo, &json!({ "approves": twenty["proposed"]["id"] }));
    assert_eq!((status, &approved["in_force"]["after_close_days"]), (200, &json!(20)));
    assert_eq!((&approved["in_force"]["version"], &approved["proposed"]), (&json!(2), &json!(null)));
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2026-12-11T23:00:00Z", "counted anew in the tenant's zone");
    assert_eq!(put(&admin, &thirty).1["type"], "/problems/policy-version", "version 2 was");
    portal.set_clock("2026-12-10T23:00:00Z");
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
}

#[test]
fn two_tokens_are_not_two_persons() {
    let portal = TestPortal::start();
    let (admin, dpo) = (token(&portal, Role::Admin), token(&portal, Role::Dpo));
    let put = |token: &str, body: &Value| order(&portal, token, "PUT", "/v1/policies", Some(body));
    let refused = put(&admin, &changed(&portal, &admin, 30));
    assert_eq!((refused.0, &refused.1["type"]), (403, &json!("/problems/person-needed")));
    let grace = person(&portal, Role::Admin, "grace").session;
    let (status, proposed) = put(&grace, &changed(&portal, &admin, 30));
    assert_eq!(status, 202);
    let approval = json!({ "approves": proposed["proposed"]["id"] });
    assert_eq!(put(&dpo, &approval).1["type"], "/problems/person-needed");
    assert_eq!(policy(&portal, &admin)["in_force"]["version"], 1);
    let export = get(&portal, &admin, "/v1/audit?act=approve-policy").text().unwrap();
    assert!(export.contains("\"outcome\":\"denied\""), "the refusal is in the log: {export}");
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused() {
    let portal = TestPortal::start();
    let admin = person(&portal, Role::Admin, "admin").session;
    let good = changed(&portal, &admin, 30);
    for (field, value) in [
        ("after_close_days", json!(366)),
        ("hard_cap_days", json!(0)),
        ("hard_cap_days", json!(4000)),
        ("inactivity_days", json!(0)),
        ("zone", json!("Europe/Atlantis")),
        ("zone", json!(null)),
        ("after_close_days", json!(-1)),
        ("new_days", json!(3)),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        for path in ["/v1/policies", "/v1/policies/preview"] {
            let method = if path.ends_with("preview") { "POST" } else { "PUT" };
            assert_eq!(order(&portal, &admin, method, path, Some(&bad)).0, 422, "{field} {path}");
        }
    }
}

#[test]
fn an_administrator_who_resets_an_officer_is_not_the_second_person_for_a_day() {
    let portal = TestPortal::start();
    let (admin, officer) = (person(&portal, Role::Admin, "admin"), person(&portal, Role::Dpo, "officer"));
    let put = |token: &str, body: &Value| order(&portal, token, "PUT", "/v1/policies", Some(body));
    let (status, proposed) = put(&admin.session, &changed(&portal, &admin.session, 1));
    assert_eq!(status, 202, "{proposed}");
    let approval = json!({ "approves": proposed["proposed"]["id"] });
    let reset = post(&portal, &admin.session, &format!("/v1/users/{}/reset", officer.id), &json!({}));
    let taken = join(&portal, told(reset).1["invitation"].as_str().unwrap(), "officer");
    assert_eq!(taken.id, officer.id);
    assert_eq!(put(&taken.session, &approval).1["type"], "/problems/second-person");
    seconds_pass(&portal, 86_400);
    assert_eq!(put(&taken.here(&portal), &approval).0, 200, "the officer has found the account shut by then");
}
