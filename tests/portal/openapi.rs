//! The API as it describes itself, tried from outside: schemathesis (`PyPI`) makes requests out of the description, good ones and bad
//! ones, and judges every answer by it.
//!
//! It runs where the environment of `TARSEAL_PYTHON` has it, and says so where it does not; `TARSEAL_REQUIRE_PEERS=1` insists.
//! `TARSEAL_SCHEMATHESIS_SECONDS` makes the run of each role that long.

use std::env;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use tarseal::portal::Role;

use crate::client::{Sample, announce, get, order, post, problem, request, store, token, told};
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
        let of_kept = |what: &str| format!("/v1/snapshots/{}/{what}", kept.id);
        let admin = person(&portal, Role::Admin, "admin");
        let officer = person(&portal, Role::Dpo, "officer").session;
        let somebody = person(&portal, Role::Technician, "somebody");
        let made = |who: &str, path: &str, body: Value| {
            let (status, told) = order(&portal, who, "POST", path, Some(&body));
            assert!(status < 300, "{path}: {status} {told}");
            told
        };
        assert_eq!(order(&portal, &officer, "DELETE", &format!("/v1/snapshots/{}", gone.id), None).0, 200);
        portal.portal().sweep().unwrap();
        let arriving = announce(&portal, &Sample::new(3, 500));
        let whole = sealed(4, 500, None);
        let put = request(&portal, &portal.upload, "PUT", &format!("/in/{TICKET}/x")).body(whole.bytes);
        assert_eq!(put.send().unwrap().status(), 201);
        made(&technician, "/v1/tickets/closed-1/close", json!({}));
        let hold = json!({ "basis": "legal-claim", "reason": "a claim", "review_at": "2026-12-31" });
        assert_eq!(order(&portal, &officer, "PUT", &of_kept("hold"), Some(&hold)).0, 202);

        let id = |told: Value| vec![told["id"].as_str().unwrap().to_owned()];
        let about = json!({ "kind": "information", "about": [{ "ticket": TICKET }] });
        let asked = json!({ "stand_in": "person-17", "why": "whose address it is" });
        let known = vec![
            ("^/(v1/tickets|in)/", "path.ticket", vec![TICKET.into(), "4712".into(), "closed-1".into()]),
            ("^/v1/snapshots/", "path.id", vec![kept.id.clone(), gone.id.clone(), whole.id.clone()]),
            ("/questions/", "path.question", id(made(&technician, &of_kept("questions"), asked))),
            ("^/v1/uploads/", "path.id", vec![arriving.rsplit('/').next().unwrap().to_owned()]),
            ("^/v1/receipts/", "path.id", vec![receipt_id(&portal, &kept.id)]),
            ("/tokens/", "path.id", id(made(&technician, &format!("/v1/tickets/{TICKET}/tokens"), valid(3600)))),
            ("^/v1/invitations/", "path.id", id(made(&admin.session, "/v1/invitations", json!({ "role": "staff" })))),
            ("^/v1/users/", "path.id", vec![somebody.id.clone()]),
            ("/assignees/", "path.user", vec![somebody.id.clone()]),
            ("^/v1/subject-requests/", "path.id", id(made(&officer, "/v1/subject-requests", about))),
            ("^/log/tile/", "path.path", vec!["0/000.p/1".into()]),
        ];
        let roles = vec![
            ("technician", technician.clone()),
            ("administrator", admin.session.clone()),
            ("data-protection officer", officer.clone()),
            ("upload token", portal.upload.clone()),
            ("lead", token(&portal, Role::Lead)),
            ("auditor", token(&portal, Role::Auditor)),
            ("person", somebody.session.clone()),
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

fn valid(seconds: u32) -> Value {
    json!({ "valid_seconds": seconds })
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

#[test]
fn a_request_keeps_its_own_id_into_the_audit_log() {
    let portal = TestPortal::start();
    let open = |ticket: &str, id: &str| {
        let asked = request(&portal, &portal.technician, "POST", "/v1/tickets").header("x-request-id", id);
        let answered = asked.body(json!({ "ticket": ticket }).to_string()).send().unwrap();
        assert_eq!(answered.status(), 201);
        answered.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    let own = ["00112233445566778899aabbccddeeff", "01234567-89ab-4cde-8f01-23456789abcd"];
    for (number, id) in own.into_iter().enumerate() {
        assert_eq!(open(&format!("own-{number}"), id), id);
    }
    let drawn = open("drawn", "ada.lovelace@example.org");
    assert!(drawn.len() == 32 && drawn.bytes().all(|byte| byte.is_ascii_hexdigit()), "{drawn}");
    let log = get(&portal, &token(&portal, Role::Auditor), "/v1/audit?act=open-ticket").text().unwrap();
    let records: Vec<Value> = log.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let logged: Vec<&str> = records.iter().filter_map(|record| record["record"]["request"].as_str()).collect();
    assert_eq!(logged, [own[0], own[1], &drawn]);
    assert!(!log.contains("lovelace"));
}

#[test]
fn what_no_text_can_hold_is_refused_and_told_as_a_problem() {
    let portal = TestPortal::start();
    let admin = token(&portal, Role::Admin);
    let nothing = (404, String::from("/problems/page-unknown"));
    for path in ["/v1/users/%FF", "/v1/users/a%00b", "/v1/tickets/%C3%28", "/v1/tickets/4711%00", "/log/tile/%00"] {
        assert_eq!(problem(get(&portal, &admin, path)), nothing, "{path}");
    }
    let wrong = (400, String::from("/problems/bad-request"));
    for path in ["/v1/tickets?after=%00", "/v1/snapshots?ticket=a%00", "/v1/audit?act=%00", "/healthz?x=%00"] {
        assert_eq!(problem(get(&portal, &admin, path)), wrong, "{path}");
    }
    let huge = "9".repeat(400);
    for path in
        [format!("/log/proof?index={huge}"), format!("/v1/tickets?limit={huge}"), format!("/v1/audit?limit=-{huge}")]
    {
        assert_eq!(problem(get(&portal, &admin, &path)), wrong, "{path:.40}");
    }
    for body in ["", "{", "null", "[]", "\u{feff}{}", "{\"ticket\":\"a\\u0000\"}", &"[".repeat(10_000)] {
        let sent = request(&portal, &admin, "POST", "/v1/tickets").body(body.to_owned()).send().unwrap();
        assert_eq!(problem(sent), (422, String::from("/problems/bad-request")), "{body:.20}");
    }
    let known = get(&portal, "", "/openapi.json");
    assert_eq!(known.headers()["content-type"], "application/json");
    assert_eq!(told(known).1["openapi"], "3.1.0");
}
