//! How fast the survey, the second pass (replacing and gate) and both together are, in one thread and in two. Beside another
//! scanner: `benches/peer`; a whole `seal` beside tar, zstd and age: `benches/seal_peer.sh`.

#[path = "../tests/support/logs.rs"]
mod logs;

use std::io::{self, Read};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tarseal::item::{Content, Item};
use tarseal::redact::{Learned, Redactor, Rules, Survey, TicketKey};

const SIZE: usize = 16 << 20;

struct Bytes(&'static [u8]);

impl Content for Bytes {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.0))
    }
}

fn survey(item: &Item) -> Learned {
    let mut survey = Survey::new(&Rules::default());
    survey.read(item).expect("the log is text");
    survey.finish()
}

fn redact(redactor: &Redactor, item: &Item) -> u64 {
    let mut redacted = redactor.redact(item).expect("the log is text");
    io::copy(&mut redacted, &mut io::sink()).expect("the log passes the gate")
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("redact");
    group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(10);
    for (name, mix) in [("typical", logs::Mix::Typical), ("heavy", logs::Mix::Heavy), ("dense", logs::Mix::Dense)] {
        let bytes: &'static [u8] = logs::generate(mix, SIZE, 1).bytes.leak();
        let item = Item {
            path: "log".parse().expect("a plain name"),
            size: bytes.len() as u64,
            modified: None,
            content: Box::new(Bytes(bytes)),
        };
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
            let redactor = Redactor::new(Rules::default(), survey(&item), TicketKey::from_bytes([1; 32]));
            group.bench_function(BenchmarkId::new(format!("survey/{name}"), threads), |bench| {
                bench.iter(|| pool.install(|| survey(&item)));
            });
            group.bench_function(BenchmarkId::new(format!("second-pass/{name}"), threads), |bench| {
                bench.iter(|| pool.install(|| redact(&redactor, &item)));
            });
            group.bench_function(BenchmarkId::new(format!("whole/{name}"), threads), |bench| {
                bench.iter(|| {
                    pool.install(|| {
                        let redactor = Redactor::new(Rules::default(), survey(&item), TicketKey::from_bytes([1; 32]));
                        redact(&redactor, &item)
                    })
                });
            });
        }
    }
    group.finish();
}

criterion_group!(redaction, benches);
criterion_main!(redaction);
