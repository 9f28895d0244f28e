//! The JSON schema of profiles, made from the same list of keys that the reader goes by.

use serde_json::{Map, Value, json};

use super::Profile;
use super::keys::{KEYS, Key, LISTED, REQUIRED, Shape};
use crate::redact::{Action, Category};

/// The schema (JSON Schema 2020-12) of the TOML of a profile, for editors and other tools.
#[must_use]
pub fn schema() -> Value {
    let mut schema = table("");
    let fields = schema.as_object_mut().expect("a table is an object");
    fields.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    fields.insert("title".into(), "tarseal profile".into());
    fields.insert("description".into(), "What is collected from a kind of system, and how it is redacted.".into());
    schema
}

/// A table with its keys and the tables below it.
fn table(name: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut any = Value::Bool(false);
    for key in KEYS.iter().filter(|key| key.table == name) {
        if key.name.starts_with('<') {
            any = described(key);
            continue;
        }
        properties.insert(key.name.to_owned(), described(key));
        if key.default == REQUIRED {
            required.push(key.name);
        }
    }
    for below in tables_below(name) {
        let full = if name.is_empty() { below.to_owned() } else { format!("{name}.{below}") };
        let one = table(&full);
        let value = if LISTED.contains(&full.as_str()) { json!({ "type": "array", "items": one }) } else { one };
        properties.insert(below.to_owned(), value);
    }
    let mut table = json!({ "type": "object", "properties": properties, "additionalProperties": any });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    if name == "redact.actions" {
        let phone = Action::ALL.map(Action::word);
        table["properties"] = Category::ALL
            .into_iter()
            .map(|category| {
                let words =
                    phone.iter().filter(|word| category == Category::Phone || **word != Action::KeepCountry.word());
                (category.word().to_owned(), json!({ "enum": words.collect::<Vec<_>>() }))
            })
            .collect::<Map<_, _>>()
            .into();
        table["additionalProperties"] = Value::Bool(false);
    }
    if name == "redact.file" {
        table["oneOf"] = json!([{ "required": ["leave_out"] }, { "required": ["scan"] }]);
    }
    table
}

fn tables_below(name: &str) -> Vec<&'static str> {
    let prefix = if name.is_empty() { String::new() } else { format!("{name}.") };
    let mut below: Vec<&str> = KEYS
        .iter()
        .filter_map(|key| key.table.strip_prefix(prefix.as_str()))
        .filter_map(|rest| rest.split('.').next().filter(|first| !first.is_empty()))
        .collect();
    below.sort_unstable();
    below.dedup();
    below
}

fn described(key: &Key) -> Value {
    let mut value = shape(key.shape);
    value["description"] = key.says.into();
    value
}

fn shape(shape: Shape) -> Value {
    let texts = json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } });
    match shape {
        Shape::Text | Shape::Glob | Shape::Regex | Shape::Zone => json!({ "type": "string" }),
        Shape::Path => json!({ "type": "string", "minLength": 1 }),
        Shape::Globs | Shape::Texts => texts,
        Shape::True => json!({ "const": true }),
        Shape::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Size => json!({ "type": "string", "pattern": "^[0-9]+ *(KiB|MiB|GiB|TiB)$" }),
        Shape::Time => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        Shape::Category => json!({ "enum": Category::ALL.map(Category::word) }),
        Shape::CategoryOrScan => {
            json!({ "enum": Category::ALL.iter().map(|category| category.word()).chain(["scan"]).collect::<Vec<_>>() })
        }
        Shape::Action => json!({ "enum": Action::ALL.map(Action::word) }),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::BuiltIn => json!({ "enum": Profile::names().collect::<Vec<_>>() }),
    }
}
