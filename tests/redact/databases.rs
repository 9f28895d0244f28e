//! Databases: what comes out is a sound database with the same schema and as many rows, and nothing of the old one.

use std::path::PathBuf;
use std::process::Command;

use rusqlite::{Connection, MAIN_DB, OptionalExtension, params};
use tarseal::item::{Item, Reason};
use tarseal::redact::{OpeningLimits, RedactError, Redactor, Rules, unite_databases};

use super::{containers, item, key, read, survey};

/// A database made by statements, as the bytes of its file.
fn database(sql: &str) -> Vec<u8> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection.serialize(MAIN_DB).unwrap().to_vec()
}

fn open(bytes: &[u8]) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), false).unwrap();
    connection
}

fn redactor(items: &[Item]) -> Redactor {
    let rules = Rules::default();
    Redactor::new(rules.clone(), survey(&rules, items).unwrap(), key())
}

fn redacted(items: &[Item]) -> Vec<Vec<u8>> {
    let redactor = redactor(items);
    items.iter().map(|item| read(&redactor, item).unwrap().0).collect()
}

fn redact(bytes: &[u8]) -> Vec<u8> {
    redacted(&[item("x.db", bytes)]).remove(0)
}

/// Redacts what statements make, and opens the result.
fn after(sql: &str) -> Connection {
    open(&redact(&database(sql)))
}

fn text(connection: &Connection, sql: &str) -> String {
    let value = connection.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    match value {
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    }
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[track_caller]
fn is_sound(connection: &Connection) {
    assert_eq!(text(connection, "PRAGMA integrity_check"), "ok");
    let broken = connection.query_row("PRAGMA foreign_key_check", [], |_| Ok(())).optional().unwrap();
    assert!(broken.is_none(), "references are broken");
}

/// Asserts that no value stands in the bytes: as UTF-8, as UTF-16 of either order, in lower case, upper case or as it is.
#[track_caller]
fn holds_none_of(bytes: &[u8], values: &[&str]) {
    for value in values {
        for value in [(*value).to_owned(), value.to_lowercase(), value.to_uppercase()] {
            let little = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big = value.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for needle in [value.clone().into_bytes(), little, big] {
                assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{value:?} is still there");
            }
        }
    }
}

const HISTORY: &str = "
    CREATE TABLE conferencinghistory_conference(id VARCHAR(250) PRIMARY KEY, name VARCHAR(250), start_time DATETIME);
    CREATE TABLE conferencinghistory_participant(
        id VARCHAR(250) NOT NULL PRIMARY KEY, conference_id VARCHAR(250) REFERENCES conferencinghistory_conference(id),
        display_name VARCHAR(250) NOT NULL, local_alias VARCHAR(250), remote_alias VARCHAR(250),
        remote_address CHAR(39), remote_port INTEGER, call_tag TEXT, duration REAL, vendor TEXT);
    CREATE INDEX participant_names ON conferencinghistory_participant(display_name);
    INSERT INTO conferencinghistory_conference VALUES
        ('44c9caef-1d7f-4f3e-91b0-2f1c2a7d7a01', 'Steering', '2026-11-02 08:15:00');
    INSERT INTO conferencinghistory_participant VALUES
        ('44c9caef-1d7f-4f3e-91b0-2f1c2a7d7a02', '44c9caef-1d7f-4f3e-91b0-2f1c2a7d7a01', 'Ottilie Habersaat', 'meet.steering',
         'sip:ottilie.habersaat@amt.example', '198.51.100.7', 33042, 'tag', 61.5, 'Pexip Infinity Connect/2.0.0-25227.0.0'),
        ('44c9caef-1d7f-4f3e-91b0-2f1c2a7d7a03', '44c9caef-1d7f-4f3e-91b0-2f1c2a7d7a01', 'Quirin Quistorp', 'meet.steering',
         'kestrelby', '2a02:8388::17', 33043, NULL, 7.25, 'TANDBERG/529');
";
const PLANTED: [&str; 7] =
    ["Habersaat", "kestrelby", "Ottilie", "Quistorp", "198.51.100.7", "2a02:8388", "amt.example"];

#[test]
fn a_history_keeps_its_shape_and_loses_its_people() {
    let bytes = redact(&database(HISTORY));
    holds_none_of(&bytes, &PLANTED);
    let new = open(&bytes);
    is_sound(&new);
    let join = "SELECT count(*) FROM conferencinghistory_participant p JOIN conferencinghistory_conference c
        ON c.id = p.conference_id WHERE c.name = 'Steering' AND p.remote_port > 33041 AND p.duration > 7";
    assert_eq!(number(&new, join), 2);
    assert_eq!(text(&new, "SELECT display_name FROM conferencinghistory_participant WHERE rowid = 1"), "person-1");
    let vendors = "SELECT group_concat(vendor) FROM conferencinghistory_participant";
    assert_eq!(text(&new, vendors), "Pexip Infinity Connect/2.0.0-25227.0.0,TANDBERG/529");
    assert_eq!(text(&new, "SELECT start_time FROM conferencinghistory_conference"), "2026-11-02 08:15:00");
    assert_eq!(number(&new, "SELECT count(*) FROM sqlite_schema WHERE name = 'participant_names'"), 1);
}

#[test]
fn a_value_has_the_same_stand_in_in_logs_and_in_databases() {
    let log = b"start\nOttilie Habersaat rang from 198.51.100.7 (kestrelby)\n";
    let all = redacted(&[item("a.log", log), item("x.db", &database(HISTORY))]);
    let new = open(&all[1]);
    let row =
        "SELECT display_name || ' rang from ' || remote_address FROM conferencinghistory_participant WHERE rowid = 1";
    let user = "SELECT remote_alias FROM conferencinghistory_participant WHERE rowid = 2";
    let expected = format!("start\n{} ({})\n", text(&new, row), text(&new, user));
    assert_eq!(String::from_utf8(all[0].clone()).unwrap(), expected);
}

#[test]
fn redacting_twice_changes_nothing() {
    let sql = format!(
        "{HISTORY} CREATE TABLE login(password TEXT UNIQUE NOT NULL, phone INTEGER, key BLOB, sex INT NOT NULL);
        INSERT INTO login VALUES ('geh31m-1', 4930123456, x'00112233445566778899aabbccddeeff', 1),
            ('geh31m-2', 4930123457, x'ff112233445566778899aabbccddeeff', 2), ('geh31m-3', NULL, x'ff', 0);"
    );
    let first = item("x.db", &database(&sql));
    let redactor = redactor(&[first]);
    let once = read(&redactor, &item("x.db", &database(&sql))).unwrap().0;
    let twice = read(&redactor, &item("x.db", &once)).unwrap().0;
    assert!(once == twice);
    is_sound(&open(&once));
    assert_ne!(once, database(&sql));
}

#[test]
fn what_was_deleted_is_gone() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA secure_delete=off; CREATE TABLE t(id INTEGER PRIMARY KEY, note TEXT)").unwrap();
    for id in 0..2000 {
        connection.execute("INSERT INTO t VALUES(?1, 'Wilhelmina Ostergaard, room ' || ?1)", [id]).unwrap();
    }
    connection
        .execute_batch("DELETE FROM t WHERE id <> 1000; UPDATE t SET note = 'none'; DROP TABLE IF EXISTS u")
        .unwrap();
    let old = connection.serialize(MAIN_DB).unwrap().to_vec();
    assert!(old.windows(10).any(|window| window == b"Ostergaard"), "the file still holds what was deleted");
    let new = redact(&old);
    holds_none_of(&new, &["Ostergaard", "Wilhelmina"]);
    assert_eq!(number(&open(&new), "SELECT id FROM t"), 1000);
    assert!(new.len() < old.len());
}

#[test]
fn encoding_page_size_and_numbers_stay() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let sql = format!(
            "PRAGMA encoding='{encoding}'; PRAGMA page_size=8192; PRAGMA auto_vacuum=FULL;
            CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, display_name TEXT, n);
            INSERT INTO t VALUES(7, 'Zsófia Quistorp', 2.5), (90, 'Ottilie Habersaat', 'Zoë'); DELETE FROM t WHERE id = 90;
            INSERT INTO t VALUES(80, 'Ottilie Habersaat', 'Zoë');
            PRAGMA user_version=17; PRAGMA application_id=4711;"
        );
        let bytes = redact(&database(&sql));
        holds_none_of(&bytes, &["Zsófia", "Quistorp", "Habersaat"]);
        assert_eq!(bytes[18..20], [1, 1], "no log is needed");
        let new = open(&bytes);
        is_sound(&new);
        assert_eq!(text(&new, "PRAGMA encoding"), encoding);
        let pragmas = ["page_size", "auto_vacuum", "user_version", "application_id"];
        let numbers = pragmas.map(|name| number(&new, &format!("PRAGMA {name}")));
        assert_eq!(numbers, [8192, 1, 17, 4711]);
        assert_eq!(text(&new, "SELECT group_concat(id || typeof(n) || n) FROM t"), "7real2.5,80textZoë");
        assert_eq!(number(&new, "SELECT seq FROM sqlite_sequence"), 90);
    }
}

#[test]
fn tables_of_every_kind_are_taken_over() {
    let sql = "
        CREATE TABLE plain(a, display_name); INSERT INTO plain(rowid, a, display_name) VALUES(5, 1, 'Ottilie Habersaat'), (900, x'', '');
        CREATE TABLE hidden(rowid TEXT, _rowid_ TEXT, display_name); INSERT INTO hidden VALUES('r', 's', 'Ottilie Habersaat');
        CREATE TABLE keyed(user TEXT, n INT, PRIMARY KEY(user, n)) WITHOUT ROWID;
        INSERT INTO keyed VALUES('quirinus', 1), ('ottilieh', 2);
        CREATE TABLE strict(id INTEGER PRIMARY KEY, phone INT NOT NULL, pin INT, birth_date TEXT, any ANY) STRICT;
        INSERT INTO strict VALUES(1, 4930123456, 4711, '1990-02-03', 2.5), (2, 4930123457, NULL, NULL, 'Ottilie Habersaat');
        CREATE TABLE made(display_name TEXT, upper_name TEXT AS (upper(display_name)) STORED, l AS (length(display_name)));
        INSERT INTO made VALUES('Ottilie Habersaat');
        CREATE TABLE \"select \"\"from\"(\"a b\", \"display_name\"); INSERT INTO \"select \"\"from\" VALUES(1, 'Ottilie Habersaat');
        CREATE TABLE empty(display_name);";
    let bytes = redact(&database(sql));
    holds_none_of(&bytes, &["Habersaat", "quirinus", "ottilieh", "1990"]);
    let new = open(&bytes);
    is_sound(&new);
    assert_eq!(text(&new, "SELECT group_concat(rowid) FROM plain"), "5,900");
    assert_eq!(text(&new, "SELECT rowid || oid FROM hidden"), "r1");
    assert_eq!(number(&new, "SELECT count(*) FROM keyed"), 2);
    assert_eq!(text(&new, "SELECT upper_name || l FROM made"), "PERSON-18");
    assert_eq!(number(&new, "SELECT min(phone) FROM strict") / 1_000_000_000_000, 1_000_000);
    assert_eq!(text(&new, "SELECT coalesce(pin, birth_date) || any FROM strict WHERE id = 1"), "[birth-date]2.5");
    assert_eq!(text(&new, "SELECT \"display_name\" FROM \"select \"\"from\""), "person-1");
    assert_eq!(number(&new, "SELECT count(*) FROM empty"), 0);
}

#[test]
fn what_is_unique_stays_unique_and_references_hold() {
    let sql = "
        CREATE TABLE child(token TEXT REFERENCES parent(token), n INT);
        CREATE TABLE parent(token TEXT NOT NULL UNIQUE, name TEXT, iban TEXT, UNIQUE(name, iban));
        CREATE TABLE card(card_number INTEGER NOT NULL UNIQUE);
        INSERT INTO parent VALUES('aaaaaa-1', 'x', 'DE89370400440532013000'), ('bbbbbb-2', 'x', 'GB29NWBK60161331926819'), ('cccccc-3', 'y', NULL);
        INSERT INTO child VALUES('cccccc-3', 3), ('bbbbbb-2', 2), ('aaaaaa-1', 1), ('bbbbbb-2', 2);
        INSERT INTO card VALUES(4111111111111111), (5500005555555559), (340000000000009);";
    let new = after(sql);
    is_sound(&new);
    assert_eq!(number(&new, "SELECT count(DISTINCT token) FROM parent"), 3);
    assert_eq!(text(&new, "SELECT group_concat(token) FROM parent"), "[secret],[secret] (2),[secret] (3)");
    let join = "SELECT group_concat(c.n || p.rowid) FROM child c JOIN parent p USING(token)";
    assert_eq!(text(&new, join), "33,22,11,22");
    assert_eq!(text(&new, "SELECT group_concat(card_number) FROM card"), "0,-1,-2");
}

#[test]
fn rules_of_the_table_are_kept() {
    let sql = "
        CREATE TABLE t(sex TEXT NOT NULL CHECK(sex IN ('f', 'm')), pin TEXT CHECK(length(pin) = 6),
            passport TEXT NOT NULL CHECK(length(passport) = 9), doc TEXT CHECK(json_valid(doc)));
        INSERT INTO t VALUES('f', '471147', 'C01X00T47', '{\"user\": \"quirinus\", \"n\": 7}'), ('m', NULL, 'C01X00T48', NULL);";
    let bytes = redact(&database(sql));
    holds_none_of(&bytes, &["471147", "C01X00T4", "quirinus"]);
    let new = open(&bytes);
    is_sound(&new);
    assert_eq!(text(&new, "SELECT sex || passport FROM t WHERE rowid = 1"), "[sex]x00x00x00");
    assert_eq!(number(&new, "SELECT json_extract(doc, '$.n') FROM t WHERE rowid = 1"), 7);
}

#[test]
fn triggers_stay_and_do_not_run() {
    let sql = "
        CREATE TABLE t(display_name TEXT); CREATE TABLE trail(what TEXT);
        INSERT INTO t VALUES('Ottilie Habersaat');
        CREATE VIEW people AS SELECT display_name FROM t;
        CREATE TRIGGER note AFTER INSERT ON t BEGIN INSERT INTO trail VALUES('old: ' || NEW.display_name); END;
        CREATE TRIGGER deny BEFORE INSERT ON trail BEGIN SELECT RAISE(ABORT, 'no'); END;";
    let new = after(sql);
    is_sound(&new);
    assert_eq!(number(&new, "SELECT count(*) FROM trail"), 0);
    assert_eq!(text(&new, "SELECT * FROM people"), "person-1");
    assert_eq!(number(&new, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"), 2);
}

#[test]
fn names_in_the_schema_go_everywhere_alike() {
    let sql = "
        CREATE TABLE people(display_name TEXT); INSERT INTO people VALUES('Wilhelmina Ostergaard');
        CREATE TABLE ostergaard_notes(id INTEGER PRIMARY KEY, note TEXT DEFAULT 'ask Wilhelmina Ostergaard',
            password TEXT DEFAULT 'geh31m-x'); -- made by Wilhelmina
        INSERT INTO ostergaard_notes(id) VALUES(4);
        CREATE INDEX ostergaard_index ON ostergaard_notes(note);
        CREATE VIEW notes AS SELECT note FROM ostergaard_notes WHERE id <> 'Ostergaard' /* Ostergaard */;
        CREATE TRIGGER t AFTER INSERT ON people BEGIN UPDATE ostergaard_notes SET note = 'by Wilhelmina Ostergaard'; END;";
    let bytes = redact(&database(sql));
    holds_none_of(&bytes, &["Ostergaard", "Wilhelmina", "geh31m"]);
    let new = open(&bytes);
    is_sound(&new);
    assert_eq!(text(&new, "SELECT note FROM notes"), "ask person-1");
    assert_eq!(number(&new, "SELECT count(*) FROM sqlite_schema"), 5);
    new.execute("INSERT INTO people VALUES('x')", []).unwrap();
    assert_eq!(text(&new, "SELECT note FROM notes"), "by person-1");
}

#[test]
fn full_text_indexes_are_made_again() {
    let sql = "
        CREATE TABLE people(display_name TEXT); INSERT INTO people VALUES('Wilhelmina Ostergaard');
        CREATE VIRTUAL TABLE own USING fts5(title, body); CREATE VIRTUAL TABLE old USING fts4(body);
        CREATE TABLE source(id INTEGER PRIMARY KEY, body TEXT);
        CREATE VIRTUAL TABLE over USING fts5(body, content='source', content_rowid='id');
        CREATE VIRTUAL TABLE bare USING fts5(body, content=''); CREATE VIRTUAL TABLE place USING rtree(id, x0, x1);
        INSERT INTO own(rowid, title, body) VALUES(9, 'call', 'Wilhelmina Ostergaard rang twice'); DELETE FROM own WHERE rowid = 1;
        INSERT INTO old(docid, body) VALUES(5, 'Ostergaard hung up'); INSERT INTO source VALUES(3, 'Ostergaard came back');
        INSERT INTO over(over) VALUES('rebuild'); INSERT INTO bare(rowid, body) VALUES(1, 'Ostergaard');
        INSERT INTO place VALUES(1, 47.5, 47.6);";
    let bytes = redact(&database(sql));
    holds_none_of(&bytes, &["Ostergaard", "Wilhelmina"]);
    let new = open(&bytes);
    is_sound(&new);
    let find = |table: &str, word: &str| {
        number(&new, &format!("SELECT coalesce(max(rowid), 0) FROM {table} WHERE {table} MATCH '{word}'"))
    };
    assert_eq!((find("own", "twice"), find("old", "hung"), find("over", "back")), (9, 5, 3));
    assert_eq!((find("own", "person"), find("own", "ostergaard")), (9, 0));
    assert_eq!(number(&new, "SELECT count(*) FROM place"), 0);
}

#[test]
fn settings_are_understood_by_their_keys() {
    let sql = "
        CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT);
        INSERT INTO setting VALUES('ldap_bind_password', 'geh31m'), ('timeout', '30'), ('ldap.user', 'quirinus'), ('theme', 'dark');
        CREATE TABLE participant(name TEXT, number TEXT); INSERT INTO participant VALUES('Ottilie Habersaat', '7');";
    let new = after(sql);
    assert_eq!(text(&new, "SELECT group_concat(value) FROM setting"), "[secret],30,user-1,dark");
    assert_eq!(
        text(&new, "SELECT group_concat(name) FROM (SELECT name FROM setting ORDER BY rowid)"),
        "ldap_bind_password,timeout,ldap.user,theme"
    );
    assert_eq!(text(&new, "SELECT name || number FROM participant"), "person-17");
}

#[test]
fn blobs_are_texts_identifiers_or_emptied() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE a(id BLOB PRIMARY KEY, v BLOB NOT NULL); CREATE TABLE b(a BLOB REFERENCES a(id))")
        .unwrap();
    let noise =
        |seed: u8, length: u8| (0..length).map(|n| n.wrapping_mul(37).wrapping_add(seed) | 0x80).collect::<Vec<_>>();
    let text = b"mail ottilie.habersaat@amt.example".to_vec();
    for (id, value) in [(noise(1, 16), text), (noise(2, 16), noise(3, 200)), (noise(4, 4), vec![])] {
        connection.execute("INSERT INTO a VALUES(?1, ?2)", params![id, value]).unwrap();
    }
    connection.execute("INSERT INTO b VALUES(?1)", [noise(1, 16)]).unwrap();
    let bytes = redact(&connection.serialize(MAIN_DB).unwrap());
    for gone in [noise(1, 16), noise(2, 16), noise(3, 200)] {
        assert!(!bytes.windows(16).any(|window| window == &gone[..16]));
    }
    let new = open(&bytes);
    is_sound(&new);
    assert_eq!(number(&new, "SELECT count(*) FROM a JOIN b ON b.a = a.id"), 1);
    assert_eq!(self::text(&new, "SELECT CAST(v AS TEXT) FROM a WHERE rowid = 1"), "mail u-1@d-1.invalid");
    let lengths = "SELECT group_concat(length(id) || typeof(v) || length(v)) FROM a";
    assert_eq!(self::text(&new, lengths), "16blob20,16blob0,4blob0");
}

#[test]
fn samples_of_values_are_not_taken_over() {
    let sql = "CREATE TABLE t(display_name TEXT); CREATE INDEX i ON t(display_name);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO t SELECT 'Wilhelmina Ostergaard ' || (i % 20) FROM n; ANALYZE;";
    assert!(number(&open(&database(sql)), "SELECT count(*) FROM sqlite_stat4") > 0);
    let bytes = redact(&database(sql));
    holds_none_of(&bytes, &["Ostergaard"]);
    assert_eq!(number(&open(&bytes), "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'"), 0);
}

/// What the survey or the redaction says about a file that is no sound database.
fn refused(bytes: &[u8]) -> Reason {
    let rules = Rules::default();
    match survey(&rules, &[item("x.db", bytes)]) {
        Err(left_out) => left_out.reason,
        Ok(learned) => {
            let redactor = Redactor::new(rules, learned, key());
            match read(&redactor, &item("x.db", bytes)) {
                Err(error) => error.reason().unwrap(),
                Ok(_) => panic!("it was read"),
            }
        }
    }
}

fn rows(count: u32, page_size: u32) -> Vec<u8> {
    database(&format!(
        "PRAGMA page_size={page_size}; CREATE TABLE t(id INTEGER PRIMARY KEY, display_name TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
        INSERT INTO t SELECT i, 'Wilhelmina Ostergaard ' || i FROM n;"
    ))
}

fn many_rows() -> Vec<u8> {
    rows(800, 4096)
}

#[test]
fn a_damaged_database_is_left_out() {
    let whole = many_rows();
    for length in [16, 99, 100, 4096, 5000, whole.len() - 4096, whole.len() - 1] {
        assert_eq!(refused(&whole[..length]), Reason::Damaged, "{length} bytes");
    }
    let mut no_database = b"SQLite format 3\0".to_vec();
    no_database.extend([b'x'; 8176]);
    assert_eq!(refused(&no_database), Reason::Damaged);
    for page in [0, 1, 2, 5] {
        let mut broken = whole.clone();
        let start = if page == 0 { 100 } else { page * 4096 };
        broken[start..start + 12].fill(0x55);
        assert_eq!(refused(&broken), Reason::Damaged, "page {page}");
    }
}

#[test]
fn whatever_is_flipped_nothing_passes_unread() {
    let whole = rows(100, 512);
    let redactor = redactor(&[item("x.db", &whole)]);
    for step in 0..80_usize {
        let mut broken = whole.clone();
        let at = 16 + step * 7919 % (whole.len() - 16);
        broken[at] ^= 1 << (step % 8);
        let broken = item("x.db", &broken);
        let Ok(mut redacted) = redactor.redact(&broken) else { continue };
        let mut bytes = Vec::new();
        if std::io::Read::read_to_end(&mut redacted, &mut bytes).is_ok() {
            is_sound(&open(&bytes));
            let whole_names = bytes.windows(22).filter(|window| window.starts_with(b"Wilhelmina Ostergaard ")).count();
            assert_eq!(whole_names, 0, "byte {at}");
        }
    }
}

#[test]
fn a_hostile_schema_is_left_out() {
    let make = |name: &str, sql: &str| {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(a); PRAGMA writable_schema=on").unwrap();
        connection.execute("UPDATE sqlite_schema SET name = ?1, tbl_name = ?1, sql = ?2", [name, sql]).unwrap();
        connection.serialize(MAIN_DB).unwrap().to_vec()
    };
    for (name, sql) in [
        ("t", "CREATE TABLE t(a); ATTACH '/tmp/tarseal-hostile.db' AS x"),
        ("t", "DROP TABLE t"),
        ("t", "CREATE TABLE u(a)"),
        ("t", "CREATE TABLE t AS SELECT 1"),
        ("t", "CREATE TABLE t(a, b, CHECK((SELECT load_extension('x'))))"),
    ] {
        let hostile = item("x.db", &make(name, sql));
        let redactor = redactor(&[]);
        let left = match redactor.redact(&hostile) {
            Err(_) => true,
            Ok(mut redacted) => std::io::Read::read_to_end(&mut redacted, &mut Vec::new()).is_err(),
        };
        assert!(left, "{sql}");
    }
    assert!(!PathBuf::from("/tmp/tarseal-hostile.db").exists());
}

#[test]
fn a_database_past_the_limit_is_left_out() {
    let rules = Rules { limits: OpeningLimits { database: 8192, ..OpeningLimits::default() }, ..Rules::default() };
    let left_out = survey(&rules, &[item("x.db", &many_rows())]).unwrap_err();
    assert_eq!(left_out.reason, Reason::TooLarge);
}

/// A directory for databases that need a log.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("databases-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn items(&self) -> Vec<Item> {
        let mut names: Vec<_> = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        let read = |name: &std::ffi::OsString| std::fs::read(self.0.join(name)).unwrap();
        names.iter().map(|name| item(&format!("data/{}", name.to_str().unwrap()), &read(name))).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A database of which all or a part lies in its log; the connection keeps it there.
fn logged(place: &Place, before: &str, in_log: &str) -> Connection {
    let connection = Connection::open(place.0.join("x.db")).unwrap();
    connection.execute_batch(before).unwrap();
    connection.execute_batch("PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0").unwrap();
    connection.execute_batch(in_log).unwrap();
    connection
}

#[test]
fn what_was_committed_to_the_log_is_in_the_database() {
    for page_size in [512, 4096, 65536] {
        let place = Place::new(&format!("log-{page_size}"));
        let before = format!("PRAGMA page_size={page_size}; {HISTORY}");
        let connection = logged(
            &place,
            &before,
            "UPDATE conferencinghistory_participant SET display_name = 'Wilhelmina Ostergaard' WHERE rowid = 1;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
            INSERT INTO conferencinghistory_conference SELECT 'id' || i, 'Room', '' FROM n;
            BEGIN; DELETE FROM conferencinghistory_participant WHERE rowid = 2; COMMIT;",
        );
        connection
            .execute_batch("BEGIN; INSERT INTO conferencinghistory_conference VALUES('open', 'open', '')")
            .unwrap();
        let (items, left_out) = unite_databases(place.items(), &OpeningLimits::default());
        let left_out: Vec<_> = left_out.iter().map(|left_out| (left_out.path.as_str(), left_out.reason)).collect();
        let part = Reason::PartOfDatabase;
        assert_eq!(left_out, [("data/x.db-shm", part), ("data/x.db-wal", part)]);
        assert_eq!(items.len(), 1);
        let bytes = redacted(&items).remove(0);
        holds_none_of(&bytes, &PLANTED);
        holds_none_of(&bytes, &["Ostergaard"]);
        let new = open(&bytes);
        is_sound(&new);
        assert_eq!(number(&new, "SELECT count(*) FROM conferencinghistory_conference"), 501);
        assert_eq!(number(&new, "SELECT count(*) FROM conferencinghistory_participant"), 1);
    }
}

#[test]
fn a_log_is_read_as_sqlite_reads_it() {
    let place = Place::new("torn");
    let rows = "INSERT INTO t SELECT 'x' || hex(randomblob(900)) FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3);";
    let connection = logged(&place, "CREATE TABLE t(a)", &rows.repeat(30));
    connection.execute_batch("PRAGMA wal_checkpoint(restart)").unwrap();
    connection.execute_batch(&rows.repeat(9)).unwrap();
    let (database, log) = (place.0.join("x.db"), place.0.join("x.db-wal"));
    let (database, log) = (std::fs::read(database).unwrap(), std::fs::read(log).unwrap());
    drop(connection);
    for step in 0..60 {
        let other = Place::new(&format!("torn-{step}"));
        let mut log = log.clone();
        if step % 2 == 0 {
            log.truncate(log.len() * step / 120);
        } else {
            let at = step * 997 % (log.len() / 2);
            log[at] ^= 0x10;
        }
        std::fs::write(other.0.join("x.db"), &database).unwrap();
        std::fs::write(other.0.join("x.db-wal"), &log).unwrap();
        let (items, _) = unite_databases(other.items(), &OpeningLimits::default());
        let new = open(&redacted(&items).remove(0));
        let sqlite = Connection::open(other.0.join("x.db")).unwrap();
        let count = "SELECT count(*) FROM t";
        assert_eq!(number(&new, count), number(&sqlite, count), "step {step}");
    }
}

#[test]
fn a_change_that_was_not_finished_leaves_the_database_out() {
    let bytes = many_rows();
    let journal = |count: u32| {
        let mut journal = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7".to_vec();
        journal.extend(count.to_be_bytes());
        journal.resize(512, 0);
        journal
    };
    for (journal, kept) in [(journal(3), 0), (journal(u32::MAX), 0), (journal(0), 1), (vec![0; 512], 1), (vec![], 1)] {
        let items = vec![item("x.db-journal", &journal), item("x.db", &bytes), item("y.db-journal", b"text")];
        let (items, left_out) = unite_databases(items, &OpeningLimits::default());
        assert_eq!(items.len(), kept + 1);
        assert_eq!(left_out.iter().filter(|left_out| left_out.reason == Reason::Unfinished).count(), 1 - kept);
    }
}

#[test]
fn a_log_that_does_not_fit_is_an_error() {
    let place = Place::new("misfit");
    let connection = logged(&place, "PRAGMA page_size=1024; CREATE TABLE t(a)", "INSERT INTO t VALUES(1)");
    let log = std::fs::read(place.0.join("x.db-wal")).unwrap();
    drop(connection);
    let items = vec![item("x.db", &many_rows()), item("x.db-wal", &log)];
    let (items, _) = unite_databases(items, &OpeningLimits::default());
    assert_eq!(survey(&Rules::default(), &items).unwrap_err().reason, Reason::Unfinished);
}

#[test]
fn other_programs_read_what_comes_out() {
    let place = Place::new("python");
    let path = place.0.join("x.db");
    std::fs::write(&path, redact(&database(HISTORY))).unwrap();
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\
        print(c.execute('PRAGMA integrity_check').fetchone()[0], \
        c.execute('SELECT count(*) FROM conferencinghistory_participant').fetchone()[0])";
    let Ok(output) = Command::new("python3").args(["-c", script]).arg(&path).output() else { return };
    if String::from_utf8_lossy(&output.stderr).contains("No module named") {
        return;
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok 2", "{output:?}");
}

#[test]
fn a_row_that_cannot_be_kept_is_never_lost_in_silence() {
    let sql = "CREATE TABLE t(sex TEXT NOT NULL, CHECK(lower(sex) || '' IN (char(102), char(109)))); INSERT INTO t VALUES('f');";
    let redactor = redactor(&[]);
    let result = read(&redactor, &item("x.db", &database(sql)));
    assert!(matches!(result, Err(RedactError::NotReadable)));
}

/// An archive of either kind with these members, redacted: its members, and what was left out.
fn archived(members: &[(&str, &[u8])]) -> Vec<(containers::Members, Vec<(String, Reason)>)> {
    let archives =
        [("a.tar.gz", containers::gz(&containers::tar(members)), true), ("a.zip", containers::zip(members), false)];
    archives
        .into_iter()
        .map(|(name, bytes, is_tar)| {
            let (bytes, left_out) = containers::one(name, &bytes).unwrap();
            let members = if is_tar { containers::untar(&containers::ungz(&bytes)) } else { containers::unzip(&bytes) };
            (members, left_out.into_iter().map(|left_out| (left_out.path, left_out.reason)).collect())
        })
        .collect()
}

#[test]
fn what_was_committed_to_the_log_is_in_the_database_within_an_archive() {
    let place = Place::new("archived");
    let connection = logged(
        &place,
        HISTORY,
        "UPDATE conferencinghistory_participant SET display_name = 'Wilhelmina Ostergaard' WHERE rowid = 1;
        DELETE FROM conferencinghistory_participant WHERE rowid = 2",
    );
    let read = |name: &str| std::fs::read(place.0.join(name)).unwrap();
    let (database, log, memory) = (read("x.db"), read("x.db-wal"), read("x.db-shm"));
    drop(connection);
    let members: [(&str, &[u8]); 6] = [
        ("d/a.log", b"Wilhelmina Ostergaard called\n"),
        ("d/x.db", &database),
        ("d/x.db-shm", &memory),
        ("d/x.db-wal", &log),
        ("d/x.db2", b"display_name=\"Wilhelmina Ostergaard\"\n"),
        ("d/y.db-wal", &log),
    ];
    for (out, left_out) in archived(&members) {
        let names: Vec<_> = out.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["d/a.log", "d/x.db", "d/x.db2"]);
        let reasons: Vec<_> =
            left_out.iter().map(|(path, reason)| (path.rsplit('!').next().unwrap(), *reason)).collect();
        let part = Reason::PartOfDatabase;
        assert_eq!(reasons, [("d/x.db-shm", part), ("d/x.db-wal", part), ("d/y.db-wal", Reason::NotReadable)]);
        let new = open(&out[1].1);
        is_sound(&new);
        assert_eq!(number(&new, "SELECT count(*) FROM conferencinghistory_participant"), 1);
        let name: String =
            new.query_row("SELECT display_name FROM conferencinghistory_participant", [], |row| row.get(0)).unwrap();
        // Learned from the log, hidden everywhere.
        assert_eq!(format!("{name} called\n").as_bytes(), out[0].1);
        holds_none_of(&out[1].1, &PLANTED);
        holds_none_of(&out[1].1, &["Ostergaard"]);
    }
}

#[test]
fn a_database_in_an_archive_that_was_not_finished_is_left_out_alone() {
    let bytes = many_rows();
    let place = Place::new("archived-misfit");
    let connection = logged(&place, "PRAGMA page_size=1024; CREATE TABLE t(a)", "INSERT INTO t VALUES(1)");
    let log = std::fs::read(place.0.join("x.db-wal")).unwrap();
    drop(connection);
    let journal = [b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\0\0\0\x03".as_slice(), &[0; 500]].concat();
    for (ending, beside) in [("-wal", log.as_slice()), ("-journal", &journal)] {
        let beside_name = format!("x.db{ending}");
        let members: [(&str, &[u8]); 4] =
            [("a.log", b"fine\n"), ("x.db", &bytes), (&beside_name, beside), ("z.log", b"fine\n")];
        for (out, left_out) in archived(&members) {
            assert_eq!(out.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a.log", "z.log"]);
            let reasons: Vec<_> = left_out.iter().map(|(_, reason)| *reason).collect();
            assert_eq!(reasons, [Reason::PartOfDatabase, Reason::Unfinished]);
        }
    }
    // An empty log, and a journal of a change that was finished, say nothing.
    let members: [(&str, &[u8]); 3] = [("x.db", &bytes), ("x.db-journal", &[0; 512]), ("x.db-wal", b"")];
    for (out, left_out) in archived(&members) {
        assert!(out.len() == 1 && left_out.len() == 2, "{left_out:?}");
        is_sound(&open(&out[0].1));
    }
}
