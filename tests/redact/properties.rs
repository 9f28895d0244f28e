//! What holds for every log and every byte string.

use proptest::prelude::*;
use tarseal::item::Item;
use tarseal::redact::{Learned, RedactError, Redactor, Rules, Survey};

use crate::logs::{self, Mix};
use crate::{entries, item, key, read, survey, vault};

fn redactor(items: &[Item], chunk: usize) -> Redactor {
    let rules = Rules::default();
    Redactor::new(rules.clone(), survey(&rules, items).unwrap(), key()).with_chunk_size(chunk)
}

fn learned_in_chunks(item: &Item, size: usize) -> Learned {
    let mut survey = Survey::new(&Rules::default()).with_chunk_size(size);
    survey.learn_path(&item.path);
    survey.read(item).unwrap();
    survey.finish()
}

/// A slow and simple search that shares nothing with the product.
fn holds(text: &str, value: &str) -> bool {
    let (text, value) = (text.to_lowercase(), value.to_lowercase());
    text.match_indices(&value).any(|(at, _)| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        edge(text[..at].chars().next_back()) && edge(text[at + value.len()..].chars().next())
    })
}

#[test]
fn nothing_planted_is_left_and_nothing_needed_is_lost() {
    for (mix, seed) in [(Mix::Typical, 1), (Mix::Heavy, 2), (Mix::Dense, 3)] {
        let log = logs::generate(mix, 120_000, seed);
        let items = [item("log", &log.bytes)];
        let out = String::from_utf8(read(&redactor(&items, 1 << 16), &items[0]).unwrap().0).unwrap();
        for planted in &log.planted {
            assert!(!holds(&out, &planted.value), "{planted:?} is left in {mix:?}");
        }
        let lost = log.kept.iter().filter(|kept| !out.contains(kept.as_str())).count();
        assert!(lost * 1000 <= log.kept.len(), "{lost} of {} lost in {mix:?}", log.kept.len());
        assert_eq!(out.lines().count(), String::from_utf8_lossy(&log.bytes).lines().count());
        for line in out.lines().filter(|line| line.starts_with('{')) {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
}

#[test]
fn threads_and_chunks_make_no_difference() {
    let log = logs::generate(Mix::Heavy, 200_000, 7);
    let items = [item("log", &log.bytes)];
    let run = |threads: usize, chunk: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let redactor =
                Redactor::new(Rules::default(), learned_in_chunks(&items[0], chunk), key()).with_chunk_size(chunk);
            let redactor = redactor.keeping(vault());
            let (bytes, counts) = read(&redactor, &items[0]).unwrap();
            (bytes, counts, entries(redactor))
        })
    };
    let expected = run(1, 1 << 20);
    for (threads, chunk) in [(1, 1000), (2, 4096), (8, 30_000), (8, 777)] {
        let got = run(threads, chunk);
        assert!(got.0 == expected.0, "{threads} threads, chunks of {chunk}");
        assert_eq!(got.1, expected.1);
        assert!(got.2 == expected.2);
    }
}

#[test]
fn redacting_the_redacted_changes_nothing() {
    for mix in [Mix::Typical, Mix::Heavy, Mix::Dense] {
        let log = logs::generate(mix, 60_000, 11);
        let items = [item("log", &log.bytes)];
        let redactor = redactor(&items, 1 << 16);
        let once = read(&redactor, &items[0]).unwrap().0;
        let (twice, counts) = read(&redactor, &item("log", &once)).unwrap();
        assert!(once == twice);
        assert!(counts.is_empty(), "{counts:?}");
    }
}

#[test]
fn broken_markup_is_redacted_once_and_the_same_in_any_chunks() {
    let text =
        b"<display_name><!Participant=\"a]]></di\x91splay_name><p user=\"x\" password='y'/>\n\npeer up\nmail sent\n";
    let items = [item("log", text)];
    let whole = read(&redactor(&items, 1 << 20), &items[0]).unwrap().0;
    assert!(whole.ends_with(b"\npeer up\nmail sent\n"));
    for chunk in [1, 40, 80, 113] {
        let redactor = redactor(&items, chunk);
        let once = read(&redactor, &items[0]).unwrap().0;
        assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&whole), "chunks of {chunk}");
        assert!(once == read(&redactor, &item("log", &once)).unwrap().0, "chunks of {chunk}");
    }
}

/// Pieces that logs are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("user=".to_owned()),
        Just("Participant=\"".to_owned()),
        Just("\"".to_owned()),
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        Just("<sip:".to_owned()),
        Just("@".to_owned()),
        Just("amt.example".to_owned()),
        Just("198.51.100.7".to_owned()),
        Just("240.1.2.3".to_owned()),
        Just("2001:db8::".to_owned()),
        Just("person-1".to_owned()),
        Just("u-1@d-1.invalid".to_owned()),
        Just("Ottilie".to_owned()),
        Just("Habersaat".to_owned()),
        Just("password: ".to_owned()),
        Just("[secret]".to_owned()),
        Just("%40".to_owned()),
        Just("\\u0040".to_owned()),
        Just("\\\"".to_owned()),
        Just("+49 30 1234567".to_owned()),
        Just("3c:a8:2a:01:02:03".to_owned()),
        Just("/home/".to_owned()),
        Just(":".to_owned()),
        Just("=".to_owned()),
        Just("-".to_owned()),
        Just("f2:00:11:22:33:44".to_owned()),
        Just("host-1".to_owned()),
        Just("Nov 21 14:20:01 kolibri sshd[1]: ".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("for ".to_owned()),
        Just(" from ".to_owned()),
        Just("T3R0aWxpZSBIYWJlcnNhYXQ=".to_owned()),
        Just("&uuml;".to_owned()),
        "[a-zA-Zäöü0-9]{1,8}",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_redacted_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let rules = Rules::default();
        let items = [item("log", &bytes)];
        if let Ok(learned) = survey(&rules, &items) {
            let redactor = Redactor::new(rules, learned, key()).with_chunk_size(64);
            let _ = read(&redactor, &items[0]);
        }
    }

    #[test]
    fn any_pieces_are_redacted_once_and_for_all(text in pieces(), chunk in 1_usize..200) {
        let items = [item("log", text.as_bytes())];
        let redactor = redactor(&items, chunk);
        match read(&redactor, &items[0]) {
            Ok((once, _)) => {
                let (twice, _) = read(&redactor, &item("log", &once)).unwrap();
                prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
                for gone in ["198.51.100.7", "+49 30 1234567", "3c:a8:2a:01:02:03"] {
                    prop_assert!(!holds(&String::from_utf8_lossy(&once), gone) || !bounded(&text, gone));
                }
            }
            Err(RedactError::Gate(hit)) => prop_assert!(false, "the gate stopped at {hit} in {text:?}"),
            Err(error) => prop_assert!(matches!(error, RedactError::NotReadable), "{error}"),
        }
        let whole = Redactor::new(Rules::default(), learned_in_chunks(&items[0], 1 << 20), key());
        if let (Ok(a), Ok(b)) = (read(&whole, &items[0]), read(&redactor, &items[0])) {
            prop_assert_eq!(a.0, b.0);
        }
    }

    #[test]
    fn json_stays_json(name in "\\PC{0,20}", other in "[a-z@.:\"\\\\ ]{0,20}") {
        let text = serde_json::json!({ "display_name": name, "msg": other, "user": other, "token": name, "list": [name, other] }).to_string();
        let items = [item("log", text.as_bytes())];
        if let Ok((bytes, _)) = read(&redactor(&items, 1000), &items[0]) {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(), "{} from {}", String::from_utf8_lossy(&bytes), text);
        }
    }
}

/// Whether the value stands alone in the text at least once, between blanks: only then is it surely a value.
fn bounded(text: &str, value: &str) -> bool {
    text.split([' ', '\n']).any(|word| word == value)
}
