//! Archives as an enemy makes them, or a bad disk: a clear reason, and nothing passes unread.

use std::io::Write;

use proptest::prelude::*;
use tarseal::item::{LeftOut, Reason};
use tarseal::redact::{OpeningLimits, Rules};

use crate::containers::{
    BARE, LEARNED, Outcome, assert_gone, content, gz, one, tar, untar, unzip, with_rules, xz, zip,
};
use crate::item;

fn limited(limits: OpeningLimits, path: &str, bytes: &[u8]) -> Outcome {
    with_rules(&Rules { limits, ..Rules::default() }, &[item(path, bytes)]).remove(0)
}

/// A tar archive of headers made by hand, each with its content.
fn raw_tar(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn listed(left_out: &[LeftOut]) -> Vec<(&str, Reason)> {
    left_out.iter().map(|entry| (entry.path.as_str(), entry.reason)).collect()
}

/// Where `what` stands in `bytes`, the `count`th time from 0.
fn find(bytes: &[u8], what: &[u8], count: usize) -> usize {
    let mut places = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(what));
    places.nth(count).expect("it is in there")
}

#[test]
fn links_devices_and_bad_names_are_left_out_with_their_reasons() {
    use tar::EntryType;
    let bytes = raw_tar(&[
        ("a.log", EntryType::Regular, BARE),
        ("link", EntryType::Symlink, b""),
        ("hard", EntryType::Link, b""),
        ("tty", EntryType::Char, b""),
        ("pipe", EntryType::Fifo, b""),
        ("../up.log", EntryType::Regular, BARE),
        ("/etc/passwd", EntryType::Regular, BARE),
        ("line\nbreak", EntryType::Regular, BARE),
        ("volume", EntryType::new(b'V'), b""),
        ("./b.log", EntryType::Regular, BARE),
    ]);
    let (bytes, left_out) = one("all.tar", &bytes).unwrap();
    assert_eq!(untar(&bytes).iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["a.log", "./b.log"]);
    assert_eq!(
        listed(&left_out),
        [
            ("all.tar!link", Reason::Link),
            ("all.tar!hard", Reason::Link),
            ("all.tar!tty", Reason::NotAFile),
            ("all.tar!pipe", Reason::NotAFile),
            ("all.tar!../up.log", Reason::BadName),
            ("all.tar!/etc/passwd", Reason::BadName),
            ("all.tar!line\nbreak", Reason::BadName),
            ("all.tar!volume", Reason::NotReadable),
        ]
    );
}

#[test]
fn names_learned_elsewhere_are_hidden_in_bad_names_too() {
    let bytes = raw_tar(&[
        ("a.log", tar::EntryType::Regular, LEARNED),
        ("../Ottilie Habersaat.log", tar::EntryType::Regular, BARE),
        ("home/Ottilie Habersaat", tar::EntryType::Symlink, b""),
    ]);
    let (bytes, left_out) = one("all.tar", &bytes).unwrap();
    assert_gone(&bytes);
    assert_eq!(left_out.len(), 2);
    left_out.iter().for_each(|entry| assert_gone(entry.path.as_bytes()));
}

#[test]
fn long_names_of_every_dialect_are_read_and_written() {
    let long = format!("{}/habersaat.log", "d".repeat(120));
    let gnu = tar(&[("a.log", LEARNED), (&long, BARE)]);
    let record = |key: &str, value: &str| {
        let rest = key.len() + value.len() + 3;
        let length = (rest..).find(|n| rest + n.to_string().len() == *n).unwrap();
        format!("{length} {key}={value}\n")
    };
    let records = record("path", &long)
        + &record("SCHILY.xattr.security.capability", "\u{1}\n\u{2}=\n")
        + &record("uname", "habersaat")
        + &record("mtime", "1763734800.123456789");
    let pax = raw_tar(&[
        ("a.log", tar::EntryType::Regular, LEARNED),
        ("x", tar::EntryType::XHeader, records.as_bytes()),
        ("cut", tar::EntryType::Regular, BARE),
    ]);
    for bytes in [gnu, pax] {
        let (bytes, left_out) = one("all.tar", &bytes).unwrap();
        assert!(left_out.is_empty(), "{left_out:?}");
        assert_gone(&bytes);
        let members = untar(&bytes);
        assert!(members[1].0.starts_with(&"d".repeat(120)) && members[1].0.ends_with(".log"));
        assert!(members[1].1.ends_with(b"the call of person-1 ended\n"));
    }
}

#[test]
fn sparse_files_are_left_out() {
    let pax = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.name=lastlog\n";
    let mut old = tar::Header::new_gnu();
    old.as_old_mut().name[..4].copy_from_slice(b"old\0");
    old.set_entry_type(tar::EntryType::GNUSparse);
    old.set_size(512);
    old.as_gnu_mut().unwrap().set_is_extended(true);
    old.set_cksum();
    let mut bytes = raw_tar(&[
        ("a.log", tar::EntryType::Regular, BARE),
        ("x", tar::EntryType::XHeader, pax),
        ("GNUSparseFile.0/lastlog", tar::EntryType::Regular, BARE),
    ]);
    bytes.truncate(bytes.len() - 1024);
    bytes.extend_from_slice(old.as_bytes());
    bytes.resize(bytes.len() + 1024, 0); // one block of more pieces, one of content
    bytes.extend_from_slice(&raw_tar(&[("b.log", tar::EntryType::Regular, BARE)]));
    let (bytes, left_out) = one("all.tar", &bytes).unwrap();
    assert_eq!(untar(&bytes).iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["a.log", "b.log"]);
    assert_eq!(listed(&left_out), [("all.tar!lastlog", Reason::NotReadable), ("all.tar!old", Reason::NotReadable)]);
}

#[test]
fn a_damaged_archive_is_left_out_as_a_whole() {
    let whole = tar(&[("a.log", LEARNED), ("b.log", BARE)]);
    // In the content, between members, before the end.
    for cut in [530, 1024, 1030, 2048] {
        assert_eq!(one("all.tar", &whole[..cut]).unwrap_err(), Reason::Damaged, "cut at {cut}");
    }
    let mut flipped = whole.clone();
    flipped[1030] ^= 1;
    assert_eq!(one("all.tar", &flipped).unwrap_err(), Reason::Damaged);
    let mut magic = whole.clone();
    magic[10] ^= 1;
    assert_eq!(one("all.tar", &magic).unwrap_err(), Reason::Damaged, "the mark is there, the checksum is not");
    for packed in [gz(&whole), xz(&whole)] {
        assert_eq!(one("all.tar.any", &packed[..packed.len() - 3]).unwrap_err(), Reason::Damaged);
        assert_eq!(one("all.tar.any", &packed[..packed.len() / 2]).unwrap_err(), Reason::Damaged);
        assert_eq!(
            one("all.tar.any", &[packed.as_slice(), b"garbage behind it"].concat()).unwrap_err(),
            Reason::Damaged
        );
    }
    let long_header = raw_tar(&[("x", tar::EntryType::GNULongName, &vec![b'a'; (1 << 20) + 1])]);
    assert_eq!(one("all.tar", &long_header).unwrap_err(), Reason::Damaged);
    let outer = zip(&[("a.log", LEARNED), ("cut.tar", &whole[..1030])]);
    let (bytes, left_out) = one("all.zip", &outer).unwrap();
    assert_eq!(listed(&left_out), [("all.zip!cut.tar", Reason::Damaged)]);
    assert_eq!(unzip(&bytes).len(), 1);
}

#[test]
fn what_stands_after_the_end_of_an_archive_does_not_pass() {
    let two = [tar(&[("a.log", LEARNED)]), tar(&[("b.log", BARE)])].concat();
    let (bytes, left_out) = one("all.tar", &two).unwrap();
    assert_eq!(untar(&bytes).len(), 1);
    assert_gone(&bytes);
    assert_eq!(listed(&left_out), [("all.tar!what stands after the end of the archive", Reason::NotReadable)]);
}

#[test]
fn a_zip_that_contradicts_itself_is_left_out_as_a_whole() {
    let whole = zip(&[("a.log", LEARNED), ("b.log", BARE)]);
    assert!(one("all.zip", &whole).is_ok());
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let central = |count| find(&whole, b"PK\x01\x02", count);
    let end = find(&whole, b"PK\x05\x06", 0);
    let first_start = whole[central(0) + 42..central(0) + 46].to_vec();
    for (what, bytes) in [
        ("two entries for one member", changed(central(1) + 42, &first_start)),
        ("another name in the member", changed(30, b"x")),
        ("one name twice", changed(central(1) + 46, b"a.log")),
        ("another length in the member", changed(22, &[9, 9, 9, 9])),
        ("fewer members than told", changed(end + 8, &[3, 0, 3, 0])),
        ("more members than told", changed(end + 8, &[1, 0, 1, 0])),
        ("another place of the directory", changed(end + 16, &[1, 0, 0, 0])),
        ("a member behind the end", changed(central(1) + 42, &[0xf0, 0xff, 0xff, 0x0f])),
        ("a part of an archive", changed(end + 4, &[1, 0])),
        ("something behind the end", [whole.as_slice(), b"more"].concat()),
        ("cut off", whole[..whole.len() - 1].to_vec()),
        ("no directory", whole[..central(0)].to_vec()),
    ] {
        assert_eq!(one("all.zip", &bytes).map(|(_, left_out)| left_out), Err(Reason::Damaged), "{what}");
    }
    // Names that differ in the same length in both places: one member over the other.
    let mut quoted = zip(&[("a.log", LEARNED), ("b.log", BARE)]);
    let second = find(&quoted, b"PK\x03\x04", 1);
    let at = find(&quoted, b"PK\x01\x02", 0);
    let longer = u32::try_from(second + 20).unwrap().to_le_bytes();
    quoted[18..22].copy_from_slice(&longer);
    quoted[at + 20..at + 24].copy_from_slice(&longer);
    assert_eq!(one("all.zip", &quoted).unwrap_err(), Reason::Damaged);
}

#[test]
fn members_of_a_zip_that_are_damaged_or_encrypted_are_left_out_alone() {
    let whole = zip(&[("a.log", LEARNED), ("b.log", BARE), ("habersaat.log", BARE)]);
    let mut bytes = whole.clone();
    let second = find(&whole, b"PK\x03\x04", 1);
    bytes[second + 30 + 5 + 4] ^= 0x40; // in the content of b.log
    for start in [find(&whole, b"PK\x03\x04", 2) + 6, find(&whole, b"PK\x01\x02", 2) + 8] {
        bytes[start] |= 1; // encrypted
    }
    let (bytes, left_out) = one("all.zip", &bytes).unwrap();
    assert_eq!(unzip(&bytes).len(), 1);
    assert_eq!(left_out[0], LeftOut { path: "all.zip!b.log".into(), reason: Reason::Damaged });
    assert_eq!((left_out.len(), left_out[1].reason), (2, Reason::NotReadable));
    assert_gone(left_out[1].path.as_bytes());
}

#[test]
fn bombs_are_stopped_by_what_the_whole_item_grows_to() {
    let text = b"one two three four\n".repeat(20_000); // 380 kB
    let limits = OpeningLimits { free: 1 << 20, ratio: 10, ..OpeningLimits::default() };
    // Less than is always allowed.
    assert!(limited(limits, "log.gz", &gz(&text)).is_ok());
    let names: Vec<String> = (0..4).map(|n| format!("{n}.log")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), text.as_slice())).collect();
    // Every member is small enough, all of them are not.
    assert_eq!(limited(limits, "all.zip", &zip(&members)).unwrap_err(), Reason::TooLarge);
    assert_eq!(limited(limits, "all.tgz", &gz(&tar(&members))).unwrap_err(), Reason::TooLarge);
    assert!(limited(limits, "all.tar", &tar(&members)).is_ok(), "nothing grows in a tar");
    let packed: Vec<(String, Vec<u8>)> = names.iter().map(|name| (format!("{name}.gz"), gz(&text))).collect();
    let packed: Vec<(&str, &[u8])> = packed.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    assert_eq!(limited(limits, "all.tar", &tar(&packed)).unwrap_err(), Reason::TooLarge);
    // A zip tells how large it is; when that is a lie, the member is damaged.
    let mut lying = zip(&members);
    for at in [22, find(&lying, b"PK\x01\x02", 0) + 24] {
        lying[at..at + 4].copy_from_slice(&5_u32.to_le_bytes());
    }
    let (_, left_out) = one("all.zip", &lying).unwrap();
    assert_eq!(listed(&left_out), [("all.zip!0.log", Reason::Damaged)]);
    // A bomb in a bomb.
    assert_eq!(limited(limits, "log.gz.xz", &xz(&gz(&text.repeat(3)))).unwrap_err(), Reason::TooLarge);
    let opened = OpeningLimits { opened: 100_000, ..OpeningLimits::default() };
    assert_eq!(limited(opened, "log.gz", &gz(&text)).unwrap_err(), Reason::TooLarge);
}

#[test]
fn more_members_than_the_limit_are_not_opened() {
    let names: Vec<String> = (0..60).map(|n| format!("{n}.log")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    let limits = OpeningLimits { members: 100, ..OpeningLimits::default() };
    let (zipped, tarred) = (zip(&members), tar(&members));
    assert!(limited(limits, "all.zip", &zipped).is_ok() && limited(limits, "all.tar", &tarred).is_ok());
    let both = tar(&[("one.zip", &zipped), ("two.tar", &tarred)]);
    assert_eq!(limited(limits, "all.tar", &both).unwrap_err(), Reason::TooLarge);
}

#[test]
fn a_line_without_an_end_has_a_reason_of_its_own() {
    let endless = vec![b'A'; 400 << 10];
    assert_eq!(one("a.log", &endless).unwrap_err(), Reason::LineTooLong);
    assert_eq!(one("a.log.gz", &gz(&endless)).unwrap_err(), Reason::LineTooLong);
    let (bytes, left_out) = one("all.tar", &tar(&[("a.log", LEARNED), ("long.log", &endless)])).unwrap();
    assert_eq!(listed(&left_out), [("all.tar!long.log", Reason::LineTooLong)]);
    assert_eq!(untar(&bytes).len(), 1);
    // With places where it can be cut it is read, however long it is.
    let json = format!("[{}\"Ottilie Habersaat\"]\n", "{\"n\":1},".repeat(60_000));
    let (bytes, left_out) = one("all.tar", &tar(&[("a.log", LEARNED), ("a.json", json.as_bytes())])).unwrap();
    assert!(left_out.is_empty());
    assert!(content(&untar(&bytes), "a.json").ends_with("\"person-1\"]\n"));
}

#[test]
fn names_that_become_equal_are_told_apart() {
    // The addresses are dropped, so that both directories become the same.
    let rules = Rules {
        actions: [(tarseal::redact::Category::Email, tarseal::redact::Action::Drop)].into(),
        ..Rules::default()
    };
    let (first, second) = ("ottilie@habersaat.example/a.log", "anton@habersaat.example/a.log");
    for (path, bytes) in [
        ("all.tar", tar(&[(first, b"1"), (second, b"2"), (first, b"3")])),
        ("all.zip", zip(&[(first, b"1"), (second, b"2")])),
    ] {
        let (bytes, left_out) = with_rules(&rules, &[item(path, &bytes)]).remove(0).unwrap();
        assert!(left_out.is_empty());
        let members = if path == "all.tar" { untar(&bytes) } else { unzip(&bytes) };
        assert_ne!(members[0].0, members[1].0);
        assert!(members[1].0.contains("~2"), "{members:?}");
        if let Some(third) = members.get(2) {
            assert_eq!(third.0, members[0].0, "what stood there twice stands there twice");
        }
        assert_gone(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_archives_are_refused_or_redacted(
        kind in 0..4,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let secret = b"mail from ottilie@habersaat.example at 198.51.100.7\n".as_slice();
        let mut bytes = match kind {
            0 => tar(&[("habersaat/a.log", secret), ("b.log", LEARNED)]),
            1 => zip(&[("habersaat/a.log", secret), ("b.log", LEARNED)]),
            2 => zip(&[("all.tar", &tar(&[("a.log", secret)])), ("b.log.gz", &gz(LEARNED))]),
            _ => tar(&[("all.zip", &zip(&[("a.log", secret)])), ("b.log.xz", &xz(LEARNED))]),
        };
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // The passes agree (asserted inside), and what comes through is redacted.
        if let Ok((out, _)) = one("all", &bytes) {
            let mut plain = out.clone();
            if let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(&out)) {
                for index in 0..archive.len() {
                    std::io::copy(&mut archive.by_index(index).unwrap(), &mut plain).unwrap();
                }
            }
            plain.flush().unwrap();
            let text = String::from_utf8_lossy(&plain);
            prop_assert!(!text.contains("198.51.100.7"));
            prop_assert!(!text.contains("ottilie@habersaat.example"));
        }
    }
}
