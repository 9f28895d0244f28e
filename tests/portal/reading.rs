//! Content and receipts for those who may have them.

use std::io::Read as _;

use crate::client::{Sample, announce, content, get, problem, request, snapshot, store};
use crate::support::TestPortal;
use tarseal::track::receipt::{Kind, verify};

#[test]
fn content_comes_whole_in_part_and_not_twice() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 1_000_000);
    store(&portal, &sample);
    let whole = content(&portal, &sample).send().unwrap();
    let tag = format!("\"{}\"", sample.sha256());
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["etag"], tag.as_str());
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    assert_eq!(whole.headers()["content-length"], "1000000");
    assert_eq!(whole.bytes().unwrap(), sample.bytes);

    for (asked, first, end) in
        [("bytes=0-99", 0, 100), ("bytes=500000-", 500_000, 1_000_000), ("bytes=-7", 999_993, 1_000_000)]
    {
        let part = content(&portal, &sample).header("range", asked).send().unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()["content-range"], format!("bytes {first}-{}/1000000", end - 1).as_str());
        assert_eq!(part.bytes().unwrap(), sample.bytes[first..end]);
    }
    let beyond = content(&portal, &sample).header("range", "bytes=1000000-").send().unwrap();
    assert_eq!(beyond.headers()["content-range"], "bytes */1000000");
    assert_eq!(problem(beyond).0, 416);
    let known = content(&portal, &sample).header("if-none-match", &tag).send().unwrap();
    assert_eq!(known.status(), 304);
    let same = content(&portal, &sample).header("range", "bytes=0-9").header("if-range", &tag).send().unwrap();
    assert_eq!(same.status(), 206);
    let other = content(&portal, &sample).header("range", "bytes=0-9").header("if-range", "\"other\"").send().unwrap();
    assert_eq!(other.status(), 200);

    let head = request(&portal, &portal.technician, "HEAD", &format!("/v1/snapshots/{}/content", sample.id))
        .header("tarseal-reason", "size")
        .send()
        .unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "1000000"));
    // Twice from the first byte on, once more to learn that it changed; parts of the middle are no reading of their own.
    assert_eq!(snapshot(&portal, &sample)["reads"], 4);
}

#[test]
fn nobody_reads_without_a_reason_and_each_reading_is_audited() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let path = format!("/v1/snapshots/{}/content", sample.id);
    for reason in [None, Some(""), Some("   "), Some(&*"x".repeat(501))] {
        let mut asked = request(&portal, &portal.technician, "GET", &path);
        if let Some(reason) = reason {
            asked = asked.header("tarseal-reason", reason);
        }
        assert_eq!(problem(asked.send().unwrap()), (400, String::from("/problems/bad-request")), "{reason:?}");
    }
    let denied = request(&portal, &portal.upload, "GET", &path).header("tarseal-reason", "curious").send().unwrap();
    assert_eq!(problem(denied), (403, String::from("/problems/not-allowed")));
    assert_eq!(content(&portal, &sample).send().unwrap().status(), 200);

    let rows = portal.texts(
        "SELECT role || ' ' || outcome || ' ' || CAST(length(request) AS TEXT) || ' ' || coalesce(value, '') FROM audit
         LEFT JOIN openings ON openings.number = audit.number AND field = 'reason'
         WHERE action = 'read-content' ORDER BY audit.number",
    );
    assert_eq!(rows, ["upload denied 32 ", "technician done 32 audio drop analysis"]);
}

#[test]
fn what_is_still_arriving_is_not_there_to_read() {
    let portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    announce(&portal, &sample);
    assert_eq!(problem(content(&portal, &sample).send().unwrap()), (404, String::from("/problems/snapshot-unknown")));
    assert_eq!(snapshot(&portal, &sample)["state"], "uploading");
    assert_eq!(get(&portal, &portal.upload, &format!("/v1/snapshots/{}/receipt", sample.id)).status(), 404);
}

#[test]
fn the_upload_receipt_says_what_was_stored() {
    let mut portal = TestPortal::start();
    let sample = Sample::new(1, 100);
    store(&portal, &sample);
    let key = get(&portal, "", "/v1/receipt-key").text().unwrap().parse().unwrap();
    let path = format!("/v1/snapshots/{}/receipt", sample.id);
    let note = get(&portal, &portal.upload, &path).text().unwrap();
    let receipt = verify(&note, &key).unwrap();
    assert_eq!((receipt.kind, receipt.sha256, receipt.size), (Kind::Upload, sample.sha256(), 100));
    assert_eq!(get(&portal, &portal.upload, &format!("/v1/receipts/{}", receipt.id)).text().unwrap(), note);
    assert_eq!(
        get(&portal, "", &path).text().unwrap(),
        note,
        "who knows the snapshot's id needs no token for its receipt"
    );
    assert_eq!(get(&portal, "", &format!("/v1/receipts/{}", receipt.id)).status(), 401);
    portal.restart();
    assert_eq!(portal.portal().key(), key, "the key stays");
    assert_eq!(get(&portal, &portal.upload, &path).text().unwrap(), note);
}

#[test]
fn a_reading_breaks_off_when_the_snapshot_is_taken_back_and_the_receipt_waits_for_it() {
    let portal = TestPortal::start();
    let sample = Sample::new(5, 48_000_000);
    store(&portal, &sample);
    let mut reading = content(&portal, &sample).send().unwrap();
    let mut some = vec![0; 1 << 20];
    reading.read_exact(&mut some).unwrap();
    // From here on the reader takes nothing more.
    let taken_back =
        request(&portal, &portal.upload, "DELETE", &format!("/v1/snapshots/{}", sample.id)).send().unwrap();
    assert_eq!(taken_back.status(), 200);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    let open =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let open: Vec<_> = open.filter(|path| path.to_string_lossy().contains(&sample.id)).collect();
    assert!(open.is_empty(), "{open:?}");
    let mut rest = Vec::new();
    assert!(reading.read_to_end(&mut rest).is_err(), "what broke off does not look whole");
    assert!(some.len() + rest.len() < sample.bytes.len());
    assert_eq!(portal.texts("SELECT id FROM readings"), [] as [&str; 0]);
}

#[test]
fn a_first_reading_from_the_middle_counts_as_one_and_its_other_parts_do_not() {
    let portal = TestPortal::start();
    let sample = Sample::new(6, 1000);
    store(&portal, &sample);
    let part = |from: &str| content(&portal, &sample).header("range", from).send().unwrap().bytes().unwrap().len();
    assert_eq!((part("bytes=1-499"), part("bytes=500-")), (499, 500));
    assert_eq!(snapshot(&portal, &sample)["reads"], 1);
    assert_eq!(part("bytes=0-9"), 10);
    assert_eq!(snapshot(&portal, &sample)["reads"], 2, "the first byte begins another");
}
