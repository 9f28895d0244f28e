//! Packing and unpacking on generated logs, in bytes of log per second, without redaction and without a seal.

use std::fs;
use std::hint::black_box;
use std::io::{self, Read};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::item::{Content, Item};
use tarseal::pack::{Entry, Limits, Manifest, ManifestVersion, PackOptions, Packer, read_entries, unpack};
use tarseal::progress::Silent;
use tarseal::redact::{Consent, Counts, Redacted};

#[path = "../tests/support/logs.rs"]
mod logs;

/// Bytes of each file.
const FILE: usize = 8 << 20;
/// Files in an archive.
const FILES: usize = 4;

struct Bytes(&'static [u8]);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.0))
    }
}

fn items(mix: logs::Mix) -> Vec<Item> {
    let file = |number: usize| {
        let bytes: &'static [u8] = logs::generate(mix, FILE, number as u64).bytes.leak();
        Item {
            path: format!("logs/{number}.log").parse().expect("a good path"),
            size: bytes.len() as u64,
            modified: None,
            content: Box::new(Bytes(bytes)),
        }
    };
    (0..FILES).map(file).collect()
}

fn pack(items: &[Item]) -> Vec<u8> {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut packer = Packer::new(Vec::new(), &PackOptions::new("."), rng).expect("a packer");
    let add = |item: &Item| {
        let mut redacted = Redacted::unredacted(item, Consent::explicit()).expect("bytes at hand");
        packer.add(&mut redacted).expect("bytes at hand")
    };
    let entries: Vec<Entry> = items.iter().map(add).collect();
    let manifest = Manifest {
        version: ManifestVersion,
        tool: "bench".into(),
        created: "2026-11-21T14:20:01Z".parse().expect("an instant"),
        ticket: None,
        redacted: false,
        entries,
        left_out: Vec::new(),
        findings: Counts::new(),
        collected: None,
    };
    packer.finish(&manifest).expect("memory takes all")
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pack");
    group.sample_size(10);
    for mix in [logs::Mix::Typical, logs::Mix::Heavy, logs::Mix::Dense] {
        let items = items(mix);
        group.throughput(Throughput::Bytes(items.iter().map(|item| item.size).sum()));
        group.bench_function(BenchmarkId::new("pack", format!("{mix:?}")), |bencher| {
            bencher.iter(|| black_box(pack(&items)));
        });
        let packed = pack(&items);
        group.bench_function(BenchmarkId::new("read", format!("{mix:?}")), |bencher| {
            bencher
                .iter(|| read_entries(&packed[..], &Limits::default(), &mut (), &Silent).expect("it was packed here"));
        });
        let directory = tempfile::tempdir_in("target").expect("a directory");
        let out = directory.path().join("out");
        group.bench_function(BenchmarkId::new("unpack", format!("{mix:?}")), |bencher| {
            bencher.iter(|| {
                unpack(&packed[..], &out, &Limits::default(), &Silent).expect("it was packed here");
                fs::remove_dir_all(&out).expect("it is there");
            });
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
