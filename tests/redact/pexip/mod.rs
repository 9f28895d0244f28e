//! A made-up Pexip snapshot is redacted, as the one archive it is and as loose files, and what comes out is judged: every
//! container is opened by readers that are not the product's, every planted value is looked for in every decoding.

mod grammar;
mod opened;
mod steady;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tarseal::item::Reason;
use tarseal::redact::{Redactor, Rules, Survey, unite_databases};

use self::opened::{Leaf, leaves};
use crate::pexip_snapshot::{self, Snapshot};
use crate::readable::Search;
use crate::{item, key, read};

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| pexip_snapshot::generate(1, 0));
static SEARCH: LazyLock<Search> =
    LazyLock::new(|| Search::new(SNAPSHOT.planted.iter().map(|planted| planted.value.as_str())));

/// A member before and after; `None` where it was left out.
struct Done {
    path: String,
    out: Option<(String, Vec<u8>)>,
    reason: Option<Reason>,
}

/// Every member as a file of its own, redacted with what the survey of all of them learned.
static LOOSE: LazyLock<Vec<Done>> = LazyLock::new(|| {
    let rules = Rules::default();
    let items: Vec<_> = SNAPSHOT.members.iter().map(|member| item(&member.path, &member.bytes)).collect();
    let (items, beside) = unite_databases(items, &rules.limits);
    let mut survey = Survey::new(&rules);
    let reasons: Vec<_> = items
        .iter()
        .map(|item| {
            survey.learn_path(&item.path);
            survey.read(item).err().map(|left_out| left_out.reason)
        })
        .collect();
    let redactor = Redactor::new(rules, survey.finish(), key());
    items
        .iter()
        .zip(reasons)
        .map(|(item, reason)| {
            let out = reason.is_none().then(|| {
                let (bytes, _) = read(&redactor, item).unwrap_or_else(|error| panic!("{}: {error}", item.path));
                (redactor.path(&item.path).to_string(), bytes)
            });
            Done { path: item.path.to_string(), out, reason }
        })
        .chain(beside.into_iter().map(|left_out| Done {
            path: left_out.path,
            out: None,
            reason: Some(left_out.reason),
        }))
        .collect()
});

/// The values that can be read in a leaf, its name included.
fn readable(leaf: &Leaf) -> Vec<String> {
    let mut found = SEARCH.found(leaf.path.as_bytes());
    found.extend(SEARCH.found(&leaf.bytes));
    found.into_iter().map(|value| format!("{value:?} in {}", leaf.path)).collect()
}

/// The strings to keep that cannot be read in the leaves of a member, out of how many.
fn lost(before: &[Leaf], after: &[Leaf]) -> (Vec<String>, usize) {
    let mut by_place: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kept in &SNAPSHOT.kept {
        by_place.entry(&kept.place).or_default().push(&kept.text);
    }
    let (mut lost, mut all) = (Vec::new(), 0);
    // What a header said of names and owners may be gone afterwards.
    let content = |leaf: &&Leaf| !leaf.path.contains('#');
    for (leaf, redacted) in before.iter().filter(content).zip(after.iter().filter(content)) {
        let Some(kept) = by_place.get(leaf.path.as_str()) else { continue };
        let (text, was) = (redacted.text(), leaf.text());
        for kept in kept {
            assert!(was.contains(kept), "{kept:?} is not in {} before redaction", leaf.path);
            all += 1;
            if !text.contains(kept) {
                lost.push(format!("{kept:?} of {}", leaf.path));
            }
        }
    }
    (lost, all)
}

/// Whether the logs of the appliance's grammar that this is one of can be parsed afterwards.
fn parses(path: &str) -> bool {
    path.contains("unified_") && !path.contains("syslog")
}

/// The text of a log, without the name in its header.
fn content(leaves: &[Leaf]) -> String {
    leaves.iter().find(|leaf| !leaf.path.contains('#')).unwrap().text()
}

fn before(path: &str) -> Vec<Leaf> {
    let member = SNAPSHOT.members.iter().find(|member| member.path == path).unwrap();
    leaves(path, &with_log(path, &member.bytes))
}

/// A database with what its write-ahead log holds; any other member as it is.
fn with_log(path: &str, bytes: &[u8]) -> Vec<u8> {
    let log = SNAPSHOT.members.iter().find(|member| member.path.strip_suffix("-wal") == Some(path));
    log.map_or_else(|| bytes.to_vec(), |log| opened::checkpointed(bytes, &log.bytes))
}

/// What is wrong with the loose files: values that can be read, strings that are lost.
fn verdict() -> (Vec<String>, Vec<String>, usize) {
    let (mut found, mut gone, mut all) = (Vec::new(), Vec::new(), 0);
    for done in LOOSE.iter() {
        if let Some((path, bytes)) = &done.out {
            let after = leaves(path, bytes);
            found.extend(after.iter().flat_map(readable));
            let (lost, count) = lost(&before(&done.path), &after);
            gone.extend(lost);
            all += count;
        } else if done.reason == Some(Reason::PartOfDatabase) {
            assert!(done.path.ends_with("-wal"), "{}", done.path);
        } else if SNAPSHOT.unreadable.contains(&done.path.as_str()) {
            assert_eq!(done.reason, Some(Reason::NotReadable), "{}", done.path);
        } else {
            found.push(format!("{} was left out: {:?}", done.path, done.reason));
        }
    }
    (found, gone, all)
}

#[test]
fn the_planted_values_can_be_read_before() {
    let mut found = std::collections::BTreeSet::new();
    for member in &SNAPSHOT.members {
        for leaf in leaves(&member.path, &member.bytes) {
            found.extend(SEARCH.found(leaf.path.as_bytes()));
            found.extend(SEARCH.found(&leaf.bytes));
        }
    }
    let blind: Vec<_> = SNAPSHOT
        .planted
        .iter()
        .filter(|planted| !found.contains(&planted.value) && !found.contains(&crate::readable::plain(&planted.value)))
        // Of a secret that a fragment's edge cuts, only the halves can be read.
        .filter(|planted| {
            !SNAPSHOT.planted.iter().any(|half| half.category == "half" && planted.value.contains(&half.value))
        })
        .map(|planted| (&planted.value, planted.category, &planted.place))
        .collect();
    assert!(blind.is_empty(), "the judge does not see {} of {}: {blind:?}", blind.len(), SNAPSHOT.planted.len());
}

#[test]
fn the_same_seed_gives_the_same_snapshot() {
    let again = pexip_snapshot::generate(1, 0);
    assert_eq!(again.kept, SNAPSHOT.kept);
    for (member, first) in again.members.iter().zip(&SNAPSHOT.members) {
        // SQLite puts a random number into a write-ahead log.
        assert!(member.bytes == first.bytes || member.path.ends_with("-wal"), "{}", member.path);
    }
}

#[test]
fn nothing_planted_is_readable_in_loose_files_and_what_is_needed_is() {
    let (found, lost, all) = verdict();
    assert!(found.is_empty(), "{} readable:\n{}", found.len(), found.join("\n"));
    assert!(lost.len() * 1000 <= all, "{} of {all} lost:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn the_logs_still_parse_and_keep_their_columns() {
    let mut records = 0;
    for done in LOOSE.iter().filter(|done| parses(&done.path)) {
        let (_, out) = done.out.as_ref().unwrap();
        let (old, new) = (before(&done.path), leaves(&done.path, out));
        let (old, new) = (content(&old), content(&new));
        assert_eq!(old.lines().count(), new.lines().count(), "{}", done.path);
        for (old, new) in old.lines().zip(new.lines()) {
            match grammar::parse(old) {
                Some(was) => {
                    let is = grammar::parse(new).unwrap_or_else(|| panic!("{new}"));
                    assert_eq!(old.get(..30), new.get(..30));
                    assert_eq!(
                        (was.time, was.originating, &was.level, &was.name),
                        (is.time, is.originating, &is.level, &is.name)
                    );
                    let keys = |record: &grammar::Record<'_>| -> Vec<String> {
                        record.details.iter().map(|(key, _)| (*key).to_owned()).collect()
                    };
                    assert_eq!(keys(&was), keys(&is), "{new}");
                    for (key, value) in &was.details {
                        if matches!(
                            *key,
                            "Message"
                                | "Call-id"
                                | "Conference"
                                | "Codec"
                                | "Reason"
                                | "Vendor"
                                | "Bandwidth"
                                | "Protocol"
                        ) {
                            assert!(is.details.contains(&(key, value.clone())), "{key}={value} in {new}");
                        }
                    }
                    records += 1;
                }
                None => assert!(grammar::parse(new).is_none(), "{new}"),
            }
        }
    }
    assert!(records >= 160, "{records}");
}

#[test]
fn a_person_and_an_address_have_one_stand_in_in_every_log() {
    let mut seen: BTreeMap<(String, String), std::collections::BTreeSet<String>> = BTreeMap::new();
    for done in LOOSE.iter().filter(|done| parses(&done.path)) {
        let (_, out) = done.out.as_ref().unwrap();
        let (old, new) = (before(&done.path), leaves(&done.path, out));
        for (old, new) in content(&old).lines().zip(content(&new).lines()) {
            let (Some(was), Some(is)) = (grammar::parse(old), grammar::parse(new)) else { continue };
            for ((key, value), (_, stand_in)) in was.details.iter().zip(&is.details) {
                if matches!(*key, "Participant" | "Display-Name" | "Remote-Address" | "Src-address")
                    && !value.contains(',')
                {
                    seen.entry((
                        (*key).replace("Display-Name", "Participant").replace("Src-", "Remote-").to_lowercase(),
                        value.to_lowercase(),
                    ))
                    .or_default()
                    .insert(stand_in.clone());
                }
            }
        }
    }
    assert!(seen.len() >= 80);
    for (value, stand_ins) in seen {
        assert_eq!(stand_ins.len(), 1, "{value:?}: {stand_ins:?}");
    }
}

/// Runs a database's queries on a copy of it, with its write-ahead log beside it.
fn rows(members: &[(&str, &[u8])], query: &str) -> rusqlite::Result<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in members {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let db = rusqlite::Connection::open(folder.path().join("db"))?;
    let mut statement = db.prepare(query)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
        cells.map(|cell| Ok(format!("{:?}", cell?))).collect::<rusqlite::Result<Vec<_>>>()
    })?;
    rows.map(|row| row.map(|cells| cells.join(", "))).collect()
}

/// The complaints about databases, given what came out.
fn databases(originals: &[(String, Vec<u8>)], out: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let named = |files: &[(String, Vec<u8>)], path: &str| -> Vec<(String, Vec<u8>)> {
        ["", "-wal"]
            .iter()
            .filter_map(|end| {
                let file = files.iter().find(|(name, _)| *name == format!("{path}{end}"))?;
                Some((format!("db{end}"), file.1.clone()))
            })
            .collect()
    };
    for (path, query) in &SNAPSHOT.queries {
        let (old, new) = (named(originals, path), named(out, path));
        if new.is_empty() {
            complaints.push(format!("{path} is missing"));
            continue;
        }
        let borrowed = |files: &'_ [(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> { files.to_vec() };
        let (old, new) = (borrowed(&old), borrowed(&new));
        let refs = |files: &[(String, Vec<u8>)], query: &str| {
            let files: Vec<(&str, &[u8])> =
                files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            rows(&files, query)
        };
        let expected = refs(&old, query).unwrap();
        assert!(!expected.is_empty(), "{query}");
        match refs(&new, query) {
            Ok(rows) if rows == expected => {}
            other => complaints.push(format!("{path}: {query}\n    gives {other:?}\n    not   {expected:?}")),
        }
        match refs(&new, "PRAGMA integrity_check") {
            Ok(rows) if rows.len() == 1 && rows[0].contains("ok") => {}
            other => complaints.push(format!("{path}: integrity_check gives {other:?}")),
        }
        if new.iter().any(|(name, bytes)| name == "db-wal" && !bytes.is_empty()) {
            complaints.push(format!("{path}: a write-ahead log is left beside it"));
        }
    }
    complaints
}

#[test]
fn loose_databases_pass_their_checks_and_answer_as_before() {
    let out: Vec<(String, Vec<u8>)> =
        LOOSE.iter().filter_map(|done| Some((done.path.clone(), done.out.as_ref()?.1.clone()))).collect();
    let originals: Vec<_> = SNAPSHOT.members.iter().map(|member| (member.path.clone(), member.bytes.clone())).collect();
    let complaints = databases(&originals, &out);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_archive_is_redacted_inside_as_it_was_downloaded() {
    let tgz = SNAPSHOT.tgz();
    let rules = Rules::default();
    let whole = item("diagnostic_snapshot_pexmgr-zwiebel01_2026-11-21.tgz", &tgz);
    let mut survey = Survey::new(&rules);
    survey.learn_path(&whole.path);
    survey.read(&whole).unwrap();
    let redactor = Redactor::new(rules, survey.finish(), key());
    let (out, _) = read(&redactor, &whole).unwrap();
    let path = redactor.path(&whole.path);

    let (before, after) = (leaves(whole.path.as_str(), &tgz), leaves(path.as_str(), &out));
    let inner: Vec<String> = after.iter().flat_map(readable).collect();
    assert!(inner.is_empty(), "{} readable:\n{}", inner.len(), inner.join("\n"));

    // Members keep their order; those that are left out are the ones without text.
    let strip = |leaf: &Leaf| leaf.path.split_once('!').map(|(_, inner)| inner.to_owned());
    let gone: Vec<String> =
        before.iter().filter_map(strip).filter(|path| SNAPSHOT.unreadable.contains(&path.as_str())).collect();
    let old: Vec<Leaf> = before
        .into_iter()
        .filter_map(|leaf| Some((strip(&leaf)?, leaf.bytes)))
        .map(|(path, bytes)| Leaf { bytes: with_log(&path, &bytes), path })
        .filter(|leaf| !gone.contains(&leaf.path) && !leaf.path.ends_with("-wal") && !leaf.path.contains('#'))
        .collect();
    let new: Vec<Leaf> = after
        .into_iter()
        .filter_map(|leaf| Some(Leaf { path: strip(&leaf)?, bytes: leaf.bytes }))
        .filter(|leaf| !leaf.path.ends_with("-wal") && !leaf.path.contains('#'))
        .collect();
    assert_eq!(old.len(), new.len(), "{:?}\n{:?}", paths(&old), paths(&new));
    let (lost, all) = lost(&old, &new);
    assert!(lost.len() * 1000 <= all, "{} of {all} lost:\n{}", lost.len(), lost.join("\n"));

    // By the old paths, because a path may hold an address.
    let files: Vec<(String, Vec<u8>)> =
        old.iter().zip(&new).map(|(old, new)| (old.path.clone(), new.bytes.clone())).collect();
    let originals: Vec<(String, Vec<u8>)> = old.iter().map(|old| (old.path.clone(), old.bytes.clone())).collect();
    let complaints = databases(&originals, &files);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let files: Vec<_> = old.iter().zip(&new).map(|(old, new)| (old.path.clone(), new.bytes.clone())).collect();
    let originals: Vec<_> = SNAPSHOT.members.iter().map(|member| (member.path.clone(), member.bytes.clone())).collect();
    let complaints = databases(&originals, &files);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    opened::read_by_python(&out);
}

fn paths(leaves: &[Leaf]) -> Vec<&str> {
    leaves.iter().map(|leaf| leaf.path.as_str()).collect()
}

#[test]
fn json_csv_and_xml_still_parse() {
    for done in LOOSE.iter() {
        let Some((_, out)) = &done.out else { continue };
        let (old, new) = (before(&done.path), leaves(&done.path, out));
        let content = |leaf: &&Leaf| !leaf.path.contains('#');
        for (old, new) in old.iter().filter(content).zip(new.iter().filter(content)) {
            opened::same_shape(old, new);
        }
    }
}
