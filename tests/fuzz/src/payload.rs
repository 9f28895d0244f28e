//! What was sealed comes back; what was changed in any way gives a true beginning of it and then an error.

#![no_main]

mod sealed;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::clock::Timestamp;
use tarseal::format::{Identity, KeyKind, SealOptions};

use sealed::{CREATED, Choices, change, open, seal};

const CHUNK: usize = 16_384;
const SEALED_CHUNK: usize = CHUNK + 16;
/// Plaintexts around the edges of chunks.
const LENGTHS: [usize; 6] = [0, 40, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 40];

static KEY: LazyLock<[Identity; 1]> =
    LazyLock::new(|| [Identity::generate(KeyKind::X25519, &mut StdRng::seed_from_u64(1))]);
static FILES: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    LENGTHS
        .iter()
        .map(|&length| {
            let plaintext: Vec<u8> = (0..length).map(|at| (at * 31 >> 3).to_le_bytes()[0]).collect();
            (plaintext.clone(), sealed_for_us(&plaintext))
        })
        .collect()
});

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(input);
    let which = usize::from(choices.byte());
    let step = 1 + choices.below(3 * CHUNK);
    if which % 8 >= LENGTHS.len() {
        let (plaintext, whole) = open(&sealed_for_us(choices.0), &*KEY, step);
        assert!(whole && plaintext == choices.0);
        return;
    }
    let (plaintext, file) = &FILES[which % 8];
    let mut changed = file.clone();
    if which & 0x80 != 0 {
        chunks(&mut changed, plaintext.len(), &mut choices);
    } else {
        change(&mut changed, &mut choices);
    }
    let (released, whole) = open(&changed, &*KEY, step);
    assert!(plaintext.starts_with(&released), "wrong bytes came out");
    assert_eq!(whole, changed == *file, "a changed file opens, or a good one does not");
});

fn sealed_for_us(plaintext: &[u8]) -> Vec<u8> {
    let recipients = [KEY[0].recipient()];
    let created = Timestamp::from_seconds(CREATED);
    let options = SealOptions { created, recipients: &recipients, share: None };
    seal(&options, plaintext, 2)
}

/// Puts whole chunks, and pieces from their edges, together in another order.
fn chunks(file: &mut Vec<u8>, plaintext: usize, choices: &mut Choices<'_>) {
    let first = file.len() - plaintext - 16 * (plaintext / CHUNK + 1);
    let (begin, payload) = file.split_at(first);
    let chunks: Vec<&[u8]> = payload.chunks(SEALED_CHUNK).collect();
    let mut changed = begin.to_vec();
    while !choices.is_empty() && changed.len() < 1 << 18 {
        let chunk = chunks[choices.below(chunks.len())];
        match choices.byte() {
            cut @ 0..64 => changed.extend_from_slice(&chunk[..chunk.len().saturating_sub(cut.into())]),
            _ => changed.extend_from_slice(chunk),
        }
    }
    *file = changed;
}
