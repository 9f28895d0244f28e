//! Redacts texts given as JSON lines `{"id", "text"}`, each by itself, and writes `{"id", "out"}`: for measuring recall with
//! labelled cases. The first argument, if there is one, is the file of a profile.

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use tarseal::profile::Profile;
use tarseal::redact::{Redactor, Rules, Survey, TicketKey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = match std::env::args_os().nth(1) {
        Some(file) => {
            Profile::read(&std::fs::read_to_string(file)?).map_err(|error| format!("line {}", error.line))?.rules
        }
        None => Rules::default(),
    };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let text = case["text"].as_str().unwrap_or_default();
        let learned = Survey::new(&rules).finish();
        let mut redactor = Redactor::new(rules.clone(), learned, TicketKey::from_bytes([7; 32]));
        let mut redacted = Vec::new();
        if let Err(error) = redactor.filter(text.as_bytes(), &mut redacted) {
            eprintln!("{}: {error}", case["id"]);
        }
        writeln!(out, "{}", json!({ "id": case["id"], "out": String::from_utf8_lossy(&redacted) }))?;
    }
    Ok(())
}
