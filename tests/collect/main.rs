//! The collect room by its door: what is found, what is left out, and what no trick gets into a snapshot.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod gather;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::collect::{CollectError, CollectOptions, Collected, Source, collect};
use tarseal::item::{BecameShorter, Item, Reason};
use tarseal::progress::Silent;
use tempfile::TempDir;

fn collect_with(sources: &[Source], mut input: &[u8]) -> Result<Collected, CollectError> {
    let spool = tempfile::tempdir().unwrap();
    let mut options = CollectOptions {
        standard_input: &mut input,
        standard_input_name: "standard-input".parse().unwrap(),
        spool_directory: spool.path().to_owned(),
        rng: &mut StdRng::seed_from_u64(1),
    };
    collect(sources, &mut options, &Silent)
}

fn path(path: impl AsRef<Path>) -> Source {
    Source::Path(path.as_ref().to_owned())
}

fn glob(directory: &TempDir, pattern: &str) -> Source {
    Source::Glob(format!("{}/{pattern}", directory.path().to_str().unwrap()))
}

fn read(item: &Item) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    item.content.open()?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The archive paths beneath a directory's own, in order.
fn names(directory: &TempDir, collected: &Collected) -> Vec<String> {
    collected.items.iter().map(|item| beneath(directory, item.path.as_str())).collect()
}

fn left_out(directory: &TempDir, collected: &Collected) -> BTreeMap<String, Reason> {
    collected.left_out.iter().map(|left_out| (beneath(directory, &left_out.path), left_out.reason)).collect()
}

fn beneath(directory: &TempDir, path: &str) -> String {
    let prefix = directory.path().to_str().unwrap().trim_start_matches('/');
    path.strip_prefix(prefix).unwrap().trim_start_matches('/').to_owned()
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

#[test]
fn a_directory_gives_its_files_in_order_with_their_content() {
    let directory = tree(&[("b/2.log", "two"), ("a.log", "one"), ("b/c/3", "three"), (".hidden", "four")]);
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(names(&directory, &collected), [".hidden", "a.log", "b/2.log", "b/c/3"]);
    let contents: Vec<_> = collected.items.iter().map(|item| read(item).unwrap()).collect();
    assert_eq!(contents, [&b"four"[..], b"one", b"two", b"three"]);
    assert!(collected.items.iter().all(|item| item.modified.is_some()));
    assert_eq!(collected.items[1].size, 3);
    assert_eq!(collected.items[1].path.as_str(), &directory.path().join("a.log").to_str().unwrap()[1..]);
}

#[test]
fn what_two_sources_name_is_there_once() {
    let directory = tree(&[("a.log", "one"), ("b.txt", "two")]);
    let file = directory.path().join("a.log");
    let sources =
        [path(directory.path()), path(&file), path(directory.path().join("./a.log")), glob(&directory, "*.log")];
    assert_eq!(names(&directory, &collect_with(&sources, b"").unwrap()), ["a.log", "b.txt"]);
}

#[test]
fn a_glob_gives_what_matches_and_all_beneath_matching_directories() {
    let directory = tree(&[
        ("app.log", "x"),
        ("app.log.1", "x"),
        ("app.txt", "x"),
        ("sub/app.log", "x"),
        ("sub/deep/app.log", "x"),
        ("old.logs/any", "x"),
        ("sp ace/[x].log", "x"),
    ]);
    for (pattern, expected) in [
        ("*.log", &["app.log"][..]),
        ("app.log*", &["app.log", "app.log.1"]),
        ("*/app.log", &["sub/app.log"]),
        ("**/app.log", &["app.log", "sub/app.log", "sub/deep/app.log"]),
        ("*.logs", &["old.logs/any"]),
        ("app.{log,txt}", &["app.log", "app.txt"]),
        ("app.???", &["app.log", "app.txt"]),
        ("sub/*", &["sub/app.log", "sub/deep/app.log"]),
        ("s[p]*/*", &["sp ace/[x].log"]),
        ("{sub/deep,sub}/app.log", &["sub/app.log", "sub/deep/app.log"]),
    ] {
        let collected = collect_with(&[glob(&directory, pattern)], b"").unwrap();
        assert_eq!(names(&directory, &collected), expected, "{pattern}");
    }
}

#[test]
fn an_argument_is_a_path_when_it_exists_and_a_glob_when_it_looks_like_one() {
    let directory = tree(&[("really*.log", "x")]);
    let there = directory.path().join("really*.log");
    let not_there = directory.path().join("other*.log");
    assert_eq!(Source::from_argument(there.as_os_str()), Source::Path(there.clone()));
    assert_eq!(Source::from_argument(not_there.as_os_str()), Source::Glob(not_there.to_str().unwrap().into()));
    assert_eq!(Source::from_argument(OsStr::new("-")), Source::StandardInput);
    assert_eq!(Source::from_argument(OsStr::new("gone")), Source::Path("gone".into()));
}

#[test]
fn an_argument_that_names_nothing_is_an_error_that_names_it() {
    let directory = tree(&[("a", "x")]);
    let gone = directory.path().join("gone");
    // Also when another one is good.
    match collect_with(&[path(directory.path()), path(&gone)], b"") {
        Err(CollectError::NotFound(path)) => assert_eq!(path, gone),
        other => panic!("{other:?}"),
    }
    assert!(matches!(collect_with(&[path(directory.path().join("a/b"))], b""), Err(CollectError::NotFound(_))));
    for pattern in ["*.gone", "gone/*.log", "gone/x*/y", "a/*"] {
        let result = collect_with(&[glob(&directory, pattern)], b"");
        assert!(matches!(result, Err(CollectError::NoMatch(_))), "{pattern}: {result:?}");
    }
    assert!(matches!(collect_with(&[Source::Glob("x[".into())], b""), Err(CollectError::BadGlob { .. })));
    symlink("a", directory.path().join("link")).unwrap();
    for link in ["link", "link/"] {
        let result =
            collect_with(&[Source::Path(PathBuf::from(format!("{}/{link}", directory.path().display())))], b"");
        assert!(matches!(result, Err(CollectError::Link { .. })), "{result:?}");
    }
}

#[test]
fn nothing_at_all_is_an_error() {
    let directory = tree(&[]);
    assert!(matches!(collect_with(&[path(directory.path())], b""), Err(CollectError::Empty { .. })));
    assert!(matches!(collect_with(&[], b""), Err(CollectError::Empty { .. })));
    assert!(matches!(collect_with(&[Source::StandardInput], b""), Err(CollectError::Empty { .. })));
    fs::write(directory.path().join("empty"), "").unwrap();
    symlink("empty", directory.path().join("link")).unwrap();
    match collect_with(&[path(directory.path())], b"") {
        Err(CollectError::Empty { left_out }) => assert_eq!(left_out[0].reason, Reason::Link),
        other => panic!("{other:?}"),
    }
}

#[test]
fn standard_input_can_be_read_twice_however_long_it_is() {
    for length in [1, 9 << 20] {
        let input: Vec<u8> = (0..251u8).cycle().take(length).collect();
        let collected = collect_with(&[Source::StandardInput], &input).unwrap();
        let item = &collected.items[0];
        assert_eq!((item.path.as_str(), item.size), ("standard-input", length as u64));
        assert!(read(item).unwrap() == input);
        assert!(read(item).unwrap() == input);
    }
    let twice = [Source::StandardInput, Source::StandardInput];
    assert!(matches!(collect_with(&twice, b"x"), Err(CollectError::StandardInputTwice)));
}

#[test]
fn what_is_not_a_regular_file_is_left_out_and_listed() {
    let directory = tree(&[("good.log", "x"), ("sub/a", "y")]);
    let at = |name: &str| directory.path().join(name);
    symlink("good.log", at("link")).unwrap();
    symlink("sub", at("link-to-directory")).unwrap();
    symlink("/etc/passwd", at("sub/link-out")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("gone", at("dangling")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let device = rustix::fs::mknodat(
        rustix::fs::CWD,
        at("device"),
        rustix::fs::FileType::CharacterDevice,
        rustix::fs::Mode::RUSR,
        rustix::fs::makedev(1, 5),
    );
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(names(&directory, &collected), ["good.log", "sub/a"]);
    let mut expected = BTreeMap::from([
        ("link".to_owned(), Reason::Link),
        ("link-to-directory".into(), Reason::Link),
        ("sub/link-out".into(), Reason::Link),
        ("loop".into(), Reason::Link),
        ("dangling".into(), Reason::Link),
        ("socket".into(), Reason::NotAFile),
        ("pipe".into(), Reason::NotAFile),
    ]);
    if device.is_ok() {
        expected.insert("device".into(), Reason::NotAFile);
    } else {
        println!("not tried: a device node ({device:?})");
    }
    assert_eq!(left_out(&directory, &collected), expected);
    assert!(matches!(collect_with(&[path(at("pipe"))], b""), Err(CollectError::NotAFile(_))));
}

#[test]
fn a_name_that_cannot_be_stored_safely_is_left_out_with_its_name_escaped() {
    let directory = tree(&[("good", "x")]);
    let bad: [(&[u8], &str); 5] = [
        (b"new\nline", r"new\nline"),
        (b"esc\x1b[2J", r"esc\u{1b}[2J"),
        (b"not\xffutf8", r"not\xffutf8"),
        ("exe\u{202e}gpj".as_bytes(), r"exe\u{202e}gpj"),
        (b"back\\slash", r"back\\slash"),
    ];
    for (name, _) in bad {
        fs::write(directory.path().join(OsStr::from_bytes(name)), "x").unwrap();
    }
    fs::create_dir(directory.path().join(OsStr::from_bytes(b"dir\xfe"))).unwrap();
    fs::write(directory.path().join(OsStr::from_bytes(b"dir\xfe/inside")), "x").unwrap();
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(names(&directory, &collected), ["good"]);
    let left_out = left_out(&directory, &collected);
    for shown in bad.iter().map(|(_, shown)| *shown).chain([r"dir\xfe/inside"]) {
        assert_eq!(left_out.get(shown), Some(&Reason::BadName), "{shown} in {left_out:?}");
    }
}

#[test]
fn key_files_and_the_kernels_view_never_leave() {
    let directory = tree(&[
        ("app.log", "x"),
        ("ssh/id_ed25519", "x"),
        ("ssh/id_ed25519.pub", "x"),
        ("store.p12", "x"),
        ("mine.txt", "# created: now\nTARSEAL-SECRET-KEY-1QQQQ\n"),
        ("tls.pem", "-----BEGIN EC PRIVATE KEY-----\nMHc=\n"),
        ("cert.pem", "-----BEGIN CERTIFICATE-----\nMHc=\n"),
    ]);
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(names(&directory, &collected), ["app.log", "cert.pem", "ssh/id_ed25519.pub"]);
    let left_out = left_out(&directory, &collected);
    assert_eq!(left_out.keys().collect::<Vec<_>>(), ["mine.txt", "ssh/id_ed25519", "store.p12", "tls.pem"]);
    assert!(left_out.values().all(|reason| *reason == Reason::Forbidden));

    for forbidden in ["/proc", "/proc/self/environ", "/sys", "/dev"] {
        let result = collect_with(&[path(forbidden)], b"");
        assert!(
            matches!(result, Err(CollectError::Forbidden(_) | CollectError::Link { .. })),
            "{forbidden}: {result:?}"
        );
    }
    let result = collect_with(&[Source::Glob("/proc/self/env*".into())], b"");
    assert!(matches!(result, Err(CollectError::Forbidden(_))), "{result:?}");
    // From the root, they are not entered.
    let result = collect_with(&[Source::Glob("/*/version".into())], b"");
    assert!(
        !matches!(result, Ok(collected) if collected.items.iter().any(|item| item.path.as_str() == "proc/version"))
    );
}

#[test]
fn a_sparse_file_of_a_tebibyte_costs_nothing_to_find() {
    let directory = tree(&[]);
    let file = File::create(directory.path().join("sparse")).unwrap();
    if file.set_len(1 << 40).is_err() {
        println!("not tried: the file system takes no file of 1 TiB");
        return;
    }
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(collected.items[0].size, 1 << 40);
}

#[test]
fn a_file_gives_the_size_first_seen_or_an_error() {
    let directory = tree(&[("growing", "12345"), ("shrinking", "12345")]);
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    let mut growing = File::options().append(true).open(directory.path().join("growing")).unwrap();
    growing.write_all(b"6789").unwrap();
    fs::write(directory.path().join("shrinking"), "1").unwrap();
    assert_eq!(read(&collected.items[0]).unwrap(), b"12345");
    let error = read(&collected.items[1]).unwrap_err();
    assert!(error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<BecameShorter>), "{error}");
}

#[test]
fn a_file_that_became_something_else_has_vanished() {
    let names = ["removed", "link", "other", "pipe", "directory"];
    let directory = tree(&names.map(|name| (name, "content")));
    let secret = tree(&[("secret", "secret!")]);
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    for name in names {
        // Renamed and not removed, or the new file could get the same inode.
        fs::rename(directory.path().join(name), secret.path().join(name)).unwrap();
    }
    let at = |name: &str| directory.path().join(name);
    symlink(secret.path().join("secret"), at("link")).unwrap();
    fs::write(at("other"), "content").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR).unwrap();
    fs::create_dir(at("directory")).unwrap();
    for item in &collected.items {
        assert_eq!(read(item).unwrap_err().kind(), io::ErrorKind::NotFound, "{}", item.path);
    }
}

#[test]
fn a_directory_that_became_a_link_leads_nowhere() {
    let directory = tree(&[("sub/a", "mine")]);
    let other = tree(&[("a", "secret")]);
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    fs::rename(directory.path().join("sub"), directory.path().join("moved")).unwrap();
    symlink(other.path(), directory.path().join("sub")).unwrap();
    assert_eq!(read(&collected.items[0]).unwrap_err().kind(), io::ErrorKind::NotFound);

    let root = directory.path().join("moved");
    let collected = collect_with(&[path(&root)], b"").unwrap();
    fs::rename(&root, directory.path().join("moved-again")).unwrap();
    symlink(other.path(), &root).unwrap();
    assert_eq!(read(&collected.items[0]).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_race_of_links_never_gives_what_lies_outside() {
    let outside = tree(&[("target", "SECRET"), ("a", "SECRET")]);
    let directory = tree(&[("file", "mine"), ("sub/a", "mine"), ("spare", "mine")]);
    let at = |name: &str| directory.path().join(name);
    symlink(outside.path().join("target"), at("file-link")).unwrap();
    symlink(outside.path(), at("sub-link")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also when an assertion fails: the scope would wait for ever.
        let _stop = StopOnDrop(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for name in ["file", "sub"] {
                    let exchange = rustix::fs::RenameFlags::EXCHANGE;
                    let (one, other) = (at(name), at(&format!("{name}-link")));
                    rustix::fs::renameat_with(rustix::fs::CWD, one, rustix::fs::CWD, other, exchange).unwrap();
                }
            }
        });
        for _ in 0..300 {
            for source in [path(directory.path()), glob(&directory, "*/a"), path(at("file")), path(at("sub"))] {
                for item in collect_with(&[source], b"").map(|collected| collected.items).unwrap_or_default() {
                    if let Ok(bytes) = read(&item) {
                        assert_eq!(bytes, b"mine", "{}", item.path);
                    }
                }
            }
        }
    });
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_tree_deeper_than_paths_may_be_is_left_out_where_it_gets_too_deep() {
    let directory = tree(&[("good", "x")]);
    fs::create_dir_all(directory.path().join(vec!["d"; 1000].join("/"))).unwrap();
    fs::write(directory.path().join(vec!["d"; 900].join("/")).join("file"), "x").unwrap();
    fs::write(directory.path().join("d/d/near"), "x").unwrap();
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(names(&directory, &collected), ["d/d/near", "good"]);
    assert_eq!(collected.left_out.len(), 1);
    assert_eq!(collected.left_out[0].reason, Reason::BadName);
}

#[test]
fn ten_thousand_files_hold_no_file_open() {
    let directory = tempfile::tempdir().unwrap();
    for outer in 0..100 {
        let sub = directory.path().join(format!("{outer:02}"));
        fs::create_dir(&sub).unwrap();
        for inner in 0..100 {
            fs::write(sub.join(format!("{inner:02}")), "x").unwrap();
        }
    }
    let collected = collect_with(&[path(directory.path())], b"").unwrap();
    assert_eq!(collected.items.len(), 10_000);
    assert!(collected.items.is_sorted_by(|one, other| one.path < other.path));
    let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    assert!(open < 200, "{open} descriptors are open");
}

/// Runs as nobody when the tests run as root, since root may read everything.
#[test]
fn what_the_caller_may_not_read_is_left_out_and_the_rest_is_there() {
    const INSIDE: &str = "TARSEAL_TEST_AS_NOBODY";
    if rustix::process::geteuid().is_root() {
        // The program may lie where nobody cannot go; a copy in a directory of its own can be run.
        let public = tempfile::tempdir().unwrap();
        let program = public.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        fs::set_permissions(public.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let status = std::process::Command::new(&program)
            .args(["--exact", "what_the_caller_may_not_read_is_left_out_and_the_rest_is_there"])
            .env(INSIDE, "1")
            .env("TMPDIR", public.path())
            .current_dir("/")
            .uid(65_534)
            .gid(65_534)
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let directory = tree(&[("good", "x"), ("closed", "x"), ("closed-dir/a", "x")]);
    let close = |name: &str, mode| {
        fs::set_permissions(directory.path().join(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    close("closed", 0o000);
    close("closed-dir", 0o000);
    let collected = collect_with(&[path(directory.path())], b"");
    close("closed-dir", 0o700);
    let collected = collected.unwrap();
    assert_eq!(names(&directory, &collected), ["good"]);
    let expected =
        BTreeMap::from([("closed".to_owned(), Reason::NotPermitted), ("closed-dir".into(), Reason::NotPermitted)]);
    assert_eq!(left_out(&directory, &collected), expected);
}
