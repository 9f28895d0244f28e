//! Audit records in the forms that others read.

mod ocsf;
mod syslog;
mod table;

use crate::portal::error::ApiError;
use crate::track::log::{Exported, Field};

/// A form of the export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// JSON lines with proofs, for `tarseal audit verify`.
    #[default]
    Json,
    /// A table with a head line (RFC 4180).
    Csv,
    /// JSON lines in the classes of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// Lines of syslog (RFC 5424).
    Syslog,
}

impl Form {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ocsf => "ocsf",
            Self::Syslog => "syslog",
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json | Self::Ocsf => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Syslog => "text/plain; charset=utf-8",
        }
    }

    /// Writes records one after the other. The first page of a table begins with its head line.
    pub(crate) fn write(
        self,
        records: &[Exported],
        first: bool,
        portal: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), ApiError> {
        match self {
            Self::Json => lines(records.iter(), out),
            Self::Ocsf => lines(records.iter().map(|record| ocsf::event(record, portal)), out),
            Self::Csv => table::write(records, first, out).map_err(ApiError::fault),
            Self::Syslog => {
                records.iter().try_for_each(|record| syslog::write(record, portal, out)).map_err(ApiError::fault)
            }
        }
    }
}

fn lines<T: serde::Serialize>(values: impl Iterator<Item = T>, out: &mut Vec<u8>) -> Result<(), ApiError> {
    for value in values {
        serde_json::to_writer(&mut *out, &value).map_err(ApiError::fault)?;
        out.push(b'\n');
    }
    Ok(())
}

/// The value of a field, as long as it was not erased.
fn opened(exported: &Exported, field: Field) -> Option<&str> {
    exported.opened.get(&field).map(|opening| opening.value.as_str())
}

/// True when what was asked for was done.
fn succeeded(exported: &Exported) -> bool {
    matches!(exported.record.outcome.as_str(), "done" | "repeated")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::track::log::record::sample;
    use crate::track::log::{Opening, Record};

    pub(super) fn exported(act: &str, outcome: &str, reason: &str) -> Exported {
        let salt = "5a".repeat(32);
        let record = Record { act: act.into(), outcome: outcome.into(), ..sample(7) };
        let opened = BTreeMap::from([
            (Field::Address, Opening { salt: salt.clone(), value: String::from("192.0.2.7") }),
            (Field::Reason, Opening { salt, value: reason.into() }),
        ]);
        Exported::new(record, 41, &[], opened)
    }

    fn written(form: Form, records: &[Exported]) -> String {
        let mut out = Vec::new();
        form.write(records, true, "support.vendor.example", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_record_is_one_line_in_every_form_whatever_its_reason_says() {
        let hostile = "=cmd|' /C calc'!A0 \"quoted\" ] \\ a,b;c";
        let records = [exported("read-content", "done", hostile), exported("store", "denied", "plain")];
        for form in [Form::Json, Form::Ocsf, Form::Syslog] {
            assert_eq!(written(form, &records).lines().count(), 2, "{form:?}");
        }
        let table = written(Form::Csv, &records);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let columns = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let reason = columns.iter().position(|column| column == "reason").unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][reason], format!("'{hostile}"), "no spreadsheet takes it for a formula");
        assert_eq!(&rows[1][reason], "plain");
    }

    #[test]
    fn a_line_of_syslog_has_the_parts_that_rfc_5424_names() {
        let line = written(Form::Syslog, &[exported("read-content", "denied", "why")]);
        let head =
            "<84>1 2027-01-15T08:00:00Z support.vendor.example tarseal - read-content [origin software=\"tarseal\"";
        assert!(line.starts_with(head), "{line}");
        let (_, message) = line.split_once("[meta sequenceId=\"7\"] ").unwrap();
        let message: serde_json::Value = serde_json::from_str(message).unwrap();
        assert_eq!(message["index"], 41);
        assert_eq!(message["address"], "192.0.2.7");
        assert_eq!(message["record"]["act"], "read-content");
    }
}
