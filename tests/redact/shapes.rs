//! Text whose meaning depends on its shape: what must go is gone, what must stay stays, and other people's parsers still read
//! it as they did.

use std::fmt::Write as _;

use proptest::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use tarseal::redact::{Category, ColumnRule, Redactor, Rules, Survey, Treat};

use crate::{item, key, read, survey};

/// Surveys and redacts one file.
fn redact_file(path: &str, text: &str) -> String {
    redact_by(&Rules::default(), &[(path, text)]).remove(0)
}

/// Surveys and redacts files together, in whole and in small chunks, and again: nothing may differ.
fn redact_by(rules: &Rules, files: &[(&str, &str)]) -> Vec<String> {
    let items: Vec<_> = files.iter().map(|(path, text)| item(path, text.as_bytes())).collect();
    let learned = survey(rules, &items).unwrap();
    let redactor = Redactor::new(rules.clone(), learned, key());
    let out: Vec<_> = items.iter().map(|item| String::from_utf8(read(&redactor, item).unwrap().0).unwrap()).collect();
    for size in [1, 64] {
        let mut survey = Survey::new(rules).with_chunk_size(size);
        for item in &items {
            survey.learn_path(&item.path);
            survey.read(item).unwrap();
        }
        let redactor = Redactor::new(rules.clone(), survey.finish(), key()).with_chunk_size(size);
        for (item, out) in items.iter().zip(&out) {
            assert_eq!(&String::from_utf8(read(&redactor, item).unwrap().0).unwrap(), out, "chunks of {size}");
        }
    }
    for ((path, _), out) in files.iter().zip(&out) {
        let again = read(&redactor, &item(path, out.as_bytes())).unwrap().0;
        assert_eq!(&String::from_utf8(again).unwrap(), out, "the second time");
    }
    out
}

#[track_caller]
fn gone(out: &str, values: &[&str]) {
    for value in values {
        assert!(!out.contains(value), "{value} is left in {out}");
    }
}

#[track_caller]
fn kept(out: &str, values: &[&str]) {
    for value in values {
        assert!(out.contains(value), "{value} is lost in {out}");
    }
}

fn rows(text: &str, separator: u8) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(separator).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn shape_of(rows: &[Vec<String>]) -> Vec<usize> {
    rows.iter().map(Vec::len).collect()
}

#[test]
fn a_tables_cells_go_by_their_columns_and_rows_keep_their_cells() {
    for (path, separator) in [("a.csv", ','), ("a.csv", ';'), ("a.tsv", '\t'), ("a.csv", '|'), ("export", ',')] {
        let text = "id,last_name,first_name,alias,pin,duration,codec\n\
            1,Habersaat,Ottilie,otti,4711,77,Opus\n\
            2,\"Mühl,enkamp \"\"MK\"\"\",Björn,,,12,\"H264\nhigh\"\n\
            3,Quistorp,\"Qui\nrin\",quirin,0815,1,G722\n"
            .replace(',', &separator.to_string());
        let out = redact_file(path, &text);
        gone(
            &out,
            &["Habersaat", "Ottilie", "otti\u{0}", "4711", "enkamp", "Björn", "Quistorp", "Qui", "rin\"", "0815"],
        );
        kept(&out, &["last_name", "Opus", "G722", "H264", "high", "77"]);
        let separator = u8::try_from(separator).unwrap();
        assert_eq!(shape_of(&rows(&out, separator)), shape_of(&rows(&text, separator)), "{out}");
    }
}

#[test]
fn names_are_not_replaced_across_two_cells() {
    let text = "a;b;c\nx;Ottilie;Habersaat\ny;Habersaat;Ottilie\n";
    let out = redact_by(&Rules::default(), &[("a.csv", text), ("log", "Participant=\"Ottilie Habersaat\"\n")]);
    gone(&out[0], &["Ottilie", "Habersaat"]);
    assert_eq!(shape_of(&rows(&out[0], b';')), [3, 3, 3], "{}", out[0]);
}

#[test]
fn a_rule_says_what_a_column_holds() {
    let rules = Rules {
        columns: vec![
            ColumnRule::new("calls*", "who", Treat::Category(Category::Person)).unwrap(),
            ColumnRule::new("calls*", "user", Treat::Scan).unwrap(),
            ColumnRule::new("bare*", "2", Treat::Category(Category::Person)).unwrap(),
        ],
        ..Rules::default()
    };
    let out = redact_by(
        &rules,
        &[
            ("calls.csv", "who,user\nOttilie Habersaat,stays\n"),
            ("bare.csv", "7,Quirin Quistorp,\"x\"\n8,Björn Ohm,y\n"),
        ],
    );
    assert_eq!(out[0], "who,user\nperson-1,stays\n");
    assert_eq!(out[1], "7,person-2,\"x\"\n8,person-3,y\n");
}

#[test]
fn a_call_record_of_asterisk_is_read_without_a_header() {
    let text = "\"\",\"4930123456\",\"s\",\"default\",\"\"\"Ottilie Habersaat\"\" <4930123456>\",\"SIP/x-1\",\"\",\"Dial\",\"\",\"2026-11-21 10:00:00\",\"\",\"\",1,1,\"ANSWERED\",\"DOCUMENTATION\",\"1700000000.1\",\"\"\n";
    let out = redact_file("var/log/asterisk/cdr-csv/Master.csv", text);
    gone(&out, &["Ottilie", "4930123456"]);
    kept(&out, &["default", "ANSWERED", "2026-11-21 10:00:00", "1700000000.1"]);
    assert_eq!(shape_of(&rows(&out, b',')), [18]);
}

/// The names of elements and attributes of a document, in their order.
fn elements(text: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut all = Vec::new();
    loop {
        use quick_xml::events::Event;
        let tag = |tag: &quick_xml::events::BytesStart<'_>| {
            let mut names = tag.name().as_ref().to_owned();
            for attribute in tag.attributes() {
                let _ = write!(names, " {}", attribute.unwrap().key.as_ref());
            }
            names
        };
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {text}")) {
            Event::Eof => return all,
            Event::Start(start) => all.push(tag(&start)),
            Event::Empty(start) => all.push(format!("{}/", tag(&start))),
            Event::End(end) => all.push(format!("/{}", end.name().as_ref())),
            _ => {}
        }
    }
}

#[test]
fn xml_goes_by_element_attribute_and_key_and_stays_well_formed() {
    let text = r#"<?xml version="1.0"?>
<document type="freeswitch/xml">
  <user id="1001" name="quirin">
    <params><param name="password" value="g3heim"/><param name="codec" value="Opus"/></params>
    <variable name="effective_caller_id_name"
              value="Quirin &amp; Quistorp"/>
  </user>
  <conference-info xmlns="urn:x"><displayName>
      Ottilie
      Habersaat
    </displayName><state>connected</state>
    <p:participants xmlns:p="x"><item><name>Lidwien Tchoumi</name><codec>G722</codec></item></p:participants>
    <secret><![CDATA[h2<so4>]]></secret><!-- <password>in a comment -->
  </conference-info>
  <dict><key>Password</key><string>ple4se</string><key>Level</key><string>debug</string></dict>
</document>
"#;
    for path in ["a.xml", "dump.txt"] {
        let out = redact_file(path, text);
        gone(&out, &["quirin", "g3heim", "Quistorp", "Ottilie", "Habersaat", "Lidwien", "h2<so4", "ple4se"]);
        kept(&out, &["Opus", "connected", "G722", "debug", "1001", "freeswitch/xml"]);
        assert_eq!(elements(&out), elements(text), "{out}");
    }
}

fn yaml_shape(yaml: &Yaml<'_>) -> String {
    match yaml {
        Yaml::Mapping(map) => {
            let inner: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{}:{}", key.as_str().unwrap_or("?"), yaml_shape(value)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        Yaml::Sequence(list) if list.len() == 1 && list[0].as_str() == Some("secret") => "v".into(),
        Yaml::Sequence(list) => format!("[{}]", list.iter().map(yaml_shape).collect::<Vec<_>>().join(",")),
        _ => "v".into(),
    }
}

#[test]
fn yaml_goes_by_keys_lists_and_blocks_and_parses_as_before() {
    let text = "---
participants:
  - Ottilie Habersaat
  - \"Mühlenkamp, Björn\" # host
  - name: quirin van der quist
    codec: Opus
organizer: &boss anna lena maier
second: *boss
database:
  user: {name: quistorp_q, uid: 1000}
  password: |-
    first 1ine
      second: 2ine
  token: 'it''s h1dden'
attendees: [Lidwien Tchoumi, 'Zsófia Nagy', 7]
level: info
script: |
  echo hello
phones:
  phone: 030 123456
";
    for path in ["a.yaml", "dump"] {
        let out = redact_file(path, text);
        gone(
            &out,
            &["Ottilie", "Habersaat", "Mühlenkamp", "quirin", "quist", "anna", "maier", "1ine", "2ine", "h1dden"],
        );
        gone(&out, &["Lidwien", "Zsófia", "123456"]);
        kept(&out, &["codec: Opus", "level: info", "echo hello", "second: *boss", "&boss", "# host"]);
        let (before, after) = (Yaml::load_from_str(text).unwrap(), Yaml::load_from_str(&out).unwrap());
        assert_eq!(yaml_shape(&before[0]), yaml_shape(&after[0]), "{out}");
    }
}

#[test]
fn a_block_of_yaml_in_a_log_goes_and_the_log_stays() {
    let text = "2026-11-21 10:00:00 start user:\nusers online: 5\nparticipants:\n- Ottilie Habersaat\n- Björn Ohm\n\
        2026-11-21 10:00:01 host:\n2026-11-21 10:00:02 java.lang.IllegalStateException: user:\n\tat org.example.Main.run(Main.java:7)\n\
        \tat java.base/java.lang.Thread.run(Thread.java:840)\nCaused by: x\n";
    let out = redact_file("log", text);
    assert_eq!(out, text.replace("Ottilie Habersaat", "person-1").replace("Björn Ohm", "person-2"));
}

#[test]
fn json_over_many_lines_goes_and_parses() {
    let text = r#"{
  "participants": [
    "Ottilie Habersaat",
    "Björn \"B\" Mühlenkamp", 4930123456,
    null
  ],
  "user": {
    "id": "quirin", "name": "Quirin Quistorp",
    "shell": { "name": "bash" }
  },
  "phone": 4930123456,
  "secret": ["a1b2c3", 17, "d4e5f6", {"value": "g7h8i9"}],
  "organizer":
    {
      "first": "Lidwien", "state": "Active"
    },
  "name": "stays",
  "codecs": ["Opus", "G722"]
}
"#;
    let out = redact_file("a.json", text);
    gone(&out, &["Ottilie", "Mühlenkamp", "4930123456", "quirin", "Quistorp", "a1b2c3", "d4e5f6", "g7h8i9", "Lidwien"]);
    let value: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"));
    assert_eq!(value["name"], "stays");
    assert_eq!(value["user"]["shell"]["name"], "bash");
    assert_eq!(value["organizer"]["state"], "Active");
    assert_eq!(value["codecs"], serde_json::json!(["Opus", "G722"]));
    assert_eq!(value["participants"].as_array().unwrap().len(), 4);
}

#[test]
fn json_in_json_in_a_log_goes_and_parses_at_every_level() {
    let inner =
        serde_json::json!({"user": {"name": "quirin"}, "attendees": ["Ottilie Habersaat", "Björn \"B\" Ohm"], "n": 1});
    let middle = serde_json::json!({"msg": inner.to_string(), "password": "g3heim"});
    let outer = serde_json::json!({"log": middle.to_string(), "level": "info"});
    let out = redact_file("log", &format!("{outer}\n{middle}\n{inner}\n"));
    gone(&out, &["quirin", "Ottilie", "Habersaat", "Björn", "Ohm", "g3heim"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parse = |value: &Value| {
        serde_json::from_str::<Value>(value.as_str().unwrap()).unwrap_or_else(|error| panic!("{error}: {out}"))
    };
    let middle = parse(&lines[0]["log"]);
    let inner = parse(&middle["msg"]);
    assert_eq!(inner, lines[2]);
    assert_eq!(parse(&lines[1]["msg"]), inner);
    assert_eq!((&inner["n"], inner["attendees"].as_array().unwrap().len()), (&Value::from(1), 2));
}

#[test]
fn a_bare_value_of_json_becomes_a_string() {
    let text = r#"{"token": 12345678, "password":-1.5e+30,"phone":-4930123456, "birth_date":true, "iban": 1.5E9,
        "cards":[4111111111111111, 7, false],
        "more": [
          12,
          1
        ],
        "n": 17}"#;
    let out = redact_file("log", text);
    let value: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"));
    gone(&out, &["12345678", "1.5e", "4930123456", "4111111111111111"]);
    assert_eq!((&value["token"], &value["password"]), (&"[secret]".into(), &"[secret]".into()));
    assert_eq!((&value["n"], &value["cards"][1], &value["more"][1]), (&17.into(), &7.into(), &1.into()));
    let inner = serde_json::json!({"msg": text, "level": 1}).to_string();
    let value: Value = serde_json::from_str(&redact_file("log", &inner)).unwrap();
    let inner: Value =
        serde_json::from_str(value["msg"].as_str().unwrap()).unwrap_or_else(|e| panic!("{e} in {value}"));
    assert_eq!((&inner["token"], &inner["n"]), (&"[secret]".into(), &17.into()));
}

#[test]
fn settings_go_by_section_and_key() {
    let out = redact_file(
        "home/x/.gitconfig",
        "[core]\n\tname = stays\n[user]\n\tname = anna lena maier\n\temail = anna@amt.example\n[alias]\n\tst = status\n",
    );
    gone(&out, &["anna", "maier", "amt.example"]);
    kept(&out, &["name = stays", "st = status", "[user]"]);
    let out = redact_file("app.properties", "db.password=a\\:b \\\n   tai1\ndb.pool=5\nlogger.level : INFO\n");
    gone(&out, &["a\\:b", "tai1"]);
    kept(&out, &["db.pool=5", "logger.level : INFO"]);
    let out = redact_file("home/x/.netrc", "machine mx.amt.example\nlogin quirin\npassword p4ss w\n");
    gone(&out, &["quirin", "p4ss", "amt.example"]);
    let out = redact_file("log", "export PGPASSWORD=g3heim\nexport PATH=/usr/bin\n");
    gone(&out, &["g3heim"]);
    kept(&out, &["PATH=/usr/bin"]);
}

#[test]
fn accounts_of_people_go_everywhere_and_those_of_the_system_stay() {
    let files = [
        (
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nsshd:x:110:65534::/run/sshd:/usr/sbin/nologin\nquirin:x:1000:1000:Quirin Quistorp,,,:/home/quirin:/bin/bash\n",
        ),
        ("etc/group", "adm:x:4:syslog,quirin\nsudo:x:27:quirin,ottilie\n"),
        (
            "etc/shadow",
            "root:$y$j9T$aaaa$bbbb:19000:0:99999:7:::\nsshd:*:19000::::::\nquirin:$6$cccc$dddd:19000:0:99999:7:::\n",
        ),
        ("etc/hosts", "127.0.0.1\tlocalhost\n198.51.100.7\tkolibri.amt.example kolibri\n"),
        (
            "ps",
            "USER         PID %CPU %MEM COMMAND\nroot           1  0.0  0.1 /sbin/init\nquirin      4711  0.0  0.1 vim\npostgres     812  0.0  0.1 postgres: writer\n",
        ),
        ("who", "ottilie  pts/0        2026-11-21 14:00 (198.51.100.7)\n"),
    ];
    let out = redact_by(&Rules::default(), &files);
    for text in &out {
        gone(text, &["quirin", "Quistorp", "ottilie", "aaaa", "bbbb", "cccc", "kolibri", "198.51.100.7"]);
    }
    kept(
        &out[0],
        &["root:x:0:0:root:/root:/bin/bash\n", "sshd:x:110:65534::/run/sshd:/usr/sbin/nologin\n", ":x:1000:1000:"],
    );
    kept(&out[1], &["adm:x:4:syslog,user-1", "sudo:x:27:user-1,"]);
    kept(&out[2], &["root:[secret]:19000", ":*:19000::::::"]);
    kept(&out[3], &["127.0.0.1\tlocalhost"]);
    kept(&out[4], &["root           1", "postgres     812", "vim"]);
}

#[test]
fn entries_of_directories_and_address_books_go() {
    let text = "dn: cn=Ottilie Habersaat,ou=people,dc=amt,dc=example\nobjectClass: inetOrgPerson\ncn: Ottilie Habersaat\n\
        displayName:: T3R0aWxpZSBIYWJlcnNhYXQ=\nsn:: SGFiZXJzYWF0\nmail: otti@amt.example\nuserPassword:: e1NTSEF9YWJj\n ZGVmZw==\n\
        description: room plan\n\nOttilie was here\n";
    let out = redact_file("export", text);
    gone(&out, &["Ottilie", "Habersaat", "T3R0", "SGFi", "otti@", "e1NT", "ZGVm"]);
    kept(&out, &["displayName:person-1\n", "cn: person-1\n", "person-1 was here", "description: room plan"]);
    let out = redact_file(
        "contact.vcf",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Habersaat;Ottilie;;Dr.;\r\nFN:Ottilie Habersaat\r\nTEL;TYPE=work:+49 30 1234567\r\nADR:;;Hauptweg 1;Berlin;;10115;DE\r\nREV:20261121T100000Z\r\nEND:VCARD\r\n",
    );
    gone(&out, &["Habersaat", "Ottilie", "1234567", "Hauptweg", "Berlin", "10115"]);
    kept(&out, &["BEGIN:VCARD\r\n", "REV:20261121T100000Z\r\n", "END:VCARD\r\n"]);
    assert_eq!(out.matches(';').count(), 4 + 1 + 6);
}

/// A line of a Pexip log that holds one fragment.
fn fragment(second: u32, id: &str, number: usize, total: usize, detail: &str) -> String {
    format!(
        "2026-11-21T14:00:{second:02}.123456+00:00 pexconf01 2026-11-21 14:00:{second:02},123 Level=\"INFO\" Name=\"support.sip\" \
         Message=\"Received SIP request\" Src-address=\"198.51.100.7\" Fragment-Id=\"{id}\" Fragment-Number=\"{number}\" \
         Fragment-Total=\"{total}\" Detail=\"{}\"\n",
        detail.replace('"', "\\\"")
    )
}

const INVITE: &str = "INVITE sip:weekly@vc.amt.example SIP/2.0^MVia: SIP/2.0/TLS 203.0.113.77:5061;branch=z9hG4bK77^M\
    From: \"Ottilie Habersaat\" <sip:otti.habersaat@amt.example>;tag=8d3f^MTo: <sip:weekly@vc.amt.example>^M\
    Call-ID: 0af3b1c27d9e4f55a1b2c3d4e5f60718@203.0.113.77^MContact: <sip:otti.habersaat@203.0.113.77:5061>^M\
    User-Agent: Quarz/7.2^MAuthorization: Digest username=\"ohabersaat\", response=\"0123456789abcdef\"^M";

/// The fragments' texts, put together again.
fn joined(out: &str, id: &str) -> String {
    let mut parts: Vec<_> = out
        .lines()
        .filter(|line| line.contains(&format!("Fragment-Id=\"{id}\"")))
        .map(|line| {
            let value =
                |key: &str| line.split(&format!("{key}=\"")).nth(1).unwrap_or_else(|| panic!("{key} in {line}"));
            let number: usize = value("Fragment-Number").split('"').next().unwrap().parse().unwrap();
            (number, value("Detail").strip_suffix('"').unwrap_or_else(|| panic!("{line}")))
        })
        .collect();
    parts.sort_unstable();
    parts.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_message_cut_anywhere_reads_as_if_it_had_been_redacted_whole() {
    let whole = redact_file("log", &fragment(0, "m0", 1, 1, INVITE));
    let expected = joined(&whole, "m0");
    for value in ["otti", "Habersaat", "203.0.113", "ohabersaat", "amt.example"] {
        assert!(!expected.contains(value), "{value} in {expected}");
    }
    let boundaries: Vec<_> = INVITE.char_indices().map(|(at, _)| at).skip(1).collect();
    let rules = Rules::default();
    for &cut in boundaries.iter().step_by(3) {
        let (first, second) = INVITE.split_at(cut);
        // The second half comes first, and lies in another file.
        let late = format!("{}x=1\n", fragment(1, "m1", 2, 2, second));
        let early = fragment(0, "m1", 1, 2, first);
        let items = [item("log.1", late.as_bytes()), item("log", early.as_bytes()), item("first", whole.as_bytes())];
        let redactor = Redactor::new(rules.clone(), survey(&rules, &items[..2]).unwrap(), key());
        let out: Vec<_> =
            items[..2].iter().map(|item| String::from_utf8(read(&redactor, item).unwrap().0).unwrap()).collect();
        let text = joined(&out.concat(), "m1");
        for value in ["otti", "abersaat", "203.0.113", "ohaber", "amt.example", "vc.amt", "0123456789ab"] {
            assert!(!text.contains(value), "{value} in {text}, cut at {cut}");
        }
        for line in out.concat().lines() {
            // Halves must not stay readable either; halves of what stays may.
            for half in ["Ottil", "Haber", "saat", "otti", "203.0", "amt.ex", "ohab"] {
                assert!(!line.contains(half), "{half} in {line}, cut at {cut}");
            }
            assert!(line.starts_with("2026-11-21T14:00:0") || line == "x=1", "{line}");
        }
        for value in [
            "INVITE sip:",
            "SIP/2.0^MVia: SIP/2.0/TLS ",
            "branch=z9hG4bK77",
            "tag=8d3f",
            "User-Agent: Quarz/7.2^M",
            "0af3b1c27d9e4f55a1b2c3d4e5f60718@",
        ] {
            assert!(text.contains(value), "{value} is lost in {text}, cut at {cut}");
        }
    }
}

#[test]
fn fragments_may_be_short_interleaved_and_out_of_order() {
    let parts: Vec<String> = INVITE.chars().collect::<Vec<_>>().chunks(11).map(|part| part.iter().collect()).collect();
    let mut lines: Vec<String> = (1..).zip(&parts).map(|(n, part)| fragment(0, "m1", n, parts.len(), part)).collect();
    lines.extend((1..).zip(&parts).map(|(n, part)| fragment(1, "m2", n, parts.len(), part)));
    lines.sort_by_key(|line| line.bytes().fold(7_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))));
    let (a, b) = lines.split_at(lines.len() / 2);
    let out = redact_by(&Rules::default(), &[("log.1", &a.concat()), ("log", &b.concat())]).concat();
    for id in ["m1", "m2"] {
        gone(&joined(&out, id), &["otti", "Habersaat", "203.0.113", "ohabersaat", "amt.example", "0123456789abcdef"]);
        kept(&joined(&out, id), &["branch=z9hG4bK77", "tag=8d3f", "User-Agent: Quarz/7.2^M"]);
    }
    gone(&out, &["abersaat", "aber", "203.0"]);
}

#[test]
fn a_fragment_without_its_neighbour_loses_the_word_at_its_edge() {
    let out = redact_file("log", &fragment(0, "m1", 1, 3, "REGISTER sip:x^MFrom: \"Otti Haber"));
    gone(&out, &["Haber", "Otti"]);
    let out = redact_file("log", &fragment(0, "m1", 2, 3, "saat@amt.example>;tag=7^MVia: 203.0.1"));
    gone(&out, &["saat", "203.0.1"]);
    kept(&out, &["tag=7^MVia: "]);
}

#[test]
fn the_first_columns_of_a_line_are_its_time() {
    // Tools cut the first 30 characters off: the time, whose length and text never change.
    let lines = [
        fragment(0, "m1", 1, 1, INVITE),
        "2026-11-21T14:00:02.123456+00:00 pexconf01 2026-11-21 14:00:02,123 Level=\"INFO\" Participant=\"Ottilie Habersaat\"\n".into(),
        "2026-11-21T14:00:02.123456+01:00 pexconf01 sshd[17]: Accepted publickey for ottilie from 198.51.100.7 port 22 ssh2\n".into(),
    ];
    for line in &lines {
        let out = redact_file("log", line);
        assert_eq!(out[..32], line[..32]);
    }
}

#[test]
fn headers_that_go_on_in_the_next_line_go() {
    let text = "From: \"Ottilie\r\n Habersaat\" <sip:otti@amt.example>;tag=1\r\nAuthorization: Digest username=\"ottilie\",\r\n realm=\"x\",\r\n\tresponse=\"0123456789abcdef\"\r\nSubject: room plan\r\n";
    let out = redact_file("message", text);
    gone(&out, &["Ottilie", "Habersaat", "otti@", "0123456789abcdef"]);
    kept(&out, &["Subject: room plan\r\n", ">;tag=1\r\n"]);
}

#[test]
fn an_export_of_the_journal_is_read_again_with_the_lengths_it_has_now() {
    let field =
        |name: &str, value: &[u8]| [name.as_bytes(), b"\n", &(value.len() as u64).to_le_bytes(), value, b"\n"].concat();
    let entry = [
        b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1700000000000000\n_HOSTNAME=kolibri\n".as_slice(),
        &field("MESSAGE", b"Participant=\"Ottilie Habersaat\"\nsecond line from 198.51.100.7"),
        b"PRIORITY=6\n",
        &field("COREDUMP", b"\0\x01\xff\xfeOttilie"),
        b"\n",
    ]
    .concat();
    let rules = Rules::default();
    let items = [item("journal.export", &entry.repeat(3))];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).with_chunk_size(50);
    let out = read(&redactor, &items[0]).unwrap().0;
    let mut at = 0;
    let mut fields = Vec::new();
    while at < out.len() {
        let end = at + out[at..].iter().position(|&b| b == b'\n').unwrap();
        let line = &out[at..end];
        at = end + 1;
        if let Some(sign) = line.iter().position(|&b| b == b'=') {
            fields.push((line[..sign].to_vec(), line[sign + 1..].to_vec()));
        } else if !line.is_empty() {
            let length = usize::try_from(u64::from_le_bytes(out[at..at + 8].try_into().unwrap())).unwrap();
            fields.push((line.to_vec(), out[at + 8..at + 8 + length].to_vec()));
            assert_eq!(out[at + 8 + length], b'\n');
            at += 8 + length + 1;
        }
    }
    assert_eq!(fields.len(), 3 * 6);
    let text = String::from_utf8(out).unwrap();
    gone(&text, &["Ottilie", "kolibri", "198.51.100.7"]);
    let message = String::from_utf8(fields[3].1.clone()).unwrap();
    assert!(message.starts_with("Participant=\"person-1\"\nsecond line from 24"), "{message}");
}

fn json() -> impl Strategy<Value = Value> {
    let text = "[a-zA-ZäöüÅ0-9 .@\"\\\\:/,{}\\[\\]<>-]{0,16}";
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(Value::from(4_111_111_111_111_111_i64)),
        Just(Value::from("3c:a8:2a:01:02:03")),
        Just(Value::from("{\"attendees\": [\n  \"Ottilie Habersaat\",\n  7\n ],\n\t\"phone\": 4930123456}")),
        Just(Value::from("Ottilie Habersaat")),
        Just(Value::from("198.51.100.7")),
        Just(Value::from(4_930_123_456_i64)),
    ];
    let key = prop_oneof![
        Just("user"),
        Just("name"),
        Just("participants"),
        Just("password"),
        Just("token"),
        Just("display_name"),
        Just("birth_date"),
        Just("mac"),
        Just("iban"),
        Just("phone"),
        Just("host"),
        Just("id"),
        Just("value"),
        Just("pin"),
        Just("x"),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner.clone()), 0..4)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// What of a value must be the same afterwards: lists' lengths and objects' keys.
fn skeleton(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(skeleton).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            format!(
                "{{{}}}",
                map.iter().map(|(key, value)| format!("{key}:{}", skeleton(value))).collect::<Vec<_>>().join(",")
            )
        }
        _ => "v".into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_keeps_its_structure(value in json(), pretty: bool) {
        // A file that is nothing but a number is no JSON in particular.
        let value = if value.is_number() { Value::from(vec![value]) } else { value };
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let out = redact_file("log", &text);
        let after: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} from {text}"));
        prop_assert_eq!(skeleton(&after), skeleton(&value), "{} from {}", out, text);
    }

    #[test]
    fn tables_keep_their_cells(
        cells in proptest::collection::vec(proptest::collection::vec("[a-zA-Zäö0-9 @.\",;\n<>+-]{0,12}", 5), 1..6),
        separator in prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|')],
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
        writer.write_record(["user", "Display Name", "note", "phone", "password"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let out = redact_file("a.csv", &text);
        prop_assert_eq!(shape_of(&rows(&out, separator)), shape_of(&rows(&text, separator)), "{} from {}", out, text);
    }

    #[test]
    fn any_shapes_are_redacted_once_and_for_all(
        text in pieces(),
        path in prop_oneof![Just("log"), Just("a.yaml"), Just("a.xml"), Just("a.csv"), Just("etc/passwd"), Just("a.ini")],
    ) {
        redact_file(path, &text);
    }
}

/// Pieces of every shape, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let fixed = |text: &'static str| Just(text.to_owned());
    let piece = prop_oneof![
        fixed("participants:\n"),
        fixed("  - "),
        fixed("- Ottilie Habersaat\n"),
        fixed("password: |\n"),
        fixed("  "),
        fixed("\n"),
        fixed("\"user\": {"),
        fixed("\"name\": "),
        fixed("\"Ottilie\""),
        fixed("\\\""),
        fixed("["),
        fixed("]"),
        fixed("}"),
        fixed(","),
        fixed("<user>"),
        fixed("</user>"),
        fixed("<param name=\"password\" value=\""),
        fixed("\"/>"),
        fixed("<![CDATA["),
        fixed("[user]\n"),
        fixed("name = "),
        fixed("dn: cn=x,ou=y\n"),
        fixed("displayName:: T3R0aWxpZQ==\n"),
        fixed("BEGIN:VCARD\n"),
        fixed("FN:Ottilie Habersaat\n"),
        fixed("USER PID X\n"),
        fixed("otti 17 x\n"),
        fixed("otti:x:1000:1000:Otti H,,,:/home/otti:/bin/sh\n"),
        fixed("a;user;phone\n"),
        fixed("Fragment-Id=\"1\" Fragment-Number=\"1\" Fragment-Total=\"2\" Detail=\"From: <sip:otti.hab"),
        fixed("Fragment-Id=\"1\" Fragment-Number=\"2\" Fragment-Total=\"2\" Detail=\"ersaat@amt.example>\"\n"),
        fixed("^M"),
        fixed("#015#012From: Otti <sip:o@x.example>"),
        fixed("198.51.100.7"),
        fixed("[secret]"),
        fixed("person-1"),
        "[a-zA-Zäö0-9]{1,8}",
        "\\PC{0,4}",
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}
