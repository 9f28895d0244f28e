//! Whatever is done to the slots and the other fields of a file, it opens when nothing was done and at no other time.

#![no_main]

mod sealed;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tarseal::clock::Timestamp;
use tarseal::format::{Cost, Identity, KeyKind, Passphrase, SealOptions};

use sealed::{CREATED, Choices, change, open, seal};

const PLAINTEXT: &[u8] = b"The service stopped answering at 14:20.\n";
/// Bytes before the fields.
const PREAMBLE: usize = 14;

/// For each kind of slot: what opens it, a file, and the length of its header.
static FILES: LazyLock<Vec<([Identity; 1], Vec<u8>, usize)>> = LazyLock::new(|| {
    let mut rng = StdRng::seed_from_u64(1);
    let words = Passphrase::new(b"correct horse").expect("a good passphrase");
    let cost = Cost::new(8, 1, 1).expect("the least cost");
    let keys = [
        Identity::generate(KeyKind::X25519, &mut rng),
        Identity::generate(KeyKind::XWing, &mut rng),
        Identity::from(words.with_cost(cost)),
        Identity::generate_shared(&mut rng),
    ];
    let other = Identity::generate(KeyKind::X25519, &mut rng).recipient();
    keys.into_iter()
        .enumerate()
        .map(|(kind, key)| {
            // A passphrase slot stands alone.
            let mut recipients = vec![key.recipient()];
            if kind != 2 {
                recipients.push(other.clone());
            }
            let created = Timestamp::from_seconds(CREATED);
            let options = SealOptions { created, recipients: &recipients, share: None };
            let file = seal(&options, PLAINTEXT, 2);
            let header = file.len() - 56 - PLAINTEXT.len() - 16;
            ([key], file, header)
        })
        .collect()
});

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(input);
    let (key, file, header) = &FILES[usize::from(choices.byte() % 4)];
    let (preamble, rest) = file.split_at(PREAMBLE);
    let (fields, payload) = rest.split_at(header - PREAMBLE);
    let mut fields = fields.to_vec();
    change(&mut fields, &mut choices);
    if costs_too_much(&fields) {
        return;
    }
    let length = u32::try_from(fields.len()).expect("a small input").to_be_bytes();
    let changed = [&preamble[..10], &length, &fields, payload].concat();
    let (plaintext, whole) = open(&changed, key, 1000);
    if changed == *file {
        assert!(whole && plaintext == PLAINTEXT);
    } else {
        assert!(!whole && plaintext.is_empty(), "a changed header opens");
    }
});

/// Whether the first slot asks for a passphrase at a cost that the limits allow and this target does not want to wait for.
fn costs_too_much(fields: &[u8]) -> bool {
    let slot = fields.get(34 + 5..).unwrap_or_default();
    let number = |at: usize| slot.get(at..at + 4).map_or(0, |n| u32::from_be_bytes(n.try_into().expect("four bytes")));
    let (memory, passes) = (number(25), number(29));
    slot.first() == Some(&3) && (1 << 8..=1 << 20).contains(&memory) && passes <= 16
}
