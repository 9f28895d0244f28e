//! What a profile changes: actions, keys, patterns, files.

use tarseal::item::Reason;
use tarseal::profile::{KEYS, Profile};
use tarseal::redact::{Action, Category, Learned, PatternRule, RedactError, Redactor, Rules};

use crate::{entries, item, key, read, survey, vault};

fn redact(rules: &Rules, texts: &[&str]) -> Vec<String> {
    let items: Vec<_> = (0..).zip(texts).map(|(n, text)| item(&format!("log.{n}"), text.as_bytes())).collect();
    let redactor = Redactor::new(rules.clone(), survey(rules, &items).unwrap(), key());
    items.iter().map(|item| String::from_utf8(read(&redactor, item).unwrap().0).unwrap()).collect()
}

fn pattern(regex: &str, category: Category) -> PatternRule {
    PatternRule::new("test", regex, category).unwrap()
}

fn rules(text: &str) -> Rules {
    Profile::read(&format!("schema = 1\nname = \"test\"\n{text}")).unwrap_or_else(|error| panic!("{error}")).rules
}

#[test]
fn what_a_pattern_finds_as_a_person_is_hidden_wherever_it_stands() {
    let rules = rules(
        r#"
        [[redact.pattern]]
        name = "on call"
        regex = 'on call: (?<value>\w+ \w+)'
        category = "person"
        "#,
    );
    let out = redact(
        &rules,
        &["the log says Habersaat, Ottilie\n", "on call: Ottilie Habersaat\non call: Quirin Quistorp\n"],
    );
    assert_eq!(out, ["the log says person-1\n", "on call: person-1\non call: person-2\n"]);
}

#[test]
fn a_pattern_of_every_category_leaves_nothing_and_redacting_again_changes_nothing() {
    let text = "badge 17-4711 of case 4711 from 198.51.100.7 and 2001:4860::1 by quirin@min.example +32 2 555 01 42\n";
    let line = "level=info event=\"unit-4711\" at 2026-11-20T10:09:51 \u{e9}4711\u{e9}\n";
    for (regex, hides) in [
        (r"\d+", "4711"),
        ("4711", "4711"),
        (r"\b\w", " case"),
        (r"[a-z]+-\d+", "unit-4711"),
        (r"\S+", "T10:09"),
        (r"case .*", "17 by"),
        (".+", "level"),
        ("[0-9.]+", "4711"),
        (r"\w+@\S+", "quirin"),
    ] {
        for category in Category::ALL {
            let rules = Rules {
                patterns: vec![pattern(regex, category)],
                actions: [(Category::Conference, Action::StandIn)].into(),
                ..Rules::default()
            };
            let items = [item("log", format!("{text}{line}").as_bytes())];
            let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
            let (once, counts) =
                read(&redactor, &items[0]).unwrap_or_else(|error| panic!("{regex} {category}: {error}"));
            let once = String::from_utf8(once).unwrap();
            assert!(!once.contains(hides), "{regex} {category}: {once}");
            assert!(counts.contains_key(&category), "{regex} {category}: {once} {counts:?}");
            let again = read(&redactor, &item("log", once.as_bytes())).unwrap().0;
            assert_eq!(String::from_utf8(again).unwrap(), once, "{regex} {category}");
        }
    }
}

#[test]
fn a_pattern_is_found_in_what_is_encoded() {
    let rules = Rules { patterns: vec![pattern("CASE-[0-9]{6}", Category::NationalId)], ..Rules::default() };
    let text = "a=CASE%2d123456 b=\"CASE\\u002d123456\" c=CASE&#45;123456 d=b3BlbmVkIENBU0UtMTIzNDU2IHRvZGF5\n";
    let out = redact(&rules, &[text]).remove(0);
    assert!(!out.contains("123456") && !out.contains("b3Blbm"), "{out}");
    assert_eq!(out.matches("[national-id]").count(), 4, "{out}");
}

#[test]
fn the_result_with_patterns_is_the_same_for_any_chunks() {
    let rules = rules(
        r#"
        [redact.keys]
        room_owner = "person"
        [[redact.pattern]]
        name = "case"
        regex = 'CASE-\d+'
        category = "user"
        "#,
    );
    let text: String = (0..400)
        .map(|n| format!("room_owner=\"Ottilie Habersaat\" opened CASE-{} after CASE-{}\n", n % 37, n % 11))
        .collect();
    let items = [item("log", text.as_bytes())];
    let whole = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    let small = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).with_chunk_size(200);
    let out = read(&whole, &items[0]).unwrap();
    assert_eq!(out, read(&small, &items[0]).unwrap());
    let text = String::from_utf8(out.0).unwrap();
    assert!(text.starts_with("room_owner=\"person-1\" opened user-1 after user-1\n"), "{text}");
}

#[test]
fn a_file_a_profile_leaves_out_is_not_read() {
    let rules = rules("extends = \"pexip-infinity\"");
    let secret = item("node/opt/pexip/share/config/default.db", b"user=quirin\n");
    let left_out = survey(&rules, &[secret]).unwrap_err();
    assert_eq!(left_out.reason, Reason::ByProfile);
    let secret = item("node/opt/pexip/share/config/default.db", b"user=quirin\n");
    let redactor = Redactor::new(rules, survey(&Rules::default(), &[]).unwrap(), key());
    assert_eq!(redactor.redact(&secret).err().unwrap().reason, Reason::ByProfile);
    assert!(!Reason::ByProfile.makes_incomplete());
}

#[test]
fn what_a_profile_keeps_stays_and_passes_the_gate() {
    let text = "user=quirin from 198.51.100.7 mail anna.berg@min.example phone=\"+32 2 555 01 42\"\n";
    for (category, kept) in
        [("user", "quirin"), ("ip", "198.51.100.7"), ("email", "anna.berg@min.example"), ("phone", "+32 2 555 01 42")]
    {
        let out = redact(&rules(&format!("[redact.actions]\n{category} = \"keep\"")), &[text]).remove(0);
        assert!(out.contains(kept), "{category}: {out}");
        let others = ["quirin", "198.51.100.7", "anna.berg", "555"];
        assert_eq!(others.iter().filter(|value| out.contains(**value)).count(), 1, "{out}");
    }
}

#[test]
fn what_a_profile_drops_has_no_way_back() {
    let rules = rules(
        "[redact.actions]\nperson = \"drop\"\nuser = \"drop\"\nip = \"drop\"\nphone = \"drop\"\nemail = \"drop\"\nuri = \"drop\"",
    );
    let items = [item(
        "log",
        b"Participant=\"Ottilie Habersaat\" user=quirin ip 198.51.100.7 phone=\"+32 2 555 01 42\" a.berg@min.example\n",
    )];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).keeping(vault());
    let out = String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap();
    assert_eq!(out, "Participant=\"[person]\" user=[user] ip [ip] phone=\"[phone]\" [email]\n");
    for entry in entries(redactor) {
        assert!(
            !["Ottilie Habersaat", "quirin", "198.51.100.7", "a.berg", "+32 2 555 01 42"]
                .contains(&entry.value.as_str()),
            "the vault knows {:?}",
            (entry.stand_in, entry.value)
        );
    }
}

#[test]
fn the_country_of_a_number_stays_where_the_profile_says_so() {
    let rules = rules("extends = \"telephony\"");
    let text = "callerid=\"+32 2 555 01 42\" and tel:+3225550142\n";
    let out = redact(&rules, &[text]).remove(0);
    assert_eq!(out.matches("+0032").count(), 2, "{out}");
    let items = [item("log", out.as_bytes())];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &[item("log", text.as_bytes())]).unwrap(), key());
    assert_eq!(read(&redactor, &items[0]).unwrap().0, out.as_bytes());
}

#[test]
fn two_hundred_patterns_find_each_its_own() {
    let patterns = (0..200).map(|n| pattern(&format!("ref{n:03}-[0-9]+"), Category::NationalId)).collect();
    let rules = Rules { patterns, ..Rules::default() };
    let text: String = (0..200).map(|n| format!("entry ref{n:03}-4711 and words that stay\n")).collect();
    let out = redact(&rules, &[&text]).remove(0);
    assert!(!out.contains("4711"));
    assert_eq!(out.lines().next().unwrap(), "entry [national-id] and words that stay");
}

#[test]
fn samples_are_the_first_of_each_category_for_any_number_of_threads() {
    let text: String = (0..3000)
        .map(|n| {
            format!(
                "{n} Participant=\"Ottilie Habersaat{}\" from 198.51.100.{} password=sw0rdfish{n}\n",
                n / 7,
                n % 250
            )
        })
        .collect();
    let rules = Rules::default();
    let items = [item("logs/Ottilie Habersaat1.log", text.as_bytes()), item("b", b"user=quirin\n")];
    let sampled = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let redactor =
                Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).with_chunk_size(4000).sampling();
            for item in &items {
                read(&redactor, item).unwrap();
            }
            redactor.samples()
        })
    };
    let one = sampled(1);
    assert_eq!(one, sampled(2));
    assert_eq!(one, sampled(8));
    let people: Vec<_> = one.iter().filter(|sample| sample.category == Category::Person).collect();
    assert_eq!(people.iter().map(|sample| sample.line).collect::<Vec<_>>(), [1, 8, 15, 22, 29]);
    assert_eq!(people[1].value.as_deref(), Some("Ottilie Habersaat1"));
    assert!(!people[1].path.contains("Ottilie"), "{}", people[1].path);
    assert!(people[1].right.starts_with("\" from 2") && people[1].right.ends_with("[secret]"), "{}", people[1].right);
    assert!(one.iter().filter(|sample| sample.category == Category::Secret).all(|sample| sample.value.is_none()));
    assert_eq!(one.iter().filter(|sample| sample.category == Category::User).count(), 1);
    let all = format!("{one:?}");
    assert!(!all.contains("Ottilie"), "{all}");
}

#[test]
fn what_cannot_be_removed_stops_at_the_gate_and_is_shown_to_nobody_who_does_not_ask() {
    // What stands for the value makes the next one: every round finds a bracket and a blank.
    let rules = Rules { patterns: vec![pattern("\\] ", Category::Special)], ..Rules::default() };
    let items = [item("log", format!("fine\nanna]{}\n", " ".repeat(40)).as_bytes())];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    let error = read(&redactor, &items[0]).unwrap_err();
    assert_eq!(error.to_string(), "the gate found personal data that is left: log, line 2, rule special");
    let RedactError::Gate(hit) = error else { panic!("{error}") };
    assert!(format!("{hit:?}").contains("***"));
    assert_eq!(hit.value.expose(), "] ");
}

/// The tables of the reference, as the program knows them.
fn reference() -> [String; 2] {
    let mut keys = String::new();
    for key in KEYS {
        let place = match key.table {
            "" => key.name.to_owned(),
            table if key.is_listed() => format!("[[{table}]] {}", key.name),
            table => format!("[{table}] {}", key.name),
        };
        let example = key.example.replace('|', "\\|");
        keys.push_str(&format!(
            "| `{place}` | {} | {} | `{example}` | {} |\n",
            key.shape.words(),
            key.default,
            key.says
        ));
    }
    let mut categories = String::from("| category | action |\n|---|---|\n");
    for category in Category::ALL {
        categories.push_str(&format!("| `{category}` | `{}` |\n", category.default_action().word()));
    }
    [keys, categories]
}

#[test]
fn the_reference_has_every_key_category_and_profile_and_its_example_can_be_used() {
    let text = std::fs::read_to_string("docs/PROFILES.md").unwrap();
    for table in reference() {
        assert!(text.contains(&table), "docs/PROFILES.md should have:\n{table}");
    }
    for name in Profile::names() {
        let row = format!("| `{name}` | {} |", Profile::built_in(name).unwrap().title);
        assert!(text.contains(&row), "docs/PROFILES.md should have:\n{row}");
    }
    let mut examples = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut example = || Profile::read(examples.next().unwrap()).unwrap_or_else(|error| panic!("{error}"));
    let profile = example();
    assert_eq!(example().collection.limits.total, 100 << 20);
    assert_eq!((profile.rules.patterns.len(), profile.extends.as_deref()), (1, Some("pexip-infinity")));
}

#[test]
fn a_stream_is_redacted_by_the_watch_list_and_the_profile_too() {
    let mut rules = rules("[redact.keys]\nroom_owner = \"person\"");
    rules.watch_list = vec!["Operation Winter".into()];
    let mut redactor = Redactor::new(rules, Learned::default(), key());
    let mut out = Vec::new();
    redactor.filter(&b"Operation Winter of room_owner=\"Ottilie Habersaat\"\n"[..], &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "person-1 of room_owner=\"person-2\"\n");
}
