//! Ticket systems, as the portal asks them and as they call: against a real HTTP server that answers with documented bodies
//! (`fixtures/tickets`).

#[path = "../support/ticket_server.rs"]
mod server;

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use sha2::Sha256;
use tarseal::clock::{Clock as _, SystemClock};
use tarseal::portal::admin::{Admin, AskedSource, Finding, Import, check_ticket_systems};
use tarseal::portal::{Config, Portal, PortalError};

use crate::client::{Sample, get, order, post, request, told};
use crate::support::{START, TICKET, TestPortal};
use server::{Reply, TicketServer};

const SECRET: &str = "a secret of the desk";
const HOOK_SECRET: &str = "a secret of the hooks";

/// One of the presets with what its system answers.
struct System {
    preset: &'static str,
    /// The portal's ticket.
    ticket: &'static str,
    /// The beginning of the path by which it is asked for.
    path: &'static str,
    /// The beginning of the path of what must be there.
    probe: &'static str,
    /// What the preset needs.
    needs: &'static str,
    /// What stands in the request for the secret.
    header: (&'static str, &'static str),
    /// The status with which it says that there is no such ticket.
    missing: u16,
    /// Signs a hook.
    sign: fn(&[u8]) -> (&'static str, String),
}

const SYSTEMS: [System; 5] = [
    System {
        preset: "zammad",
        ticket: "4711",
        path: "/api/v1/tickets/search?query=number:4711&limit=10&expand=true",
        probe: "/api/v1/users/me",
        needs: "",
        header: ("authorization", "Token token=a secret of the desk"),
        missing: 200,
        sign: |body| ("x-hub-signature", format!("sha1={}", hex::encode(mac_1(body)))),
    },
    System {
        preset: "jira",
        ticket: "DESK-4711",
        path: "/rest/api/3/issue/DESK-4711?fields=status,statuscategorychangedate,updated",
        probe: "/rest/api/3/myself",
        needs: "login.user = \"bot@support.example\"",
        header: ("authorization", "Basic Ym90QHN1cHBvcnQuZXhhbXBsZTphIHNlY3JldCBvZiB0aGUgZGVzaw=="),
        missing: 404,
        sign: |body| ("x-hub-signature", format!("sha256={}", hex::encode(mac_256(body)))),
    },
    System {
        preset: "gitlab",
        ticket: "4711",
        path: "/api/v4/projects/acme%2Fdesk/issues/4711",
        probe: "/api/v4/projects/acme%2Fdesk/issues?per_page=1",
        needs: "values = { project = \"acme/desk\" }",
        header: ("private-token", "a secret of the desk"),
        missing: 404,
        sign: |_| ("x-gitlab-token", String::from(HOOK_SECRET)),
    },
    System {
        preset: "servicenow",
        ticket: "INC0004711",
        path: "/api/now/table/incident?sysparm_query=number%3DINC0004711&",
        probe: "/api/now/table/incident?sysparm_fields=number&sysparm_limit=1",
        needs: "login.user = \"bot\"",
        header: ("authorization", "Basic Ym90OmEgc2VjcmV0IG9mIHRoZSBkZXNr"),
        missing: 200,
        sign: |_| ("x-tarseal-token", String::from(HOOK_SECRET)),
    },
    System {
        preset: "github",
        ticket: "4711",
        path: "/repos/acme/desk/issues/4711",
        probe: "/repos/acme/desk/issues?state=all&per_page=1",
        needs: "values = { owner = \"acme\", repository = \"desk\" }",
        header: ("authorization", "Bearer a secret of the desk"),
        missing: 404,
        sign: |body| ("x-hub-signature-256", format!("sha256={}", hex::encode(mac_256(body)))),
    },
];

fn mac_256(body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(HOOK_SECRET.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn mac_1(body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(HOOK_SECRET.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

impl System {
    fn fixture(&self, name: &str) -> String {
        fs::read_to_string(format!("fixtures/tickets/{}/{name}.json", self.preset)).unwrap()
    }

    fn missing(&self) -> Reply {
        Reply::new(self.missing, self.fixture("missing"))
    }
}

/// A portal, and the ticket system that it asks.
struct World {
    /// The operator's commands on the portal; closed before it.
    admin: Admin,
    portal: TestPortal,
    server: TicketServer,
    system: &'static System,
    config: PathBuf,
    _place: tempfile::TempDir,
}

fn system(preset: &str) -> &'static System {
    SYSTEMS.iter().find(|system| system.preset == preset).unwrap()
}

/// What the operator writes for a system, its list left out unless `more` says otherwise.
fn written(system: &System, address: &str, more: &str) -> String {
    format!(
        "[[source]]\nname = \"desk\"\ntenant = \"default\"\npreset = \"{}\"\naddress = \"{address}\"\n{}\n{more}\n\
         requests_per_minute = 60000\ntimeout = \"1s\"\nlogin.file = \"token\"\nhook.secret_file = \"hook\"\n",
        system.preset, system.needs
    )
}

fn secret(path: PathBuf, text: &str) {
    use std::io::Write as _;
    let file = fs::File::options().write(true).create_new(true).mode(0o600).open(path);
    writeln!(file.unwrap(), "{text}").unwrap();
}

impl World {
    /// A portal with a stored snapshot of the system's ticket, which is open in the system.
    fn new(preset: &str, more: &str) -> Self {
        let system = system(preset);
        let server = TicketServer::start();
        server.answer(system.probe, Reply::ok(system.fixture("probe")));
        server.answer(system.path, Reply::ok(system.fixture("open")));
        let more = if more.contains("list.") { more.to_owned() } else { format!("list = false\n{more}") };
        Self::with(system, server, |address| written(system, address, &more))
    }

    fn with(system: &'static System, server: TicketServer, written: impl FnOnce(&str) -> String) -> Self {
        let place = tempfile::tempdir().unwrap();
        secret(place.path().join("token"), SECRET);
        secret(place.path().join("hook"), HOOK_SECRET);
        let config = place.path().join("systems.toml");
        fs::write(&config, written(&server.url)).unwrap();
        let path = config.clone();
        let portal = TestPortal::start_with(|config| config.ticket_systems = Some(path));
        let world = Self { admin: portal.admin(), portal, server, system, config, _place: place };
        world.stored(1, system.ticket);
        world
    }

    /// Stores a snapshot of a ticket, which is opened if need be.
    fn stored(&self, number: u8, ticket: &str) -> Sample {
        let technician = &self.portal.technician;
        let sample = Sample { share: None, ..Sample::new(number, 100) };
        let opened = post(&self.portal, technician, "/v1/tickets", &json!({ "ticket": ticket }));
        assert!(matches!(opened.status().as_u16(), 201 | 409));
        let announced =
            post(&self.portal, technician, &format!("/v1/tickets/{ticket}/snapshots"), &sample.announcement());
        let upload = announced.headers()["location"].to_str().unwrap().to_owned();
        let stored = request(&self.portal, technician, "PATCH", &upload)
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", 0)
            .body(sample.bytes.clone());
        assert_eq!(stored.send().unwrap().status(), 204);
        sample
    }

    /// From now on the ticket looks like this.
    fn shows(&self, fixture: &str) {
        self.server.answer(self.system.path, Reply::ok(self.system.fixture(fixture)));
    }

    fn answers(&self, reply: Reply) {
        self.server.answer(self.system.path, reply);
    }

    /// Lets time pass until then and asks.
    fn at(&self, now: &str) {
        self.portal.set_clock(now);
        self.portal.portal().poll().unwrap();
    }

    fn hours_pass(&self, hours: i64) {
        self.portal.clock.set(self.portal.clock.now().plus_seconds(hours * 3600));
    }

    /// The ticket as the portal tells it.
    fn of(&self, ticket: &str) -> Value {
        let (status, told) = told(get(&self.portal, &self.portal.technician, &format!("/v1/tickets/{ticket}")));
        assert_eq!(status, 200, "{ticket}");
        told
    }

    fn closed_at(&self) -> Value {
        self.of(self.system.ticket)["closed_at"].clone()
    }

    fn standing(&self) -> AskedSource {
        self.admin.asked_sources().unwrap().remove(0)
    }

    fn health(&self) -> String {
        told(get(&self.portal, "", "/healthz")).1["status"].as_str().unwrap().to_owned()
    }

    /// Sends a hook.
    fn hook(&self, headers: &[(&str, &str)], body: &str) -> u16 {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client.post(format!("{}/hooks/desk", self.portal.url())).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().unwrap().status().as_u16()
    }

    fn signed_hook(&self, body: &str) -> u16 {
        let (name, value) = (self.system.sign)(body.as_bytes());
        self.hook(&[(name, &value)], body)
    }

    /// Waits until the system was asked so often for the ticket.
    fn until_asked(&self, times: usize) {
        let begun = Instant::now();
        while self.server.asked(self.system.path) < times {
            assert!(begun.elapsed() < Duration::from_secs(30), "it was not asked {times} times");
            std::thread::sleep(Duration::from_millis(10));
        }
        // The answer is taken when the turn is over.
        self.portal.portal().poll().unwrap();
    }
}

/// The whole life of a ticket, as its system tells it.
fn lives(preset: &str) {
    let world = World::new(preset, "");
    world.at(START);
    let asked = world.server.requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let (name, value) = world.system.header;
    assert_eq!(asked[0].headers[name], value);
    assert_eq!(world.closed_at(), Value::Null);

    world.shows("closed");
    world.at("2026-11-24T12:00:00Z");
    assert_eq!(world.closed_at(), "2026-11-23T09:30:00Z");
    assert_eq!(world.of(world.system.ticket)["snapshots"][0]["due_at"], "2027-02-22T00:00:00Z");
    world.at("2026-11-24T15:00:00Z");
    assert_eq!(world.closed_at(), "2026-11-23T09:30:00Z", "told again it is the same");

    world.shows("reopened");
    world.at("2026-11-26T12:00:00Z");
    assert_eq!(world.closed_at(), Value::Null);

    world.shows("closed_again");
    world.at("2026-11-28T12:00:00Z");
    assert_eq!(world.closed_at(), "2026-11-27T16:45:00Z", "not since the first closing");
    assert_eq!(world.health(), "ok");
}

#[test]
fn zammad_tells_the_life_of_a_ticket() {
    lives("zammad");
}

#[test]
fn jira_tells_the_life_of_a_ticket() {
    lives("jira");
}

#[test]
fn gitlab_tells_the_life_of_a_ticket() {
    lives("gitlab");
}

#[test]
fn servicenow_tells_the_life_of_a_ticket() {
    lives("servicenow");
}

#[test]
fn github_tells_the_life_of_a_ticket() {
    lives("github");
}

#[test]
fn a_closing_that_a_system_tells_half_a_year_late_leaves_a_week() {
    let world = World::new("github", "");
    world.at(START);
    world.shows("closed");
    world.at("2027-04-20T12:00:00Z");
    assert_eq!(world.closed_at(), "2026-11-23T09:30:00Z");
    assert_eq!(world.of(world.system.ticket)["snapshots"][0]["due_at"], "2027-04-28T00:00:00Z");
    assert_eq!(world.portal.portal().sweep().unwrap().deleted, 0);
    world.shows("reopened");
    world.at("2027-04-21T12:00:00Z");
    assert_eq!(world.of(world.system.ticket)["snapshots"][0]["due_at"], "2027-11-21T14:20:00Z");
}

/// Everything that can come instead of an answer; none of it closes a ticket that is closed by the next good answer.
fn fails(preset: &str) {
    let world = World::new(preset, "");
    world.at(START);
    let closed = world.system.fixture("closed");
    let long = format!("{}{}", " ".repeat(10 << 20), closed);
    let slow = Reply { wait: Duration::from_millis(1500), ..Reply::ok(&*closed) };
    let broken = Reply { breaks_off: true, ..Reply::ok(&closed[..closed.len() / 2]) };
    for (reply, fault) in [
        (Reply::new(401, world.system.fixture("refused")), "refused"),
        (Reply::new(403, world.system.fixture("refused")), "refused"),
        (Reply::new(429, "{}"), "busy"),
        (Reply::new(500, &*closed), "failing"),
        (Reply::new(503, &*closed), "busy"),
        (Reply::new(302, &*closed).with("location", "/elsewhere"), "redirected"),
        (Reply::new(204, ""), "unexpected"),
        (Reply::ok(&closed[..closed.len() / 2]), "not-json"),
        (Reply::ok("<html>Sign in</html>"), "not-json"),
        (Reply::ok(long), "too-long"),
        (Reply::ok("{\"fields\": 1}"), "unreadable"),
        (slow, "timed-out"),
        (broken, "broke-off"),
    ] {
        let shown = format!("{} {fault}", reply.status);
        world.answers(reply);
        world.hours_pass(7);
        let asked = world.server.asked(world.system.path);
        world.portal.portal().poll().unwrap();
        assert_eq!(world.server.asked(world.system.path), asked + 1, "{shown}");
        assert_eq!(world.closed_at(), Value::Null, "{shown}");
        let standing = world.standing();
        assert_eq!((standing.tickets, standing.unread), (1, 1), "{shown}");
        if !matches!(fault, "redirected" | "unexpected" | "not-json" | "too-long" | "unreadable") {
            assert_eq!(standing.fault.as_deref(), Some(fault), "{shown}");
            assert_eq!(world.health(), "ok", "{shown}: it is new");
            world.hours_pass(1);
            assert_eq!(world.health(), "degraded", "{shown}");
        }
        world.shows("open");
        world.hours_pass(7);
        world.portal.portal().poll().unwrap();
        let standing = world.standing();
        assert_eq!((standing.fault, standing.failing, standing.unread), (None, None, 0), "{shown}");
        assert_eq!(world.health(), "ok", "{shown}");
    }
    assert_eq!(world.server.asked("/elsewhere"), 0, "no redirect is followed");
    world.shows("unknown");
    world.hours_pass(7);
    world.portal.portal().poll().unwrap();
    assert_eq!((world.closed_at(), world.standing().unread), (Value::Null, 1), "a state nobody knows");
    world.shows("closed");
    world.hours_pass(7);
    world.portal.portal().poll().unwrap();
    assert_ne!(world.closed_at(), Value::Null);
}

#[test]
fn zammad_fails_and_nothing_is_closed() {
    fails("zammad");
}

#[test]
fn jira_fails_and_nothing_is_closed() {
    fails("jira");
}

#[test]
fn gitlab_fails_and_nothing_is_closed() {
    fails("gitlab");
}

#[test]
fn servicenow_fails_and_nothing_is_closed() {
    fails("servicenow");
}

#[test]
fn github_fails_and_nothing_is_closed() {
    fails("github");
}

#[test]
fn a_ticket_that_vanished_counts_as_closed_after_a_day_and_as_open_when_it_is_back() {
    for system in &SYSTEMS {
        let world = World::new(system.preset, "");
        world.at(START);
        world.answers(system.missing());
        world.at("2026-11-22T10:00:00Z");
        assert_eq!(world.closed_at(), Value::Null, "{}: once may be a fault", system.preset);
        world.at("2026-11-22T12:00:00Z");
        world.at("2026-11-23T09:59:00Z");
        assert_eq!(world.closed_at(), Value::Null, "{}: a day is not over", system.preset);
        world.at("2026-11-23T12:00:00Z");
        assert_eq!(world.closed_at(), "2026-11-22T10:00:00Z", "{}", system.preset);
        world.shows("reopened");
        world.at("2026-11-26T12:00:00Z");
        assert_eq!(world.closed_at(), Value::Null, "{}", system.preset);
    }
}

#[test]
fn a_ticket_that_its_system_never_knew_cannot_vanish() {
    let world = World::new("github", "");
    world.answers(world.system.missing());
    for day in 22..30 {
        world.at(&format!("2026-11-{day}T12:00:00Z"));
    }
    assert_eq!((world.closed_at(), world.standing().unread), (Value::Null, 1));
}

#[test]
fn who_may_not_see_the_tickets_closes_none_of_them() {
    for system in &SYSTEMS {
        let world = World::new(system.preset, "");
        world.at(START);
        // A token that lost its rights: these systems answer as if there was nothing.
        world.answers(system.missing());
        let nothing = if system.preset == "servicenow" { Reply::ok("{\"result\": []}") } else { Reply::new(404, "{}") };
        world.server.answer(system.probe, nothing);
        for day in 22..30 {
            world.at(&format!("2026-11-{day}T12:00:00Z"));
        }
        assert_eq!(world.closed_at(), Value::Null, "{}", system.preset);
        assert_eq!(world.standing().fault.as_deref(), Some("nothing-there"), "{}", system.preset);
        assert_eq!(world.health(), "degraded", "{}", system.preset);
    }
}

#[test]
fn a_system_is_left_alone_as_long_as_it_asks() {
    let world = World::new("github", "");
    let times = || world.server.asked(world.system.path);
    world.answers(Reply::new(429, "{}").with("retry-after", "20000"));
    world.at("2026-11-21T14:20:00Z");
    assert_eq!(times(), 1);
    world.at("2026-11-21T19:53:00Z");
    assert_eq!(times(), 1, "twenty thousand seconds are not over");
    world.at("2026-11-21T19:54:00Z");
    assert_eq!(times(), 2);
    // GitHub says it in its own way when nothing remains: until 2026-11-22T12:00:00Z.
    let used_up = Reply::new(403, "{}").with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", "1795348800");
    world.answers(used_up);
    world.at("2026-11-22T03:00:00Z");
    assert_eq!(times(), 3);
    world.at("2026-11-22T11:59:00Z");
    assert_eq!(times(), 3);
    assert_eq!(world.standing().fault.as_deref(), Some("busy"));
    world.shows("open");
    world.at("2026-11-22T12:00:01Z");
    assert_eq!(times(), 4);
}

#[test]
fn waits_grow_while_a_system_fails_and_each_ticket_has_its_own_time() {
    let world = World::new("github", "");
    let times = || world.server.asked(world.system.path);
    world.at(START);
    assert_eq!(times(), 1);
    world.at("2026-11-21T15:10:00Z");
    assert_eq!(times(), 1, "every hour, a tenth more or less");
    world.answers(Reply::new(500, ""));
    world.at("2026-11-21T15:30:00Z");
    assert_eq!(times(), 2);
    let mut asked = 0;
    for _ in 0..120 {
        world.portal.clock.set(world.portal.clock.now().plus_seconds(60));
        world.portal.portal().poll().unwrap();
        asked = times();
    }
    assert!((6..=10).contains(&asked), "{asked} times in two hours, instead of 120");
}

#[test]
fn a_ticket_that_cannot_be_read_does_not_keep_the_others_waiting() {
    let world = World::new("github", "");
    world.answers(Reply::ok("{}"));
    for number in 2..12 {
        let ticket = format!("50{number:02}");
        world.stored(number, &ticket);
        let body = world
            .system
            .fixture("closed")
            .replace("\"number\": 4711", &format!("\"number\": {}", 5000 + u32::from(number)));
        world.server.answer(format!("/repos/acme/desk/issues/{ticket}"), Reply::ok(body));
    }
    world.at("2026-11-24T12:00:00Z");
    for number in 2..12 {
        assert_eq!(world.of(&format!("50{number:02}"))["closed_at"], "2026-11-23T09:30:00Z", "{number}");
    }
    assert_eq!((world.closed_at(), world.standing().unread), (Value::Null, 1));
    world.answers(Reply::ok(world.system.fixture("closed").replace("\"number\": 4711", "\"number\": 4712")));
    world.at("2026-11-25T12:00:00Z");
    assert_eq!(world.closed_at(), Value::Null, "another ticket's answer is none");
}

#[test]
fn a_ticket_that_was_merged_is_kept_with_the_other() {
    let world = World::new("zammad", "");
    world.at(START);
    world.shows("merged");
    world
        .server
        .answer("/api/v1/links?link_object=Ticket&link_object_value=123", Reply::ok(world.system.fixture("links")));
    let other = "/api/v1/tickets/search?query=number:4712&";
    let of_other = |fixture: &str| Reply::ok(world.system.fixture(fixture).replace("\"4711\"", "\"4712\""));
    world.server.answer(other, of_other("open"));
    world.at("2026-11-25T12:00:00Z");
    assert_eq!(world.of("4711")["merged_into"], "4712");
    assert_eq!(world.closed_at(), Value::Null);
    let asked = world.server.asked(world.system.path);
    world.server.answer(other, of_other("closed"));
    world.at("2026-11-25T15:00:00Z");
    assert_eq!(world.of("4712")["closed_at"], "2026-11-25T15:00:00Z", "it was open at noon, whatever it says");
    assert_eq!(world.closed_at(), "2026-11-25T15:00:00Z");
    assert_eq!(world.server.asked(world.system.path), asked, "the other one is asked for instead");
}

#[test]
fn a_ticket_that_was_merged_into_nobody_knows_what_stays_open() {
    let world = World::new("zammad", "");
    world.at(START);
    world.shows("merged");
    for links in [
        Reply::ok("{\"links\": [], \"assets\": {}}"),
        Reply::ok(world.system.fixture("links").replace("\"4712\"", "\"../x\"")),
        Reply::ok(world.system.fixture("links").replace("\"4712\"", "\"4711\"")),
        Reply::ok(world.system.fixture("links").replace("\"normal\"", "\"parent\"")),
        Reply::new(404, "{}"),
    ] {
        world.server.answer("/api/v1/links", links);
        world.hours_pass(2);
        world.portal.portal().poll().unwrap();
        let told = world.of("4711");
        assert_eq!((&told["merged_into"], &told["closed_at"]), (&Value::Null, &Value::Null));
        assert_eq!(world.standing().unread, 1);
    }
}

#[test]
fn a_system_of_nobodys_preset_is_read_where_the_operator_says() {
    let server = TicketServer::start();
    let written = |address: &str| {
        format!(
            "[[source]]\nname = \"desk\"\ntenant = \"default\"\naddress = \"{address}/base/\"\nprefix = \"47\"\n\
             requests_per_minute = 60000\nheaders = {{ X-Api-Version = \"7\" }}\n\
             [source.login]\nkind = \"header\"\nheader = \"X-Key\"\nfile = \"token\"\n\
             [source.ask]\nurl = \"{{address}}/cases/{{ticket}}.json\"\nmissing = [410]\n\
             [source.read]\nticket = \"/case/no\"\nstate = \"/case/done\"\nclosed_at = \"/case/ended\"\n\
             updated_at = \"/case/touched\"\nmerged_into = \"/case/into\"\ntimes = \"seconds\"\n\
             open = [\"false\"]\nclosed = [\"true\"]\n"
        )
    };
    let case = |done: bool, ended: Option<i64>, into: Option<&str>| {
        Reply::ok(
            json!({ "case": { "no": 11, "done": done, "ended": ended, "touched": 1_795_270_700, "into": into } })
                .to_string(),
        )
    };
    server.answer("/base/cases/11.json", case(false, None, None));
    let world = World::with(system("github"), server, written);
    world.at(START);
    assert_eq!(world.server.requests()[0].headers["x-key"], SECRET);
    assert_eq!(world.server.requests()[0].headers["x-api-version"], "7");
    world.server.answer("/base/cases/11.json", case(true, Some(1_795_274_400), None));
    world.at("2026-11-21T18:00:00Z");
    assert_eq!(world.closed_at(), "2026-11-21T15:20:00Z");
    world.server.answer("/base/cases/11.json", Reply::new(404, ""));
    world.at("2026-11-21T20:00:00Z");
    assert_eq!(world.standing().unread, 1, "404 is not among the statuses that mean so");
    world.server.answer("/base/cases/11.json", case(true, Some(1_795_274_400), Some("12")));
    world.server.answer("/base/cases/12.json", Reply::new(410, ""));
    world.at("2026-11-22T20:00:00Z");
    assert_eq!(world.of(TICKET)["merged_into"], "4712");
}

#[test]
fn an_issue_that_was_moved_is_known_by_its_old_name() {
    let world = World::new("jira", "");
    world.at(START);
    world.shows("moved");
    world.at("2026-11-24T12:00:00Z");
    assert_eq!(world.closed_at(), "2026-11-23T09:30:00Z");
}

#[test]
fn what_a_technician_says_meanwhile_is_not_overruled_by_the_same_answer() {
    let world = World::new("github", "");
    world.at(START);
    let path = format!("/v1/tickets/{TICKET}");
    let (status, _) =
        order(&world.portal, &world.portal.technician, "POST", &format!("{path}/close"), Some(&json!({})));
    assert_eq!(status, 200);
    world.at("2026-11-22T14:20:00Z");
    assert_eq!(world.closed_at(), START, "the system says open, as it did before");
    world.shows("closed");
    world.at("2026-11-24T12:00:00Z");
    assert_eq!(world.closed_at(), START, "the earliest closing counts");
    world.shows("reopened");
    world.at("2026-11-26T12:00:00Z");
    assert_eq!(world.closed_at(), Value::Null, "something changed there");
}

#[test]
fn a_system_that_says_open_has_answered_for_a_silent_ticket() {
    let world = World::new("github", "every = \"24h\"");
    world.at(START);
    for day in 1..=190 {
        world.portal.days_pass(1);
        if day % 30 == 0 || day > 178 {
            world.portal.portal().sweep().unwrap();
            world.portal.portal().poll().unwrap();
        }
        assert_eq!(world.closed_at(), Value::Null, "day {day}");
    }
    assert_eq!(world.of(TICKET)["asked_at"], Value::Null, "it was asked, and answered");
    world.portal.days_pass(40);
    world.portal.portal().sweep().unwrap();
    assert_eq!(world.closed_at(), Value::Null, "thirty days after the question it is not closed for silence");
}

#[test]
fn nothing_is_asked_for_when_nothing_is_left_of_a_ticket() {
    let world = World::new("github", "");
    world.shows("closed");
    world.at("2026-11-24T12:00:00Z");
    world.portal.days_pass(100);
    assert_eq!(world.portal.portal().sweep().unwrap().deleted, 1);
    let asked = world.server.requests().len();
    world.portal.portal().poll().unwrap();
    world.portal.days_pass(1);
    world.portal.portal().poll().unwrap();
    assert_eq!((world.server.requests().len(), world.standing().tickets), (asked, 0));
}

#[test]
fn by_a_clock_that_jumped_nothing_is_asked() {
    let world = World::new("github", "");
    world.at(START);
    world.shows("closed");
    world.portal.clock.step("2027-05-01T00:00:00Z".parse().unwrap());
    world.portal.portal().poll().unwrap();
    assert_eq!((world.server.requests().len(), world.closed_at()), (1, Value::Null));
    world.admin.confirm_clock().unwrap();
    world.portal.portal().poll().unwrap();
    assert_eq!(world.closed_at(), "2026-11-23T09:30:00Z");
}

#[test]
fn a_list_tells_of_what_changed_page_by_page() {
    let list = "/repos/acme/desk/issues?state=all&since=";
    let world = World::new("github", "list.every = \"5m\"");
    let other = |number: u32| -> Value {
        let text = world.system.fixture("closed").replace("\"number\": 4711", &format!("\"number\": {number}"));
        serde_json::from_str(&text).unwrap()
    };
    let first: Vec<Value> = (0..100).map(|number| other(100_000 + number)).collect();
    let second = vec![
        json!({ "number": 4711, "state": 7 }),
        json!("nonsense"),
        serde_json::from_str(&world.system.fixture("closed")).unwrap(),
    ];
    world.server.answer(list, Reply::ok("[]"));
    world.at(START);
    assert_eq!(world.server.asked(world.system.path), 1);
    let requests = world.server.requests();
    let told = requests.iter().find(|asked| asked.path.starts_with(list)).unwrap();
    assert!(told.path.starts_with(&format!("{list}2026-11-20T14%3A20%3A00Z&")), "a day back at first: {}", told.path);
    let page =
        |number: u32| format!("{list}2026-11-21T14%3A20%3A00Z&sort=updated&direction=asc&per_page=100&page={number}");
    world.server.answer(page(1), Reply::ok(json!(first).to_string()));
    world.server.answer(page(2), Reply::ok(json!(second).to_string()));
    // Half an hour: the ticket itself is not asked for before an hour is over.
    world.at("2026-11-21T14:50:00Z");
    assert_eq!((world.server.asked(&page(1)), world.server.asked(&page(2)), world.server.asked(&page(3))), (1, 1, 0));
    assert_eq!(world.server.asked(world.system.path), 1, "it was in the list");
    assert_eq!(world.closed_at(), "2026-11-21T14:50:00Z", "what lies in the future is now");
}

#[test]
fn a_list_goes_on_with_what_each_page_tells() {
    let list = "/rest/api/3/search/jql?jql=updated%20%3E%3D%20-";
    let world = World::new("jira", "list.every = \"5m\"");
    let fields = "m%20order%20by%20updated%20asc&fields=status,statuscategorychangedate,updated&maxResults=100";
    let issue = |fixture: &str| -> Value { serde_json::from_str(&world.system.fixture(fixture)).unwrap() };
    world.server.answer(list, Reply::ok("{\"issues\": []}"));
    world.at(START);
    // A day back at first, and ten minutes more.
    assert_eq!(world.server.asked(&format!("{list}1450{fields}")), 1);
    let (first, second) = (format!("{list}40{fields}"), format!("{list}40{fields}&nextPageToken=a%2Fb%26c"));
    world.server.answer(&*first, Reply::ok(json!({ "issues": [], "nextPageToken": "a/b&c" }).to_string()));
    let last = json!({ "issues": [issue("closed")], "nextPageToken": "a/b&c", "isLast": true });
    world.server.answer(&*second, Reply::ok(last.to_string()));
    world.at("2026-11-21T14:50:00Z");
    assert_eq!((world.server.asked(&first), world.server.asked(&second)), (2, 1), "the same token again is the end");
    assert_eq!(world.closed_at(), "2026-11-21T14:50:00Z");
}

#[test]
fn a_list_that_fails_is_tried_again_later_and_closes_nothing() {
    let world = World::new("zammad", "list.every = \"5m\"");
    let list = "/api/v1/tickets/search?query=updated_at:%3Enow-";
    world.server.answer(list, Reply::ok("[]"));
    world.at(START);
    for reply in [Reply::new(500, "[]"), Reply::ok("{}"), Reply::new(404, "[]")] {
        world.server.answer(list, reply);
        let asked = world.server.asked(list);
        world.hours_pass(2);
        world.portal.portal().poll().unwrap();
        assert_eq!(world.server.asked(list), asked + 1);
        assert!(world.standing().fault.is_some());
    }
    assert_eq!(world.closed_at(), Value::Null);
    world.server.answer(list, Reply::ok("[]"));
    world.hours_pass(2);
    world.portal.portal().poll().unwrap();
    assert_eq!(world.standing().fault, None);
    let since_it_came = world.server.requests().into_iter().rev().find(|asked| asked.path.starts_with(list)).unwrap();
    assert!(since_it_came.path.contains("now-490m"), "eight hours and ten minutes: {}", since_it_came.path);
}

#[test]
fn a_signed_hook_makes_the_portal_ask_and_nothing_else() {
    for system in &SYSTEMS {
        let world = World::new(system.preset, "");
        world.at(START);
        let body = system.fixture("hook");
        world.portal.clock.set("2026-11-21T14:20:30Z".parse().unwrap());
        assert_eq!(world.signed_hook(&body), 202, "{}", system.preset);
        world.until_asked(2);
        assert_eq!(world.closed_at(), Value::Null, "{}: the hook says closed, the system says open", system.preset);
        // Told again and again it costs one question in ten seconds.
        for _ in 0..5 {
            assert_eq!(world.signed_hook(&body), 202);
        }
        world.portal.portal().poll().unwrap();
        assert_eq!(world.server.asked(system.path), 2, "{}", system.preset);
        world.shows("closed");
        world.portal.clock.set("2026-11-24T12:00:00Z".parse().unwrap());
        assert_eq!(world.signed_hook(&body), 202);
        world.until_asked(3);
        assert_eq!(world.closed_at(), "2026-11-23T09:30:00Z", "{}", system.preset);
    }
}

#[test]
fn a_hook_without_its_secret_does_nothing() {
    for system in &SYSTEMS {
        let world = World::new(system.preset, "");
        world.at(START);
        let body = system.fixture("hook");
        let (name, value) = (system.sign)(body.as_bytes());
        world.portal.clock.set("2026-11-21T14:21:00Z".parse().unwrap());
        let other = body.replace("4711", "4712");
        let other = if value == HOOK_SECRET { None } else { Some(world.hook(&[(name, &value)], &other)) };
        assert!(other.is_none_or(|status| status == 401), "{}: signed for another body", system.preset);
        let wrong = format!("{}x", &value[..value.len() - 1]);
        for headers in [vec![], vec![(name, &*wrong)], vec![(name, "")], vec![(name, &*value), (name, &*value)]] {
            assert_eq!(world.hook(&headers, &body), 401, "{}: {headers:?}", system.preset);
        }
        world.portal.portal().poll().unwrap();
        assert_eq!(world.server.asked(system.path), 1, "{}", system.preset);
    }
}

#[test]
fn a_hook_of_strange_form_is_refused() {
    let world = World::new("gitlab", "");
    let header = ("x-gitlab-token", HOOK_SECRET);
    let client = Client::builder().no_proxy().build().unwrap();
    for path in ["/hooks/nobody", "/hooks/", "/hooks/../desk", "/hooks/desk/4711"] {
        let asked = client.post(format!("{}{path}", world.portal.url())).header(header.0, header.1).body("{}");
        assert_eq!(asked.send().unwrap().status(), 404, "{path}");
    }
    assert_eq!(client.get(format!("{}/hooks/desk", world.portal.url())).send().unwrap().status(), 405);
    assert_eq!(world.hook(&[header], "{"), 422);
    assert_eq!(world.hook(&[header], &" ".repeat((1 << 20) + 1)), 413);
    let chunked = reqwest::blocking::Body::new(std::io::Read::take(std::io::repeat(b' '), (1 << 20) + 1));
    let asked = client.post(format!("{}/hooks/desk", world.portal.url())).header(header.0, header.1).body(chunked);
    assert_eq!(asked.send().unwrap().status(), 413);
    for nothing in
        ["{}", "[]", "1", "{\"object_attributes\": {\"iid\": null}}", "{\"object_attributes\": {\"iid\": \"../x\"}}"]
    {
        assert_eq!(world.hook(&[header], nothing), 202, "{nothing}");
    }
    let unknown = "{\"object_attributes\": {\"iid\": 9999}}";
    assert_eq!(world.hook(&[header], unknown), 202, "whether the portal knows it is not told");
    world.portal.portal().poll().unwrap();
    assert_eq!(world.server.asked("/api/v4/projects/acme%2Fdesk/issues/9999"), 0);
}

#[test]
fn a_system_without_a_hook_has_no_door() {
    let server = TicketServer::start();
    let github = system("github");
    let world = World::with(github, server, |address| {
        written(github, address, "").replace("hook.secret_file = \"hook\"\n", "")
    });
    assert_eq!(world.signed_hook(&github.fixture("hook")), 404);
}

#[test]
fn the_operator_sees_how_one_ticket_would_be_read() {
    let world = World::new("servicenow", "");
    let check = |ticket: Option<&str>| {
        let ticket = ticket.map(|ticket| ticket.parse().unwrap());
        let mut checked = check_ticket_systems(&world.config, None, ticket.as_ref(), &SystemClock).unwrap();
        assert_eq!((checked.len(), checked[0].hooks), (1, true));
        checked.remove(0).finding
    };
    assert_eq!(check(None), Finding::Answers);
    world.shows("closed");
    let Finding::Ticket { state, word, closed_at, updated_at, merged_into } = check(Some("INC0004711")) else {
        panic!("it is a ticket");
    };
    assert_eq!((state, &*word, merged_into), ("closed", "7", None));
    assert_eq!(closed_at.unwrap().to_string(), "2026-11-23T09:30:00Z");
    assert_eq!(updated_at.unwrap().to_string(), "2026-11-23T09:31:10Z");
    world.answers(world.system.missing());
    assert_eq!(check(Some("INC0004711")), Finding::Missing);
    world.answers(Reply::new(401, ""));
    let Finding::Failed { word, what } = check(Some("INC0004711")) else { panic!("it refuses") };
    assert_eq!(word, "refused");
    assert!(!what.contains(SECRET));
    let nowhere = Some("nowhere".parse().unwrap());
    assert!(check_ticket_systems(&world.config, nowhere.as_ref(), None, &SystemClock).is_err());
    assert_eq!(world.closed_at(), Value::Null, "nothing was written");
}

#[test]
fn a_portal_does_not_start_with_ticket_systems_that_cannot_be_meant() {
    let directory = tempfile::tempdir().unwrap();
    let start = |text: &str| {
        fs::write(directory.path().join("systems.toml"), text).unwrap();
        let mut config = Config::new(directory.path().join("data"), ([127, 0, 0, 1], 0).into());
        config.free_space_floor = 0;
        config.ticket_systems = Some(directory.path().join("systems.toml"));
        Portal::start(config, std::sync::Arc::new(SystemClock)).map(drop)
    };
    secret(directory.path().join("token"), SECRET);
    secret(directory.path().join("hook"), HOOK_SECRET);
    let good = written(system("github"), "https://desk.example.org", "");
    start(&good).unwrap();
    assert!(matches!(start("[[source]]\nname = 1"), Err(PortalError::TicketSystems(_))));
    let stranger = good.replace("\"default\"", "\"stranger\"");
    assert!(matches!(start(&stranger), Err(PortalError::TenantUnknown(_))));
    fs::set_permissions(directory.path().join("token"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(matches!(start(&good), Err(PortalError::TicketSystems(_))));
}

#[test]
fn a_system_is_known_by_its_certificate() {
    let server = TicketServer::start();
    let github = system("github");
    // The server speaks no TLS at all: whoever asks must notice before the secret is sent.
    let world = World::with(github, server, |address| written(github, &address.replace("http://", "https://"), ""));
    world.at(START);
    assert_eq!((world.standing().fault.as_deref(), world.server.requests().len()), (Some("untrusted"), 0));
    let config = fs::read_to_string(&world.config).unwrap();
    fs::copy("fixtures/tls/ca.pem", world.config.with_file_name("ca.pem")).unwrap();
    fs::write(&world.config, format!("{config}ca_file = \"ca.pem\"\n")).unwrap();
    let checked = check_ticket_systems(&world.config, None, None, &SystemClock).unwrap();
    assert!(matches!(checked[0].finding, Finding::Failed { word: "untrusted", .. }), "{checked:?}");
}

fn import(source: &str) -> Import {
    Import { tenant: None, source: source.parse().unwrap(), dry_run: false, skip_bad: false }
}

#[test]
fn closings_are_taken_out_of_a_table() {
    let world = World::new("github", "");
    world.stored(2, "4712");
    world.stored(3, "4713");
    world.portal.set_clock("2026-11-24T12:00:00Z");
    let admin = &world.admin;
    // As a spreadsheet writes it.
    let table = "\u{feff}ticket;closed_at;event\r\n4711;2026-11-22;a\r\n\"4712\"; 2026-11-23T09:30:00Z ;\r\n";
    let dry = admin.import_closings(table.as_bytes(), &Import { dry_run: true, ..import("old-desk") }).unwrap();
    assert_eq!((dry.lines, dry.closed, dry.repeated, dry.bad_lines, dry.written), (2, 2, 0, 0, false));
    assert_eq!(world.closed_at(), Value::Null);
    let done = admin.import_closings(table.as_bytes(), &import("old-desk")).unwrap();
    assert_eq!((done.lines, done.closed, done.repeated, done.written), (2, 2, 0, true));
    assert_eq!(world.closed_at(), "2026-11-22T23:59:59Z", "a day means its end");
    assert_eq!(world.of("4712")["closed_at"], "2026-11-23T09:30:00Z");
    assert_eq!(world.of("4713")["closed_at"], Value::Null);
    let again = admin.import_closings(table.as_bytes(), &import("old-desk")).unwrap();
    assert_eq!((again.closed, again.repeated), (0, 2));
    let again = admin.import_closings(table.as_bytes(), &Import { dry_run: true, ..import("old-desk") }).unwrap();
    assert_eq!((again.closed, again.repeated), (0, 2));
    assert!(admin.import_closings(table.as_bytes(), &import("api")).is_err(), "what requests tell has this name");
    let stranger = Import { tenant: Some("stranger".parse().unwrap()), ..import("old-desk") };
    assert!(matches!(admin.import_closings(table.as_bytes(), &stranger), Err(PortalError::TenantUnknown(_))));
}

#[test]
fn a_table_with_bad_lines_is_not_taken_unless_it_is_asked_for() {
    let world = World::new("github", "");
    world.stored(2, "4712");
    world.portal.set_clock("2026-11-24T12:00:00Z");
    let admin = &world.admin;
    let table = b"ticket,closed_at\n4711,2026-11-22T10:00:00Z\n9999,2026-11-22\n../x,2026-11-22\n4712,yesterday\n\
        4712,2027-01-01\n4711,2026-11-23\n4712\n4712,2026-11-20T00:00:00Z,x\n\xff,2026-11-22\n4712,2026-11-22T11:00:00Z\n"
        .as_slice();
    let refused = admin.import_closings(table, &import("old-desk")).unwrap();
    let told: Vec<(u64, &str)> = refused.bad.iter().map(|bad| (bad.line, bad.why.split(' ').next().unwrap())).collect();
    let numbers: Vec<u64> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7, 8, 9, 10, 11], "{:?}", refused.bad);
    assert_eq!((refused.lines, refused.bad_lines, refused.written), (10, 9, false));
    assert_eq!(world.closed_at(), Value::Null);
    let table = table.strip_suffix(b"4712,2026-11-22T11:00:00Z\n").unwrap();
    let taken = admin.import_closings(table, &Import { skip_bad: true, ..import("old-desk") }).unwrap();
    assert_eq!((taken.closed, taken.bad_lines, taken.written), (1, 8, true), "{:?}", taken.bad);
    assert_eq!(world.closed_at(), "2026-11-22T10:00:00Z");
    for nothing in ["", "ticket\n", "ticket,closed_at,ticket\n", "number,closed\n", "ticket,closed_at,name\n"] {
        assert!(admin.import_closings(nothing.as_bytes(), &import("old-desk")).is_err(), "{nothing:?}");
    }
    assert!(admin.import_closings(std::io::repeat(b'x'), &import("old-desk")).is_err(), "it has no end");
}
