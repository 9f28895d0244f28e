//! Imports go down the stairs: this is the table of who may enter which room.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const GROUND: &[&str] =
    &["causes", "clock", "ids", "item", "note", "printable", "progress", "secret", "spool", "workers"];

/// A room and the rooms it may enter besides the ground floor and itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("format", &[]),
    ("redact", &[]),
    ("track", &[]),
    ("wire", &[]),
    ("records", &["track"]),
    ("collect", &[]),
    ("profile", &["collect", "redact"]),
    ("pack", &["redact"]),
    ("send", &["wire", "track"]),
    ("pipeline", &["collect", "redact", "pack", "format"]),
    (
        "cli",
        &["collect", "profile", "redact", "pack", "format", "send", "track", "wire", "records", "pipeline", "portal"],
    ),
    ("portal", &["format", "track", "wire", "records"]),
];

#[test]
fn no_room_is_entered_from_below() {
    let mut wrong = Vec::new();
    for file in sources(Path::new("src")) {
        let room = room_of(&file);
        let Some(allowed) = allowed(&room) else { continue };
        for entered in rooms_entered(&fs::read_to_string(&file).unwrap()) {
            if entered != room && !GROUND.contains(&entered.as_str()) && !allowed.contains(&entered.as_str()) {
                wrong.push(format!("{} enters {entered}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_command_line_enters_the_portal_by_one_door() {
    let entering: BTreeSet<PathBuf> = sources(Path::new("src/cli"))
        .into_iter()
        .filter(|file| rooms_entered(&fs::read_to_string(file).unwrap()).contains("portal"))
        .filter(|file| {
            // The operator's commands with their arguments, and the demo.
            !file.starts_with("src/cli/command/portal")
                && file != Path::new("src/cli/args/operator.rs")
                && file != Path::new("src/cli/args/serve.rs")
                && file != Path::new("src/cli/command/demo/stage.rs")
        })
        .collect();
    assert!(entering.is_empty(), "{entering:?}");
}

#[test]
fn every_room_is_in_the_table() {
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let known = if path.is_dir() {
            ROOMS.iter().any(|(room, _)| *room == name)
        } else {
            GROUND.contains(&name.as_str()) || name == "lib" || name == "main"
        };
        assert!(known, "{} has no place in the house", path.display());
    }
}

#[test]
fn only_the_clock_reads_the_wall_clock() {
    for file in sources(Path::new("src")) {
        if file == Path::new("src/clock.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for call in ["SystemTime::now", "Timestamp::now(", "Zoned::now"] {
            assert!(!code(&text).contains(call), "{} calls {call}", file.display());
        }
    }
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    if room == "lib" || room == "main" {
        return None;
    }
    Some(ROOMS.iter().find(|(name, _)| *name == room).map_or(&[], |(_, allowed)| allowed))
}

fn room_of(file: &Path) -> String {
    let first = file.components().nth(1).unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned()
}

fn rooms_entered(text: &str) -> BTreeSet<String> {
    let text = code(text);
    text.match_indices("crate::")
        .map(|(at, found)| {
            text[at + found.len()..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// The text without comments, so that a doc link is not an import.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
