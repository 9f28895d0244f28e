//! The review page, read as a browser reads it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use scraper::{Html, Selector};
use sha2::{Digest, Sha256};

use crate::desk::{Desk, Ran, files_below};

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
    fs::write(format!("{root}/etc/shadow"), "quirin:$6$x\n").unwrap();
    root
}

/// Sends a machine for a ticket; the page and where it is.
fn sent(desk: &Desk, extra: &[&str]) -> (Ran, PathBuf, Html) {
    let root = machine(desk);
    let arguments: Vec<&str> =
        ["send", &root, "--ticket", "4711", "--yes", "--json"].iter().chain(extra).copied().collect();
    let ran = desk.sender(&arguments).ends(3);
    let page = PathBuf::from(ran.result()["review"].as_str().expect("the result names the page"));
    let html = Html::parse_document(&fs::read_to_string(&page).unwrap());
    (ran, page, html)
}

fn all<'h>(html: &'h Html, selector: &str) -> Vec<scraper::ElementRef<'h>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: scraper::ElementRef<'_>) -> String {
    element.text().collect::<String>().trim().to_owned()
}

#[test]
fn the_page_is_static_and_can_be_read_by_everybody() {
    let desk = Desk::new();
    let (_, path, html) = sent(&desk, &[]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    // Nothing runs, nothing is fetched, nothing is sent.
    assert!(all(&html, "script, link, img, iframe, object, embed, form, video, audio, base, svg").is_empty());
    for element in all(&html, "*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on") && name != "style" && name != "src", "{name}={value}");
            assert!(name != "href" || value.starts_with('#'), "{name}={value}");
        }
    }
    let style = all(&html, "style")[0].inner_html();
    assert!(!style.contains("url(") && !style.contains("@import"));
    let policy = all(&html, "meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap();
    let digest = base64::prelude::BASE64_STANDARD.encode(Sha256::digest(style.as_bytes()));
    assert_eq!(policy, format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"));
    // Landmarks, headings without gaps, tables with captions and scopes, links that lead somewhere.
    assert_eq!(all(&html, "html[lang=en] main, header h1, nav[aria-label]").len(), 3);
    let levels: Vec<u8> = all(&html, "h1, h2, h3").iter().map(|h| h.value().name().as_bytes()[1] - b'0').collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1) && levels[0] == 1, "{levels:?}");
    for table in all(&html, "table") {
        assert_eq!(table.select(&Selector::parse("caption").unwrap()).count(), 1);
        assert!(table.select(&Selector::parse("thead th").unwrap()).all(|th| th.attr("scope") == Some("col")));
        assert!(
            table
                .select(&Selector::parse("tbody tr > :first-child").unwrap())
                .all(|th| th.attr("scope") == Some("row"))
        );
    }
    for link in all(&html, "a[href]") {
        assert_eq!(all(&html, link.attr("href").unwrap()).len(), 1, "{}", link.html());
    }
    for section in all(&html, "section") {
        assert_eq!(all(&html, &format!("#{}", section.attr("aria-labelledby").unwrap())).len(), 1);
    }
}

#[test]
fn the_page_tells_what_leaves_and_what_does_not() {
    let desk = Desk::new();
    let (ran, _, html) = sent(&desk, &[]);
    let page = text(html.root_element());
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
    let people: Vec<_> = all(&html, "h3#samples-person + table tbody tr");
    assert_eq!(people.len(), 5);
    let before: String = people.iter().map(|row| text(*row)).collect();
    assert!(before.contains("Ottilie0") && before.contains("Ottilie4") && before.contains("person-"), "{before}");
    assert!(!page.contains("Ottilie5") && !page.contains("sw0rdfish") && !page.contains("198.51.100.7"));
    // What came from outside is text, and what would turn or clear a line is visible.
    assert!(page.contains("<script>alert(1)<") && page.contains("<script>alert(0)</script> & Sons"), "{page}");
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}') && page.contains("\\u{202e}"));
    let left_out: Vec<_> = all(&html, "section[aria-labelledby=left-out] tbody tr").into_iter().map(text).collect();
    assert!(left_out.iter().any(|row| row.contains("etc/shadow") && row.contains("password hashes")), "{left_out:?}");
    assert!(left_out.iter().any(|row| row.contains("capture.bin") && row.contains("binary")), "{left_out:?}");
    let aside: Vec<_> = all(&html, "section[aria-labelledby=aside] tbody tr").into_iter().map(text).collect();
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
