//! The review page, read as a browser reads it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest, Sha256};

use crate::desk::{Desk, Ran, files_below};
use crate::html::Page;

fn machine(desk: &Desk) -> String {
    let root = desk.at("machine");
    fs::create_dir_all(format!("{root}/etc")).unwrap();
    let mut log = String::new();
    for n in 0..9 {
        log.push_str(&format!(
            "{n} Participant=\"Ottilie{n} <script>alert({n})</script> & Sons\" user=test from 198.51.100.{n} password=sw0rdfish{n} \u{202e}x\u{1b}[2J\n"
        ));
    }
    fs::write(format!("{root}/meeting.log"), log).unwrap();
    fs::write(format!("{root}/<script>alert(1)<"), "nothing in it\n").unwrap();
    fs::write(format!("{root}/capture\u{202e}gpj.bin"), [0_u8, 1, 2, 255].repeat(40)).unwrap();
    fs::write(format!("{root}/capture.bin"), [0_u8, 1, 2, 255].repeat(40)).unwrap();
    fs::write(format!("{root}/etc/site.key"), "quirin\n").unwrap();
    root
}

/// Sends a machine for a ticket; the page and where it is.
fn sent(desk: &Desk, extra: &[&str]) -> (Ran, PathBuf, Page) {
    let root = machine(desk);
    let arguments: Vec<&str> =
        ["send", &root, "--ticket", "4711", "--yes", "--json"].iter().chain(extra).copied().collect();
    let ran = desk.sender(&arguments).ends(3);
    let page = PathBuf::from(ran.result()["review"].as_str().expect("the result names the page"));
    let html = Page::read(&fs::read_to_string(&page).unwrap());
    (ran, page, html)
}

#[test]
fn the_page_is_static_and_can_be_read_by_everybody() {
    let desk = Desk::new();
    let (_, path, html) = sent(&desk, &[]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(html.faults.is_empty(), "{:?}", html.faults);
    // Nothing runs, nothing is fetched, nothing is sent.
    let active = ["script", "link", "img", "iframe", "object", "embed", "form", "video", "audio", "base", "svg"];
    assert!(html.all(&active).is_empty());
    for (name, value) in html.elements.iter().flat_map(|element| &element.attributes) {
        assert!(!name.starts_with("on") && name != "style" && name != "src", "{name}={value}");
        assert!(name != "href" || value.starts_with('#'), "{name}={value}");
    }
    let style = fs::read_to_string("src/printable.css").unwrap();
    assert_eq!(html.all(&["style"])[0].text, style.trim());
    assert!(!style.contains("url(") && !style.contains("@import"));
    let metas = html.all(&["meta"]);
    let policy = metas.iter().find(|meta| meta.attribute("http-equiv") == Some("Content-Security-Policy")).unwrap();
    let digest = base64::prelude::BASE64_STANDARD.encode(Sha256::digest(style.as_bytes()));
    let expected = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
    assert_eq!(policy.attribute("content"), Some(expected.as_str()));
    // Landmarks, headings without gaps, tables with captions and scopes, links that lead somewhere.
    assert_eq!(html.all(&["html"])[0].attribute("lang"), Some("en"));
    assert_eq!((html.all(&["main"]).len(), html.all(&["header"]).len(), html.all(&["h1"]).len()), (1, 1, 1));
    assert!(html.all(&["nav"])[0].attribute("aria-label").is_some());
    let levels: Vec<u8> = html.all(&["h1", "h2", "h3"]).iter().map(|h| h.name.as_bytes()[1] - b'0').collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1) && levels[0] == 1, "{levels:?}");
    assert!(html.all(&["table"]).len() > 5);
    for table in html.all(&["table"]) {
        assert_eq!(html.within(table, "caption").len(), 1);
        let head = html.within(table, "thead")[0];
        assert!(html.within(head, "th").iter().all(|th| th.attribute("scope") == Some("col")));
        for row in html.within(html.within(table, "tbody")[0], "tr") {
            assert_eq!(html.first_child(row).attribute("scope"), Some("row"));
        }
    }
    for link in html.all(&["a"]) {
        assert_eq!(html.with_id(&link.attribute("href").unwrap()[1..]).len(), 1, "{}", link.text);
    }
    for section in html.all(&["section"]) {
        assert_eq!(html.with_id(section.attribute("aria-labelledby").unwrap()).len(), 1);
    }
}

#[test]
fn the_page_tells_what_leaves_and_what_does_not() {
    let desk = Desk::new();
    let (ran, _, html) = sent(&desk, &[]);
    let page = &html.all(&["body"])[0].text;
    let result = ran.result();
    for part in ["4711", "198.51.100.0", "[secret]", "(a secret, not shown)", "generic"] {
        assert!(page.contains(part), "{part} is missing:\n{page}");
    }
    // The digest is that of the file that was sent.
    let status = desk.sender(&["status", "4711", "--json"]).ends(0).result();
    let digest = status["snapshots"][0]["sha256"].as_str().unwrap();
    assert!(page.contains(digest) && page.contains(&desk.url()), "{page}");
    assert!(page.contains(result["file_id"].as_str().unwrap_or("Snapshot")));
    // Five samples of a category, each with one value; nothing else that was replaced.
    let people = html.rows_after(html.with_id("samples-person")[0]);
    assert_eq!(people.len(), 5);
    let before: String = people.iter().map(|row| row.text.as_str()).collect();
    assert!(before.contains("Ottilie0") && before.contains("Ottilie4") && before.contains("person-"), "{before}");
    assert!(!page.contains("Ottilie5") && !page.contains("sw0rdfish") && !page.contains("198.51.100.7"));
    // What came from outside is text, and what would turn or clear a line is visible.
    assert!(page.contains("<script>alert(1)<") && page.contains("<script>alert(0)</script> & Sons"), "{page}");
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}') && page.contains("\\u{202e}"));
    let rows = |id: &str| html.rows_after(html.section(id)).into_iter().map(|row| row.text.clone()).collect::<Vec<_>>();
    let left_out = rows("left-out");
    assert!(
        left_out
            .iter()
            .any(|row| row.contains("etc/site.key") && row.contains("the profile leaves it out: private keys")),
        "{left_out:?}"
    );
    assert!(left_out.iter().any(|row| row.contains("capture.bin") && row.contains("binary")), "{left_out:?}");
    let aside = rows("aside");
    assert!(aside.iter().any(|row| row.starts_with("test") && row.ends_with("a common word")), "{aside:?}");
}

#[test]
fn nothing_of_the_review_is_sent_or_told_in_events() {
    let desk = Desk::new();
    let (ran, page, _) = sent(&desk, &[]);
    assert!(!ran.out.contains("Ottilie") && !ran.err.contains("Ottilie"), "{}{}", ran.out, ran.err);
    let into = desk.at("opened");
    desk.technician(&["fetch", "4711", "--reason", "x", "--key", &desk.at("me.key"), "-o", &into]).ends(0);
    for (name, bytes) in files_below(Path::new(&into)) {
        assert!(!name.contains("review"), "{name}");
        assert!(!String::from_utf8_lossy(&bytes).contains("Ottilie"), "{name}");
    }
    let sealed: Vec<_> = files_below(Path::new(&desk.at("portal")));
    let html = fs::read(&page).unwrap();
    assert!(sealed.iter().all(|(_, bytes)| !bytes.windows(40).any(|part| part == &html[200..240])));
}

#[test]
fn the_same_is_told_as_text_and_not_at_all_when_that_is_asked() {
    let desk = Desk::new();
    let root = machine(&desk);
    let send = |review: &str| desk.sender(&["send", &root, "--ticket", "4711", "--yes", "--review", review]).ends(3);
    let told =
        send("text").says("before: ").says("after:  ").says("»Ottilie").says("WHAT IS NOT IN IT").says("a common word");
    assert!(!told.err.contains('\u{202e}') && !told.err.contains("sw0rdfish"), "{}", told.err);
    assert!(!send("none").err.contains("Ottilie"));
    assert!(files_below(Path::new(&desk.at("sender"))).iter().all(|(name, _)| !name.starts_with("reviews/")));
    let sealed = desk.at("one.tarseal");
    desk.sender(&["seal", &root, "-o", &sealed, "--review", "html"]).ends(2).says("--ticket");
    assert!(!Path::new(&sealed).exists());
    desk.sender(&["seal", &root, "-o", &sealed, "--review", "text"]).ends(3).says("»Ottilie");
}

#[test]
fn the_page_goes_when_the_sender_declines_and_when_the_snapshot_is_deleted() {
    let desk = Desk::new();
    let root = machine(&desk);
    let kept = || {
        let state = files_below(Path::new(&desk.at("sender")));
        state.iter().filter(|(name, _)| name.starts_with("reviews/") || name.starts_with("vaults/")).count()
    };
    desk.sender_types(&["send", &root, "--ticket", "4711"], "no\n").ends(5).says("Please look before it goes:");
    assert_eq!(kept(), 0);
    desk.sender_types(&["send", &root, "--ticket", "4711"], "4711\n").ends(3);
    assert_eq!(kept(), 2);
    desk.technician(&["close", "4711"]).ends(0);
    desk.forward(91);
    desk.operator(&["sweep"]).ends(0);
    desk.sender(&["sync"]).ends(0).says("DELETED");
    assert_eq!(kept(), 0);
}
