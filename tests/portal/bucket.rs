//! Sealed files in a real S3: the same promises as in a directory.
//!
//! It is where `TARSEAL_S3` says (`.ci/seaweedfs start DIR` starts one and prints it). Elsewhere the tests say on standard error
//! that they were skipped; with `TARSEAL_REQUIRE_PEERS=1` they fail instead.

use std::env;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};

use reqwest::blocking::Body;
use serde_json::json;
use tarseal::portal::{Config, Portal, PortalError};

use crate::client::{Sample, announce, append, content, event, get, offset, problem, request, snapshot};
use crate::inbox::sealed;
use crate::support::database::TestDatabase;
use crate::support::{TICKET, TestPortal};

/// The key of `.ci/seaweedfs`.
const KEY: (&str, &str) = ("tarseal", "tarseal-tests-only");

pub fn s3(test: &str) -> Option<String> {
    let url = env::var("TARSEAL_S3").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        assert!(env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "{test} needs TARSEAL_S3");
        eprintln!("skipped: {test} needs TARSEAL_S3");
    }
    url
}

/// A portal whose files lie beneath a prefix of their own, and that prefix.
pub fn start(url: &str, bucket: &str) -> (TestPortal, String) {
    let mut prefix = String::new();
    let portal = TestPortal::start_with(|config| prefix = put_into(config, url, bucket));
    (portal, prefix)
}

/// Puts the files of a portal into a bucket, beneath a prefix of their own, and returns that.
pub fn put_into(config: &mut Config, url: &str, bucket: &str) -> String {
    // The name of a new directory is nobody else's.
    let above = config.data.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let prefix = format!("t{}{}", std::process::id(), above.trim_start_matches('.'));
    config.blobs = Some(format!("s3://{bucket}/{prefix}?endpoint={url}&region=us-east-1"));
    config.blobs_key = Some(key(&config.data));
    prefix
}

fn key(data: &std::path::Path) -> std::path::PathBuf {
    use std::io::Write as _;
    let path = data.with_extension("key");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    writeln!(file, "{}\n{}", KEY.0, KEY.1).unwrap();
    path
}

/// What the bucket lists when somebody else asks it.
fn listed(url: &str, bucket: &str, query: &str) -> String {
    let done = Command::new("curl")
        .args(["--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", &format!("{}:{}", KEY.0, KEY.1)])
        .arg(format!("{url}/{bucket}?{query}"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{query}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn files_short_and_long_go_to_the_bucket_and_come_back() {
    let Some(url) = s3("files_short_and_long_go_to_the_bucket_and_come_back") else { return };
    let (portal, prefix) = start(&url, "tarseal");
    for (number, length) in [(1, 100), (2, 8 << 20), (3, (8 << 20) + 1), (4, 17 << 20)] {
        let sample = Sample::new(number, length);
        assert_eq!(append(&portal, &announce(&portal, &sample), 0, &sample.bytes).status(), 204);
        assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
        let part = content(&portal, &sample).header("range", "bytes=10-19").send().unwrap();
        assert_eq!((part.status().as_u16(), &part.bytes().unwrap()[..]), (206, &sample.bytes[10..20]));
        assert!(listed(&url, "tarseal", &format!("prefix={prefix}%2F")).contains(&format!("{}/file</Key>", sample.id)));
    }
    let file = sealed(1, 9 << 20, None);
    let sent =
        request(&portal, &portal.upload, "PUT", &format!("/in/{TICKET}/x")).body(file.bytes.clone()).send().unwrap();
    assert_eq!(sent.status(), 201);
    assert_eq!(content(&portal, &file).send().unwrap().bytes().unwrap(), file.bytes);
    let own = portal.files().into_iter().filter(|(path, _)| path.to_str().unwrap().contains("spool")).count();
    assert_eq!(own, 0, "nothing stays on the portal's disk");
}

#[test]
fn pieces_are_kept_over_restarts_whatever_their_length() {
    let Some(url) = s3("pieces_are_kept_over_restarts_whatever_their_length") else { return };
    let (mut portal, prefix) = start(&url, "tarseal");
    let sample = Sample::new(1, 20_000_000);
    let upload = announce(&portal, &sample);
    let ends = [1, 1000, 8 << 20, (8 << 20) + 5, 16_800_000, 19_999_999, 20_000_000];
    let mut from = 0;
    for to in ends {
        assert_eq!(offset(&portal, &upload), from);
        assert_eq!(append(&portal, &upload, from, &sample.bytes[from..to]).status(), 204, "{from} to {to}");
        from = to;
        if to % 2 == 1 {
            portal.restart();
        }
    }
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
    let left = listed(&url, "tarseal", &format!("prefix={prefix}%2F"));
    assert_eq!(left.matches("<Key>").count(), 1, "no tail stays: {left}");
}

#[test]
fn an_upload_that_ends_or_lies_leaves_nothing_in_the_bucket() {
    let Some(url) = s3("an_upload_that_ends_or_lies_leaves_nothing_in_the_bucket") else { return };
    let (portal, prefix) = start(&url, "tarseal");
    let nothing = || {
        assert_eq!(listed(&url, "tarseal", &format!("prefix={prefix}%2F")).matches("<Key>").count(), 0);
        assert_eq!(listed(&url, "tarseal", &format!("prefix={prefix}%2F&uploads=")).matches("<UploadId>").count(), 0);
    };
    let sample = Sample::new(1, 20_000_000);
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..9_000_000]);
    assert_eq!(listed(&url, "tarseal", &format!("prefix={prefix}%2F&uploads=")).matches("<UploadId>").count(), 1);
    let end = request(&portal, &portal.upload, "DELETE", &upload).header("tus-resumable", "1.0.0").send().unwrap();
    assert_eq!(end.status(), 204);
    nothing();
    let mut other = sample.bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(problem(append(&portal, &announce(&portal, &sample), 0, &other)).0, 460);
    nothing();
    let upload = announce(&portal, &sample);
    append(&portal, &upload, 0, &sample.bytes[..9_000_000]);
    portal.days_pass(8);
    assert_eq!(portal.portal().sweep().unwrap().expired, 1);
    nothing();
}

#[test]
fn deletion_leaves_no_version_in_a_bucket_that_keeps_versions() {
    let Some(url) = s3("deletion_leaves_no_version_in_a_bucket_that_keeps_versions") else { return };
    for bucket in ["tarseal", "versions"] {
        let (portal, prefix) = start(&url, bucket);
        let (short, long) = (Sample::new(1, 100), Sample::new(2, 9_000_000));
        for sample in [&short, &long] {
            let upload = announce(&portal, sample);
            append(&portal, &upload, 0, &sample.bytes[..50]);
            assert_eq!(append(&portal, &upload, 50, &sample.bytes[50..]).status(), 204);
        }
        event(&portal, "close", &json!({}));
        portal.days_pass(91);
        assert_eq!(portal.portal().sweep().unwrap().deleted, 2, "{bucket}");
        for sample in [&short, &long] {
            assert_eq!(snapshot(&portal, sample)["state"], "deleted");
            assert_eq!(get(&portal, "", &format!("/v1/snapshots/{}/receipt", sample.id)).status(), 200);
        }
        for list in ["versions=", "uploads="] {
            let left = listed(&url, bucket, &format!("prefix={prefix}%2F&{list}"));
            assert!(!left.contains("<Key>"), "{bucket} {list}: {left}");
        }
    }
}

#[test]
fn a_bucket_that_is_not_there_or_not_ours_is_refused_at_the_start() {
    let Some(url) = s3("a_bucket_that_is_not_there_or_not_ours_is_refused_at_the_start") else { return };
    let directory = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(tarseal::clock::SystemClock);
    let mut config = Config::new(directory.path().join("data"), ([127, 0, 0, 1], 0).into());
    config.blobs = Some(format!("s3://nowhere-at-all?endpoint={url}&region=us-east-1"));
    config.blobs_key = Some(key(&config.data));
    assert!(matches!(Portal::start(config.clone(), clock.clone()), Err(PortalError::Bucket(_))));
    config.blobs = Some(format!("s3://tarseal?endpoint={url}&region=us-east-1"));
    let key = config.blobs_key.clone().unwrap();
    std::fs::write(&key, "tarseal\nanother secret\n").unwrap();
    let refused = Portal::start(config.clone(), clock.clone()).err().unwrap();
    assert!(matches!(refused, PortalError::Bucket(_)));
    assert!(!format!("{refused:?}").contains("another secret"));
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Portal::start(config, clock), Err(PortalError::BlobsAddress(_))));
}

#[test]
fn a_command_that_is_told_of_no_bucket_deletes_in_the_one_that_the_files_lie_in() {
    let test = "a_command_that_is_told_of_no_bucket_deletes_in_the_one_that_the_files_lie_in";
    let Some(url) = s3(test) else { return };
    let (mut portal, prefix) = start(&url, "tarseal");
    let sample = Sample::new(1, 3000);
    crate::client::store(&portal, &sample);
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    portal.stop();
    let in_bucket = || listed(&url, "tarseal", &format!("prefix={prefix}%2F")).contains("<Key>");
    let told_of_none = |config: &mut Config| (config.blobs, config.blobs_key) = (None, None);

    // Without the note in the directory the database refuses rather than let an empty directory pass for the bucket.
    let note = portal.data().join("bucket");
    std::fs::rename(&note, note.with_extension("away")).unwrap();
    assert!(matches!(portal.admin_with(told_of_none), Err(PortalError::OtherBlobs(_))));
    std::fs::rename(note.with_extension("away"), &note).unwrap();

    let admin = portal.admin_with(told_of_none).unwrap();
    assert_eq!(admin.reconcile(7).unwrap().without_bytes, []);
    assert!(in_bucket());
    assert_eq!(admin.sweep().unwrap().deleted, 1);
    assert!(!in_bucket());
}

/// A file on its way that waits where it is told to.
struct Halting {
    bytes: std::io::Cursor<Vec<u8>>,
    stop_at: u64,
    go_on: Receiver<()>,
    waits: Sender<()>,
}

impl Read for Halting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes.position() == self.stop_at {
            self.waits.send(()).unwrap();
            self.go_on.recv().unwrap();
            self.stop_at = u64::MAX;
        }
        let room = usize::try_from(self.stop_at.saturating_sub(self.bytes.position())).unwrap_or(usize::MAX);
        let length = buffer.len().min(room);
        self.bytes.read(&mut buffer[..length])
    }
}

#[test]
fn of_two_processes_that_take_one_file_the_later_one_has_it_and_the_other_changes_nothing() {
    let test = "of_two_processes_that_take_one_file_the_later_one_has_it_and_the_other_changes_nothing";
    let (Some(url), Some(database)) = (s3(test), TestDatabase::make()) else { return };
    let mut prefix = String::new();
    let portal = TestPortal::start_with(|config| {
        config.database = Some(database.url().parse().unwrap());
        prefix = put_into(config, &url, "tarseal");
    });
    let other = portal.another();
    // Shorter than a part of a multipart upload, and longer; halted before a part is sent, and behind it.
    for (seed, length, halt) in [(1, 100_000, 50_000), (2, 20_000_000, 1000), (3, 20_000_000, 9_000_000)] {
        let file = sealed(seed, length, None);
        let mut late = file.bytes.clone();
        *late.last_mut().unwrap() ^= 1;
        let (waits, is_halted) = channel();
        let (go, go_on) = channel();
        let stalled = Halting { bytes: std::io::Cursor::new(late), stop_at: halt, go_on, waits };
        let first = request(&portal, &portal.upload, "PUT", &format!("/in/{TICKET}/x"));
        let first = first.body(Body::new(stalled)).timeout(std::time::Duration::from_secs(120));
        let first = std::thread::spawn(move || first.send().map(|answer| answer.status().as_u16()));
        is_halted.recv().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));

        let path = format!("{}/in/{TICKET}/x", other.url());
        let second = request(&portal, &portal.upload, "PUT", &path).body(file.bytes.clone()).send().unwrap();
        assert_eq!(second.status(), 201, "{length} {halt}");
        go.send(()).unwrap();
        // It may also be cut off before it has sent everything.
        assert!(!first.join().unwrap().is_ok_and(|status| status != 409), "{length} {halt}");
        assert_eq!(content(&portal, &file).send().unwrap().bytes().unwrap(), file.bytes, "{length} {halt}");
        assert_eq!(snapshot(&portal, &file)["sha256"], file.sha256());
        let beneath = format!("prefix={prefix}%2Fdefault%2F{}%2F", &file.id[..2]);
        assert_eq!(listed(&url, "tarseal", &beneath).matches("<Key>").count(), 1);
        assert_eq!(listed(&url, "tarseal", &format!("{beneath}&uploads=")).matches("<UploadId>").count(), 0);
    }
}

/// Puts an object into the bucket behind the portal's back.
fn put_object(url: &str, name: &str, bytes: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("object");
    std::fs::write(&file, bytes).unwrap();
    let done = Command::new("curl")
        .args(["--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", &format!("{}:{}", KEY.0, KEY.1)])
        .args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--upload-file"])
        .arg(&file)
        .arg(format!("{url}/tarseal/{name}"))
        .status()
        .unwrap();
    assert!(done.success(), "{name}");
}

#[test]
fn rows_and_the_bucket_are_compared_both_ways() {
    let Some(url) = s3("rows_and_the_bucket_are_compared_both_ways") else { return };
    let (portal, prefix) = start(&url, "tarseal");
    let (gone, kept) = (Sample::new(1, 500), Sample::new(2, 500));
    crate::client::store(&portal, &gone);
    event(&portal, "close", &json!({}));
    portal.days_pass(92);
    assert_eq!(portal.portal().sweep().unwrap().deleted, 1);
    event(&portal, "reopen", &json!({}));
    crate::client::store(&portal, &kept);
    let begun = Sample::new(3, 500);
    append(&portal, &announce(&portal, &begun), 0, &begun.bytes[..100]);
    let agreed = portal.admin().reconcile(7).unwrap();
    assert!(agreed.agrees() && (agreed.rows, agreed.files) == (1, 2), "{agreed:?}");

    let stray = "ab".repeat(16);
    let folder = |id: &str| format!("{prefix}/default/{}/{id}", &id[..2]);
    put_object(&url, &format!("{}/file", folder(&gone.id)), &gone.bytes);
    put_object(&url, &format!("{}/file", folder(&stray)), b"nobody's");
    put_object(&url, &format!("{}/tail.00", folder(&stray)), b"nobody's");
    put_object(&url, &format!("{prefix}/default/note"), b"somebody's");
    put_object(&url, &format!("{prefix}/stranger/{}/{stray}/file", &stray[..2]), b"a stranger's");
    // What the server wrote today is young by the portal's clock, which a test set.
    portal.set_clock("2026-11-23T00:00:00Z");
    let found = portal.admin().reconcile(3650).unwrap();
    assert_eq!((found.came_back, found.removed, found.foreign), (1, 0, 2), "{found:?}");
    assert_eq!(found.without_row, [stray.parse().unwrap()]);
    portal.set_clock("2099-01-01T00:00:00Z");
    let found = portal.admin().reconcile(7).unwrap();
    assert_eq!((found.came_back, found.removed, found.foreign, found.without_row.len()), (0, 1, 2, 0), "{found:?}");
    let left = listed(&url, "tarseal", &format!("prefix={prefix}%2F"));
    assert!(!left.contains(&gone.id) && left.contains(&kept.id) && left.contains(&begun.id), "{left}");
    assert!(!left.contains(&format!("default/ab/{stray}")) && left.contains("note") && left.contains("stranger"));
}
