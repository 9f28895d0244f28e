//! The settings' reference, made from their types.

use serde_json::Value;

use super::file::ConfigFile;

/// The JSON Schema (2020-12) of a settings file. `x-flag` and `x-environment` say what goes before the file.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(ConfigFile).to_value()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;
    use std::path::Path;
    use std::{env, fs};

    use super::*;

    /// Each key with its schema, in order of name, those of tables behind them.
    fn keys(schema: &Value, table: &str) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        for (name, key) in schema["properties"].as_object().unwrap() {
            if key["properties"].is_object() {
                all.extend(keys(key, &format!("{table}{name}.")));
            } else {
                all.push((format!("{table}{name}"), key.clone()));
            }
        }
        all
    }

    fn kind(key: &Value) -> &'static str {
        match key["type"].to_string() {
            kind if kind.contains("array") => "list of texts",
            kind if kind.contains("boolean") => "true or false",
            kind if kind.contains("string") => "text",
            other => panic!("{other} is new: say what it is"),
        }
    }

    #[test]
    fn the_reference_says_what_the_types_say() {
        let mut table = String::from("| key | is | flag, variable | what it sets |\n|---|---|---|---|\n");
        for (name, key) in keys(&schema(), "") {
            let word = |word: &str| key[word].as_str().map(|word| format!("`{word}`"));
            let before: Vec<_> = [word("x-flag"), word("x-environment")].into_iter().flatten().collect();
            let what = key["description"].as_str().expect("every key says what it sets").replace('\n', " ");
            writeln!(table, "| `{name}` | {} | {} | {what} |", kind(&key), before.join(", ")).unwrap();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SETTINGS.md");
        let page = fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once("| key |").unwrap();
        let (_, foot) = rest.split_once("\n\n").unwrap();
        let wanted = format!("{head}{table}\n{foot}");
        if env::var_os("TARSEAL_RECORD").is_some() {
            fs::write(&path, &wanted).unwrap();
        } else {
            assert!(
                page == wanted,
                "TARSEAL_RECORD=1 cargo test --lib the_reference_says writes docs/SETTINGS.md anew"
            );
        }
    }

    #[test]
    fn the_schema_knows_every_setting_that_is_shown() {
        let known: BTreeSet<String> = keys(&schema(), "").into_iter().map(|(name, _)| name).collect();
        let file = "portal = 'https://a.example'\nto = ['x']\n[policy]\nreview_required = true";
        let read: toml::Table = toml::from_str(file).unwrap();
        assert!(read.keys().all(|key| key == "policy" || known.contains(key)));
        assert_eq!(schema()["additionalProperties"], Value::Bool(false), "one that is not known is refused");
        let source = include_str!("mod.rs");
        for name in &known {
            assert!(source.contains(&format!("\"{name}\"")), "config show does not say {name}");
        }
        for (name, key) in keys(&schema(), "") {
            let Some(variable) = key["x-environment"].as_str() else { continue };
            assert!(source.contains(&format!("\"{variable}\"")), "{name}: nothing reads {variable}");
        }
    }
}
