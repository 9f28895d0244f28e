//! Files that say themselves what becomes of them: `fixtures/format/*.case`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, str};

use sha2::{Digest, Sha256};
use tarseal::format::{Identity, KeyKind, Passphrase, Share};

use crate::support::{CREATED, Pieces, SEALED_CHUNK, identity, open, rng, seal, text};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Case {
    words: BTreeMap<String, String>,
    sealed: Vec<u8>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an empty line ends the words");
        let words = str::from_utf8(&bytes[..end]).unwrap().lines();
        let words = words.map(|line| line.split_once(": ").expect("each line is `word: value`"));
        let words = words.map(|(word, value)| (word.to_owned(), value.to_owned())).collect();
        Self { words, sealed: bytes[end + 2..].to_vec() }
    }
}

#[test]
fn every_case_ends_as_it_says() {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("fixtures/format")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    assert!(paths.len() >= 30, "only {} cases", paths.len());
    for path in paths {
        let case = Case::read(&path);
        let name = path.display();
        let known = ["expect", "plaintext", "identity", "passphrase", "share", "comment"];
        assert!(case.words.keys().all(|word| known.contains(&word.as_str())), "{name}: an unknown word");
        let key = match case.words.get("passphrase") {
            Some(passphrase) => Identity::from(Passphrase::new(passphrase.as_bytes()).unwrap()),
            None => fs::read_to_string(root().join(&case.words["identity"])).unwrap().parse().unwrap(),
        };
        let share = case.words.get("share").map(|share| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(share, &mut bytes).unwrap();
            Share::from_bytes(bytes)
        });
        let (plaintext, reason) = open(&case.sealed, &[key], share.as_ref());
        assert_eq!(reason.as_deref().unwrap_or("opened"), case.words["expect"], "{name}");
        assert_eq!(hex::encode(Sha256::digest(&plaintext)), case.words["plaintext"], "{name}");
    }
}

/// Makes keys and cases anew: `cargo test --test format -- --ignored write_the_cases`.
///
/// `expect` and `plaintext` are written by hand here, not taken from what the reader does.
#[test]
#[ignore = "writes the fixtures"]
fn write_the_cases() {
    let alice = identity(KeyKind::XWing, 0xa11ce);
    let bob = identity(KeyKind::X25519, 0xb0b);
    let carol = identity(KeyKind::X25519, 0xca201);
    for (name, key) in [("alice", &alice), ("bob", &bob), ("carol", &carol)] {
        fs::write(root().join(format!("fixtures/keys/{name}.key")), key.to_text(CREATED).expose()).unwrap();
    }
    let share = Share::random(&mut rng(7));
    let share_hex = hex::encode(share.expose());
    let other_share = hex::encode([0x42; 32]);

    let write = |name: &str,
                 expect: &str,
                 plaintext: &[u8],
                 key: &str,
                 share: Option<&str>,
                 comment: &str,
                 sealed: &[u8]| {
        let digest = hex::encode(Sha256::digest(plaintext));
        let share = share.map(|share| format!("share: {share}\n")).unwrap_or_default();
        let words = format!(
            "expect: {expect}\nplaintext: {digest}\nidentity: fixtures/keys/{key}.key\n{share}comment: {comment}\n\n"
        );
        fs::write(root().join(format!("fixtures/format/{name}.case")), [words.as_bytes(), sealed].concat()).unwrap();
    };

    // What opens.
    let hello = b"The service stopped answering at 14:20.\n".as_slice();
    let to_bob = seal(&[bob.recipient()], None, hello, 10);
    let to_alice = seal(&[alice.recipient()], None, hello, 11);
    let shared = seal(&[alice.recipient()], Some(&share), hello, 12);
    write("x25519", "opened", hello, "bob", None, "one X25519 slot", &to_bob);
    write("x_wing", "opened", hello, "alice", None, "one X-Wing slot", &to_alice);
    write("share", "opened", hello, "alice", Some(&share_hex), "key and share together", &shared);
    let both = seal(&[alice.recipient(), bob.recipient()], None, hello, 13);
    write("second_slot", "opened", hello, "bob", None, "the second of two slots fits", &both);
    let empty = seal(&[bob.recipient()], None, b"", 14);
    write("empty", "opened", b"", "bob", None, "no plaintext: one chunk, and it is empty", &empty);
    let chunk = text(16_384);
    let exact = seal(&[bob.recipient()], None, &chunk, 15);
    write("exact_chunk", "opened", &chunk, "bob", None, "16 384 bytes: a full chunk, then an empty one", &exact);

    // Who may not open.
    write(
        "other_key",
        "no key fits: the file was sealed to another key",
        b"",
        "carol",
        None,
        "sealed to bob, opened by carol",
        &to_bob,
    );
    let needed = "the portal's share is needed; https://support.vendor.example has it until 2027-11-21T14:20:01Z";
    write("share_missing", needed, b"", "alice", None, "the key without the share", &shared);
    let commitment = "the header was changed, or the share belongs to another file";
    write("share_of_another", commitment, b"", "alice", Some(&other_share), "the share of another file", &shared);
    let edit = |change: &dyn Fn(&mut Pieces)| {
        let mut pieces = Pieces::of(&to_bob);
        change(&mut pieces);
        pieces.join()
    };

    let dora = Identity::generate_shared(&mut rng(0xd0e));
    fs::write(root().join("fixtures/keys/dora_and_erik.key"), dora.to_text(CREATED).expose()).unwrap();
    let shared_key = seal(&[dora.recipient()], None, hello, 17);
    write("shared_key", "opened", hello, "dora_and_erik", None, "one shared-key slot", &shared_key);
    let none = "the file is sealed with a shared key, and none was given";
    write("shared_key_none", none, b"", "bob", None, "one shared-key slot, opened by bob", &shared_key);
    let phrase = "correct horse battery staple";
    let passphrase = seal(&[Passphrase::new(phrase.as_bytes()).unwrap().into()], None, hello, 18);
    let none = "the file is sealed with a passphrase, and none was given";
    write("passphrase_none", none, b"", "bob", None, "one passphrase slot, opened by bob", &passphrase);
    let words = format!(
        "expect: opened\nplaintext: {}\npassphrase: {phrase}\ncomment: one passphrase slot\n\n",
        hex::encode(Sha256::digest(hello))
    );
    let case = [words.as_bytes(), &passphrase].concat();
    fs::write(root().join("fixtures/format/passphrase.case"), case).unwrap();

    // What is no sealed file of this version.
    write(
        "not_sealed",
        "this is not a sealed file",
        b"",
        "bob",
        None,
        "a text",
        b"Dear Bob, I could not attach the logs.\n",
    );
    let text_mode: Vec<u8> = [&to_bob[..4], &to_bob[5..]].concat();
    write(
        "text_mode",
        "this is not a sealed file",
        b"",
        "bob",
        None,
        "carriage returns were removed on the way",
        &text_mode,
    );
    let version = |at: usize| edit(&|p| p.preamble[at] = 2);
    write(
        "version_2",
        "the sealed file is of version 2, suite 1; only version 1, suite 1 can be opened",
        b"",
        "bob",
        None,
        "a later version",
        &version(8),
    );
    write(
        "suite_2",
        "the sealed file is of version 1, suite 2; only version 1, suite 1 can be opened",
        b"",
        "bob",
        None,
        "another suite",
        &version(9),
    );

    // Headers that break a rule.
    let damaged = |name: &str, reason: &str, comment: &str, sealed: &[u8]| {
        write(name, &format!("the header is damaged: {reason}"), b"", "bob", None, comment, sealed);
    };
    let order = "a field is unknown, out of order or there twice";
    damaged("no_slot", "it has no slot", "field 5 is missing", &edit(&|p| drop(p.fields.pop())));
    damaged(
        "seventeen_slots",
        "it has more than 16 slots",
        "one slot 17 times",
        &edit(&|p| p.fields.extend(vec![p.fields[2].clone(); 16])),
    );
    damaged("no_file_id", "the file id is missing", "field 1 is missing", &edit(&|p| drop(p.fields.remove(0))));
    damaged("field_twice", order, "field 2 is there twice", &edit(&|p| p.fields.insert(1, p.fields[1].clone())));
    damaged("field_order", order, "field 4 stands behind field 5", &edit(&|p| p.fields.push((4, vec![1; 32]))));
    damaged("field_6", order, "a field of type 6", &edit(&|p| p.fields.push((6, vec![]))));
    damaged("field_overrun", "a field runs past its end", "the last field says it is one byte longer", &{
        let mut file = to_bob.clone();
        file[14 + 21 + 13 + 4] += 1;
        file
    });
    damaged(
        "too_long",
        "it is longer than 65 536 bytes",
        "the fields are 65 537 bytes long",
        &edit(&|p| p.fields.push((6, vec![0; 65_537 - 5 - 128]))),
    );
    damaged("slot_kind_5", "a slot is of an unknown kind", "a slot of kind 5", &edit(&|p| p.fields[2].1[0] = 5));
    damaged(
        "slot_length",
        "a slot has the wrong length",
        "a slot one byte too short",
        &edit(&|p| p.fields[2].1.truncate(88)),
    );
    damaged(
        "two_passphrases",
        "a passphrase slot is not alone or names a key",
        "a passphrase slot beside another slot",
        &edit(&|p| p.fields.push((5, [[3].as_slice(), &[0; 8], &[9; 73]].concat()))),
    );
    damaged(
        "year_10000",
        "a time is after the year 9999",
        "created after the calendar's end",
        &edit(&|p| p.fields[1].1 = 253_402_300_800_u64.to_be_bytes().to_vec()),
    );
    damaged("plain_http", "the portal's address is not https", "a portal address that begins http://", &{
        let mut pieces = Pieces::of(&shared);
        let address = pieces.fields[2].1.windows(5).position(|window| window == b"https").unwrap();
        pieces.fields[2].1.remove(address + 4);
        pieces.join()
    });

    // Headers that keep the rules and are not the ones that were sealed.
    damaged(
        "created_changed",
        "the slot for this key does not open",
        "the creation time was changed",
        &edit(&|p| p.fields[1].1[7] ^= 1),
    );
    damaged(
        "slot_damaged",
        "the slot for this key does not open",
        "one bit of the slot's body was changed",
        &edit(&|p| p.fields[2].1[60] ^= 1),
    );
    write(
        "key_id_changed",
        commitment,
        b"",
        "bob",
        None,
        "one bit of the slot's key id was changed",
        &edit(&|p| p.fields[2].1[3] ^= 1),
    );
    let mut dropped_slot = Pieces::of(&both);
    dropped_slot.fields.remove(2);
    write("slot_removed", commitment, b"", "bob", None, "another recipient's slot was taken out", &dropped_slot.join());
    write(
        "salt_changed",
        commitment,
        b"",
        "bob",
        None,
        "one bit of the salt was changed",
        &edit(&|p| p.prefix[0] ^= 1),
    );

    // Payloads.
    let long_text = text(16_384 + 100);
    let long = Pieces::of(&seal(&[bob.recipient()], None, &long_text, 16));
    let first = &long_text[..16_384];
    let long_edit = |change: &dyn Fn(&mut Pieces)| {
        let mut pieces = long.clone();
        change(&mut pieces);
        pieces.join()
    };
    write(
        "chunk_0",
        "chunk 0 is damaged",
        b"",
        "bob",
        None,
        "one bit of the first chunk was changed",
        &long_edit(&|p| p.chunks[0][99] ^= 1),
    );
    write(
        "chunk_1",
        "chunk 1 is damaged",
        first,
        "bob",
        None,
        "one bit of the second chunk's tag was changed",
        &long_edit(&|p| p.chunks[1][115] ^= 1),
    );
    write(
        "chunks_swapped",
        "chunk 0 is damaged",
        b"",
        "bob",
        None,
        "the two chunks changed places",
        &long_edit(&|p| p.chunks.swap(0, 1)),
    );
    write(
        "no_final_chunk",
        "the file is cut off",
        first,
        "bob",
        None,
        "the last chunk is missing",
        &long_edit(&|p| drop(p.chunks.pop())),
    );
    write(
        "cut_in_tag",
        "the file is cut off",
        first,
        "bob",
        None,
        "the last chunk has only 15 bytes",
        &long_edit(&|p| p.chunks[1].truncate(15)),
    );
    write(
        "cut_in_chunk",
        "chunk 1 is damaged",
        first,
        "bob",
        None,
        "the last chunk lost its last byte",
        &long_edit(&|p| p.chunks[1].truncate(115)),
    );
    write(
        "cut_in_salt",
        "the file is cut off",
        b"",
        "bob",
        None,
        "the file ends within the salt",
        &to_bob[..14 + 21 + 13 + 94 + 10],
    );
    write("cut_in_header", "the file is cut off", b"", "bob", None, "the file ends within the header", &to_bob[..70]);
    write(
        "byte_added",
        "chunk 1 is damaged",
        first,
        "bob",
        None,
        "one byte was added at the end",
        &[long.join(), vec![0]].concat(),
    );
    let mut no_empty_chunk = Pieces::of(&exact);
    assert_eq!((no_empty_chunk.chunks.len(), no_empty_chunk.chunks[0].len()), (2, SEALED_CHUNK));
    no_empty_chunk.chunks.pop();
    write(
        "no_empty_chunk",
        "the file is cut off",
        &chunk,
        "bob",
        None,
        "the empty last chunk is missing",
        &no_empty_chunk.join(),
    );
}
