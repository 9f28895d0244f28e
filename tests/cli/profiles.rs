//! Profiles and the watch list on the command line: what they change, and how what is wrong with them is told.

use std::fs;

use crate::desk::Desk;

fn file(desk: &Desk, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = desk.at(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_built_in_profiles_are_listed_shown_and_valid() {
    let desk = Desk::new();
    let listed = desk.sender(&["profile", "list"]).ends(0).out;
    for name in ["generic", "pexip-infinity", "linux-system", "telephony", "kubernetes"] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{listed}");
        let text = desk.sender(&["profile", "show", name]).ends(0).out;
        let copy = file(&desk, "copy.toml", text);
        desk.sender(&["profile", "check", &copy]).ends(0).says("VALID.");
    }
    let result = desk.sender(&["profile", "show", "telephony", "--json"]).ends(0).result();
    assert_eq!(result["profile"]["actions"]["phone"], "keep-country");
    assert_eq!(result["profile"]["actions"]["secret"], "drop");
    desk.sender(&["profile", "show", "telefony"]).ends(2).says("Did you mean:  --profile telephony");
}

#[test]
fn a_profile_with_a_mistake_is_refused_before_anything_is_read() {
    let desk = Desk::new();
    let log = file(&desk, "a.log", "user=quirin\n");
    let bad = file(&desk, "bad.toml", "schema = 1\nname = \"x\"\n[redact.actions]\npersn = \"drop\"\n");
    for command in [
        vec!["redact", &log, "--profile", &bad],
        vec!["seal", &log, "-o", "never", "--profile", &bad],
        vec!["send", &log, "--ticket", "4711", "--yes", "--profile", &bad],
        vec!["profile", "check", &bad],
    ] {
        let ran = desk.sender(&command).ends(2).says("bad.toml, line 4: there is no category \"persn\".");
        assert!(ran.err.contains("did you mean \"person\"?"), "{}", ran.err);
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
    desk.sender(&["redact", &log, "--profile", "generics"]).ends(2).says("--profile generic");
    desk.sender(&["redact", &log, "--profile", "./none.toml"])
        .ends(10)
        .says("The profile ./none.toml: it is not there.");
    // Escapes of a terminal do not reach it.
    let bad = file(&desk, "bad.toml", "schema = 1\nname = \"x\"\n\"\\u001b[2J\" = 1\n");
    assert!(!desk.sender(&["profile", "check", &bad]).ends(2).err.contains('\u{1b}'));
}

#[test]
fn a_profile_of_ones_own_says_what_is_redacted() {
    let desk = Desk::new();
    let log =
        file(&desk, "a.log", "room_owner=\"Ottilie Habersaat\" CASE-4711 user=quirin phone=\"+32 2 555 01 42\"\n");
    let profile = file(
        &desk,
        "our-site.toml",
        r#"
        schema = 1
        name = "our-site"
        extends = "telephony"
        [redact.actions]
        user = "keep"
        [redact.keys]
        room_owner = "person"
        [[redact.pattern]]
        name = "case"
        regex = 'CASE-\d+'
        category = "national-id"
        "#,
    );
    let out = desk.sender(&["redact", &log, "--profile", &profile]).ends(0).out;
    assert!(out.starts_with("room_owner=\"person-1\" [national-id] user=quirin phone=\"+0032"), "{out}");
    let settings = format!("profile = \"{profile}\"\n");
    fs::create_dir_all(desk.at("sender")).unwrap();
    fs::write(desk.at("sender/config.toml"), settings).unwrap();
    assert_eq!(desk.sender(&["redact", &log]).ends(0).out.split(' ').next(), Some("room_owner=\"person-1\""));
}

#[test]
fn what_the_profile_leaves_out_is_listed_and_not_sent() {
    let desk = Desk::new();
    let root = desk.at("node");
    fs::create_dir_all(format!("{root}/opt/pexip/share/config")).unwrap();
    fs::write(format!("{root}/opt/pexip/share/config/default.db"), "user=quirin password=swordfish").unwrap();
    fs::write(format!("{root}/support.log"), "fine\n").unwrap();
    for extra in [&[][..], &["--no-redact"]] {
        let sealed = desk.at(&format!("{}.tarseal", extra.len()));
        let arguments: Vec<&str> =
            ["seal", &root, "-o", &sealed, "--profile", "pexip-infinity"].iter().chain(extra).copied().collect();
        desk.sender(&arguments).ends(0).says("default.db   the profile leaves it out");
        let listed = desk.technician(&["list", &sealed, "--key", &desk.at("me.key")]).ends(0).out;
        let line = |end: &str| listed.lines().filter(|line| line.ends_with(end)).count();
        assert_eq!((line("support.log"), line("default.db")), (1, 0), "{listed}");
        assert_eq!(line("default.db  (the profile leaves it out)"), 1, "{listed}");
    }
}

#[test]
fn a_watch_list_hides_its_names_and_one_that_is_no_text_is_refused() {
    let desk = Desk::new();
    let log = file(&desk, "a.log", "Operation Winter began\n");
    let list = file(&desk, "names.txt", "\u{feff}# operations\n\n  Operation Winter  \n");
    assert_eq!(desk.sender(&["redact", &log, "--watchlist", &list]).ends(0).out, "person-1 began\n");
    let list = file(&desk, "names.txt", b"fine\nM\xfcller\n");
    desk.sender(&["redact", &log, "--watchlist", &list]).ends(2).says("is not UTF-8 text; line 2").says("iconv");
}

#[test]
fn the_gate_says_where_and_how_to_go_on_and_not_what() {
    let desk = Desk::new();
    // What stands for the value makes the next one: no replacement reaches the end.
    let log = file(&desk, "a.log", format!("fine\nbadge]{}\n", " ".repeat(200)));
    let profile = file(
        &desk,
        "p.toml",
        "schema = 1\nname = \"p\"\n[[redact.pattern]]\nname = \"p\"\nregex = '\\] '\ncategory = \"special\"\n",
    );
    let sealed = desk.at("never.tarseal");
    let seal = ["seal", &log, "-o", &sealed, "--profile", &profile];
    let ran = desk.sender(&seal).ends(4).says("a.log, line 2 still looks like personal data (special)");
    for way in ["--watchlist FILE", "[[redact.pattern]]", "leave_out", "--show-values", "cannot be switched off"] {
        assert!(ran.err.contains(way), "{}", ran.err);
    }
    assert!(!ran.err.contains("What the gate found") && !std::path::Path::new(&sealed).exists());
    let asked: Vec<&str> = seal.iter().chain(&["--show-values"]).copied().collect();
    desk.sender(&asked).ends(4).says("shown at a terminal only");
    desk.sender_types(&asked, "\n").ends(4).says("What the gate found:  ] ");
    let json: Vec<&str> = asked.iter().chain(&["--json"]).copied().collect();
    let ran = desk.sender_types(&json, "\n").ends(4);
    assert!(!ran.out.contains("] \"") && ran.err.contains("at a terminal only"), "{} {}", ran.out, ran.err);
}
