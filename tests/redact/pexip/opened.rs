//! Opens every container with readers that the product does not use for it, down to what can be read.

use std::io::{Cursor, Read};
use std::process::Command;

/// What a container holds in the end; a member's path is `outer!inner`.
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl Leaf {
    /// The bytes as text, for strings that must be there: UTF-16 as its mark says, the cells of databases.
    pub(super) fn text(&self) -> String {
        if let Some(units) = self.bytes.strip_prefix(b"\xff\xfe") {
            let units: Vec<u16> = units.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            return String::from_utf16_lossy(&units);
        }
        if self.bytes.starts_with(b"SQLite format 3\0") {
            return cells(&self.bytes);
        }
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Everything in a file, opened as deep as it goes.
pub(super) fn leaves(path: &str, bytes: &[u8]) -> Vec<Leaf> {
    let mut all = Vec::new();
    open(path, bytes, &mut all);
    all
}

fn open(path: &str, bytes: &[u8], all: &mut Vec<Leaf>) {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
        let mut inner = Vec::new();
        decoder.read_to_end(&mut inner).unwrap_or_else(|error| panic!("{path}: {error}"));
        let name = decoder.header().and_then(|header| header.filename()).unwrap_or_default();
        if !name.is_empty() {
            all.push(Leaf { path: format!("{path}#name"), bytes: name.to_vec() });
        }
        open(path, &inner, all);
    } else if bytes.starts_with(b"\xfd7zXZ\0") {
        let mut inner = Vec::new();
        lzma_rust2::XzReader::new(bytes, true)
            .read_to_end(&mut inner)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        open(path, &inner, all);
    } else if bytes.get(257..262) == Some(b"ustar") {
        for entry in tar::Archive::new(bytes).entries().unwrap() {
            let mut entry = entry.unwrap_or_else(|error| panic!("{path}: {error}"));
            let header = entry.header();
            let mut owner = header.username_bytes().unwrap_or_default().to_vec();
            owner.push(b' ');
            owner.extend(header.groupname_bytes().unwrap_or_default());
            owner.push(b' ');
            owner.extend(header.link_name_bytes().unwrap_or_default().iter());
            let inner = format!("{path}!{}", String::from_utf8_lossy(&entry.path_bytes()));
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            if owner != b"root root " && owner != b"root pexip " && owner != b"  " {
                all.push(Leaf { path: format!("{path}#owner"), bytes: owner });
            }
            open(&inner, &content, all);
        }
    } else if bytes.starts_with(b"PK\x03\x04") {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap_or_else(|error| panic!("{path}: {error}"));
        if !archive.comment().is_empty() {
            all.push(Leaf { path: format!("{path}#comment"), bytes: archive.comment().to_vec() });
        }
        for number in 0..archive.len() {
            let mut entry = archive.by_index(number).unwrap();
            let inner = format!("{path}!{}", entry.name().unwrap());
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap_or_else(|error| panic!("{inner}: {error}"));
            open(&inner, &content, all);
        }
    } else {
        all.push(Leaf { path: path.to_owned(), bytes: bytes.to_vec() });
        if bytes.starts_with(b"SQLite format 3\0") {
            all.push(Leaf { path: format!("{path}#cells"), bytes: cells(bytes).into_bytes() });
        }
    }
}

/// The file of a database after what its write-ahead log holds was taken over.
pub(super) fn checkpointed(bytes: &[u8], log: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("db");
    std::fs::write(&file, bytes).unwrap();
    std::fs::write(folder.path().join("db-wal"), log).unwrap();
    let db = rusqlite::Connection::open(&file).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    std::fs::read(file).unwrap()
}

/// Every cell of a database, one a line.
fn cells(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("db");
    std::fs::write(&file, bytes).unwrap();
    let db = rusqlite::Connection::open(&file).unwrap();
    let mut text = String::new();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    // A database whose rows are still in the log beside it has no table yet.
    let Ok(mut statement) = db.prepare(tables) else { return text };
    let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in tables {
        let mut rows = db.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                text.push_str(&match row.get::<_, rusqlite::types::Value>(column).unwrap() {
                    rusqlite::types::Value::Text(cell) => cell,
                    rusqlite::types::Value::Blob(cell) => String::from_utf8_lossy(&cell).into_owned(),
                    other => format!("{other:?}"),
                });
                text.push('\n');
            }
        }
    }
    text
}

/// Fails when a leaf that is JSON, CSV or XML before is not, or not as wide, afterwards.
pub(super) fn same_shape(old: &Leaf, new: &Leaf) {
    let (was, is) = (old.text(), new.text());
    let end = old.path.rsplit('.').next().unwrap_or_default();
    match end {
        "json" => {
            let was: serde_json::Value = serde_json::from_str(&was).unwrap();
            let is: serde_json::Value =
                serde_json::from_str(&is).unwrap_or_else(|error| panic!("{}: {error}\n{is}", old.path));
            same_tree(&was, &is, &old.path);
        }
        "csv" => {
            let (was, is) = (fields(&was), fields(&is));
            assert_eq!(was.len(), is.len(), "{}", old.path);
            for (was, is) in was.iter().zip(&is) {
                assert_eq!(was.len(), is.len(), "{}: {is:?}", old.path);
            }
            assert_eq!(was[0], is[0], "the names of the columns");
        }
        "xml" => assert_eq!(tags(&was), tags(&is), "{}", old.path),
        _ => {}
    }
}

fn same_tree(was: &serde_json::Value, is: &serde_json::Value, path: &str) {
    use serde_json::Value;
    match (was, is) {
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
            was.iter().zip(is).for_each(|(was, is)| same_tree(was, is, path));
        }
        (Value::Object(was), Value::Object(is)) => {
            assert!(was.keys().eq(is.keys()), "{path}");
            was.values().zip(is.values()).for_each(|(was, is)| same_tree(was, is, path));
        }
        (Value::String(was), Value::String(is)) => {
            // JSON in a string stays JSON.
            if let Ok(inner) = serde_json::from_str::<Value>(was)
                && inner.is_object()
            {
                same_tree(
                    &inner,
                    &serde_json::from_str(is).unwrap_or_else(|error| panic!("{path}: {error}: {is}")),
                    path,
                );
            }
        }
        (was, is) => assert_eq!(was, is, "{path}"),
    }
}

/// The fields of a CSV file (RFC 4180), row by row.
fn fields(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().filter(|&c| c != '\u{feff}').peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    assert!(!quoted, "an open quotation mark");
    rows
}

/// The names of the tags of an XML file, in order.
fn tags(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut tags = Vec::new();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(inner) = rest.strip_prefix("![CDATA[") {
            let end = inner.find("]]>").expect("CDATA ends");
            tags.push("[CDATA[");
            rest = &inner[end + 3..];
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        tags.push(rest[..end].split_whitespace().next().unwrap_or_default());
        rest = &rest[end + 1..];
    }
    tags
}

/// Opens the archive with Python's own modules, which know nothing of the crates used here.
pub(super) fn read_by_python(tgz: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.tgz");
    std::fs::write(&file, tgz).unwrap();
    let python = std::env::var("TARSEAL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pexip/reader.py");
    match Command::new(&python).arg("-B").arg(script).arg(&file).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            assert!(std::env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "{python}: {error}");
            eprintln!("SKIPPED: {python} is not there ({error})");
        }
    }
}
