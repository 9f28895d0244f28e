//! Archives and compressed data, in any nesting: opened, redacted inside, packed as they were, read by other tools.

use std::io::{Read, Write};

use tarseal::item::{Item, LeftOut, Reason};
use tarseal::profile::Profile;
use tarseal::redact::{OpeningLimits, RedactError, Redactor, Rules, Survey};
use tarseal::spool::Spools;

use crate::{item, key};

/// A log with a name behind a key.
pub(crate) const LEARNED: &[u8] = b"2026-11-21 14:20:01 display_name=\"Ottilie Habersaat\" joined\n";
/// A log with the same name and no key.
pub(crate) const BARE: &[u8] = b"2026-11-21 14:20:02 the call of Ottilie Habersaat ended\n";

pub(crate) type Members = Vec<(String, Vec<u8>)>;

pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o640);
        header.set_mtime(1_763_734_800);
        header.set_uid(1000);
        header.set_username("ohabersaat").unwrap();
        header.set_groupname("staff").unwrap();
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn untar(bytes: &[u8]) -> Members {
    let mut archive = tar::Archive::new(bytes);
    let members = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    });
    members.collect()
}

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().filename("habersaat.log").write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn ungz(bytes: &[u8]) -> Vec<u8> {
    all(flate2::read::GzDecoder::new(bytes))
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn unxz(bytes: &[u8]) -> Vec<u8> {
    all(lzma_rust2::XzReader::new(bytes, true))
}

pub(crate) fn bz2(bytes: &[u8]) -> Vec<u8> {
    all(bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()))
}

fn unbz2(bytes: &[u8]) -> Vec<u8> {
    all(bzip2::read::BzDecoder::new(bytes))
}

pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn unzst(bytes: &[u8]) -> Vec<u8> {
    zstd::decode_all(bytes).unwrap()
}

pub(crate) fn all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// What became of an item: its bytes and the members that are not in it, or why all of it is left out.
pub(crate) type Outcome = Result<(Vec<u8>, Vec<LeftOut>), Reason>;

pub(crate) fn with_rules(rules: &Rules, items: &[Item]) -> Vec<Outcome> {
    let spools = Spools::new(env!("CARGO_TARGET_TMPDIR").as_ref(), &mut crate::rng());
    let mut survey = Survey::new(rules).with_spools(spools.clone());
    let surveyed: Vec<_> = items
        .iter()
        .map(|item| {
            survey.learn_path(&item.path);
            survey.read(item).map_err(|left_out| left_out.reason)
        })
        .collect();
    let redactor = Redactor::new(rules.clone(), survey.finish(), key()).with_spools(spools);
    let outcomes = items.iter().zip(surveyed).map(|(item, surveyed)| {
        let second = second_pass(&redactor, item);
        if let Err(reason) = surveyed {
            assert_eq!(second.unwrap_err(), reason, "the second pass ends as the first did");
            return Err(reason);
        }
        second
    });
    outcomes.collect()
}

fn second_pass(redactor: &Redactor, item: &Item) -> Outcome {
    let mut redacted = redactor.redact(item).map_err(|left_out| left_out.reason)?;
    let mut bytes = Vec::new();
    redacted.read_to_end(&mut bytes).map_err(|error| {
        let error = RedactError::from_io(&error).unwrap_or_else(|| panic!("{error}"));
        error.reason().unwrap_or_else(|| panic!("{error}"))
    })?;
    Ok((bytes, redacted.take_left_out()))
}

fn run(items: &[Item]) -> Vec<Outcome> {
    with_rules(&Rules::default(), items)
}

pub(crate) fn one(path: &str, bytes: &[u8]) -> Outcome {
    run(&[item(path, bytes)]).remove(0)
}

pub(crate) fn content<'m>(members: &'m Members, path: &str) -> &'m str {
    let found = members.iter().find(|(name, _)| name == path);
    std::str::from_utf8(&found.unwrap_or_else(|| panic!("{path} is not in it")).1).unwrap()
}

pub(crate) fn assert_gone(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for gone in ["habersaat", "ottilie"] {
        assert!(!text.contains(gone), "{gone} is left in {text:?}");
    }
}

#[test]
fn a_name_learned_in_a_member_is_hidden_everywhere_and_the_other_way_round() {
    let inner = tar(&[("logs/a.log", LEARNED), ("logs/b.log", BARE)]);
    let outcomes = run(&[item("first.log", BARE), item("all.tar", &inner)]);
    let (first, archive) = (outcomes[0].as_ref().unwrap(), outcomes[1].as_ref().unwrap());
    assert_gone(&first.0);
    assert_gone(&archive.0);
    let members = untar(&archive.0);
    assert_eq!(members[0].0, "logs/a.log");
    assert!(content(&members, "logs/b.log").contains("the call of person-1 ended"));
    assert!(String::from_utf8_lossy(&first.0).contains("the call of person-1 ended"));
    assert!(archive.1.is_empty());

    let outcomes = run(&[item("all.tgz", &gz(&tar(&[("b.log", BARE)]))), item("a.log", LEARNED)]);
    assert!(content(&untar(&ungz(&outcomes[0].as_ref().unwrap().0)), "b.log").contains("of person-1 ended"));
}

#[test]
fn every_compression_comes_back_as_it_was() {
    type Way = fn(&[u8]) -> Vec<u8>;
    let ways: [(&str, Way, Way); 4] =
        [("log.gz", gz, ungz), ("log.xz", xz, unxz), ("log.bz2", bz2, unbz2), ("log.zst", zst, unzst)];
    for (path, pack, unpack) in ways {
        let (bytes, left_out) = one(path, &pack(LEARNED)).unwrap();
        assert!(left_out.is_empty());
        let text = String::from_utf8(unpack(&bytes)).unwrap();
        assert_eq!(text, "2026-11-21 14:20:01 display_name=\"person-1\" joined\n", "{path}");
        let (bytes, _) = one(path, &pack(&tar(&[("a.log", LEARNED)]))).unwrap();
        assert!(content(&untar(&unpack(&bytes)), "a.log").contains("person-1"), "{path}");
    }
}

#[test]
fn owners_and_old_names_are_gone_and_what_engineers_need_is_kept() {
    let (bytes, _) = one("all.tar", &tar(&[("z.log", LEARNED), ("a.log", BARE)])).unwrap();
    assert_gone(&bytes);
    let mut archive = tar::Archive::new(bytes.as_slice());
    for (entry, name) in archive.entries().unwrap().zip(["z.log", "a.log"]) {
        let entry = entry.unwrap();
        assert_eq!(&*entry.path_bytes(), name.as_bytes(), "the order is kept");
        let header = entry.header();
        assert_eq!((header.mode().unwrap(), header.mtime().unwrap()), (0o640, 1_763_734_800));
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.username().unwrap(), Some(""));
    }
    let (bytes, _) = one("a.log.gz", &gz(BARE)).unwrap();
    assert_eq!(flate2::read::GzDecoder::new(bytes.as_slice()).header().and_then(flate2::GzHeader::filename), None);
}

#[test]
fn members_that_cannot_be_read_are_left_out_and_listed() {
    let bytes = tar(&[
        ("a.log", LEARNED),
        ("core/habersaat.core", b"\x7fELF\x02\x01\x01 and so on"),
        ("b.log.gz", &gz(BARE)),
        ("cut.gz", &gz(BARE)[..30]),
        ("late.bin", &[b"text\n".repeat(200_000).as_slice(), &[1, 2, 3, 4, 5, 6, 7, 8, 9]].concat()),
    ]);
    let (bytes, left_out) = one("ohabersaat/all.tar", &bytes).unwrap();
    let members = untar(&bytes);
    assert_eq!(members.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["a.log", "b.log.gz"]);
    assert!(String::from_utf8(ungz(&members[1].1)).unwrap().contains("person-1"));
    let listed: Vec<_> = left_out.iter().map(|entry| (entry.path.as_str(), entry.reason)).collect();
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(listed[0].0.contains("/all.tar!core/") && listed[0].1 == Reason::NotReadable, "{listed:?}");
    assert!(listed[1].0.ends_with("/all.tar!cut.gz") && listed[1].1 == Reason::Damaged, "{listed:?}");
    assert!(listed[2].0.ends_with("/all.tar!late.bin") && listed[2].1 == Reason::NotReadable, "{listed:?}");
    assert_gone(listed[0].0.as_bytes());
}

#[test]
fn an_archive_of_nothing_that_can_be_read_is_left_out_as_a_whole() {
    assert_eq!(
        one("all.tar", &tar(&[("a.png", b"\x89PNG\r\n\x1a\n"), ("b", b"\x7fELF")])).unwrap_err(),
        Reason::NotReadable
    );
    let (empty, left_out) = one("all.tar", &tar(&[])).unwrap();
    assert!(untar(&empty).is_empty() && left_out.is_empty());
}

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o640);
    for (path, bytes) in members {
        writer.start_file(*path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.set_comment("made by Ottilie Habersaat").unwrap();
    writer.finish().unwrap().into_inner()
}

pub(crate) fn unzip(bytes: &[u8]) -> Members {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let member = archive.by_index(index).unwrap();
            (member.name().unwrap().into_owned(), all(member))
        })
        .collect()
}

#[test]
fn archives_in_archives_are_redacted_down_to_the_last_log() {
    // tar.xz ⊃ zip ⊃ tgz ⊃ log
    let nested = xz(&tar(&[
        ("outer.log", BARE),
        ("in.zip", &zip(&[("deep.tgz", &gz(&tar(&[("habersaat/deep.log", LEARNED)]))), ("flat.log", BARE)])),
    ]));
    let (bytes, left_out) = one("all.tar.xz", &nested).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    let outer = untar(&unxz(&bytes));
    assert!(content(&outer, "outer.log").contains("the call of person-1 ended"));
    let middle = unzip(&outer[1].1);
    assert_eq!(middle.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["deep.tgz", "flat.log"]);
    let inner = untar(&ungz(&middle[0].1));
    assert!(inner[0].1.ends_with(b"display_name=\"person-1\" joined\n"));
    assert_gone(inner[0].0.as_bytes());
    assert!(inner[0].0.ends_with("/deep.log"));
}

#[test]
fn what_is_packed_too_deeply_is_left_out_alone() {
    let deep =
        zip(&[("one.zip", &zip(&[("two.zip", &zip(&[("three.zip", &zip(&[("a.log", BARE)])), ("b.log", BARE)]))]))]);
    let (bytes, left_out) = one("all.zip", &deep).unwrap();
    assert_eq!(left_out, [LeftOut { path: "all.zip!one.zip!two.zip!three.zip".into(), reason: Reason::TooDeep }]);
    let two = unzip(&unzip(&unzip(&bytes)[0].1)[0].1);
    assert_eq!(two.len(), 1);
    assert!(content(&two, "b.log").contains("the call"));
    // An archive of nothing else is left out with it.
    let only = zip(&[("one.zip", &zip(&[("two.zip", &zip(&[("three.zip", &zip(&[("a.log", BARE)]))]))]))]);
    assert_eq!(one("all.zip", &only).unwrap_err(), Reason::NotReadable);
    let rules = Rules { limits: OpeningLimits { depth: 4, ..OpeningLimits::default() }, ..Rules::default() };
    assert!(with_rules(&rules, &[item("all.zip", &only)]).remove(0).is_ok());
    assert_eq!(one("log.gz", &gz(&gz(&gz(&gz(BARE))))).unwrap_err(), Reason::TooDeep);
}

#[test]
fn a_zip_comes_back_in_its_order_without_comments() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .unix_permissions(0o4751)
        .last_modified_time(zip::DateTime::from_date_and_time(2026, 11, 21, 14, 20, 2).unwrap());
    writer.add_directory("habersaat", options).unwrap();
    let methods = [
        ("z.log", zip::CompressionMethod::Stored),
        ("habersaat/a.log", zip::CompressionMethod::Deflated),
        ("b.log", zip::CompressionMethod::Bzip2),
        ("c.log", zip::CompressionMethod::Zstd),
        ("d.log", zip::CompressionMethod::Xz),
    ];
    for (path, method) in methods {
        writer.start_file(path, options.compression_method(method)).unwrap();
        writer.write_all(LEARNED).unwrap();
    }
    writer.set_comment("made by Ottilie Habersaat").unwrap();
    let (bytes, left_out) = one("all.zip", &writer.finish().unwrap().into_inner()).unwrap();
    assert!(left_out.is_empty());
    assert_gone(&bytes);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(archive.comment(), b"");
    assert!(archive.by_index(0).unwrap().is_dir());
    for (index, (path, method)) in (1..).zip(methods) {
        let member = archive.by_index(index).unwrap();
        assert!(path.rsplit('/').next() == member.name().unwrap().rsplit('/').next());
        assert_eq!(member.unix_mode(), Some(0o100_751), "without set-user-ID");
        assert_eq!(member.last_modified().map(|time| (time.day(), time.minute())), Some((21, 20)));
        let stored = method == zip::CompressionMethod::Stored;
        let expected = if stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        assert_eq!(member.compression(), expected);
        assert_eq!(String::from_utf8(all(member)).unwrap(), "2026-11-21 14:20:01 display_name=\"person-1\" joined\n");
    }
}

#[test]
fn a_stream_is_filtered_like_a_file() {
    let archive = gz(&tar(&[("habersaat/a.log", LEARNED), ("b.log", BARE), ("core", b"\x7fELF")]));
    let (expected, listed) = one("all.tgz", &archive).unwrap();
    let mut redactor = Redactor::new(Rules::default(), tarseal::redact::Learned::default(), key());
    let mut bytes = Vec::new();
    redactor.filter(archive.as_slice(), &mut bytes).unwrap();
    assert_eq!(untar(&ungz(&bytes)), untar(&ungz(&expected)));
    let left_out = redactor.take_left_out();
    assert_eq!((left_out[0].path.as_str(), left_out[0].reason), ("core", Reason::NotReadable));
    assert_eq!((left_out.len(), listed.len()), (1, 1));
    assert!(redactor.take_left_out().is_empty());

    let mut utf16 = vec![0xff, 0xfe];
    String::from_utf8(LEARNED.repeat(2)).unwrap().encode_utf16().for_each(|unit| utf16.extend(unit.to_le_bytes()));
    let mut bytes = Vec::new();
    redactor.filter(utf16.as_slice(), &mut bytes).unwrap();
    assert_eq!(&bytes[..4], [0xff, 0xfe, b'2', 0]);
    let mut bytes = Vec::new();
    let error = redactor.filter(&archive[..archive.len() - 9], &mut bytes).unwrap_err();
    assert!(matches!(error, RedactError::Damaged(_)) && bytes.is_empty(), "{error}");
}

#[test]
fn redacting_a_redacted_archive_changes_nothing() {
    let rules = Rules::default();
    let members = [("habersaat/a.log", LEARNED), ("b.log", BARE)];
    for bytes in [tar(&members), zip(&members), gz(&tar(&members)), xz(&zip(&members)), bz2(&tar(&members))] {
        let items = [item("all", &bytes)];
        let redactor = Redactor::new(rules.clone(), crate::survey(&rules, &items).unwrap(), key());
        let once = crate::read(&redactor, &items[0]).unwrap().0;
        let (twice, counts) = crate::read(&redactor, &item("all", &once)).unwrap();
        assert!(once == twice && counts.is_empty(), "{counts:?}");
    }
}

#[test]
fn threads_and_chunks_make_no_difference_in_archives() {
    let long = [LEARNED, BARE].concat().repeat(300);
    let bytes = tar(&[("a.log", &long), ("b.zip", &zip(&[("c.log", &long), ("d.log", BARE)]))]);
    let items = [item("all.tar", &bytes)];
    let run = |threads: usize, chunk: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut survey = Survey::new(&Rules::default()).with_chunk_size(chunk);
            survey.read(&items[0]).unwrap();
            let redactor = Redactor::new(Rules::default(), survey.finish(), key()).with_chunk_size(chunk);
            crate::read(&redactor, &items[0]).unwrap()
        })
    };
    let expected = run(1, 1 << 20);
    for (threads, chunk) in [(2, 1000), (8, 4096)] {
        assert!(run(threads, chunk) == expected, "{threads} threads, chunks of {chunk}");
    }
}

#[test]
fn a_member_the_profile_leaves_out_is_not_read_and_is_listed() {
    let rules = Profile::built_in("pexip-infinity").unwrap().rules;
    let bytes = gz(&tar(&[("node/opt/pexip/share/config/default.db", LEARNED), ("a.log", BARE)]));
    let (bytes, left_out) = with_rules(&rules, &[item("all.tgz", &bytes)]).remove(0).unwrap();
    assert_eq!(untar(&ungz(&bytes)).len(), 1);
    assert_eq!(left_out[0].path, "all.tgz!node/opt/pexip/share/config/default.db");
    assert_eq!(left_out[0].reason, Reason::ByProfile);
}
