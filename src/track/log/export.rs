//! An export of audit records, and its verification without a network.
//!
//! An export is JSON lines. The first is a [`Heading`]: what the portal says is in it, signed, and a checkpoint. Each further
//! line is one [`Exported`] record with its proof. Edited records fit no proof; removed and moved ones leave a gap in the
//! numbers, or fewer records than the portal stated.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use super::{Field, Head, LogError, Opening, Record, checkpoint, tree};
use crate::ids::TenantId;
use crate::track::receipt::{PortalKey, ReceiptKey};

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// How many findings are kept; further ones are counted alone.
const MAX_FINDINGS: usize = 1000;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// The [`Statement`], as a signed note.
    pub statement: String,
    /// The checkpoint of the tree in which every record is proved.
    pub checkpoint: String,
}

/// What the portal says is in the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The edition of these fields: 1.
    pub export: u32,
    /// Whose records.
    pub tenant: TenantId,
    /// Only records with these values were asked for; empty for all.
    pub only: BTreeMap<String, String>,
    /// How many.
    pub records: u64,
    /// The size of the tree.
    pub size: u64,
}

/// A record in an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// The record.
    pub record: Record,
    /// Where it stands in the log.
    pub index: u64,
    /// The hashes that prove it, in Base64.
    pub proof: Vec<String>,
    /// What opens its commitments, as far as it was not erased.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub opened: BTreeMap<Field, Opening>,
}

/// What does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The line of the export, from 1; 0 for the export as a whole.
    pub line: u64,
    /// The record's number among its tenant's, if it can be told.
    pub number: Option<u64>,
    /// What does not fit.
    pub what: String,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the portal stated.
    pub statement: Statement,
    /// The tree that was signed.
    pub head: Head,
    /// How many records were read.
    pub records: u64,
    /// How many commitments were opened, and fit.
    pub opened: u64,
    /// Everything that does not fit, the first thousand; empty when all is as the portal recorded it.
    pub findings: Vec<Finding>,
}

/// Signs the first line of an export.
pub fn heading(statement: &Statement, checkpoint: String, key: &ReceiptKey) -> Result<Heading, LogError> {
    let unsignable = LogError::Malformed("the export's statement cannot be signed");
    let text = serde_json_canonicalizer::to_string(statement).ok().map(|text| text + "\n");
    let note = text.and_then(|text| key.sign_text(&text)).ok_or(unsignable)?;
    Ok(Heading { statement: note, checkpoint })
}

impl Exported {
    /// Puts a record, its place and its proof together.
    #[must_use]
    pub fn new(record: Record, index: u64, proof: &[[u8; 32]], opened: BTreeMap<Field, Opening>) -> Self {
        Self { record, index, proof: proof.iter().map(|hash| BASE64_STANDARD.encode(hash)).collect(), opened }
    }

    fn hashes(&self) -> Option<Vec<[u8; 32]>> {
        let read = |text: &String| BASE64_STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        self.proof.iter().map(read).collect()
    }
}

/// Reads an export line by line. It remembers no records.
#[derive(Debug)]
pub struct Verifier {
    statement: Statement,
    head: Head,
    line: u64,
    last: u64,
    records: u64,
    opened: u64,
    findings: Vec<Finding>,
}

impl Verifier {
    /// Reads the first line. An error when it was not signed by `key`: then nothing after it means anything.
    pub fn new(first: &str, key: &PortalKey) -> Result<Self, LogError> {
        let malformed = || LogError::Malformed("the first line is not that of an audit export");
        let heading: Heading = serde_json::from_str(first).map_err(|_| malformed())?;
        let head = checkpoint::open(&heading.checkpoint, key)?;
        let text = key.open_text(&heading.statement).map_err(|_| LogError::BadSignature)?;
        let statement: Statement = serde_json::from_str(text).map_err(|_| malformed())?;
        if statement.export != 1 || statement.size != head.size {
            return Err(malformed());
        }
        Ok(Self { statement, head, line: 1, last: 0, records: 0, opened: 0, findings: Vec::new() })
    }

    /// Reads the next line.
    pub fn line(&mut self, text: &str) {
        self.line += 1;
        self.records += 1;
        let Ok(exported) = serde_json::from_str::<Exported>(text) else {
            self.find(None, "it is not an exported record");
            return;
        };
        let (record, number) = (&exported.record, exported.record.number);
        if record.tenant != self.statement.tenant {
            self.find(Some(number), "it is another tenant's record");
        }
        let proved = exported.hashes().is_some_and(|hashes| {
            tree::check_inclusion(tree::leaf(&record.line()), exported.index, &hashes, &self.head).is_ok()
        });
        if !proved {
            self.find(Some(number), "the record, its place or its proof was changed");
        }
        if number <= self.last {
            self.find(Some(number), "it stands behind a later record, or twice");
        } else if self.statement.only.is_empty() && number > self.last + 1 {
            let missing = match number - self.last {
                2 => format!("record {} is missing before it", self.last + 1),
                _ => format!("records {} to {} are missing before it", self.last + 1, number - 1),
            };
            self.find(Some(number), &missing);
        }
        self.last = self.last.max(number);
        for (field, opening) in &exported.opened {
            if record.commitment(*field).is_some() && opening.commitment(*field).as_deref() == record.commitment(*field)
            {
                self.opened += 1;
            } else {
                self.find(Some(number), &format!("its {} is not the one that was recorded", field.word()));
            }
        }
    }

    /// Counts what was read against what the portal stated.
    #[must_use]
    pub fn finish(mut self) -> Report {
        if self.records != self.statement.records {
            let what = format!("the portal stated {} records, here are {}", self.statement.records, self.records);
            self.line = 0;
            self.find(None, &what);
        }
        let Self { statement, head, records, opened, findings, .. } = self;
        Report { statement, head, records, opened, findings }
    }

    fn find(&mut self, number: Option<u64>, what: &str) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { line: self.line, number, what: what.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::super::record::sample;
    use super::super::tree::{Tiles, Tree};
    use super::*;

    fn key() -> ReceiptKey {
        ReceiptKey::generate("support.vendor.example", &mut StdRng::seed_from_u64(1)).unwrap()
    }

    /// An export of `count` records, all there are.
    fn export(count: u64) -> Vec<String> {
        let opening = Opening { salt: "5a".repeat(32), value: String::from("192.0.2.7") };
        let records: Vec<Record> = (1..=count)
            .map(|number| Record { address: opening.commitment(Field::Address), ..sample(number) })
            .collect();
        let mut tree = Tree::new(0, Tiles::default());
        for record in &records {
            tree.append(tree::leaf(&record.line())).unwrap();
        }
        let head = tree.head().unwrap();
        let mut tiles = Tiles::default();
        for (place, hashes) in tree.take_changed() {
            tiles.put(place, hashes);
        }
        let statement = Statement {
            export: 1,
            tenant: "acme".parse().unwrap(),
            only: BTreeMap::new(),
            records: count,
            size: count,
        };
        let heading = heading(&statement, checkpoint::sign(&head, &key()).unwrap(), &key()).unwrap();
        let mut lines = vec![serde_json::to_string(&heading).unwrap()];
        for (index, record) in (0..).zip(records) {
            let proof = tree::inclusion(index, count, &tiles).unwrap();
            let opened = BTreeMap::from([(Field::Address, opening.clone())]);
            lines.push(serde_json::to_string(&Exported::new(record, index, &proof, opened)).unwrap());
        }
        lines
    }

    fn verify(lines: &[String]) -> Report {
        let mut verifier = Verifier::new(&lines[0], &key().portal_key()).unwrap();
        for line in &lines[1..] {
            verifier.line(line);
        }
        verifier.finish()
    }

    #[test]
    fn an_untouched_export_is_good() {
        let report = verify(&export(20));
        assert_eq!((report.records, report.opened, report.findings), (20, 20, Vec::new()));
    }

    #[test]
    fn every_edited_record_is_found_and_named() {
        let good = export(20);
        for number in 1..=20 {
            for (old, new) in [
                ("\"read-content\"", "\"open-ticket\""),
                ("\"4711\"", "\"4712\""),
                ("\"done\"", "\"denied\""),
                ("2027-01-15T08:00:00Z", "2027-01-15T08:00:01Z"),
                ("192.0.2.7", "192.0.2.8"),
                ("\"proof\":[\"", "\"proof\":[\"A"),
            ] {
                let mut changed = good.clone();
                assert!(changed[number].contains(old), "{}", changed[number]);
                changed[number] = changed[number].replacen(old, new, 1);
                let findings = verify(&changed).findings;
                assert_eq!(findings.len(), 1, "{findings:?}");
                assert_eq!((findings[0].line, findings[0].number), (number as u64 + 1, Some(number as u64)));
            }
        }
    }

    #[test]
    fn every_removed_record_is_found_and_named() {
        let good = export(20);
        for number in 1..=20 {
            let mut changed = good.clone();
            changed.remove(number);
            let findings = verify(&changed).findings;
            assert!(findings.iter().any(|found| found.what.contains("stated 20 records, here are 19")), "{findings:?}");
            let named = findings.iter().any(|found| found.what == format!("record {number} is missing before it"));
            assert_eq!(named, number < 20, "the last one is told by the count");
        }
    }

    #[test]
    fn every_moved_or_doubled_record_is_found_and_named() {
        let good = export(20);
        for number in 1..20 {
            let mut changed = good.clone();
            changed.swap(number, number + 1);
            let findings = verify(&changed).findings;
            assert!(findings.iter().any(|found| found.number == Some(number as u64)), "{findings:?}");
            let mut changed = good.clone();
            changed.insert(number, good[number].clone());
            let findings = verify(&changed).findings;
            assert!(findings.iter().any(|found| found.number == Some(number as u64)), "{findings:?}");
        }
    }

    #[test]
    fn a_heading_that_was_changed_or_is_of_another_export_is_refused() {
        let (good, other) = (export(20), export(19));
        let key = key().portal_key();
        let [one, two]: [Heading; 2] = [&good[0], &other[0]].map(|line| serde_json::from_str(line).unwrap());
        let mixed = Heading { statement: one.statement.clone(), checkpoint: two.checkpoint };
        assert!(Verifier::new(&serde_json::to_string(&mixed).unwrap(), &key).is_err());
        let fewer = Heading { statement: one.statement.replacen("\"records\":20", "\"records\":19", 1), ..one };
        assert!(Verifier::new(&serde_json::to_string(&fewer).unwrap(), &key).is_err());
        assert!(Verifier::new("{}", &key).is_err());
    }
}
