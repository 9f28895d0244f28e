//! What holds for every run over a snapshot: threads and chunks make no difference, and once is enough.

use std::collections::BTreeMap;

use tarseal::redact::{Redactor, Rules, Survey};

use super::SNAPSHOT;
use crate::{item, key, read};

fn run(files: &[(String, Vec<u8>)], chunk: usize) -> (Redactor, BTreeMap<String, Vec<u8>>) {
    let rules = Rules::default();
    let items: Vec<_> = files.iter().map(|(path, bytes)| item(path, bytes)).collect();
    let mut survey = Survey::new(&rules).with_chunk_size(chunk);
    let readable: Vec<_> = items
        .iter()
        .filter(|item| {
            survey.learn_path(&item.path);
            survey.read(item).is_ok()
        })
        .collect();
    let redactor = Redactor::new(rules, survey.finish(), key()).with_chunk_size(chunk);
    let out = readable.iter().map(|item| (item.path.to_string(), read(&redactor, item).unwrap().0)).collect();
    (redactor, out)
}

/// Fails with the first line that differs.
fn same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>, how: &str) {
    assert!(one.keys().eq(other.keys()), "{how}");
    for (path, bytes) in one {
        let lines = |bytes: &[u8]| -> Vec<Vec<u8>> { bytes.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect() };
        for (one, other) in lines(bytes).iter().zip(&lines(&other[path])) {
            assert!(
                one == other,
                "{path}, {how}:\n{}\n{}",
                String::from_utf8_lossy(one),
                String::from_utf8_lossy(other)
            );
        }
        assert_eq!(bytes.len(), other[path].len(), "{path}, {how}");
    }
}

#[test]
fn threads_and_chunks_make_no_difference_to_a_snapshot() {
    let files: Vec<_> = SNAPSHOT.members.iter().map(|member| (member.path.clone(), member.bytes.clone())).collect();
    let on = |threads: usize, chunk: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&files, chunk).1)
    };
    let expected = on(1, 1 << 20);
    assert!(expected.len() >= 8);
    for (threads, chunk) in [(2, 4096), (8, 777)] {
        same(&expected, &on(threads, chunk), &format!("{threads} threads, chunks of {chunk}"));
    }
}

#[test]
fn redacting_a_snapshot_again_changes_nothing() {
    let files: Vec<_> = SNAPSHOT.members.iter().map(|member| (member.path.clone(), member.bytes.clone())).collect();
    let (redactor, once) = run(&files, 1 << 18);
    let twice =
        once.iter().map(|(path, bytes)| (path.clone(), read(&redactor, &item(path, bytes)).unwrap().0)).collect();
    same(&once, &twice, "twice");
}
