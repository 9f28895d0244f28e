//! Several portals, several tickets: what one token or one failure means for the others.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use crate::desk::{Desk, files_below};

/// Stands before a portal and remembers what it is asked.
struct Doorman {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
    /// Whether it refuses announcements.
    refuses: Arc<AtomicBool>,
    /// Whether it refuses bytes.
    stops: Arc<AtomicBool>,
    /// Whether it hangs up on everybody.
    away: Arc<AtomicBool>,
}

impl Doorman {
    fn before(portal: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let portal = portal.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let door =
            Self { url, heard: Arc::default(), refuses: Arc::default(), stops: Arc::default(), away: Arc::default() };
        let (ear, away) = (Arc::clone(&door.heard), Arc::clone(&door.away));
        let (refuses, stops) = (Arc::clone(&door.refuses), Arc::clone(&door.stops));
        thread::spawn(move || {
            for client in listener.incoming().flatten().filter(|_| !away.load(Ordering::SeqCst)) {
                let Ok(server) = TcpStream::connect(&portal) else { continue };
                let (mut client_out, mut server_in) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (ear, away) = (Arc::clone(&ear), Arc::clone(&away));
                let (refuses, stops) = (Arc::clone(&refuses), Arc::clone(&stops));
                thread::spawn(move || {
                    let refused = |begins: &str| {
                        let announces = begins.starts_with("POST ") && begins.contains("/snapshots ");
                        (refuses.load(Ordering::SeqCst) && announces)
                            || (stops.load(Ordering::SeqCst) && begins.starts_with("PATCH "))
                    };
                    pass(client, server, &ear, &away, refused);
                });
                thread::spawn(move || {
                    let _ = std::io::copy(&mut server_in, &mut client_out);
                    let _ = client_out.shutdown(Shutdown::Both);
                });
            }
        });
        door
    }

    fn leave(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    fn come_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    /// What was asked since the last time.
    fn heard(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.heard.lock().unwrap())).into_owned()
    }
}

/// Passes requests on until one is refused; each begins in a read of its own, since the client waits for the answer before it.
fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    ear: &Mutex<Vec<u8>>,
    away: &AtomicBool,
    refused: impl Fn(&str) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = client.read(&mut buffer) {
        let bytes = &buffer[..length];
        ear.lock().unwrap().extend_from_slice(bytes);
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        if refused(&String::from_utf8_lossy(line)) {
            let _ = client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            break;
        }
        if length == 0 || away.load(Ordering::SeqCst) || server.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

/// A desk with a token for each of these tickets, in files of their names.
fn desk_with(tickets: &[&str]) -> Desk {
    let desk = Desk::new();
    for ticket in tickets {
        desk.keep_token(ticket, &["--role", "upload", "--ticket", ticket, "--expires", "30d"]);
    }
    fs::write(desk.at("a.log"), "2026-11-20 all is well\n").unwrap();
    desk
}

fn send(desk: &Desk, ticket: &str, portal: &str) -> crate::desk::Ran {
    let (log, token) = (desk.at("a.log"), desk.at(ticket));
    desk.sender(&["send", &log, "--ticket", ticket, "--yes", "--portal", portal, "--token-file", &token])
}

/// The settings name another portal than the ledger, and a token that is for that one.
fn move_to_another(desk: &mut Desk) {
    fs::write(desk.at("other.token"), "SECRET-OF-ANOTHER-VENDOR").unwrap();
    fs::set_permissions(desk.at("other.token"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.variables = vec![
        ("TARSEAL_PORTAL".into(), "http://127.0.0.1:9".into()),
        ("TARSEAL_TOKEN_FILE".into(), desk.at("other.token").into()),
    ];
}

#[test]
fn the_settings_token_is_not_shown_to_another_portal_of_the_ledger() {
    let mut desk = desk_with(&["7000", "7001"]);
    let door = Doorman::before(&desk.url());
    send(&desk, "7000", &door.url).ends(0);
    door.refuses.store(true, Ordering::SeqCst);
    send(&desk, "7001", &door.url).ends(9);
    door.refuses.store(false, Ordering::SeqCst);
    assert!(door.heard().to_lowercase().contains("authorization: bearer "), "the doorman hears tokens");

    move_to_another(&mut desk);
    desk.sender(&["sync"]).ends(0);
    assert!(door.heard().contains("/receipt "), "a receipt is asked for without a token");
    let name_it = format!("--portal {}/ --token-file FILE", door.url);
    for command in
        [&["withdraw", "7000", "--yes"][..], &["answer", "7000"], &["answer"], &["resume", "7001"], &["resume"]]
    {
        desk.sender(command).ends(9).says("Your token was not sent.").says(&name_it);
        let heard = door.heard();
        assert!(!heard.to_lowercase().contains("authorization"), "{command:?}: {heard}");
    }

    let (portal, token) = (["--portal", &door.url, "--token-file"], [desk.at("7000"), desk.at("7001")]);
    desk.sender(&[&["withdraw", "7000", "--yes"][..], &portal, &[&token[0]]].concat()).ends(0).says("WITHDRAWN.");
    desk.sender(&[&["resume", "7001"][..], &portal, &[&token[1]]].concat()).ends(0).says("SENT.");
    assert!(!door.heard().contains("SECRET-OF-ANOTHER-VENDOR"));
}

#[test]
fn a_token_that_is_typed_without_a_portal_is_for_the_one_that_is_meant() {
    let mut desk = desk_with(&["7000", "7001"]);
    let (one, two) = (Doorman::before(&desk.url()), Doorman::before(&desk.url()));
    send(&desk, "7000", &one.url).ends(0);
    send(&desk, "7001", &two.url).ends(0);
    // Empty is as good as not set.
    desk.variables = vec![("TARSEAL_PORTAL".into(), "".into()), ("TARSEAL_TOKEN_FILE".into(), "".into())];
    one.heard();
    two.heard();
    let token = desk.at("7000");
    desk.sender(&["sync", "--token-file", &token])
        .ends(2)
        .says("Your token was not sent.")
        .says(&one.url)
        .says(&two.url);
    assert_eq!(one.heard() + &two.heard(), "");
    desk.sender(&["sync", "--token-file", &token, "--portal", &one.url]).ends(0);
    assert!(one.heard().to_lowercase().contains("authorization"));
    let heard = two.heard();
    assert!(heard.contains("/receipt ") && !heard.to_lowercase().contains("authorization"), "{heard}");
    desk.sender(&["withdraw", "7000", "--yes", "--token-file", &token]).ends(0);
}

#[test]
fn a_portal_that_the_policy_does_not_allow_is_not_spoken_to_whatever_the_ledger_says() {
    let desk = desk_with(&["7000"]);
    let door = Doorman::before(&desk.url());
    send(&desk, "7000", &door.url).ends(0);
    fs::write(desk.at("etc.toml"), "[policy]\nallow_portals = ['https://support.vendor.example']\n").unwrap();
    door.heard();
    for command in [&["sync"][..], &["withdraw", "7000", "--yes"], &["answer", "7000"]] {
        desk.sender(command).ends(5).says("does not allow");
    }
    assert_eq!(door.heard(), "");
}

#[test]
fn what_comes_on_standard_input_is_not_sent_as_the_token() {
    let desk = desk_with(&["9000"]);
    let door = Doorman::before(&desk.url());
    let send = ["send", "-", "--ticket", "9000", "--yes", "--portal", &door.url, "--token-file", "-"];
    let ran = desk.sender_types(&send, "patient Alice Liddell\n").ends(2);
    ran.says("NOT SENT.").says("PATH").says("--token-file");
    assert_eq!(door.heard(), "");
    for name in ["TARSEAL_TOKEN_FILE", "TARSEAL_SENDER_KEY"] {
        let mut desk = desk_with(&[]);
        desk.variables = vec![(name.into(), "-".into())];
        let send = ["send", "-", "--ticket", "4711", "--yes"];
        desk.sender_types(&send, "patient Alice Liddell\n").ends(2).says("names standard input");
    }
    assert!(!Path::new(&desk.at("sender/outgoing")).exists());
}

#[test]
fn a_snapshot_that_the_token_is_not_for_keeps_nobody_from_asking_for_the_others() {
    let desk = desk_with(&["4712", "5000", "9100"]);
    let url = desk.url();
    for ticket in ["4712", "5000", "9100"] {
        send(&desk, ticket, &url).ends(0);
    }
    desk.technician(&["close", "9100"]).ends(0);
    let with = |token: &str| ["sync", "--json", "--token-file", &desk.at(token)].map(str::to_owned);
    let sync = |token: &str| desk.sender(&with(token).each_ref().map(String::as_str));
    let ran = sync("9100").ends(0).says("SYNCED. 3 snapshots asked for, 0 newly deleted, 2 not answered.");
    let result = ran.result();
    assert_eq!((&result["asked"], &result["not_answered"]), (&json!(3), &json!(2)));
    assert_eq!(ran.out.lines().filter(|line| line.contains("\"not_answered\",\"")).count(), 2, "{}", ran.out);
    assert!(desk.sender(&["status", "9100"]).ends(0).out.contains("ticket closed"), "the last one was asked");

    // An expired token is told, also when every receipt could be asked for.
    desk.forward(31);
    let ran = sync("9100").ends(9).says("NOT SYNCED. 3 snapshots asked for, 0 newly deleted, 3 not answered.");
    assert_eq!(ran.result()["status"], "failed");
    // Receipts come all the same.
    desk.forward(60);
    desk.operator(&["sweep"]).ends(0);
    let ran = sync("9100").ends(0).says("1 newly deleted, 2 not answered.");
    assert!(ran.out.contains("\"deleted\""), "{}", ran.out);
}

#[test]
fn a_portal_that_is_away_keeps_nobody_from_asking_the_others() {
    let desk = desk_with(&["7000", "7001"]);
    let door = Doorman::before(&desk.url());
    send(&desk, "7000", &door.url).ends(0);
    send(&desk, "7001", &desk.url()).ends(0);
    door.leave();
    let ran = desk.sender(&["sync", "--json", "--token-file", &desk.at("7001")]).ends(75);
    let result = ran.says("SYNCED IN PART. 2 snapshots asked for, 0 newly deleted, 1 not answered.").result();
    assert_eq!((&result["status"], &result["exit"]), (&json!("partly-synced"), &json!(75)));
}

#[test]
fn an_upload_that_cannot_go_on_stands_in_no_others_way_and_is_given_up() {
    let desk = desk_with(&["8001", "8002", "8003"]);
    let door = Doorman::before(&desk.url());
    door.refuses.store(true, Ordering::SeqCst);
    for ticket in ["8001", "8002", "8003"] {
        send(&desk, ticket, &door.url).ends(9);
    }
    door.refuses.store(false, Ordering::SeqCst);
    desk.technician(&["close", "8002"]).ends(0);
    let outgoing = |ticket: &str, ending: &str| {
        let files = files_below(Path::new(&desk.at("sender/outgoing"))).into_iter().map(|(name, _)| name);
        files.filter(|name| name.starts_with(ticket) && name.ends_with(ending)).collect::<Vec<_>>()
    };
    // A state file that is damaged, and one whose ticket is closed, stand before the one that can go on.
    let damaged = Path::new(&desk.at("sender/outgoing")).join(&outgoing("8001", ".json")[0]);
    fs::write(&damaged, "{").unwrap();
    let token = desk.at("8003");
    let resume = ["resume", "--json", "--portal", &door.url, "--token-file", &token];
    let ran = desk.sender(&resume);
    assert_ne!((ran.code, ran.code), (0, 75), "{}", ran.err);
    let ran = ran.says("Ticket 8001: ").says("Ticket 8002: ").says("SENT. Stored by").says("1 of 3 uploads ended.");
    let ran = ran.says("To give it up for good:  tarseal withdraw 8001");
    let result = ran.result();
    assert_eq!((&result["status"], &result["sent"][0]["ticket"]), (&json!("partly-sent"), &json!("8003")));
    assert_eq!(result["not_sent"].as_array().unwrap().len(), 2);
    desk.sender(&["resume", "8001"]).ends(7).says("tarseal withdraw 8001");

    for ticket in ["8001", "8002"] {
        let (url, token) = (&door.url, desk.at(ticket));
        let withdraw = ["withdraw", ticket, "--yes", "--json", "--portal", url, "--token-file", &token];
        let ran = desk.sender(&withdraw).ends(0).says("WITHDRAWN. 1 unfinished upload");
        assert_eq!(ran.result()["given_up"].as_array().unwrap().len(), 1);
        assert_eq!(outgoing(ticket, ""), [""; 0], "nothing is left of it");
        assert!(desk.sender(&["status", ticket]).ends(0).out.contains("never sent, given up"));
        desk.sender(&withdraw).ends(10);
    }
    desk.sender(&["resume"]).ends(0).says("Nothing is waiting to be sent.");
}

#[test]
fn an_upload_that_had_begun_is_ended_at_the_portal_when_it_is_given_up() {
    let desk = desk_with(&["8004"]);
    let door = Doorman::before(&desk.url());
    door.stops.store(true, Ordering::SeqCst);
    send(&desk, "8004", &door.url).ends(9);
    let snapshots = || desk.technician(&["list", "--mine", "--json"]).ends(0).result()["snapshots"].clone();
    assert_eq!(snapshots()[0]["state"], "uploading", "the portal awaits it");
    door.stops.store(false, Ordering::SeqCst);
    let token = desk.at("8004");
    desk.sender(&["withdraw", "8004", "--yes", "--portal", &door.url, "--token-file", &token]).ends(0);
    assert_eq!(snapshots(), json!([]), "the portal forgot it");
    assert_eq!(files_below(Path::new(&desk.at("sender/outgoing"))), []);
}

#[test]
fn an_upload_whose_portal_is_away_is_removed_here_and_asked_for_later() {
    let desk = desk_with(&["8005"]);
    let door = Doorman::before(&desk.url());
    door.stops.store(true, Ordering::SeqCst);
    send(&desk, "8005", &door.url).ends(9);
    door.stops.store(false, Ordering::SeqCst);
    door.leave();
    let token = desk.at("8005");
    let withdraw = ["withdraw", "8005", "--yes", "--portal", &door.url, "--token-file", &token];
    desk.sender(&withdraw)
        .ends(75)
        .says("NOT WITHDRAWN.")
        .says("The sealed file is removed here.")
        .says("tarseal withdraw 8005");
    assert_eq!(files_below(Path::new(&desk.at("sender/outgoing"))), []);
    assert!(desk.sender(&["status", "8005"]).ends(0).out.contains("removed here"));
    door.come_back();
    desk.sender(&withdraw).ends(0).says("WITHDRAWN.");
    assert!(desk.sender(&["status", "8005"]).ends(0).out.contains("given up"));
}
