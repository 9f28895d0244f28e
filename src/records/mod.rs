//! The record of processing activities (GDPR Art. 30; Regulation (EU) 2018/1725 Art. 31): what is done with personal data, for
//! what, whose, who receives it, for how long it is kept, and how it is protected.
//!
//! A [`Record`] is put together from what is in force: settings, policy, profile. What no program can know, people say in
//! [`Facts`]; what they have not said is listed as missing and never made up. A record names no day, so that two are the same
//! for as long as nothing has changed; a [`Version`] says since when it is so, and its digest lets anyone compare.

mod facts;
mod page;

pub use facts::{BadFacts, Facts, Party, Recipient, Transfer};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::track::RetentionPolicy;

/// The form of the JSON. A key never changes its meaning; what is added later is a new key.
pub const FORM: u8 = 1;

/// Whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Of whoever sends snapshots.
    Sender,
    /// Of whoever runs a portal, for one tenant.
    Portal,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`FORM`].
    pub record: u8,
    /// Whose it is.
    pub side: Side,
    /// What it is called: the portal and the tenant, or the sender.
    pub name: String,
    /// The articles that ask for it.
    pub articles: Vec<String>,
    /// Who decides about the processing.
    pub controller: Party,
    /// Who works for them.
    pub processor: Party,
    /// What is done.
    pub activities: Vec<Activity>,
    /// Who receives personal data besides those of the activities; `None` when nobody has said so.
    pub recipients: Option<Vec<Recipient>>,
    /// Who works for the processor.
    pub sub_processors: Option<Vec<Recipient>>,
    /// Where personal data goes outside the Union, or to an international organisation.
    pub transfers: Option<Vec<Transfer>>,
    /// How it is protected.
    pub measures: Vec<Measure>,
    /// What else is to be said.
    pub notes: Option<String>,
    /// What the law asks for and nobody has said, as paths such as `controller.contact`.
    pub missing: Vec<String>,
}

/// One activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub purposes: Vec<String>,
    /// What allows it, where that was said.
    pub legal_basis: Option<String>,
    /// The categories of persons.
    pub persons: Vec<String>,
    /// The categories of personal data.
    pub data: Vec<Data>,
    /// The categories of recipients.
    pub recipients: Vec<String>,
    /// When what is deleted.
    pub time_limits: Vec<TimeLimit>,
}

/// A category of personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// What it is.
    pub category: String,
    /// How it is treated.
    pub treatment: String,
}

/// How long something is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    /// What is kept.
    pub what: String,
    /// For how many days; `None` where the limit is no number of days.
    pub days: Option<u32>,
    /// From when on they are counted, or what ends it.
    pub rule: String,
}

/// A technical or organisational measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What it is about.
    pub about: String,
    /// What is done.
    pub says: String,
    /// How that is known.
    pub known: Known,
}

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// The program always does so.
    Program,
    /// The settings in force say so.
    Settings,
    /// People say so.
    Told,
}

impl Known {
    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Program => "the program always does so",
            Self::Settings => "the settings in force",
            Self::Told => "told by the administration",
        }
    }
}

/// A record, since when it is so, and its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Counted up with every change.
    pub version: u32,
    /// When it was first seen so.
    pub since: Timestamp,
    /// [`Record::digest`].
    pub digest: String,
    /// The record.
    pub record: Record,
}

impl Record {
    /// Puts a record together: who and what, and from the facts what people say. Lists what is missing.
    #[must_use]
    pub fn new(side: Side, name: String, facts: Facts, activities: Vec<Activity>, measures: Vec<Measure>) -> Self {
        let articles = match side {
            Side::Sender => ["GDPR Article 30(1)", "Regulation (EU) 2018/1725 Article 31(1)"],
            Side::Portal => ["GDPR Article 30(2)", "Regulation (EU) 2018/1725 Article 31(2)"],
        };
        let told = facts.measures.iter().flatten();
        let told = told.map(|says| Measure { about: "Organisation".into(), says: says.clone(), known: Known::Told });
        let mut record = Self {
            record: FORM,
            side,
            name,
            articles: articles.map(String::from).to_vec(),
            activities,
            measures: measures.into_iter().chain(told).collect(),
            controller: facts.controller.unwrap_or_default(),
            processor: facts.processor.unwrap_or_default(),
            recipients: facts.recipients,
            sub_processors: facts.sub_processors,
            transfers: facts.transfers,
            notes: facts.notes,
            missing: Vec::new(),
        };
        record.missing = record.not_said();
        record
    }

    fn not_said(&self) -> Vec<String> {
        let of = |who: &str, party: &Party, officer: bool| {
            let fields = [
                ("name", party.name.is_none()),
                ("contact", party.contact.is_none()),
                ("officer", officer && party.officer.is_none()),
            ];
            let missing = fields.into_iter().filter(|(_, missing)| *missing);
            missing.map(|(field, _)| format!("{who}.{field}")).collect::<Vec<_>>()
        };
        let mut missing = of("controller", &self.controller, true);
        missing.extend(of("processor", &self.processor, self.side == Side::Portal));
        for (name, is_missing) in [
            ("recipients", self.recipients.is_none()),
            ("sub_processors", self.sub_processors.is_none()),
            ("transfers", self.transfers.is_none()),
        ] {
            if is_missing {
                missing.push(name.into());
            }
        }
        missing
    }

    /// The one way in which it is written as JSON (RFC 8785).
    #[must_use]
    pub fn json(&self) -> String {
        serde_json_canonicalizer::to_string(self).expect("a record is plain texts and small numbers")
    }

    /// SHA-256 over [`json`](Self::json), in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.json()))
    }
}

impl Version {
    /// The version that follows: `None` while the record is the same.
    #[must_use]
    pub fn after(last: Option<(u32, &str)>, record: Record, now: Timestamp) -> Option<Self> {
        let digest = record.digest();
        let version = match last {
            Some((_, known)) if known == digest => return None,
            Some((version, _)) => version.saturating_add(1),
            None => 1,
        };
        Some(Self { version, since: now, digest, record })
    }

    /// The one way in which it is written as JSON (RFC 8785).
    #[must_use]
    pub fn json(&self) -> String {
        serde_json_canonicalizer::to_string(self).expect("a version is plain texts and small numbers")
    }
}

/// The rules of a policy for snapshots, in words.
#[must_use]
pub fn snapshot_limits(policy: &RetentionPolicy) -> Vec<TimeLimit> {
    let limit = |what: &str, days: u16, rule: String| TimeLimit { what: what.into(), days: Some(days.into()), rule };
    let zone = policy.zone.name();
    vec![
        limit(
            "Snapshots of a closed ticket",
            policy.after_close_days,
            format!("calendar days after the day on which the ticket was closed, counted in {zone}"),
        ),
        limit(
            "Snapshots, whatever happens to the ticket",
            policy.hard_cap_days,
            "days after the upload at most".into(),
        ),
        limit(
            "One extension of a deadline",
            policy.extension_days,
            format!("days at most, granted {} times at most and never beyond the longest time", policy.extensions),
        ),
        limit(
            "Snapshots of a ticket that nobody works on",
            policy.inactivity_days.saturating_add(policy.answer_days),
            format!(
                "days without activity ({} until it is asked for, {} for the answer); then it counts as closed at its last \
                 activity",
                policy.inactivity_days, policy.answer_days
            ),
        ),
        TimeLimit {
            what: "Snapshots under a hold".into(),
            days: None,
            rule:
                "kept until two persons lift the hold, which is looked at again within six months; nobody reads them \
                   after their time"
                    .into(),
        },
        limit("What was deleted, in backups", policy.backup_horizon_days, "days after the deletion at most".into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn sample() -> Record {
        let facts = Facts {
            controller: Some(Party { name: Some("Amt für Beispiele".into()), ..Party::default() }),
            transfers: Some(Vec::new()),
            measures: Some(vec!["Everybody is trained <once> a year.".into()]),
            ..Facts::default()
        };
        let activity = Activity {
            name: "Keeping".into(),
            purposes: vec!["Support".into()],
            legal_basis: None,
            persons: vec!["Users".into()],
            data: vec![Data { category: "person".into(), treatment: "replaced".into() }],
            recipients: vec!["Technicians".into()],
            time_limits: snapshot_limits(&RetentionPolicy::default()),
        };
        let measure = Measure { about: "Transport".into(), says: "TLS 1.3".into(), known: Known::Settings };
        Record::new(Side::Portal, "support.example, tenant acme".into(), facts, vec![activity], vec![measure])
    }

    #[test]
    fn what_nobody_has_said_is_missing_and_never_made_up() {
        let record = sample();
        assert_eq!(
            record.missing,
            [
                "controller.contact",
                "controller.officer",
                "processor.name",
                "processor.contact",
                "processor.officer",
                "recipients",
                "sub_processors"
            ],
            "that there are no transfers was said"
        );
        assert_eq!(record.processor, Party::default());
        assert_eq!(record.measures.len(), 2);
    }

    #[test]
    fn a_version_follows_when_something_has_changed_and_not_before() {
        let now: Timestamp = "2026-11-21T14:20:00Z".parse().unwrap();
        let first = Version::after(None, sample(), now).unwrap();
        assert_eq!((first.version, first.since), (1, now));
        assert_eq!(Version::after(Some((1, &first.digest)), sample(), now.plus_days(1)), None);
        let mut other = sample();
        other.activities[0].time_limits[0].days = Some(30);
        let second = Version::after(Some((1, &first.digest)), other, now.plus_days(2)).unwrap();
        assert_eq!(second.version, 2);
        assert_ne!(second.digest, first.digest);
        let back: Version = serde_json::from_str(&second.json()).unwrap();
        assert_eq!(back, second);
        assert_eq!(back.record.digest(), second.digest);
    }

    /// Whoever reads records with a program relies on these keys.
    #[test]
    fn the_json_keeps_its_shape() {
        let value: serde_json::Value = serde_json::from_str(&sample().json()).unwrap();
        let keys = |value: &serde_json::Value| {
            value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            keys(&value),
            "activities articles controller measures missing name notes processor recipients record side \
             sub_processors transfers"
        );
        assert_eq!(keys(&value["controller"]), "address contact name officer representative");
        assert_eq!(keys(&value["activities"][0]), "data legal_basis name persons purposes recipients time_limits");
        assert_eq!(keys(&value["activities"][0]["data"][0]), "category treatment");
        assert_eq!(keys(&value["activities"][0]["time_limits"][0]), "days rule what");
        assert_eq!(keys(&value["measures"][0]), "about known says");
        assert_eq!((&value["record"], &value["side"]), (&1.into(), &"portal".into()));
        assert_eq!(value["measures"][1]["known"], "told");
        let version = Version::after(None, sample(), Timestamp::EPOCH).unwrap();
        let value: serde_json::Value = serde_json::from_str(&version.json()).unwrap();
        assert_eq!(keys(&value), "digest record since version");
    }
}
