//! Items that change while they are sealed as they are: what cannot be read to its end is left out, and nothing else is.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, LazyLock};

use tarseal::item::BecameShorter;

use super::*;

/// Cheap bytes.
fn long(length: usize) -> Vec<u8> {
    static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| noise(1 << 20));
    let mut bytes = NOISE.repeat(length.div_ceil(NOISE.len()));
    bytes.truncate(length);
    bytes
}

/// Fails after so many bytes, in its first openings.
struct Failing {
    bytes: Vec<u8>,
    after: usize,
    times: usize,
    opened: Arc<AtomicUsize>,
}

impl Content for Failing {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        if self.opened.fetch_add(1, Ordering::Relaxed) >= self.times {
            return Ok(Box::new(io::Cursor::new(self.bytes.clone())));
        }
        let begun = io::Cursor::new(self.bytes[..self.after].to_vec());
        Ok(Box::new(begun.chain(Broken)))
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(BecameShorter))
    }
}

fn failing(path: &str, after: usize, times: usize) -> (Item, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let content = Failing { bytes: long(5 << 20), after, times, opened: Arc::clone(&opened) };
    (Item { content: Box::new(content), ..item(path, &long(5 << 20)) }, opened)
}

fn paths(created: &Created) -> Vec<&str> {
    created.manifest.entries.iter().map(|entry| entry.path.as_str()).collect()
}

#[test]
fn a_long_file_that_becomes_shorter_is_left_out_and_the_others_are_there() {
    let (torn, opened) = failing("b", 9 << 19, usize::MAX);
    let (file, created) = sealed(vec![item("a", b"x"), torn, item("c", &long(5 << 20))], none());
    assert_eq!(paths(&created), ["a", "c"]);
    assert_eq!(created.manifest.left_out, [LeftOut { path: "b".into(), reason: Reason::BecameShorter }]);
    assert_eq!(opened.load(Ordering::Relaxed), 2, "it is begun again once");
    let directory = tempfile::tempdir().unwrap();
    let opened = open(&file, &technician(), &directory).unwrap();
    assert_eq!(opened.manifest, created.manifest);
}

#[test]
fn several_that_fail_cost_no_more_than_one() {
    let (one, first) = failing("a", 9 << 19, usize::MAX);
    let (other, second) = failing("b", 9 << 19, usize::MAX);
    let (_, created) = sealed(vec![one, other, item("c", b"x")], none());
    assert_eq!(paths(&created), ["c"]);
    assert_eq!((first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)), (2, 1));
}

#[test]
fn a_file_that_can_be_read_the_second_time_is_there() {
    let (once, opened) = failing("b", 9 << 19, 1);
    let (_, created) = sealed(vec![item("a", b"x"), once], none());
    assert_eq!(paths(&created), ["a", "b"]);
    assert!(created.manifest.left_out.is_empty());
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

#[test]
fn a_short_file_that_fails_is_left_out_without_a_second_beginning() {
    let (short, opened) = failing("b", 1 << 20, usize::MAX);
    let (_, created) = sealed(vec![item("a", b"x"), short], none());
    assert_eq!(paths(&created), ["a"]);
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[test]
fn a_level_changes_the_size_and_not_the_content() {
    let directory = tempfile::tempdir().unwrap();
    let line = |n: usize| format!("2026-11-21T14:20:01Z worker[{}]: request {n} took {} ms\n", n % 9, n * 7919 % 1009);
    let text: String = (0..60_000).map(line).collect();
    let mut sizes = Vec::new();
    for level in [1, 9] {
        let output = directory.path().join(format!("{level}.tarseal"));
        let recipients = [technician().recipient()];
        let plan = Plan { level, ..plan(vec![item("a", text.as_bytes())], none(), &recipients) };
        let created = create(plan, &output, &mut rng(), &Silent).unwrap();
        let target = tempfile::tempdir().unwrap();
        open(&fs::read(&output).unwrap(), &technician(), &target).unwrap();
        assert!(fs::read(target.path().join("out/a")).unwrap() == text.as_bytes());
        sizes.push(created.size);
    }
    assert!(sizes[1] < sizes[0], "{sizes:?}");
}

#[test]
fn what_is_left_by_a_kill_bears_the_partial_name_and_nothing_reads_it() {
    // A kill leaves what a run has made so far: the file is there under its partial name until all of it is on the disk.
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.tarseal");
    let seen = Arc::new(Mutex::new(Vec::new()));
    struct Looking(std::path::PathBuf, Arc<Mutex<Vec<String>>>);
    impl Content for Looking {
        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            let names = fs::read_dir(&self.0)?.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            self.1.lock().unwrap().extend(names);
            Ok(Box::new(io::Cursor::new(long(5 << 20))))
        }
    }
    let content = Box::new(Looking(directory.path().to_owned(), Arc::clone(&seen)));
    let looking = Item { content, ..item("b", &long(5 << 20)) };
    make(vec![item("a", &long(5 << 20)), looking], none(), &output).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("out.tarseal.partial-"), "{seen:?}");
}
