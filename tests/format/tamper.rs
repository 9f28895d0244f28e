//! What was changed does not open, and only true bytes come out before that is said.

use proptest::prelude::*;
use tarseal::format::{Identity, KeyKind, Share};

use crate::support::{PREFIX, Pieces, SEALED_CHUNK, header_length, identity, open, rng, seal, text};

/// Asserts that the file is refused, gives nothing but a beginning of the plaintext, and gives the reason.
fn refused(file: &[u8], key: &[Identity], share: Option<&Share>, plaintext: &[u8], what: &str) -> String {
    let (opened, reason) = open(file, key, share);
    assert!(plaintext.starts_with(&opened), "{what}: bytes came out that were never sealed");
    reason.unwrap_or_else(|| panic!("{what}: opened"))
}

#[test]
fn every_flipped_bit_of_header_and_payload_is_found_and_is_not_taken_for_a_wrong_key() {
    for (kind, step) in [(KeyKind::X25519, 1), (KeyKind::XWing, 61)] {
        let key = [identity(kind, 1)];
        let share = Share::random(&mut rng(2));
        let plaintext = text(40);
        let mut file = seal(&[key[0].recipient()], Some(&share), &plaintext, 3);
        for bit in (0..file.len() * 8).step_by(step) {
            file[bit / 8] ^= 1 << (bit % 8);
            let reason = refused(&file, &key, Some(&share), &plaintext, &format!("bit {bit}"));
            assert!(!reason.contains("no key fits") && !reason.contains("share is needed"), "bit {bit}: {reason}");
            file[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(open(&file, &key, Some(&share)), (plaintext, None));
    }
}

#[test]
fn a_flipped_bit_in_a_long_payload_is_found_in_its_chunk() {
    let key = [identity(KeyKind::X25519, 1)];
    let plaintext = text(10 * 16_384 + 100);
    let mut file = seal(&[key[0].recipient()], None, &plaintext, 3);
    let chunks = header_length(&file) + PREFIX;
    let mut places: Vec<usize> = (0..=10).flat_map(|n| [n * SEALED_CHUNK, n * SEALED_CHUNK + 57]).collect();
    places.extend((1..=10).flat_map(|n| [n * SEALED_CHUNK - 1, n * SEALED_CHUNK - 16, n * SEALED_CHUNK - 17]));
    places.push(file.len() - chunks - 1);
    for place in places {
        file[chunks + place] ^= 0x10;
        let number = place / SEALED_CHUNK;
        let expected = (plaintext[..number * 16_384].to_vec(), Some(format!("chunk {number} is damaged")));
        assert_eq!(open(&file, &key, None), expected, "{place}");
        file[chunks + place] ^= 0x10;
    }
}

#[test]
fn a_short_file_cut_off_anywhere_is_refused() {
    let key = [identity(KeyKind::X25519, 1)];
    let plaintext = text(40);
    let file = seal(&[key[0].recipient()], None, &plaintext, 3);
    let chunk = file.len() - 40 - 16;
    for length in 0..file.len() {
        let reason = refused(&file[..length], &key, None, &plaintext, &format!("{length} bytes"));
        // What ends inside a chunk cannot be told from a shorter one that was changed.
        let expected = if length < chunk + 16 { "the file is cut off" } else { "chunk 0 is damaged" };
        assert_eq!(reason, expected, "{length} bytes");
    }
}

#[test]
fn a_long_file_cut_off_at_or_near_every_chunk_is_refused() {
    let key = [identity(KeyKind::X25519, 1)];
    for tail in [0, 1, 100] {
        let plaintext = text(9 * 16_384 + tail);
        let file = seal(&[key[0].recipient()], None, &plaintext, 3);
        let chunks = header_length(&file) + PREFIX;
        for full in 0..=9 {
            let edge = chunks + full * SEALED_CHUNK;
            for length in [edge - 17, edge - 1, edge, edge + 1, edge + 15, edge + 16, edge + 17] {
                if length >= file.len() {
                    continue;
                }
                let (opened, reason) = open(&file[..length], &key, None);
                let reason = reason.unwrap_or_else(|| panic!("{length}: opened"));
                assert!(plaintext.starts_with(&opened));
                if length == edge && length >= chunks {
                    assert_eq!((opened.len(), reason.as_str()), (full * 16_384, "the file is cut off"));
                }
            }
        }
    }
}

#[test]
fn chunks_that_were_dropped_doubled_swapped_or_added_are_refused() {
    let key = [identity(KeyKind::X25519, 1)];
    let plaintext = text(10 * 16_384);
    let file = seal(&[key[0].recipient()], None, &plaintext, 3);
    let good = Pieces::of(&file);
    assert_eq!((good.join() == file, good.chunks.len()), (true, 11));
    for at in 0..11 {
        let mut dropped = good.clone();
        dropped.chunks.remove(at);
        refused(&dropped.join(), &key, None, &plaintext, &format!("chunk {at} dropped"));
        let mut doubled = good.clone();
        doubled.chunks.insert(at, good.chunks[at].clone());
        refused(&doubled.join(), &key, None, &plaintext, &format!("chunk {at} doubled"));
        for other in 0..at {
            let mut swapped = good.clone();
            swapped.chunks.swap(at, other);
            refused(&swapped.join(), &key, None, &plaintext, &format!("chunks {at} and {other} swapped"));
        }
    }
    for added in [1, 15, 16, 17, SEALED_CHUNK - 16, SEALED_CHUNK, 2 * SEALED_CHUNK] {
        let longer = [file.as_slice(), &vec![0; added]].concat();
        refused(&longer, &key, None, &plaintext, &format!("{added} bytes added"));
    }
}

#[test]
fn the_parts_of_two_files_do_not_go_together() {
    let key = [identity(KeyKind::X25519, 1)];
    let share = Share::random(&mut rng(5));
    let plaintext = text(100);
    let one = Pieces::of(&seal(&[key[0].recipient()], None, &plaintext, 3));
    let two = Pieces::of(&seal(&[key[0].recipient()], None, &plaintext, 4));
    let shared = Pieces::of(&seal(&[key[0].recipient()], Some(&share), &plaintext, 3));

    let other_payload = Pieces { prefix: two.prefix.clone(), chunks: two.chunks.clone(), ..one.clone() };
    assert!(refused(&other_payload.join(), &key, None, &plaintext, "another payload").contains("header was changed"));
    let other_header = Pieces { fields: two.fields.clone(), ..one.clone() };
    assert!(refused(&other_header.join(), &key, None, &plaintext, "another header").contains("header was changed"));
    let mut other_slot = one.clone();
    other_slot.fields[2] = two.fields[2].clone();
    assert!(refused(&other_slot.join(), &key, None, &plaintext, "another slot").contains("does not open"));

    // Taking the share field away, or putting one in, does not get around the share.
    let mut no_share = shared.clone();
    no_share.fields.remove(2);
    refused(&no_share.join(), &key, None, &plaintext, "share taken away");
    let mut with_share = one.clone();
    with_share.fields.insert(2, shared.fields[2].clone());
    refused(&with_share.join(), &key, Some(&share), &plaintext, "share put in");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_change_of_any_kind_opens(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..4),
    ) {
        let key = [identity(KeyKind::X25519, 1)];
        let plaintext = text(16_384 + 10);
        let good = seal(&[key[0].recipient()], None, &plaintext, 3);
        let mut file = good.clone();
        for (at, change, value) in changes {
            let at = at.index(file.len());
            match change {
                0 => file[at] = value,
                1 => file.insert(at, value),
                2 => drop(file.remove(at)),
                _ => file.truncate(at.max(1)),
            }
        }
        if file != good {
            refused(&file, &key, None, &plaintext, "changed");
        }
    }
}
