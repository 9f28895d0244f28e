//! Redacts texts given as JSON lines `{"id", "text"}`, each by itself, and writes `{"id", "out"}`: for measuring recall with
//! labelled cases.

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use tarseal::redact::{Redactor, Rules, TicketKey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let text = case["text"].as_str().unwrap_or_default();
        let survey = tarseal::redact::Survey::new(&Rules::default());
        let mut redactor = Redactor::new(Rules::default(), survey.finish(), TicketKey::from_bytes([7; 32]));
        let mut redacted = Vec::new();
        if let Err(error) = redactor.filter(text.as_bytes(), &mut redacted) {
            eprintln!("{}: {error}", case["id"]);
        }
        writeln!(out, "{}", json!({ "id": case["id"], "out": String::from_utf8_lossy(&redacted) }))?;
    }
    Ok(())
}
