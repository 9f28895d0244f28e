//! Records as lines of syslog (RFC 5424): the act is the message's id, the record itself is the message, as JSON.

use std::io;

use serde_json::json;
use syslog_fmt::v5424::Config;
use syslog_fmt::{Facility, Severity};

use super::{opened, succeeded};
use crate::track::log::{Exported, Field};

/// The largest number of a sequence; after it comes 1 (RFC 5424, section 7.3.1).
const MAX_SEQUENCE: u64 = 2_147_483_647;

/// Writes one line. The only structured data are elements that RFC 5424 registers, so no enterprise number is needed.
pub(super) fn write(exported: &Exported, portal: &str, out: &mut Vec<u8>) -> io::Result<()> {
    let record = &exported.record;
    let host = if portal.len() <= 255 && portal.bytes().all(|byte| byte.is_ascii_graphic()) { portal } else { "-" };
    let formatter =
        Config { facility: Facility::Authpriv, hostname: Some(host), app_name: Some("tarseal"), proc_id: None }
            .into_formatter();
    let severity = if succeeded(exported) { Severity::Notice } else { Severity::Warning };
    let message = json!({
        "record": record,
        "index": exported.index,
        "address": opened(exported, Field::Address),
        "name": opened(exported, Field::Name),
        "reason": opened(exported, Field::Reason),
    });
    let sequence = ((record.number - 1) % MAX_SEQUENCE + 1).to_string();
    // A message of JSON without a byte order mark: MSG-ANY, which collectors parse as it is.
    formatter.write_with_data(
        out,
        severity,
        record.at.to_string(),
        format_args!("{message}"),
        Some(record.act.get(..32).unwrap_or(&record.act)),
        [
            ("origin", vec![("software", "tarseal"), ("swVersion", env!("CARGO_PKG_VERSION"))]),
            ("meta", vec![("sequenceId", sequence.as_str())]),
        ],
    )?;
    out.push(b'\n');
    Ok(())
}
