//! Ticket systems on the command line: tried, imported, looked at.

#[expect(dead_code, reason = "what the system was asked is looked at by the tests of the portal")]
#[path = "../support/ticket_server.rs"]
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::desk::Desk;
use server::{Reply, TicketServer};

const ISSUE: &str = "/repos/acme/desk/issues/4711";

fn configured(desk: &Desk, address: &str) -> String {
    let (secret, config) = (desk.at("github.token"), desk.at("systems.toml"));
    fs::write(&secret, "a secret of the desk\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "[[source]]\nname = \"desk\"\ntenant = \"agency\"\npreset = \"github\"\naddress = \"{address}\"\n\
         values = {{ owner = \"acme\", repository = \"desk\" }}\nlogin.file = \"github.token\"\n"
    );
    fs::write(&config, text).unwrap();
    config
}

#[test]
fn the_operator_is_told_how_an_answer_is_read_and_the_code_says_what_to_mend() {
    let (desk, server) = (Desk::new(), TicketServer::start());
    let config = configured(&desk, &server.url);
    let check = |more: &[&str]| desk.technician(&[&["portal", "tickets", "check", "--config", &config], more].concat());
    let fixture = |name: &str| fs::read_to_string(format!("fixtures/tickets/github/{name}.json")).unwrap();
    server.answer("/repos/acme/desk/issues?state=all", Reply::ok(fixture("probe")));
    server.answer(ISSUE, Reply::ok(fixture("closed")));
    let told = check(&[]).ends(0).out;
    assert_eq!(told, "desk (agency): it answers, and shows what must be there; no hooks\n");
    let told = check(&["--ticket", "4711"]).ends(0).out;
    let closed = "4711 is closed (in its words \"closed\"), closed 2026-11-23T09:30:00Z, touched 2026-11-23T09:31:10Z";
    assert_eq!(told, format!("desk (agency): {closed}; no hooks\n"));
    let told = check(&["--ticket", "4711", "--json"]).ends(0);
    let event: serde_json::Value = serde_json::from_str(told.out.lines().next().unwrap()).unwrap();
    assert_eq!((&event["state"], &event["closed_at"]), (&"closed".into(), &"2026-11-23T09:30:00Z".into()));
    for (reply, code, word) in [
        (Reply::ok(fixture("unknown")), 6, "is unknown (in its words \"archived\")"),
        (Reply::ok("<html>"), 6, "not-json"),
        (Reply::new(404, fixture("missing")), 10, "does not know 4711"),
        (Reply::new(401, fixture("refused")), 9, "refused"),
        (Reply::new(500, ""), 75, "failing"),
        (Reply::new(301, ""), 6, "redirected"),
    ] {
        server.answer(ISSUE, reply);
        let told = check(&["--ticket", "4711"]).ends(code);
        assert!(told.out.contains(word), "{}", told.out);
        assert!(!told.out.contains("a secret") && !told.err.contains("a secret"));
    }
    check(&["--source", "nobody"]).ends(2);
    drop(server);
    check(&["--ticket", "4711"]).ends(75);
    fs::set_permissions(desk.at("github.token"), fs::Permissions::from_mode(0o644)).unwrap();
    check(&[]).ends(7).says("others can read it");
    fs::write(&config, "[[source]]\nname = \"desk\"\n").unwrap();
    check(&[]).ends(2);
    desk.technician(&["portal", "tickets", "check", "--config", &desk.at("nowhere")]).ends(7);
}

#[test]
fn a_table_of_closings_is_taken_whole_or_not_at_all() {
    let desk = Desk::new();
    desk.forward(3);
    let file = desk.at("closed.csv");
    fs::write(&file, "ticket,closed_at\n4711,2026-11-22\n4712,2026-11-22\n").unwrap();
    let import = |more: &[&str]| {
        let all = [&["tickets", "import", &file, "--tenant", "agency", "--source", "old-desk"], more].concat();
        desk.operator(&all)
    };
    let refused = import(&[]).ends(6).says("1 bad line, so nothing was taken");
    assert_eq!(refused.out, "line 3: there is no ticket 4712\n");
    import(&["--dry-run"]).ends(6);
    let event: serde_json::Value =
        serde_json::from_str(import(&["--json"]).ends(6).out.lines().next().unwrap()).unwrap();
    assert_eq!((&event["line"], &event["why"]), (&3.into(), &"there is no ticket 4712".into()));
    import(&["--dry-run", "--skip-bad"]).ends(3).says("1 ticket would be closed");
    import(&["--skip-bad"]).ends(3).says("IMPORTED. 1 ticket closed, 0 known already, 1 bad line.");
    fs::write(&file, "ticket,closed_at\n4711,2026-11-22\n").unwrap();
    import(&["--dry-run"]).ends(0).says("0 tickets would be closed, 1 known already. Nothing was done.");
    import(&[]).ends(0).says("IMPORTED. 0 tickets closed, 1 known already, 0 bad lines.");
    fs::write(&file, "number\n4711\n").unwrap();
    import(&[]).ends(6).says("The table cannot be read");
    desk.operator(&["tickets", "import", &desk.at("nowhere"), "--source", "old-desk"]).ends(10);
    desk.operator(&["tickets", "status"]).ends(0).says("No ticket system was asked yet.");
}
