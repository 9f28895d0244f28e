//! One trap each, from logs that peers stumbled over.

mod keyed;
mod mixtures;
mod open;
mod shapes_and_columns;
mod stays;
mod table;

use std::io::{Read, Write};

use tarseal::item::Reason;
use tarseal::redact::{Action, Category, OpeningLimits, RedactError, Redacted, Redactor, Rules, Survey};

use crate::{entries, item, key, path, read, redact, redact_one, survey, vault};

#[test]
fn a_name_learned_in_the_last_file_is_hidden_in_the_first() {
    let out = redact(&["Habersaat joined; OTTILIE left\n", "x=1\n", "Participant=\"Ottilie Habersaat\"\n"]);
    assert_eq!(out, ["person-1 joined; person-1 left\n", "x=1\n", "Participant=\"person-1\"\n"]);
}

#[test]
fn sip_display_names_go_bare_and_quoted() {
    for text in [
        "From: \"Ottilie \\\"Otti\\\" Habersaat\" <sip:otti@amt.example>;tag=5\r\n",
        "To: Ottilie Habersaat <sip:otti@amt.example>\r\n",
        "Contact: \"Habersaat, Ottilie\" <sips:otti@198.51.100.7:5061;transport=tls>\r\n",
    ] {
        let out = redact_one(text);
        for gone in ["Ottilie", "Otti", "Habersaat", "amt.example", "198.51"] {
            assert!(!out.contains(gone), "{gone} in {out}");
        }
        assert!(out.ends_with("\r\n"));
    }
}

#[test]
fn a_quoted_local_part_goes() {
    assert!(!redact_one("to \"otti haber\"@amt.example now").contains("otti"));
}

#[test]
fn mapped_and_zoned_addresses_go_and_keep_their_form() {
    let out = redact_one("a ::ffff:198.51.100.7 b fe80::1c2d%eth0 c [2a02:7:8::9]:443\n");
    assert!(out.starts_with("a ::ffff:24") && out.contains("%eth0 c [2001:db8:") && out.ends_with("]:443\n"), "{out}");
}

#[test]
fn a_cisco_hardware_address_keeps_its_dots() {
    let out = redact_one("mac 3ca8.2a01.0203 up\n");
    assert!(out.starts_with("mac f2") && out.len() == "mac 3ca8.2a01.0203 up\n".len(), "{out}");
}

#[test]
fn users_in_paths_go_in_text_and_in_file_names() {
    let rules = Rules::default();
    let items = [item("home/quirin/.bash_history", b"cat /home/quirin/x C:\\Users\\quirin\\y\n")];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    assert_eq!(redactor.path(&items[0].path).as_str(), "home/user-1/.bash_history");
    assert_eq!(redactor.path(&path("var/log/quirin.log")).as_str(), "var/log/user-1.log");
    assert_eq!(
        String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap(),
        "cat /home/user-1/x C:\\Users\\user-1\\y\n"
    );
    assert_eq!(redactor.redact(&items[0]).unwrap().path().as_str(), "home/user-1/.bash_history");
}

#[test]
fn values_at_the_edges_of_a_file_and_across_chunks_go() {
    let text = "198.51.100.7 x\notti@amt.example\r\n\n3c:a8:2a:01:02:03";
    let rules = Rules::default();
    let items = [item("log", text.as_bytes())];
    let expected = redact_one(text);
    assert!(!expected.ends_with('\n'));
    for size in 1..60 {
        let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).with_chunk_size(size);
        assert_eq!(String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap(), expected, "chunks of {size}");
    }
}

#[test]
fn zero_bytes_and_latin_1_lines_are_read() {
    let rules = Rules::default();
    let bytes =
        b"\0\0\0\0\0\0Participant=\"M\xfchlenkamp\"\nM\xdcHLENKAMP and M\xc3\xbchlenkamp came from 198.51.100.7\n";
    let items = [item("log", bytes)];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    let out = read(&redactor, &items[0]).unwrap().0;
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with("\0\0\0\0\0\0Participant=\"person-1\"\nperson-1 and person-1 came from 24"), "{out:?}");
}

#[test]
fn utf_16_comes_back_as_utf_16() {
    let text = "user=quirin from 198.51.100.7\r\n";
    let utf16 = |text: &str| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let rules = Rules::default();
    let items = [item("log", &utf16(text))];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    assert_eq!(read(&redactor, &items[0]).unwrap().0, utf16(&redact_one(text)));
}

#[test]
fn a_name_is_hidden_in_every_encoding() {
    let out = redact_one(
        "Participant=\"Björn Mühlenkamp\"\n{\"m\":\"bj\\u00f6rn m\\u00fchlenkamp\"}\n/x?q=Bj%C3%B6rn%20M%C3%BChlenkamp&r=1\n\
         <b>M&uuml;hlenkamp</b> M&#252;hlenkamp\nbjo\u{308}rn\nbase=QmrDtnJuIE3DvGhsZW5rYW1w end\nmail%3Dbjoern%40amt.example\n",
    );
    let lower = out.to_lowercase();
    for gone in ["hlenkamp", "rn m", "qmrdtn", "amt.example", "bjo"] {
        assert!(!lower.contains(gone), "{gone} in {out}");
    }
    assert!(out.contains("&r=1") && out.contains("<b>person-1</b>"), "{out}");
}

#[test]
fn a_private_key_over_many_lines_goes_wherever_chunks_end() {
    let body = "MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBAOLJKRals8tGoy7K\n".repeat(20);
    let text = format!("a\n-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\nb 198.51.100.7\n");
    let rules = Rules::default();
    let items = [item("key", text.as_bytes())];
    for size in [10, 100, 500, 5000] {
        let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).with_chunk_size(size);
        let out = String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap();
        assert!(!out.contains("MIIC"), "{out}");
        assert_eq!(out.lines().count(), text.lines().count());
        assert_eq!(out.matches("[secret]").count(), 20);
    }
}

#[test]
fn a_value_in_the_range_of_stand_ins_is_replaced_like_any_other() {
    let text = "x 240.1.2.3 y 2001:db8::7 z f2:11:22:33:44:55 p +00123456789012 Participant=\"person-1\" Participant=\"Otti Habersaat\"\n";
    let out = redact_one(text);
    for gone in ["240.1.2.3", "2001:db8::7", "f2:11:22:33:44:55", "+00123456789012", "\"person-1\""] {
        assert!(!out.contains(gone), "{gone} in {out}");
    }
}

#[test]
fn the_same_address_has_the_same_stand_in_everywhere_and_networks_stay_together() {
    let out = redact(&["a 10.1.2.3 b 10.1.2.4 c 10.9.2.3\n", "10.1.2.3\n"]);
    let words: Vec<_> = out[0].split_whitespace().collect();
    let net = |ip: &str| ip.rsplit_once('.').unwrap().0.to_owned();
    assert_eq!(net(words[1]), net(words[3]));
    assert_ne!(net(words[1]), net(words[5]));
    assert_eq!(out[1].trim_end(), words[1]);
}

#[test]
fn other_keys_give_other_stand_ins() {
    let rules = Rules::default();
    let items = [item("log", b"198.51.100.7 3c:a8:2a:01:02:03 +49301234567\n")];
    let out = |byte| {
        let key = tarseal::redact::TicketKey::from_bytes([byte; 32]);
        read(&Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key), &items[0]).unwrap().0
    };
    assert_ne!(out(1), out(2));
    assert_eq!(out(1), out(1));
}

#[test]
fn what_a_vendor_needs_stays() {
    let text = "2026-11-21T14:00:02.123456+00:00 kolibri 2026-11-21 14:00:02,123 Level=\"INFO\" Conference=\"Weekly Sync\" \
                Call-id=\"3f2b8c1e-0d4a-4c5b-9e6f-112233445566\" version 7.2.4.3070 ssrc=1234567890 codec=H264 opus/48000 eth0 \
                Detail=\"ICE failed\" 127.0.0.1 255.255.255.0 a1b2c3d4e5f6a7b8 SIP/2.0 488 z9hG4bK77ef UTC+01:00 1700000000\n";
    let out = redact_one(text);
    assert_eq!(out[..32], text[..32]);
    assert_eq!(out.replacen("host-1", "kolibri", 1), text);
}

#[test]
fn redacted_json_is_json() {
    let text = r#"{"display_name":"O \"x\" H\u00e4","email":"o@amt.example","password":"a\"b\\","ips":["198.51.100.7","::1"],"n":1}"#;
    let out = redact_one(text);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["display_name"], "person-1");
    assert_eq!(value["password"], "[secret]");
    assert_eq!(value["ips"][1], "::1");
}

#[test]
fn a_watched_name_goes_even_if_it_is_a_common_word() {
    let rules = Rules { watch_list: vec!["Operation Winter".into(), "  ".into()], ..Rules::default() };
    let items = [item("log", b"about operation winter: winter is cold\n")];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    assert_eq!(read(&redactor, &items[0]).unwrap().0, b"about person-1: winter is cold\n");
}

#[test]
fn a_profile_decides_what_is_done_with_a_category() {
    let actions = [(Category::Ip, Action::Keep), (Category::Person, Action::Drop)].into();
    let rules = Rules { actions, ..Rules::default() };
    let items = [item("log", b"Participant=\"Otti Habersaat\" 198.51.100.7 Habersaat\n")];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    assert_eq!(read(&redactor, &items[0]).unwrap().0, b"Participant=\"[person]\" 198.51.100.7 [person]\n");
}

#[test]
fn a_conference_gets_a_stand_in_where_the_profile_asks_for_one() {
    let text = b"Conference=\"Weekly Sync\" near conference-1\nConference=\"Board\" Conference=\"weekly sync\"\n";
    let items = [item("log", text)];
    let asked = Rules { actions: [(Category::Conference, Action::StandIn)].into(), ..Rules::default() };
    let redactor = Redactor::new(asked.clone(), survey(&asked, &items).unwrap(), key()).keeping(vault());
    let out = read(&redactor, &items[0]).unwrap().0;
    let expected: &[u8] =
        b"Conference=\"conference-2\" near conference-1\nConference=\"conference-3\" Conference=\"conference-2\"\n";
    assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(expected));
    assert_eq!(read(&redactor, &item("log", expected)).unwrap().0, expected);
    let back = entries(redactor).into_iter().find(|entry| entry.stand_in == "conference-2").unwrap();
    assert_eq!((back.value.as_str(), back.category), ("Weekly Sync", Category::Conference));
}

#[test]
fn a_conference_goes_as_a_whole_whatever_its_name_holds() {
    let asked = Rules { actions: [(Category::Conference, Action::StandIn)].into(), ..Rules::default() };
    for name in
        ["198.51.100.7[secret]", "Participant=\\\"password: f2:00:11:22:33:44\\\"@amt.example", "quirin@amt.example"]
    {
        let items = [item("log", format!("Conference=\"{name}\" Level=\"INFO\"\n").as_bytes())];
        let redactor = Redactor::new(asked.clone(), survey(&asked, &items).unwrap(), key());
        let once = read(&redactor, &items[0]).unwrap().0;
        let text = String::from_utf8_lossy(&once);
        assert!(text.starts_with("Conference=\"conference-") && text.ends_with("\" Level=\"INFO\"\n"), "{text}");
        assert_eq!(read(&redactor, &item("log", &once)).unwrap().0, once);
    }
}

#[test]
fn a_conference_that_keeps_its_name_is_not_in_the_vault() {
    let rules = Rules::default();
    let items = [item("log", b"Conference=\"Weekly Sync\" user=\"quirin\"\n")];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).keeping(vault());
    assert_eq!(read(&redactor, &items[0]).unwrap().0, b"Conference=\"Weekly Sync\" user=\"user-1\"\n");
    assert_eq!(entries(redactor).iter().map(|entry| entry.stand_in.as_str()).collect::<Vec<_>>(), ["user-1"]);
}

#[test]
fn compressed_logs_are_redacted_inside() {
    let text = "user=quirin from 198.51.100.7\n";
    let mut encoder =
        flate2::GzBuilder::new().filename("quirin.log").mtime(1).write(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    let rules = Rules::default();
    let items = [item("log.gz", &encoder.finish().unwrap())];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key());
    let (out, counts) = read(&redactor, &items[0]).unwrap();
    assert!(!String::from_utf8_lossy(&out).contains("quirin"));
    let mut plain = String::new();
    flate2::read::GzDecoder::new(out.as_slice()).read_to_string(&mut plain).unwrap();
    assert_eq!(plain, redact_one(text));
    assert_eq!(counts, [(Category::User, 1), (Category::Ip, 1)].into());
}

#[test]
fn what_cannot_be_read_is_left_out_with_its_reason() {
    let rules =
        Rules { limits: OpeningLimits { free: 1000, ratio: 2, ..OpeningLimits::default() }, ..Rules::default() };
    let bomb = zstd::encode_all([b'x'; 100_000].as_slice(), 3).unwrap();
    for (bytes, reason) in [
        (b"\x7fELF\x02\x01\x01\0\0\0".to_vec(), Reason::NotReadable),
        (b"SQLite format 3\0 anna".to_vec(), Reason::Damaged),
        (b"PK\x03\x04zip".to_vec(), Reason::Damaged),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xffbroken".to_vec(), Reason::Damaged),
        (bomb, Reason::TooLarge),
        ("anna".encode_utf16().flat_map(u16::to_le_bytes).collect(), Reason::NotReadable),
    ] {
        let item = item("home/quirin/x", &bytes);
        let left_out = Survey::new(&rules).read(&item).unwrap_err();
        assert_eq!(left_out.reason, reason);
        let mut survey = Survey::new(&rules);
        survey.learn_path(&item.path);
        let redactor = Redactor::new(rules.clone(), survey.finish(), key());
        assert_eq!(redactor.left_out(left_out).path, "home/user-1/x");
        let late = match redactor.redact(&item) {
            Err(left_out) => left_out.reason,
            Ok(mut redacted) => {
                let error = redacted.read_to_end(&mut Vec::new()).unwrap_err();
                RedactError::from_io(&error).unwrap().reason().unwrap()
            }
        };
        assert_eq!(late, reason);
    }
}

#[test]
fn a_binary_tail_fails_the_read_and_the_error_has_no_content() {
    let rules = Rules::default();
    let mut bytes = b"user=quirin\n".repeat(100_000);
    bytes.extend_from_slice(&[7; 100]);
    let item = item("log", &bytes);
    assert_eq!(Survey::new(&rules).read(&item).unwrap_err().reason, Reason::NotReadable);
    let redactor = Redactor::new(rules.clone(), Survey::new(&rules).finish(), key());
    let error = read(&redactor, &item).unwrap_err();
    assert!(matches!(error, RedactError::NotReadable));
    assert!(!format!("{error} {error:?}").contains("quirin"));
}

#[test]
fn the_vault_knows_the_way_back() {
    let text = "Participant=\"Otti Habersaat\" 198.51.100.7 2a02:7::9 3c:a8:2a:01:02:03 +49301234567 q@amt.example\n";
    let rules = Rules::default();
    let items = [item("log", text.as_bytes())];
    let redactor = Redactor::new(rules.clone(), survey(&rules, &items).unwrap(), key()).keeping(vault());
    let out = String::from_utf8(read(&redactor, &items[0]).unwrap().0).unwrap();
    let mut back = out;
    for entry in entries(redactor) {
        back = back.replace(&entry.stand_in, &entry.value);
    }
    assert_eq!(back, text);
}

#[test]
fn a_filter_learns_from_the_whole_input_before_it_writes() {
    let rules = Rules::default();
    let mut redactor = Redactor::new(rules.clone(), Survey::new(&rules).finish(), key()).keeping(vault());
    let mut out = Vec::new();
    let counts = redactor.filter(b"Habersaat came\nParticipant=\"Otti Habersaat\"\n".as_slice(), &mut out).unwrap();
    assert_eq!(out, b"person-1 came\nParticipant=\"person-1\"\n");
    assert_eq!(counts[&Category::Person], 2);
    let mut again = Vec::new();
    redactor.filter(b"Habersaat 198.51.100.7\n".as_slice(), &mut again).unwrap();
    assert!(again.starts_with(b"person-1 24"));
    let entry = entries(redactor).into_iter().find(|entry| entry.stand_in == "person-1").unwrap();
    assert_eq!(entry.value, "Otti Habersaat");
}

#[test]
fn findings_tell_where_and_not_what() {
    let rules = Rules::default();
    let redactor = Redactor::new(rules.clone(), Survey::new(&rules).finish(), key());
    let text = b"x\nuser=quirin from 198.51.100.7\n";
    let findings = redactor.findings(text).unwrap();
    let spans: Vec<_> = findings.iter().map(|f| (&text[f.start..f.end], f.category)).collect();
    assert_eq!(spans, [(b"quirin".as_slice(), Category::User), (b"198.51.100.7", Category::Ip)]);
    assert_eq!(serde_json::to_string(&findings[0]).unwrap(), r#"{"start":7,"end":13,"category":"user"}"#);
}

#[test]
fn without_redaction_the_bytes_are_the_items() {
    let item = item("log", b"user=quirin");
    let mut bytes = Vec::new();
    let mut redacted = Redacted::unredacted(&item, tarseal::redact::Consent::explicit()).unwrap();
    redacted.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"user=quirin");
    assert_eq!(redacted.path(), &item.path);
    assert!(redacted.finish().is_empty());
}

#[test]
fn empty_input_is_empty_output() {
    assert_eq!(redact_one(""), "");
    assert_eq!(redact_one("\n\n"), "\n\n");
}

#[test]
fn an_address_in_a_path_goes_and_a_product_version_stays() {
    let text =
        "GET /x/198.51.100.7/y a/b/198.51.100.7 https://a.b/home/198.51.100.7 usr/198.51.100.7 UDP/198.51.100.7/5060\n";
    let out = redact_one(text);
    assert!(!out.contains("198.51.100.7"), "{out}");
    let kept = "\"Mozilla/5.0 (X11) Chrome/118.0.5.7 Safari/537.36\"\n";
    assert_eq!(redact_one(kept), kept);
}

#[test]
fn a_list_behind_a_key_of_secrets_goes_and_stays_gone() {
    for text in [
        "{\"token\": [1, 2]}\n",
        "pin=[1234]\n",
        "nonce = [0u8; 12]\n",
        "token=[REDACTED BY FW]\n",
        "Set-Cookie: [sid=1; Path=/]\n",
        "{\"password\"=>\"[FILTERED]\", \"token\"=>[1, 2]}\n",
        "token=[[1, 2], [3, 4]] x\n",
        "password=[hunter22\n",
        "        token, value = get_quoted(value[1:])\n        token = [ValueTerminal(a[0], 'x')]\n",
    ] {
        let out = redact_one(text);
        assert!(out.contains("[secret]"), "{out}");
        for gone in ["1, 2", "3, 4", "1234", "0u8", "BY FW", "sid", "hunter22"] {
            assert!(!out.contains(gone), "{gone} in {out}");
        }
        assert_eq!(redact_one(&out), out);
    }
    assert_eq!(redact_one("\"tokens\": [\n"), "\"tokens\": [\n");
}

#[test]
fn a_key_that_begins_within_an_open_key_goes_on() {
    let once = redact_one("password: <sip:-----BEGIN PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----user=\nOttilie");
    assert!(!once.contains("Ottilie"), "{once}");
    assert_eq!(redact_one(&once), once);
}

#[test]
fn words_of_prose_and_architectures_are_not_learned() {
    for text in [
        "Owner: changes\nchanges made\n",
        "the user fields are\nfields=3\n",
        "number of user processes\nprocesses: 3, directories\n",
        "for each user directories are made, and user specific ones\nspecific directories\n",
        "MACHINE=\"x86_64\"\nlinux-x86_64.tar\n",
        "user defined, user shift\ndefined shift\n",
        "a user datagram protocol\ndatagram\n",
    ] {
        assert_eq!(redact_one(text), text);
    }
    let out = redact_one("Report bugs to <otti@amt.example>\nreport the bugs to us\n");
    assert!(out.starts_with("Report bugs to <u-1@d-1.invalid>\nreport the bugs to us\n"), "{out}");
    let out = redact_one("Nov 21 14:20:01 kolibri sshd[1]: Invalid user quirin from 198.51.100.7\nquirin\n");
    assert!(!out.contains("quirin"), "{out}");
}
