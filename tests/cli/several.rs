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

use crate::desk::Desk;

/// Stands before a portal and remembers what it is asked; refuses new uploads while it is told to.
struct Doorman {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
    refuses: Arc<AtomicBool>,
}

impl Doorman {
    fn before(portal: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let portal = portal.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (heard, refuses) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<AtomicBool>::default());
        let (ear, refusing) = (Arc::clone(&heard), Arc::clone(&refuses));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&portal) else { continue };
                let (mut client_out, mut server_in) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (ear, refusing) = (Arc::clone(&ear), Arc::clone(&refusing));
                thread::spawn(move || ask(client, server, &ear, &refusing));
                thread::spawn(move || {
                    let _ = std::io::copy(&mut server_in, &mut client_out);
                    let _ = client_out.shutdown(Shutdown::Both);
                });
            }
        });
        Self { url, heard, refuses }
    }

    /// What was asked since the last time.
    fn heard(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.heard.lock().unwrap())).into_owned()
    }
}

fn ask(mut client: TcpStream, mut server: TcpStream, ear: &Mutex<Vec<u8>>, refusing: &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = client.read(&mut buffer) {
        let bytes = &buffer[..length];
        ear.lock().unwrap().extend_from_slice(bytes);
        let begins = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
        if refusing.load(Ordering::SeqCst) && begins.starts_with("POST ") && begins.contains("/snapshots ") {
            let _ = client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            break;
        }
        if length == 0 || server.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
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
    for command in [&["withdraw", "7000", "--yes"][..], &["answer", "7000"], &["answer"], &["resume", "7001"], &["resume"]] {
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
    (one.heard(), two.heard());
    let token = desk.at("7000");
    desk.sender(&["sync", "--token-file", &token]).ends(2).says("Your token was not sent.").says(&one.url).says(&two.url);
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
