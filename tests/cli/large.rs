//! A large directory of mixed logs, from one process through a portal in another to a third, once killed on the way.
//!
//! Takes minutes in a debug build, so it stands apart:
//!
//!     cargo test --release --test cli -- --ignored --nocapture a_large
//!
//! `TARSEAL_LARGE_MB` makes it smaller or larger than 200 MB.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::desk::files_below;
use crate::interrupted::{MIB, Processes, Turnstile};
use crate::logs::{Log, Mix, generate};

const MIXES: [Mix; 3] = [Mix::Typical, Mix::Heavy, Mix::Dense];

fn megabytes() -> usize {
    std::env::var("TARSEAL_LARGE_MB").map_or(200, |text| text.parse().expect("a number of megabytes"))
}

/// Writes at least that many MB of logs and gives what was planted and what must stay.
fn write_logs(dir: &Path, megabytes: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let part_of = |hundredths: usize| megabytes * 10_000 * hundredths;
    let (mut planted, mut kept) = (BTreeSet::new(), BTreeSet::new());
    let mut note = |log: &Log| {
        planted.extend(log.planted.iter().map(|planted| planted.value.clone()));
        kept.extend(log.kept.iter().cloned());
    };
    fs::create_dir_all(dir.join("rotated")).unwrap();
    for (number, mix) in (0_u64..).zip(MIXES) {
        for part in 0..4 {
            let log = generate(mix, part_of(8), 100 * number + part);
            note(&log);
            fs::write(dir.join(format!("{mix:?}-{part}.log")), &log.bytes).unwrap();
        }
        for part in 4..6 {
            let log = generate(mix, part_of(3), 100 * number + part);
            note(&log);
            let file = fs::File::create(dir.join(format!("rotated/{mix:?}-{part}.log.gz"))).unwrap();
            let mut packed = GzEncoder::new(file, Compression::fast());
            packed.write_all(&log.bytes).unwrap();
            packed.finish().unwrap();
        }
    }
    let mut core = vec![0; part_of(8)];
    StdRng::seed_from_u64(1).fill_bytes(&mut core);
    fs::write(dir.join("core.4711"), &core).unwrap();
    fs::write(dir.join("cut-off.log.gz"), [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &core[..4096]].concat()).unwrap();
    (planted, kept)
}

/// Which of the values stand in the texts or in their names.
fn found_in<'v>(texts: &[(String, String)], values: &'v BTreeSet<String>) -> BTreeSet<&'v str> {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let search = AhoCorasick::new(&values).unwrap();
    let mut found = BTreeSet::new();
    for text in texts.iter().flat_map(|(name, text)| [name, text]) {
        found.extend(search.find_overlapping_iter(text.as_str()).map(|hit| values[hit.pattern()]));
    }
    found
}

fn text_of(name: &str, bytes: Vec<u8>) -> String {
    if !name.ends_with(".gz") {
        return String::from_utf8(bytes).unwrap();
    }
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    text
}

#[test]
#[ignore = "200 MB; run it with --release"]
fn a_large_directory_arrives_without_its_people() {
    let processes = Processes::start();
    processes.make_recipient();
    let logs = processes.dir.path().join("logs");
    let (planted, kept) = write_logs(&logs, megabytes());
    let size: u64 = files_below(&logs).iter().map(|(_, bytes)| bytes.len() as u64).sum();

    let turnstile = Turnstile::before(&processes.address);
    let send = ["send", logs.to_str().unwrap(), "--ticket", "4711", "--yes", "--quiet"];
    let began = Instant::now();
    let mut killed = processes.command("upload", &turnstile.address, &send).spawn().unwrap();
    while turnstile.sent() < size / 20 {
        assert!(killed.try_wait().unwrap().is_none(), "the upload ended before it could be killed");
        thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = turnstile.sent();
    let resumed = processes.run("upload", &turnstile.address, &["resume", "4711", "--json"], 0);
    let result: serde_json::Value =
        serde_json::from_str(String::from_utf8(resumed.stdout).unwrap().lines().last().unwrap()).unwrap();
    let sealed = result["bytes"].as_u64().unwrap();
    let twice = turnstile.sent().saturating_sub(sealed);
    println!(
        "{size} bytes of logs, {sealed} sealed, killed at {before}, {twice} sent twice, {:?} in all",
        began.elapsed()
    );
    assert!(size >= megabytes() as u64 * 1_000_000 && before < sealed && twice <= 8 * MIB + MIB / 2);

    let (key, opened) = (processes.at("me.key"), processes.at("opened"));
    let fetch = ["fetch", "4711", "--reason", "test", "--key", &key, "-o", &opened];
    processes.run("technician", &turnstile.address, &fetch, 0);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(Path::new(&opened).join(".tarseal/manifest.json")).unwrap()).unwrap();
    let texts: Vec<(String, String)> = files_below(Path::new(&opened))
        .into_iter()
        .map(|(name, bytes)| (name.clone(), text_of(&name, bytes)))
        .collect();
    let arrived = found_in(&texts, &planted);
    let lost = kept.len() - found_in(&texts, &kept).len();
    println!(
        "{} of {} planted values arrived, {lost} of {} needed strings were lost",
        arrived.len(),
        planted.len(),
        kept.len()
    );
    assert!(arrived.is_empty(), "{:?}", arrived.iter().take(20).collect::<Vec<_>>());
    assert!(lost * 1000 <= kept.len());
    let left_out: Vec<(&str, &str)> = manifest["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["path"].as_str().unwrap().rsplit('/').next().unwrap(), entry["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(left_out, [("core.4711", "not-readable"), ("cut-off.log.gz", "damaged")]);
}
