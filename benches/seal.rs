//! How fast a file is sealed and opened: bytes of plaintext per second through one thread.

use std::hint::black_box;
use std::io::{self, Write};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::clock::Timestamp;
use tarseal::format::{Header, Identity, KeyKind, OpenReader, SealOptions, SealWriter};

const SIZE: usize = 64 * 1024 * 1024;
/// What the pack room hands over at once, about.
const PIECE: usize = 128 * 1024;

fn seal_into(output: impl Write, identity: &Identity, plaintext: &[u8]) {
    let recipients = [identity.recipient()];
    let options = SealOptions { created: Timestamp::EPOCH, recipients: &recipients, share: None };
    let mut writer =
        SealWriter::new(output, &options, &mut StdRng::seed_from_u64(2)).expect("a writer that never fails");
    for piece in plaintext.chunks(PIECE) {
        writer.write_all(piece).expect("a writer that never fails");
    }
    writer.finish().expect("a writer that never fails");
}

fn seal(criterion: &mut Criterion) {
    let identity = Identity::generate(KeyKind::XWing, &mut StdRng::seed_from_u64(1));
    let plaintext: Vec<u8> = (0..SIZE).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let mut sealed = Vec::with_capacity(SIZE + SIZE / 512);
    seal_into(&mut sealed, &identity, &plaintext);

    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(20);
    group.bench_function("seal 64 MiB", |bencher| {
        bencher.iter(|| seal_into(io::sink(), &identity, black_box(&plaintext)));
    });
    group.bench_function("open 64 MiB", |bencher| {
        let mut buffer = vec![0; PIECE];
        bencher.iter(|| {
            let mut file = black_box(sealed.as_slice());
            let header = Header::read(&mut file).expect("a good file");
            let mut reader = OpenReader::new(header, file, std::slice::from_ref(&identity), None).expect("a good file");
            while io::Read::read(&mut reader, &mut buffer).expect("a good file") > 0 {}
        });
    });
    group.finish();
}

criterion_group!(benches, seal);
criterion_main!(benches);
