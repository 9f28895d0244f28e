//! The portal's record of processing activities for one tenant, put together from what is in force.

use super::app::App;
use super::auth::{ABSOLUTE_SECONDS, FACTOR_SECONDS, IDLE_SECONDS};
use super::backup;
use super::config::Config;
use super::error::{ApiError, PortalError};
use super::receive::KEPT_DAYS;
use super::store::{Connection, records, tenants};
use crate::ids::TenantId;
use crate::records::{Activity, Data, Facts, Known, Measure, Record, Side, TimeLimit, Version, snapshot_limits};
use crate::track::RetentionPolicy;

/// What the record says of how the portal is run.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// What the operator says, for every tenant.
    facts: Facts,
    tls: bool,
    behind_proxy: bool,
    bucket: bool,
    shares_apart: bool,
}

impl Setup {
    /// Reads what the operator says, and what of the settings the record needs.
    pub(crate) fn of(config: &Config) -> Result<Self, PortalError> {
        let facts = match &config.records {
            None => Facts::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(PortalError::Data)?;
                Facts::read(&text).map_err(|fault| PortalError::Records(path.clone(), fault))?
            }
        };
        Ok(Self {
            facts,
            tls: config.tls.is_some(),
            behind_proxy: config.behind_proxy,
            bucket: config.blobs.is_some(),
            shares_apart: config.shares_database.is_some(),
        })
    }
}

/// The record as it is now; kept as a new version when it has become another.
pub(crate) async fn current(app: &App, tenant: &TenantId) -> Result<Version, ApiError> {
    let mut connection = app.store.read(tenant).await?;
    let last = records::version(&mut connection, tenant, None).await?;
    let record = build(app, &mut connection, tenant).await?;
    drop(connection);
    if let Some(last) = last.filter(|last| last.digest == record.digest()) {
        return Ok(last);
    }
    let mut transaction = app.store.begin(tenant).await?;
    // What has changed in between is seen here.
    let record = build(app, &mut transaction, tenant).await?;
    let last = records::version(&mut transaction, tenant, None).await?;
    let known = last.as_ref().map(|last| (last.version, last.digest.as_str()));
    match (Version::after(known, record, app.clock.now()), last) {
        (None, Some(last)) => Ok(last),
        (None, None) => Err(ApiError::fault("a first record is always new")),
        (Some(version), _) => {
            records::add_version(&mut transaction, tenant, &version).await?;
            transaction.commit().await?;
            Ok(version)
        }
    }
}

/// Keeps what has changed for every tenant, also where nobody asks.
pub(crate) async fn settle(app: &App) -> Result<(), ApiError> {
    for tenant in tenants::all(&mut *app.store.read_across().await?).await? {
        current(app, &tenant).await?;
    }
    Ok(())
}

async fn build(app: &App, connection: &mut Connection, tenant: &TenantId) -> Result<Record, ApiError> {
    let policy = app.policy(connection, tenant).await?;
    let facts = records::facts(connection, tenant).await?.unwrap_or_default().or(app.setup.facts.clone());
    let backed_up = !backup::in_places(connection).await?.is_empty();
    let name = format!("Portal {}, tenant {tenant}", app.key.name());
    Ok(Record::new(Side::Portal, name, facts.clone(), activities(&facts, &policy), measures(app, backed_up)))
}

fn activities(facts: &Facts, policy: &RetentionPolicy) -> Vec<Activity> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let data = |rows: &[(&str, &str)]| {
        rows.iter().map(|(what, how)| Data { category: (*what).into(), treatment: (*how).into() }).collect()
    };
    let limit = |what: &str, days: Option<u32>, rule: &str| TimeLimit { what: what.into(), days, rule: rule.into() };
    let basis = facts.legal_basis.clone();
    let persons = facts.persons.clone().unwrap_or_else(|| {
        texts(&["Persons who occur in the sender's logs and settings: users, callers and staff, behind stand-ins"])
    });
    let mut snapshots = snapshot_limits(policy);
    snapshots.push(limit("An upload that was not finished", u32::try_from(KEPT_DAYS).ok(), "days after its last byte"));
    vec![
        Activity {
            name: "Keeping sealed snapshots and giving them to support".into(),
            purposes: texts(&["Finding and mending faults in the support case that the ticket names"]),
            legal_basis: basis.clone(),
            persons,
            data: data(&[
                ("Content of snapshots", "redacted and sealed by the sender; the portal has no key that opens it"),
                ("The portal's part of the file's key", "kept apart, destroyed first when the snapshot is deleted"),
                ("Questions about stand-ins and their answers", "for those on the ticket; gone with the snapshot"),
                ("Grants to one more person", "sealed to that person's key; gone with the snapshot"),
                ("Names of tickets", "replaced by a keyed hash when a closed ticket has no snapshot left"),
                ("Length, digest and instants of each file", "kept with the receipts, without personal data"),
            ]),
            recipients: texts(&[
                "Technicians and leads who are on the ticket, each with a reason and a second factor",
                "Subcontractors to whom a technician passes a snapshot on, under the same deadline",
            ]),
            time_limits: snapshots,
        },
        Activity {
            name: "Accounts of those who work with the portal".into(),
            purposes: texts(&["Letting in who may, and nobody else"]),
            legal_basis: basis.clone(),
            persons: texts(&["Staff, technicians, leads, administrators, officers and auditors who sign in"]),
            data: data(&[
                ("Name and role", "told to the tenant's administration, officer and auditors"),
                ("Password", "kept as a hash (Argon2id) under a key beside the database"),
                ("Second factor and recovery codes", "sealed, or kept as hashes"),
                ("Sessions and known devices", "kept as hashes"),
            ]),
            recipients: texts(&["The tenant's administration"]),
            time_limits: vec![
                limit(
                    "A session",
                    None,
                    &format!("{} hours, or {} without a request", ABSOLUTE_SECONDS / 3600, IDLE_SECONDS / 3600),
                ),
                limit(
                    "An account",
                    None,
                    "until the administration disables it; its name stays so that records can be read",
                ),
            ],
        },
        Activity {
            name: "The audit log".into(),
            purposes: texts(&["Showing who did what with which snapshot, and that nothing was changed since"]),
            legal_basis: basis.clone(),
            persons: texts(&["Everybody who acts in the portal"]),
            data: data(&[
                (
                    "Name, network address and reason of each act",
                    "kept apart from the log, which holds commitments alone",
                ),
                ("Act, role, object, instant and outcome", "kept in a log that cannot be changed; without names"),
            ]),
            recipients: texts(&["The tenant's administration, data-protection officer and auditors"]),
            time_limits: vec![limit(
                "Names, addresses and reasons",
                Some(policy.audit_days.into()),
                "days after the act, then erased",
            )],
        },
        Activity {
            name: "Requests of persons concerned".into(),
            purposes: texts(&["Answering in time, and showing that it was done"]),
            legal_basis: basis.clone(),
            persons: texts(&["Persons who ask for information, correction, deletion, blocking or portability"]),
            data: data(&[
                ("Stand-ins, file number and statement", "sealed in the database, told to the officer alone"),
                ("Kind, state and instants of the request", "told to officer and auditors"),
            ]),
            recipients: texts(&["The tenant's data-protection officer"]),
            time_limits: vec![limit(
                "A request",
                Some(policy.requests_days.into()),
                "days after its answer, or longer while a snapshot is blocked or corrected by it",
            )],
        },
        Activity {
            name: "The portal's own log".into(),
            purposes: texts(&["Running the portal"]),
            legal_basis: basis,
            persons: texts(&["None: it names no person, ticket, token or file"]),
            data: data(&[("Route, status and id of each request", "written to the standard error of the process")]),
            recipients: texts(&["The operator"]),
            time_limits: vec![limit(
                "Lines of the log",
                Some(policy.logs_days.into()),
                "days, by whoever collects them",
            )],
        },
    ]
}

fn measures(app: &App, backed_up: bool) -> Vec<Measure> {
    let setup = &app.setup;
    let measure = |known: Known, about: &str, says: String| Measure { about: about.into(), says, known };
    let program = |about: &str, says: &str| measure(Known::Program, about, says.into());
    let set = |about: &str, says: &str| measure(Known::Settings, about, says.into());
    vec![
        program(
            "Content",
            "Sealed by the sender with AES-256-GCM to the technicians' keys (X25519 with ML-KEM-768, or X25519); the portal \
             holds no private key",
        ),
        program(
            "Key in two parts",
            "Where the sender asks for it, one part stays here and is destroyed at the deadline; without it nobody opens the \
             file",
        ),
        set(
            "Transport",
            match (setup.tls, setup.behind_proxy) {
                (true, _) => "TLS by the portal itself",
                (false, true) => "TLS by a proxy in front of the portal",
                (false, false) => "Plain HTTP on this machine alone",
            },
        ),
        set(
            "Database",
            if app.store.is_postgres() {
                "PostgreSQL; what is deleted goes with its vacuum, and its own logs and replicas are the server's"
            } else {
                "SQLite files that only the portal's account can read; deleted rows are overwritten and the log is emptied"
            },
        ),
        set(
            "Sealed files",
            if setup.bucket {
                "In a bucket of an S3; every version is deleted, and a bucket that keeps deleted objects is refused"
            } else {
                "In a directory that only the portal's account can read"
            },
        ),
        set(
            "Parts of keys",
            if setup.shares_apart {
                "In a database of their own, left out of ordinary backups"
            } else {
                "In tables of their own, left out of ordinary backups"
            },
        ),
        set(
            "Backups",
            if backed_up {
                "Made by the portal; deletion reaches the sealed files in them, and a restored portal deletes again what was deleted"
            } else {
                "None made by the portal so far"
            },
        ),
        measure(
            Known::Program,
            "Second factor",
            format!(
                "Every account has one; content is read, and requests of persons concerned are handled, only within {} minutes of \
             showing it",
                FACTOR_SECONDS / 60
            ),
        ),
        program(
            "Need to know",
            "Deny by default: content is for technicians and leads on the ticket, each reading with a reason that is recorded \
             before the first byte",
        ),
        program(
            "Deletion",
            "Step by step, the part of the key first; a signed receipt only when the store says that nothing is there",
        ),
        measure(
            Known::Program,
            "Audit log",
            format!(
                "Every act in the same transaction, in a transparency log that {} signs; anyone can verify it",
                app.key.name()
            ),
        ),
        program("Attempts", "Sign-ins and requests are limited by account, token and network"),
    ]
}
