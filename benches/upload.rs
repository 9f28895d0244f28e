//! Uploads 64 MiB to a portal in this process, over loopback, durable: every acknowledged byte is on the disk.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use tarseal::clock::SystemClock;
use tarseal::ids::{FileId, TicketId};
use tarseal::portal::admin::{Admin, TokenOrder};
use tarseal::portal::{Config, Portal, Role};
use tarseal::progress::Silent;
use tarseal::send::{Checkpoint, Client, ClientOptions, PortalAddress, SystemPace, upload};
use tarseal::wire::NewSnapshot;

const LENGTH: usize = 64 << 20;

fn one_upload(criterion: &mut Criterion) {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("portal");
    let portal = Portal::start(Config::new(&data, ([127, 0, 0, 1], 0).into()), Arc::new(SystemClock)).unwrap();
    let ticket: TicketId = "4711".parse().unwrap();
    let order = TokenOrder { ticket: Some(ticket.clone()), ..TokenOrder::new(Role::Upload) };
    let token = Admin::open(&data, Arc::new(SystemClock)).unwrap().new_token(&order).unwrap().token;
    let address: PortalAddress = portal.url().parse().unwrap();
    let client = Client::new(address.clone(), Some(&token), &ClientOptions::default()).unwrap();

    let mut rng = StdRng::seed_from_u64(1);
    let mut bytes = vec![0; LENGTH];
    rng.fill_bytes(&mut bytes);
    let file = place.path().join("a.tarseal");
    std::fs::write(&file, &bytes).unwrap();
    let sha256 = hex::encode(Sha256::digest(&bytes));

    let mut group = criterion.benchmark_group("upload");
    group.throughput(Throughput::Bytes(LENGTH as u64)).sample_size(10);
    group.bench_function("64 MiB", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let file_id = FileId::random(&mut rng);
                let snapshot = NewSnapshot { file_id, size: LENGTH as u64, sha256: sha256.clone(), share: None };
                let state = Checkpoint::path_in(place.path(), &file_id);
                let mut checkpoint = Checkpoint::create(&state, &address, &ticket, &file, snapshot).unwrap();
                let begun = Instant::now();
                let wait = Duration::from_secs(60);
                black_box(upload(&client, &mut checkpoint, wait, &SystemPace::new(), &mut rng, &Silent).unwrap());
                spent += begun.elapsed();
                checkpoint.remove().unwrap();
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, one_upload);
criterion_main!(benches);
