//! Clients from other hands: Python's tuspy, JavaScript's tus-js-client, curl, sos. Unmodified, as people have them.
//!
//! Python runs where `TARSEAL_PYTHON` (default `python3`) has `tuspy` and `requests`; `TARSEAL_TUS_JS` is a directory in which
//! `npm install tus-js-client` was run; `TARSEAL_SOS` is the command of sos 4.9 or later. Elsewhere a test says on standard
//! error that it was skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails instead, unless the variable says `none`. Each meets a portal
//! with `SQLite` and a directory, and where `TARSEAL_POSTGRES` and `TARSEAL_S3` name their servers one with `PostgreSQL` and a
//! bucket.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

use crate::bucket;
use crate::client::{Sample, content, snapshot};
use crate::inbox::sealed;
use crate::support::database::TestDatabase;
use crate::support::{TICKET, TestPortal};

/// Whether a peer is there; says so when it is not.
pub fn there(test: &str, needs: &str, is: bool) -> bool {
    let without = |variable| needs.contains(variable) && env::var(variable).as_deref() == Ok("none");
    if !is {
        let allowed = without("TARSEAL_TUS_JS") || without("TARSEAL_SOS");
        assert!(allowed || env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "{test} needs {needs}");
        eprintln!("skipped: {test} needs {needs}");
    }
    is
}

pub fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|done| done.status.success())
}

pub fn python() -> String {
    env::var("TARSEAL_PYTHON").unwrap_or_else(|_| String::from("python3"))
}

/// A portal with both stores of its own, and one with the servers that are there. The databases go after their portals.
fn portals() -> Vec<(TestPortal, Option<TestDatabase>)> {
    let s3 = env::var("TARSEAL_S3").ok().filter(|url| !url.is_empty());
    let database = TestDatabase::make();
    let mut portals = vec![(TestPortal::start_in_files(), None)];
    if s3.is_some() || database.is_some() {
        let address = database.as_ref().map(|database| database.url().parse().unwrap());
        let portal = TestPortal::start_with(|config| {
            config.database = address;
            if let Some(url) = s3 {
                bucket::put_into(config, &url, "tarseal");
            }
        });
        portals.push((portal, database));
    }
    portals
}

fn went_well(done: &Output) {
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{}{}", told(&done.stdout), told(&done.stderr));
}

fn is_stored(portal: &TestPortal, sample: &Sample) {
    let stored = snapshot(portal, sample);
    assert_eq!((&stored["state"], &stored["sha256"]), (&"stored".into(), &sample.sha256().into()));
    assert_eq!(content(portal, sample).send().unwrap().bytes().unwrap(), sample.bytes);
}

fn written(sample: &Sample, directory: &Path) -> std::path::PathBuf {
    let path = directory.join("case.tarseal");
    std::fs::write(&path, &sample.bytes).unwrap();
    path
}

const TUSPY: &str = r"
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
    let is = runs(Command::new(python()).args(["-c", "import tusclient"]));
    if !there("tuspy_uploads_and_resumes", "TARSEAL_PYTHON with tuspy", is) {
        return;
    }
    for (portal, _database) in portals() {
        let sample = Sample { share: None, ..Sample::new(1, 1_000_000) };
        let directory = tempfile::tempdir().unwrap();
        let done = Command::new(python())
            .args(["-c", TUSPY, &format!("{}/v1/tickets/{TICKET}/snapshots", portal.url()), &portal.upload])
            .arg(written(&sample, directory.path()))
            .args([&sample.id, &sample.sha256()])
            .output();
        went_well(&done.unwrap());
        is_stored(&portal, &sample);
    }
}

const TUS_JS: &str = r"
const { createRequire } = require('module');
const [place, endpoint, token, path, file_id, sha256] = process.argv.slice(1);
const tus = createRequire(place + '/')('tus-js-client');
const fs = require('fs');
const fail = (error) => { console.error(String(error)); process.exit(1); };
const begin = (more) => {
  const upload = new tus.Upload(fs.createReadStream(path), {
    endpoint, headers: { Authorization: 'Bearer ' + token }, metadata: { filename: 'holiday.zip', file_id, sha256 },
    uploadSize: fs.statSync(path).size, onError: fail, ...more,
  });
  upload.start();
  return upload;
};
// Ends one upload for good, stops another in its middle, and goes on with that one as a new process would.
const ended = begin({ chunkSize: 100000, onChunkComplete: (_, sent) => {
  if (sent !== 200000) return;
  ended.abort(true).then(() => {
    const cut = begin({ chunkSize: 100000, uploadDataDuringCreation: true, onChunkComplete: (_, sent) => {
      if (sent !== 300000) return;
      cut.abort().then(() => begin({ chunkSize: 400000, uploadUrl: cut.url, onSuccess: () => process.exit(0) }));
    } });
  }).catch(fail);
} });
setTimeout(() => fail('it did not end'), 60000);
";

#[test]
fn tus_js_uploads_aborts_and_resumes() {
    let place = env::var("TARSEAL_TUS_JS").unwrap_or_default();
    let is =
        Path::new(&place).join("node_modules/tus-js-client").is_dir() && runs(Command::new("node").arg("--version"));
    if !there("tus_js_uploads_aborts_and_resumes", "node, and TARSEAL_TUS_JS with tus-js-client", is) {
        return;
    }
    for (portal, _database) in portals() {
        let sample = Sample { share: None, ..Sample::new(1, 1_000_000) };
        let directory = tempfile::tempdir().unwrap();
        let done = Command::new("node")
            .args(["-e", TUS_JS, &place])
            .args([&format!("{}/v1/tickets/{TICKET}/snapshots", portal.url()), &portal.upload])
            .arg(written(&sample, directory.path()))
            .args([&sample.id, &sample.sha256()])
            .output();
        went_well(&done.unwrap());
        is_stored(&portal, &sample);
    }
}

#[test]
fn curl_sends_a_file_by_the_one_shot_door() {
    let is = runs(Command::new("curl").arg("--version"));
    if !there("curl_sends_a_file_by_the_one_shot_door", "curl", is) {
        return;
    }
    for (portal, _database) in portals() {
        let directory = tempfile::tempdir().unwrap();
        for (seed, more) in
            [(1, &["--upload-file"][..]), (2, &["--header", "Transfer-Encoding: chunked", "--upload-file"])]
        {
            let file = sealed(seed, 2_000_000, None);
            let done = Command::new("curl")
                .args(["--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--user"])
                .arg(format!("{TICKET}:{}", portal.upload))
                .args(more)
                .arg(written(&file, directory.path()))
                .arg(format!("{}/in/{TICKET}/", portal.url()))
                .output();
            went_well(&done.unwrap());
            is_stored(&portal, &file);
        }
    }
}

#[test]
fn sos_uploads_by_the_one_shot_door() {
    let sos = env::var("TARSEAL_SOS").unwrap_or_else(|_| String::from("sos"));
    let is = runs(Command::new(&sos).args(["upload", "--help"]));
    if !there("sos_uploads_by_the_one_shot_door", "TARSEAL_SOS, sos 4.9 or later", is) {
        return;
    }
    for (portal, _database) in portals() {
        let directory = tempfile::tempdir().unwrap();
        let file = sealed(1, 2_000_000, None);
        // Named, because the address is plain HTTP on this machine; an https address says so itself.
        let done = Command::new(&sos)
            .args(["upload", "--batch", "--upload-target", "generic", "--upload-protocol", "https"])
            .args(["--upload-method", "put", "--upload-user", TICKET])
            .args(["--upload-url", &format!("{}/in/{TICKET}/case.tarseal", portal.url())])
            .arg(written(&file, directory.path()))
            .env("SOSUPLOADPASSWORD", &portal.upload)
            .env("NO_PROXY", "*")
            .env("HOME", directory.path())
            .output();
        went_well(&done.unwrap());
        is_stored(&portal, &file);
    }
}
