//! The traps cut and mixed at random: whatever comes of it is redacted once and for all, and JSON stays JSON.

use proptest::prelude::*;
use serde_json::{Map, Value};
use tarseal::item::Item;
use tarseal::redact::{RedactError, Redactor, Rules, Survey};

use super::table::traps;
use crate::{item, key, read};

/// Pieces of the table's texts, with what may stand between them.
fn mixture() -> impl Strategy<Value = Vec<u8>> {
    let texts: Vec<Vec<u8>> = traps().into_iter().map(|trap| trap.bytes).filter(|bytes| !bytes.contains(&0)).collect();
    let piece = (0..texts.len(), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let joint =
        prop::sample::select(vec!["\n", "", " ", "\r\n", "\r\n ", "=", "\"", "\\\"", ": ", "@", "<", ",", "\n\n"]);
    prop::collection::vec((piece, joint), 1..6).prop_map(move |pieces| {
        let mut out = Vec::new();
        for ((text, from, to), joint) in pieces {
            let text = &texts[text];
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            out.extend_from_slice(&text[from.min(to)..from.max(to)]);
            out.extend_from_slice(joint.as_bytes());
        }
        out
    })
}

/// JSON whose keys say what their values are, or not, and whose values come from the table or are bare.
fn json() -> impl Strategy<Value = Value> {
    let texts: Vec<String> = traps().into_iter().filter_map(|trap| String::from_utf8(trap.bytes).ok()).collect();
    let leaf = prop_oneof![
        4 => prop::sample::select(texts).prop_map(Value::String),
        1 => "\\PC{0,12}".prop_map(Value::String),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => prop::sample::select(vec![Value::Null, true.into(), 4_111_111_111_111_111_i64.into(), 493_012_345_678_i64.into()]),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let keys =
            vec!["display_name", "user", "token", "msg", "remote_address", "attendees", "call_uuid", "host", "phone"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(keys), inner), 0..5).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Whether two values have the same lists, objects and keys.
fn same_structure(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_structure(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_structure(a, b)))
        }
        (a, b) => !(a.is_array() || a.is_object() || b.is_array() || b.is_object()),
    }
}

fn redactor(items: &[Item], chunk: usize) -> Option<Redactor> {
    let mut survey = Survey::new(&Rules::default()).with_chunk_size(chunk);
    items
        .iter()
        .all(|item| survey.read(item).is_ok())
        .then(|| Redactor::new(Rules::default(), survey.finish(), key()).with_chunk_size(chunk))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mixture_is_redacted_once_and_for_all(text in mixture(), chunk in 1_usize..300) {
        let items = [item("log", &text)];
        let (Some(small), Some(whole)) = (redactor(&items, chunk), redactor(&items, 1 << 20)) else { return Ok(()) };
        match (read(&small, &items[0]), read(&whole, &items[0])) {
            (Ok((once, counts)), Ok((other, others))) => {
                prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&other), "chunks of {}", chunk);
                prop_assert_eq!(counts, others);
                let (twice, _) = read(&whole, &item("log", &once)).unwrap();
                prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
            }
            (Err(RedactError::Gate(hit)), _) | (_, Err(RedactError::Gate(hit))) => {
                prop_assert!(false, "the gate stopped at {} in {:?}", hit, String::from_utf8_lossy(&text));
            }
            (small, whole) => prop_assert!(small.is_err() && whole.is_err(), "one can be read, one cannot"),
        }
    }

    #[test]
    fn json_of_traps_stays_json(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let items = [item("log.json", text.as_bytes())];
        let Some(redactor) = redactor(&items, 1 << 16) else { return Ok(()) };
        if let Ok((out, _)) = read(&redactor, &items[0]) {
            let parsed = serde_json::from_slice::<Value>(&out);
            prop_assert!(parsed.is_ok() || value.is_number(), "{}\nfrom\n{}", String::from_utf8_lossy(&out), text);
            if let Ok(parsed) = parsed {
                prop_assert!(same_structure(&parsed, &value), "{}\nfrom\n{}", String::from_utf8_lossy(&out), text);
            }
            let (twice, _) = read(&redactor, &item("log.json", &out)).unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&twice));
        }
    }
}
