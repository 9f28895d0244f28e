//! The pipeline by its door: from files to a sealed file and back, whole or not at all.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod signed;
mod torn;

use std::convert::Infallible;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tarseal::clock::Timestamp;
use tarseal::collect::{CollectOptions, Collected, Source, collect};
use tarseal::format::{Header, Identity, KeyKind, OpenError, Recipient, SealError, Share, ShareField};
use tarseal::ids::ShareId;
use tarseal::item::{Content, Item, LeftOut, Reason};
use tarseal::pack::{Digest, Limits, UnpackError};
use tarseal::pipeline::{
    CreateError, Created, OpenSnapshotError, Opened, Plan, Redaction, check_snapshot, create, open_snapshot,
};
use tarseal::progress::{Progress, Silent, Step};
use tarseal::redact::{Category, Consent, Given, Rules, TicketKey};
use tempfile::TempDir;

fn rng() -> StdRng {
    StdRng::seed_from_u64(42)
}

fn now() -> Timestamp {
    "2026-11-21T14:20:01Z".parse().unwrap()
}

fn technician() -> Identity {
    Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(7))
}

fn rules() -> Redaction {
    Redaction::Rules { rules: Rules::default(), key: TicketKey::random(&mut rng()), given: Given::default() }
}

fn none() -> Redaction {
    Redaction::None(Consent::explicit())
}

fn collected(directory: &Path) -> Collected {
    let mut options = CollectOptions {
        standard_input: &mut io::empty(),
        standard_input_name: "standard-input".parse().unwrap(),
        spool_directory: directory.to_owned(),
        rng: &mut rng(),
    };
    collect(&[Source::Path(directory.to_owned())], &mut options, &Silent).unwrap()
}

fn plan(items: Vec<Item>, redaction: Redaction, recipients: &[Recipient]) -> Plan<'_> {
    Plan {
        collected: None,
        items,
        left_out: Vec::new(),
        redaction,
        recipients,
        sender: None,
        share: None,
        ticket: Some("4711".parse().unwrap()),
        created: now(),
        level: 1,
    }
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng().fill_bytes(&mut bytes);
    bytes
}

struct Bytes(Vec<u8>);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.0.clone())))
    }
}

fn item(path: &str, bytes: &[u8]) -> Item {
    let content = Box::new(Bytes(bytes.to_vec()));
    Item { path: path.parse().unwrap(), size: bytes.len() as u64, modified: Some(now()), content }
}

fn make(items: Vec<Item>, redaction: Redaction, output: &Path) -> Result<Created, CreateError> {
    create(plan(items, redaction, &[technician().recipient()]), output, &mut rng(), &Silent)
}

/// A sealed file of these items.
fn sealed(items: Vec<Item>, redaction: Redaction) -> (Vec<u8>, Created) {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.tarseal");
    let created = make(items, redaction, &output).unwrap();
    assert_eq!(count(&directory), 1);
    (fs::read(output).unwrap(), created)
}

fn open(file: &[u8], identity: &Identity, directory: &TempDir) -> Result<Opened, OpenSnapshotError<Infallible>> {
    let share = |_: &Header| panic!("no share is needed");
    let destination = directory.path().join("out");
    open_snapshot(file, std::slice::from_ref(identity), share, &destination, &Limits::default(), &Silent)
}

fn count(directory: &TempDir) -> usize {
    fs::read_dir(directory.path()).unwrap().count()
}

/// The error, and that nothing is left.
fn failed(file: &[u8]) -> OpenSnapshotError<Infallible> {
    let directory = tempfile::tempdir().unwrap();
    let error = open(file, &technician(), &directory).unwrap_err();
    assert_eq!(count(&directory), 0, "left after: {error}");
    error
}

#[test]
fn files_come_back_redacted_and_what_was_kept_is_the_same() {
    let source = tempfile::tempdir().unwrap();
    fs::create_dir(source.path().join("app")).unwrap();
    let plain = "2026-11-21T14:20:01Z worker[12]: started, version 7.2.4.3070\n".repeat(1000);
    fs::write(source.path().join("app/plain.log"), &plain).unwrap();
    let personal =
        "2026-11-21T14:20:02Z login user=wtiedemann email=wiebke.tiedemann@nordlicht.example from 10.20.30.40\n";
    fs::write(source.path().join("app/personal.log"), personal.repeat(200)).unwrap();
    fs::write(source.path().join("app/wiebke.tiedemann@nordlicht.example.log"), "empty of findings\n").unwrap();
    fs::write(source.path().join("app/core"), [0, 1, 2, 3].repeat(1000)).unwrap();

    let collected = collected(source.path());
    let (file, created) = sealed(collected.items, rules());
    assert_eq!((created.size, created.sha256), (file.len() as u64, Digest::of(&file)));
    assert!(created.vault.is_some() && created.manifest.redacted);
    assert!(created.manifest.findings[&Category::Email] >= 200);
    assert!(created.manifest.left_out.iter().any(|left_out| left_out.reason == Reason::NotReadable));

    let directory = tempfile::tempdir().unwrap();
    let opened = open(&file, &technician(), &directory).unwrap();
    assert_eq!(opened.manifest, created.manifest);
    assert_eq!(opened.file_id, created.file_id);
    let mut texts = vec![serde_json::to_string(&opened.manifest).unwrap()];
    for entry in &opened.manifest.entries {
        let bytes = fs::read(directory.path().join("out").join(entry.path.as_str())).unwrap();
        if entry.path.file_name() == "plain.log" {
            assert_eq!(bytes, plain.as_bytes());
            assert!(entry.findings.is_empty());
        }
        if entry.path.file_name() == "personal.log" {
            assert!(entry.findings[&Category::Email] >= 200);
        }
        texts.push(String::from_utf8(bytes).unwrap());
        texts.push(entry.path.as_str().to_owned());
    }
    assert_eq!(opened.manifest.entries.len(), 3);
    for text in texts {
        for gone in ["wtiedemann", "wiebke", "nordlicht", "10.20.30.40"] {
            assert!(!text.contains(gone), "{gone}");
        }
    }
}

#[test]
fn members_of_archives_that_are_left_out_are_in_the_manifest() {
    let mut archive = tar::Builder::new(Vec::new());
    let members: [(&str, &[u8]); 3] = [
        ("app.log", b"login user=wtiedemann email=wiebke.tiedemann@nordlicht.example\n"),
        ("home/wtiedemann/core", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("home/wtiedemann/notes", b"wtiedemann was here\n"),
    ];
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, path, bytes).unwrap();
    }
    let archive = archive.into_inner().unwrap();
    let (file, created) = sealed(vec![item("all.tar", &archive), item("b.log", b"wtiedemann left\n")], rules());
    let left_out = &created.manifest.left_out;
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    assert!(left_out[0].path.starts_with("all.tar!home/user-") && left_out[0].path.ends_with("/core"), "{left_out:?}");
    assert_eq!(left_out[0].reason, Reason::NotReadable);
    let directory = tempfile::tempdir().unwrap();
    let opened = open(&file, &technician(), &directory).unwrap();
    assert_eq!(opened.manifest, created.manifest);
    let bytes = fs::read(directory.path().join("out/all.tar")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("tiedemann"));
    assert_eq!(tar::Archive::new(bytes.as_slice()).entries().unwrap().count(), 2);
}

#[test]
fn without_redaction_bytes_come_back_as_they_were_and_the_manifest_says_so() {
    let bytes = noise(6_000_000);
    let (file, created) = sealed(vec![item("a/binary", &bytes), item("mail", b"wiebke@nordlicht.example")], none());
    assert!(!created.manifest.redacted && created.vault.is_none() && created.manifest.findings.is_empty());
    let directory = tempfile::tempdir().unwrap();
    let opened = open(&file, &technician(), &directory).unwrap();
    assert!(!opened.manifest.redacted);
    assert!(fs::read(directory.path().join("out/a/binary")).unwrap() == bytes);
    assert_eq!(fs::read(directory.path().join("out/mail")).unwrap(), b"wiebke@nordlicht.example");
}

#[test]
fn items_with_one_path_are_all_there() {
    let (file, created) = sealed(vec![item("a.log", b"1"), item("a.log", b"2"), item("A.LOG", b"3")], none());
    let names: Vec<_> = created.manifest.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(names, ["A.LOG", "a~2.log", "a~3.log"]);
    open(&file, &technician(), &tempfile::tempdir().unwrap()).unwrap();
}

#[test]
fn the_share_is_asked_for_only_when_a_key_fits_and_is_needed_to_open() {
    #[derive(Debug, thiserror::Error)]
    #[error("deleted at its deadline")]
    struct Gone;

    let share = Share::random(&mut rng());
    let field = ShareField {
        id: ShareId([5; 16]),
        not_after: now().plus_days(365),
        portal: "https://support.vendor.example".into(),
    };
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.tarseal");
    let recipients = [technician().recipient()];
    let with_share = Plan { share: Some((field.clone(), &share)), ..plan(vec![item("a", b"x")], none(), &recipients) };
    create(with_share, &output, &mut rng(), &Silent).unwrap();
    let file = fs::read(&output).unwrap();
    let check = |identity: Identity, give: &dyn Fn(&Header) -> Result<Share, Gone>| {
        check_snapshot(&file[..], &[identity], give, &Limits::default(), &Silent)
    };

    let opened = check(technician(), &|asked| {
        assert_eq!(asked.share.as_ref(), Some(&field));
        Ok(Share::from_bytes(*share.expose()))
    });
    assert_eq!(opened.unwrap().share, Some(field.clone()));
    let refused = check(technician(), &|_| Err(Gone)).unwrap_err();
    assert!(matches!(refused, OpenSnapshotError::Share(Gone)));
    let other = check(technician(), &|_| Ok(Share::random(&mut StdRng::seed_from_u64(99)))).unwrap_err();
    assert!(matches!(other, OpenSnapshotError::Sealed(OpenError::Commitment)), "{other:?}");
    let asked = AtomicBool::new(false);
    let stranger = Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(8));
    let error = check(stranger, &|_| {
        asked.store(true, Ordering::Relaxed);
        Err(Gone)
    });
    assert!(matches!(error.unwrap_err(), OpenSnapshotError::Sealed(OpenError::NoKeyFits)));
    assert!(!asked.load(Ordering::Relaxed));
}

#[test]
fn a_damaged_or_truncated_file_leaves_nothing() {
    let noise = noise(100_000);
    let (file, _) = sealed(vec![item("a", b"some lines\n"), item("b/c", &noise)], none());
    let positions = (0..file.len()).step_by(997).chain([file.len() - 1, file.len() - 17]);
    for position in positions {
        let mut changed = file.clone();
        changed[position] ^= 0x10;
        let error = failed(&changed);
        assert!(matches!(error, OpenSnapshotError::Sealed(_)), "byte {position}: {error:?}");
    }
    let chunk = 16 * 1024 + 16;
    for length in (0..file.len()).step_by(1999).chain([file.len() - 1, file.len() % chunk, file.len() - chunk]) {
        let error = failed(&file[..length]);
        assert!(matches!(error, OpenSnapshotError::Sealed(_)), "{length}: {error:?}");
    }
    failed(&[&file[..], b"more"].concat());
    assert!(matches!(failed(b"not a sealed file at all"), OpenSnapshotError::Sealed(OpenError::NotSealed)));
}

#[test]
fn a_wrong_key_opens_nothing() {
    let (file, _) = sealed(vec![item("a", b"x")], none());
    let directory = tempfile::tempdir().unwrap();
    let stranger = Identity::generate(KeyKind::XWing, &mut rng());
    let error = open(&file, &stranger, &directory).unwrap_err();
    assert!(matches!(error, OpenSnapshotError::Sealed(OpenError::NoKeyFits)));
    assert_eq!(count(&directory), 0);
}

#[test]
fn a_snapshot_past_the_limits_is_refused() {
    let (file, _) = sealed(vec![item("a", &[7; 100_000])], none());
    let limits = Limits { total: 1000, ..Limits::default() };
    let share = |_: &Header| -> Result<Share, Infallible> { panic!("no share is needed") };
    let error = check_snapshot(&file[..], &[technician()], share, &limits, &Silent).unwrap_err();
    let OpenSnapshotError::Unpack(error) = error else { panic!("{error:?}") };
    assert!(matches!(error.reason(), UnpackError::Limit(_)), "{error:?}");
}

#[test]
fn when_there_is_nothing_to_send_nothing_is_made() {
    let binary = || item("core", &[0, 1, 2, 255].repeat(5000));
    for (items, redaction, expected) in [
        (Vec::new(), none(), 0),
        (vec![item("empty", b"")], none(), 0),
        (Vec::new(), rules(), 0),
        (vec![item("empty", b"")], rules(), 0),
        (vec![binary()], rules(), 1),
    ] {
        let directory = tempfile::tempdir().unwrap();
        match make(items, redaction, &directory.path().join("out.tarseal")) {
            Err(CreateError::Empty { left_out }) => assert_eq!(left_out.len(), expected),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("something was made of nothing"),
        }
        assert_eq!(count(&directory), 0);
    }
}

#[test]
fn what_cannot_be_sealed_leaves_nothing_and_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.tarseal");
    let result = create(plan(vec![item("a", b"x")], none(), &[]), &output, &mut rng(), &Silent);
    assert!(matches!(result, Err(CreateError::Seal(SealError::NoRecipient))));
    assert_eq!(count(&directory), 0);

    fs::write(&output, "precious").unwrap();
    assert!(matches!(make(vec![item("a", b"x")], none(), &output), Err(CreateError::OutputExists(_))));
    assert_eq!(fs::read(&output).unwrap(), b"precious");
    let nowhere = directory.path().join("gone/out.tarseal");
    assert!(matches!(make(vec![item("a", b"x")], none(), &nowhere), Err(CreateError::Output { .. })));
    assert_eq!(count(&directory), 1);
}

/// Fails to open, or fails in the middle, from its n-th opening on.
struct Failing {
    from: usize,
    opened: Mutex<usize>,
    in_the_middle: bool,
}

impl Content for Failing {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        struct Middle;
        impl Read for Middle {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("a bad sector"))
            }
        }
        let mut opened = self.opened.lock().unwrap();
        *opened += 1;
        let lines = b"a line of a log\n".repeat(600_000);
        match (*opened >= self.from, self.in_the_middle) {
            (false, _) => Ok(Box::new(io::Cursor::new(lines))),
            (true, true) => Ok(Box::new(io::Cursor::new(lines).chain(Middle))),
            (true, false) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

#[test]
fn an_item_that_fails_is_left_out_and_the_others_are_there() {
    for in_the_middle in [false, true] {
        for from in [1, 2] {
            for redaction in [none(), rules()] {
                if matches!(redaction, Redaction::None(_)) && from == 2 {
                    continue; // Without redaction there is one pass.
                }
                let content = Box::new(Failing { from, opened: Mutex::new(0), in_the_middle });
                let failing = Item { content, ..item("b/wiebke@nordlicht.example/failing.log", &[]) };
                let failing = Item { size: 20 << 20, ..failing };
                let redacted = matches!(redaction, Redaction::Rules { .. });
                let (file, created) = sealed(vec![item("a", b"1\n"), failing, item("c", b"3\n")], redaction);
                let expected = if in_the_middle { Reason::ReadError } else { Reason::Vanished };
                assert_eq!(created.manifest.left_out.len(), 1);
                assert_eq!(created.manifest.left_out[0].reason, expected, "{in_the_middle} {from}");
                assert_eq!(created.manifest.left_out[0].path.contains("wiebke"), !redacted);
                let opened = open(&file, &technician(), &tempfile::tempdir().unwrap()).unwrap();
                let names: Vec<_> = opened.manifest.entries.iter().map(|entry| entry.path.as_str()).collect();
                assert_eq!(names, ["a", "c"]);
            }
        }
    }
}

#[test]
fn paths_of_what_was_left_out_are_redacted_too() {
    let directory = tempfile::tempdir().unwrap();
    let recipients = [technician().recipient()];
    let left_out = vec![LeftOut { path: "home/wiebke@nordlicht.example/link".into(), reason: Reason::Link }];
    let plan = Plan { left_out, ..plan(vec![item("a", b"x\n")], rules(), &recipients) };
    let created = create(plan, &directory.path().join("out.tarseal"), &mut rng(), &Silent).unwrap();
    assert_eq!(created.manifest.left_out[0].reason, Reason::Link);
    assert!(!created.manifest.left_out[0].path.contains("wiebke"));
}

#[derive(Default)]
struct Heard(Mutex<Vec<(Step, Option<u64>, u64)>>);

impl Progress for Heard {
    fn begin(&self, step: Step, total: Option<u64>) {
        self.0.lock().unwrap().push((step, total, 0));
    }
    fn advance(&self, amount: u64) {
        self.0.lock().unwrap().last_mut().unwrap().2 += amount;
    }
    fn end(&self, _summary: &str) {}
}

#[test]
fn progress_counts_every_byte_once_in_each_pass() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.tarseal");
    let recipients = [technician().recipient()];
    let lines = b"2026-11-21T14:20:01Z app: all is well\n".repeat(100_000);
    let items = vec![item("a", &lines), item("core", &[0, 255].repeat(30_000)), item("b", b"x\n")];
    let total: u64 = items.iter().map(|item| item.size).sum();
    let heard = Heard::default();
    create(plan(items, rules(), &recipients), &output, &mut rng(), &heard).unwrap();
    let share = |_: &Header| -> Result<Share, Infallible> { panic!("no share is needed") };
    check_snapshot(fs::File::open(&output).unwrap(), &[technician()], share, &Limits::default(), &heard).unwrap();
    let heard = heard.0.into_inner().unwrap();
    assert_eq!(heard[0], (Step::Survey, Some(total), total));
    // The binary file is known to be left out before the second pass.
    assert_eq!((heard[1].0, heard[1].1), (Step::Redact, Some(total)));
    assert!(heard[1].2 >= total - 60_000 && heard[1].2 <= total, "{heard:?}");
    assert_eq!((heard[2].0, heard[2].1), (Step::Open, None));
    assert!(heard[2].2 > 100);
}

#[test]
fn a_full_disk_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
        .arg(directory.path())
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("not tried: a full disk (a tmpfs cannot be mounted here)");
        return;
    }
    // In the output itself, and in the spool: 40 MB that do not compress are more than its memory.
    let noise = noise(40_000_000);
    let results: Vec<_> = [&noise[..2_000_000], &noise]
        .into_iter()
        .map(|bytes| make(vec![item("a", bytes)], none(), &directory.path().join("out.tarseal")).map(|_| ()))
        .collect();
    let left = count(&directory);
    assert!(Command::new("umount").arg(directory.path()).status().unwrap().success());
    for result in results {
        assert!(matches!(result, Err(CreateError::DiskFull(_))), "{result:?}");
    }
    assert_eq!(left, 0);
}
