//! The API as it describes itself, tried from outside: schemathesis (PyPI) makes requests out of the description, good ones and bad
//! ones, and judges every answer by it.
//!
//! It runs where the environment of `TARSEAL_PYTHON` has it, and says so where it does not; `TARSEAL_REQUIRE_PEERS=1` insists.
//! `TARSEAL_SCHEMATHESIS_SECONDS` makes the run of each role that long.

use std::env;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::client::{Sample, announce, get, order, post, store, token, told};
use crate::inbox::sealed;
use crate::peers::{python, runs, there};
use crate::person::person;
use crate::support::{TICKET, TestPortal};

/// What a person is not let loose on: it ends the session that asks, by itself or after five wrong codes.
const ENDS_SESSIONS: &str = "^/v1/sessions?(/|$)";

/// A portal with something of everything, and the ids that are known in it.
struct Stage {
    portal: TestPortal,
    roles: Vec<(&'static str, String)>,
    /// Path, parameter, values.
    known: Vec<(&'static str, &'static str, Vec<String>)>,
}

impl Stage {
    fn set() -> Self {
        let portal = TestPortal::start();
        let technician = portal.technician.clone();
        for ticket in ["4712", "closed-1"] {
            assert_eq!(post(&portal, &technician, "/v1/tickets", &json!({ "ticket": ticket })).status(), 201);
        }
        let (kept, gone) = (Sample::new(1, 3000), Sample::new(2, 100));
        store(&portal, &kept);
        store(&portal, &gone);
        let (lead, dpo) = (token(&portal, Role::Lead), token(&portal, Role::Dpo));
        assert_eq!(order(&portal, &dpo, "DELETE", &format!("/v1/snapshots/{}", gone.id), None).0, 200);
        portal.portal().sweep().unwrap();
        let arriving = announce(&portal, &Sample::new(3, 500));
        let whole = sealed(4, 500, None);
        let put = crate::client::request(&portal, &portal.upload, "PUT", &format!("/in/{TICKET}/x")).body(whole.bytes);
        assert_eq!(put.send().unwrap().status(), 201);
        assert_eq!(post(&portal, &technician, "/v1/tickets/closed-1/close", &json!({})).status(), 200);
        let hold = json!({ "basis": "legal-claim", "reason": "a claim", "review_at": "2026-12-31" });
        let hold_path = format!("/v1/snapshots/{}/hold", kept.id);
        assert_eq!(order(&portal, &dpo, "PUT", &hold_path, Some(&hold)).0, 202);

        let admin = person(&portal, Role::Admin, "admin");
        let somebody = person(&portal, Role::Technician, "somebody");
        let made = told(post(&portal, &admin.session, "/v1/invitations", &json!({ "role": "staff" }))).1;
        let tokens = format!("/v1/tickets/{TICKET}/tokens");
        let token_id = told(post(&portal, &technician, &tokens, &json!({ "valid_seconds": 3600 }))).1["id"].clone();
        let receipt = receipt_id(&portal, &kept.id);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let known = vec![
            ("^/(v1/tickets|in)/", "path.ticket", vec![TICKET.into(), "4712".into(), "closed-1".into()]),
            ("^/v1/snapshots/", "path.id", vec![kept.id, gone.id, whole.id]),
            ("^/v1/uploads/", "path.id", vec![text(&json!(arriving.rsplit('/').next().unwrap()))]),
            ("^/v1/receipts/", "path.id", vec![receipt]),
            ("^/v1/tickets/.*/tokens/", "path.id", vec![text(&token_id)]),
            ("^/v1/invitations/", "path.id", vec![text(&made["id"])]),
            ("^/v1/users/", "path.id", vec![somebody.id.clone()]),
            ("/assignees/", "path.user", vec![somebody.id.clone()]),
            ("^/log/tile/", "path.path", vec!["0/000.p/1".into()]),
        ];
        let roles = vec![
            ("technician", technician),
            ("administrator", admin.session),
            ("data-protection officer", dpo),
            ("upload token", portal.upload.clone()),
            ("lead", lead),
        ];
        Self { portal, roles, known }
    }

    /// The settings of a run as somebody.
    fn settings(&self, bearer: &str) -> String {
        let mut text = format!("{SETTINGS}[auth.openapi.bearer]\nbearer = \"{bearer}\"\n");
        for (number, (_, _, values)) in self.known.iter().enumerate() {
            writeln!(text, "[dictionaries.known-{number}]\nvalues = {}", json!(values)).unwrap();
        }
        for (number, (path, parameter, _)) in self.known.iter().enumerate() {
            let known = format!("{{ dictionary = \"known-{number}\", probability = 0.8 }}");
            writeln!(
                text,
                "[[operations]]\ninclude-path-regex = '{path}'\nparameters = {{ \"{parameter}\" = {known} }}"
            )
            .unwrap();
        }
        text
    }
}

fn receipt_id(portal: &TestPortal, snapshot: &str) -> String {
    let note = get(portal, "", &format!("/v1/snapshots/{snapshot}/receipt")).text().unwrap();
    tarseal::track::receipt::verify(&note, &portal.portal().key()).unwrap().id
}

#[test]
fn schemathesis_finds_no_fault_and_no_answer_that_is_not_as_described() {
    let test = "schemathesis_finds_no_fault_and_no_answer_that_is_not_as_described";
    let is = runs(Command::new(python()).args(["-m", "schemathesis.cli", "--version"]));
    if !there(test, "TARSEAL_PYTHON with schemathesis", is) {
        return;
    }
    let stage = Stage::set();
    let directory = tempfile::tempdir().unwrap();
    let long: Option<u32> = env::var("TARSEAL_SCHEMATHESIS_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    for (who, bearer) in &stage.roles {
        if long.is_none() && !SHORT.contains(who) {
            continue;
        }
        std::fs::write(directory.path().join("hooks.py"), HOOKS).unwrap();
        let settings = directory.path().join("schemathesis.toml");
        std::fs::write(&settings, stage.settings(bearer)).unwrap();
        let mut command = Command::new(python());
        command.current_dir(directory.path()).args(["-m", "schemathesis.cli", "--config-file"]).arg(&settings);
        command.args(["run", &format!("{}/openapi.json", stage.portal.url())]);
        if bearer.starts_with("tss_") {
            command.args(["--exclude-path-regex", ENDS_SESSIONS]);
        }
        // What tus can do is answered whatever the path names. One worker: two at once break Python 3.11.
        command.args(["--exclude-method", "OPTIONS", "--checks", CHECKS, "--workers", "1", "--warnings", "off"]);
        command.args(["--suppress-health-check", "all"]);
        command.args(["--continue-on-failure", "--no-color", "--request-timeout", "20", "--output-sanitize", "false"]);
        match long {
            Some(seconds) => command.args(["--max-time", &seconds.to_string()]),
            None => command.args(["--phases", "coverage,fuzzing", "--max-examples", "4", "--seed", "1", "--no-shrink"]),
        };
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        if long.is_some() {
            eprintln!("{who}: {said}");
        }
        assert!(done.status.success(), "as {who}:\n{said}\n{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// As whom it runs in a short run; in a long one as everybody.
const SHORT: [&str; 3] = ["technician", "administrator", "data-protection officer"];

/// What each answer is held to. Not to everything the peer knows: whether no proof is refused is the table of roles' matter (and
/// who tries too often is told 429), and good requests are refused for reasons that no schema has.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,\
                      allow_header_conformance";

/// tus says 412 where others say 400.
const SETTINGS: &str = "hooks = \"hooks.py\"
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 429]
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 404, 409, 410, 412, 415, 422, 429]
";

/// The bytes of tus are bytes.
const HOOKS: &str = "import schemathesis
schemathesis.serializer.alias('application/offset+octet-stream', 'application/octet-stream')
";
