//! A tus client from another hand: Python's tuspy.
//!
//! It runs where `TARSEAL_PYTHON` (default `python3`) has `tuspy` (`pip install tuspy`). Elsewhere the test says on standard
//! error that it was skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails instead.

use std::env;
use std::process::Command;

use crate::client::{Sample, content, snapshot};
use crate::support::{TICKET, TestPortal};

const SCRIPT: &str = r"
import sys
from tusclient import client
url, token, path, file_id, sha256 = sys.argv[1:]
portal = client.TusClient(url, headers={'Authorization': 'Bearer ' + token})
metadata = {'filename': 'holiday.zip', 'file_id': file_id, 'sha256': sha256}
first = portal.uploader(path, chunk_size=100_000, metadata=metadata)
first.upload_chunk()
first.upload_chunk()
again = portal.uploader(path, chunk_size=300_000, url=first.url)
assert again.get_offset() == 200_000, again.get_offset()
again.upload()
";

#[test]
fn tuspy_uploads_and_resumes() {
    let python = env::var("TARSEAL_PYTHON").unwrap_or_else(|_| String::from("python3"));
    let there = Command::new(&python).args(["-c", "import tusclient"]).output().is_ok_and(|done| done.status.success());
    if !there {
        assert!(env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "{python} has no tuspy");
        eprintln!("skipped: {python} has no tuspy");
        return;
    }
    let portal = TestPortal::start();
    let sample = Sample { share: None, ..Sample::new(1, 1_000_000) };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, &sample.bytes).unwrap();
    let done = Command::new(&python)
        .args(["-c", SCRIPT, &format!("{}/v1/tickets/{TICKET}/snapshots", portal.url()), &portal.upload])
        .arg(&path)
        .args([&sample.id, &sample.sha256()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(snapshot(&portal, &sample)["state"], "stored");
    assert_eq!(content(&portal, &sample).send().unwrap().bytes().unwrap(), sample.bytes);
}
