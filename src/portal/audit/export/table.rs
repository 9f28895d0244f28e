//! Records as a table.

use std::borrow::Cow;

use super::opened;
use crate::track::log::{Exported, Field};

const COLUMNS: [&str; 20] = [
    "number", "index", "id", "at", "tenant", "act", "purpose", "actor", "role", "name", "address", "tool", "kind",
    "object", "ticket", "outcome", "reason", "request", "receipt", "leaf",
];

/// Writes one line for each record, and the names of the columns above the first.
pub(super) fn write(records: &[Exported], first: bool, out: &mut Vec<u8>) -> csv::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    if first {
        writer.write_record(COLUMNS)?;
    }
    for exported in records {
        let record = &exported.record;
        let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
        let shown = |field| harmless(opened(exported, field).unwrap_or_default());
        let leaf = hex::encode(crate::track::log::tree::leaf(&record.line()));
        writer.write_record([
            &record.number.to_string(),
            &exported.index.to_string(),
            &record.id,
            &record.at.to_string(),
            record.tenant.as_str(),
            &record.act,
            &record.purpose,
            &record.actor,
            &record.role,
            &shown(Field::Name),
            &shown(Field::Address),
            &record.tool,
            &record.kind,
            &record.object,
            &maybe(&record.ticket),
            &record.outcome,
            &shown(Field::Reason),
            &maybe(&record.request),
            &maybe(&record.receipt),
            &leaf,
        ])?;
    }
    writer.flush()?;
    Ok(())
}

/// Free text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}
