//! Small files, which are written before they are announced: alone, many at once, refused, and cut off.

use std::sync::Barrier;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::blocking::Response;
use serde_json::json;
use tarseal::portal::Role;
use tarseal::portal::admin::TokenOrder;

use crate::client::{Sample, announce, append, content, event, offset, problem, request, snapshot, told};
use crate::inbox::sealed;
use crate::support::{TICKET, TestPortal, ticket};

fn put(portal: &TestPortal, token: &str, file: &Sample) -> Response {
    request(portal, token, "PUT", &format!("/in/{TICKET}/x")).body(file.bytes.clone()).send().unwrap()
}

/// A tus creation that brings all bytes along.
fn create(portal: &TestPortal, sample: &Sample) -> Response {
    let pair = |key: &str, value: &str| format!("{key} {}", BASE64_STANDARD.encode(value));
    let mut metadata = vec![pair("file_id", &sample.id), pair("sha256", &sample.sha256())];
    if sample.share.is_some() {
        metadata.push(pair("share", &sample.announcement()["share"].to_string()));
    }
    request(portal, &portal.upload, "POST", &format!("/v1/tickets/{TICKET}/snapshots"))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", sample.bytes.len())
        .header("upload-metadata", metadata.join(","))
        .header("content-type", "application/offset+octet-stream")
        .body(sample.bytes.clone())
        .send()
        .unwrap()
}

/// How many files lie beneath `blobs`, and how many of them under the name of one that arrives.
fn lying(portal: &TestPortal) -> (usize, usize) {
    let blobs = portal.data().join("blobs");
    let files: Vec<_> = portal.files().into_iter().filter(|(path, _)| path.starts_with(&blobs)).collect();
    let arriving = files.iter().filter(|(path, _)| path.starts_with(blobs.join("+arriving"))).count();
    (files.len(), arriving)
}

/// All files have their one name, which may come a moment after the answer.
fn all_settle(portal: &TestPortal, files: usize) {
    for _ in 0..200 {
        if lying(portal) == (files, 0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(lying(portal), (files, 0));
}

#[test]
fn small_files_that_come_at_once_are_all_stored_each_with_its_receipt() {
    let portal = TestPortal::start();
    let files: Vec<_> = (0..40).map(|seed| sealed(seed, 1000, None)).collect();
    let start = Barrier::new(files.len());
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| {
                start.wait();
                let (status, body) = told(put(&portal, &portal.upload, file));
                assert_eq!(status, 201, "{body}");
                let receipt = body["receipt"].as_str().unwrap();
                let receipt = tarseal::track::receipt::verify(receipt, &portal.portal().key()).unwrap();
                assert_eq!((receipt.sha256, receipt.size), (file.sha256(), file.bytes.len() as u64));
            });
        }
    });
    for file in &files {
        assert_eq!(content(&portal, file).send().unwrap().bytes().unwrap(), file.bytes);
    }
    all_settle(&portal, files.len());
}

#[test]
fn of_one_small_file_that_many_send_at_once_one_is_new() {
    let portal = TestPortal::start();
    let file = sealed(1, 1000, None);
    let start = Barrier::new(16);
    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    put(&portal, &portal.upload, &file).status().as_u16()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    answers.sort_unstable();
    assert_eq!((answers.first(), answers[1..].iter().filter(|status| **status == 201).count()), (Some(&200), 1));
    assert!(answers.iter().all(|status| [200, 201].contains(status)), "{answers:?}");
    all_settle(&portal, 1);
    assert_eq!(content(&portal, &file).send().unwrap().bytes().unwrap(), file.bytes);
}

#[test]
fn a_small_file_that_is_refused_leaves_nothing() {
    let portal = TestPortal::start();
    let file = sealed(1, 2000, None);
    let mut order = TokenOrder::new(Role::Upload);
    order.ticket = Some(ticket());
    order.max_bytes = Some(file.bytes.len() as u64 - 1);
    let scarce = portal.admin().new_token(&order).unwrap().token.expose().clone();
    assert_eq!(put(&portal, &scarce, &file).status(), 413);
    event(&portal, "close", &json!({}));
    let closed = (409, String::from("/problems/ticket-closed"));
    assert_eq!(problem(put(&portal, &portal.upload, &file)), closed);
    let sample = Sample::new(2, 3000);
    assert_eq!(problem(create(&portal, &sample)), closed);
    assert_eq!(lying(&portal), (0, 0));
    let share = sample.share.unwrap();
    let kept = portal.files().into_iter().filter(|(_, bytes)| bytes.windows(32).any(|part| part == share));
    let kept: Vec<_> = kept.map(|(path, _)| path).filter(|path| !path.to_string_lossy().ends_with("-wal")).collect();
    assert_eq!(kept, Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_tus_creation_that_brings_all_bytes_is_stored_by_the_answer() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 3000);
    let created = create(&portal, &sample);
    assert_eq!((created.status().as_u16(), &created.headers()["upload-offset"]), (201, &"3000".parse().unwrap()));
    let upload = created.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(told(created).1["state"], "stored");
    assert_eq!(offset(&portal, &upload), 3000);
    assert_eq!(snapshot(&portal, &sample)["due_at"], "2027-11-21T14:20:00Z");
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
    assert_eq!(append(&portal, &upload, 3000, b"").status(), 204, "nothing more may come again");
    let (status, again) = told(create(&portal, &sample));
    assert_eq!((status, &again["state"]), (200, &json!("stored")));
    all_settle(&portal, 1);

    // One that was announced before goes on by that name.
    let begun = Sample::new(2, 3000);
    let upload = announce(&portal, &begun);
    let created = create(&portal, &begun);
    assert_eq!(created.headers()["location"], upload.as_str());
    assert_eq!(snapshot(&portal, &begun)["state"], "stored");

    let mut other = Sample::new(3, 3000);
    let announced = other.clone();
    other.bytes[2999] ^= 1;
    let metadata = Sample { bytes: announced.bytes, ..other.clone() };
    let refused = request(&portal, &portal.upload, "POST", &format!("/v1/tickets/{TICKET}/snapshots"))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 3000)
        .header("content-type", "application/offset+octet-stream")
        .header(
            "upload-metadata",
            [("file_id", metadata.id.clone()), ("sha256", metadata.sha256())]
                .map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value)))
                .join(","),
        )
        .body(other.bytes)
        .send()
        .unwrap();
    assert_eq!(problem(refused).0, 460, "bytes that were not announced");
    all_settle(&portal, 2);
}

#[test]
fn a_small_file_whose_record_never_came_is_gone_after_the_next_start() {
    let mut portal = TestPortal::start();
    let file = sealed(1, 1000, None);
    assert_eq!(put(&portal, &portal.upload, &file).status(), 201);
    all_settle(&portal, 1);
    portal.stop();
    let blobs = portal.data().join("blobs");
    let arriving = |id: &str| blobs.join("+arriving").join(format!("{id}.default"));
    let whole = |id: &str| blobs.join("default").join(&id[..2]).join(format!("{id}.tarseal"));
    // The power went before the record, and in another case before the first name was removed.
    let lost = sealed(2, 1000, None);
    std::fs::write(arriving(&lost.id), &lost.bytes).unwrap();
    std::fs::create_dir_all(whole(&lost.id).parent().unwrap()).unwrap();
    std::fs::hard_link(arriving(&lost.id), whole(&lost.id)).unwrap();
    std::fs::hard_link(whole(&file.id), arriving(&file.id)).unwrap();
    portal.restart();
    assert_eq!(lying(&portal), (1, 0));
    assert_eq!(content(&portal, &file).send().unwrap().bytes().unwrap(), file.bytes);
    assert_eq!(put(&portal, &portal.upload, &lost).status(), 201, "it may come again");
}
