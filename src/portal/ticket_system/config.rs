//! What the operator writes down: `[[source]]` tables in TOML, each laid over its preset.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use super::error::TicketSystemsError;
use super::read::Times;
use super::source::Source;
use crate::ids::{SourceName, TenantId};

/// The longest file of ticket systems in bytes.
const LIMIT: u64 = 1 << 20;

/// The presets, by the names of the systems.
const PRESETS: [(&str, &str); 5] = [
    ("zammad", include_str!("presets/zammad.toml")),
    ("jira", include_str!("presets/jira.toml")),
    ("gitlab", include_str!("presets/gitlab.toml")),
    ("servicenow", include_str!("presets/servicenow.toml")),
    ("github", include_str!("presets/github.toml")),
];

/// One ticket system of one tenant, preset and all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) name: SourceName,
    pub(super) tenant: TenantId,
    pub(super) address: String,
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    /// What the portal's names of its tickets begin with, and its own do not.
    #[serde(default)]
    pub(super) prefix: String,
    #[serde(default = "hour")]
    pub(super) every: Span,
    #[serde(default = "sixty")]
    pub(super) requests_per_minute: u32,
    #[serde(default = "twenty_seconds")]
    pub(super) timeout: Span,
    #[serde(default = "mebibyte")]
    pub(super) reply_limit: usize,
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) login: Option<Login>,
    pub(super) ask: Ask,
    pub(super) read: Read,
    pub(super) merged: Option<Merged>,
    pub(super) list: Option<List>,
    pub(super) hook: Option<Hook>,
}

/// How it knows who asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    pub(super) kind: LoginKind,
    /// The file of the token or password. A preset has none.
    pub(super) file: Option<PathBuf>,
    pub(super) user: Option<String>,
    pub(super) header: Option<String>,
    #[serde(default)]
    pub(super) prefix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LoginKind {
    Bearer,
    Basic,
    Header,
}

/// How it is asked for one ticket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    pub(super) url: String,
    #[serde(default = "not_found_and_gone")]
    pub(super) missing: Vec<u16>,
    /// What must be there to be seen before "no such ticket" is believed.
    pub(super) probe: Option<String>,
    pub(super) probe_holds: Option<String>,
}

/// Where in the answer what stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    pub(super) items: Option<String>,
    pub(super) ticket: Option<String>,
    #[serde(default)]
    pub(super) renamed: bool,
    pub(super) state: String,
    pub(super) closed_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) merged_into: Option<String>,
    #[serde(default)]
    pub(super) open: Vec<String>,
    pub(super) closed: Vec<String>,
    #[serde(default)]
    pub(super) merged: Vec<String>,
    #[serde(default = "rfc_3339")]
    pub(super) times: Times,
}

/// The second question about a ticket that was merged: into which?
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Merged {
    pub(super) url: String,
    pub(super) id: String,
    pub(super) items: String,
    #[serde(rename = "where", default)]
    pub(super) conditions: BTreeMap<String, String>,
    pub(super) value: String,
    pub(super) ticket: String,
}

/// How it is asked for what changed of late.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) url: String,
    #[serde(default = "five_minutes")]
    pub(super) every: Span,
    #[serde(default)]
    pub(super) items: String,
    pub(super) page_size: Option<usize>,
    pub(super) next: Option<String>,
    pub(super) next_parameter: Option<String>,
}

/// What a webhook of it looks like.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hook {
    pub(super) signature: SignatureKind,
    #[serde(default)]
    pub(super) header: String,
    #[serde(default)]
    pub(super) prefix: String,
    /// The file of the secret. A preset has none: without it there is no hook.
    pub(super) secret_file: Option<PathBuf>,
    pub(super) ticket: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SignatureKind {
    /// HMAC of the body with SHA-256, in hexadecimal.
    HmacSha256,
    /// The same with SHA-1.
    HmacSha1,
    /// The secret itself.
    Token,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature` as in <https://www.standardwebhooks.com>.
    StandardWebhooks,
}

/// A length of time: `15m`, `1h`, `20s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = text.parse::<jiff::SignedDuration>().ok().and_then(|length| Duration::try_from(length).ok());
        read.map(Self).ok_or_else(|| serde::de::Error::custom("expected a length of time such as 15m or 1h"))
    }
}

const fn hour() -> Span {
    Span(Duration::from_secs(3600))
}

const fn five_minutes() -> Span {
    Span(Duration::from_secs(300))
}

const fn twenty_seconds() -> Span {
    Span(Duration::from_secs(20))
}

const fn sixty() -> u32 {
    60
}

const fn mebibyte() -> usize {
    1 << 20
}

fn not_found_and_gone() -> Vec<u16> {
    vec![404, 410]
}

const fn rfc_3339() -> Times {
    Times::Rfc3339
}

/// Reads the ticket systems of a file, or of the `*.toml` files of a directory by name. Names are unique, and no two systems of
/// one tenant have tickets of the same name: one of them would not know them, and that means something.
pub(super) fn read(path: &Path) -> Result<Vec<Source>, TicketSystemsError> {
    let mut sources = Vec::new();
    for file in files(path)? {
        let table = text(&file)?.parse::<Table>();
        let mut table =
            table.map_err(|fault| TicketSystemsError::Syntax(file.clone(), one_line(&fault.to_string())))?;
        let written = match table.remove("source") {
            Some(Value::Array(sources)) => sources,
            _ => return Err(TicketSystemsError::Syntax(file, String::from("it holds no [[source]]"))),
        };
        if let Some(other) = table.keys().next() {
            let what = format!("\"{}\" is not known; everything stands in [[source]]", other.escape_debug());
            return Err(TicketSystemsError::Syntax(file, what));
        }
        let directory = file.parent().unwrap_or(Path::new(""));
        for source in written {
            sources.push(one(source, directory)?);
        }
    }
    check_together(&sources)?;
    Ok(sources)
}

fn one(source: Value, directory: &Path) -> Result<Source, TicketSystemsError> {
    let name = source.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let unusable = |what: String| TicketSystemsError::Source(name.clone(), what);
    let Value::Table(mut above) = source else { return Err(unusable(String::from("it is no table"))) };
    let mut table = match above.remove("preset") {
        None => Table::new(),
        Some(preset) => preset_of(preset.as_str().unwrap_or_default()).map_err(unusable)?,
    };
    lay_over(&mut table, above);
    let written = Value::Table(table).try_into::<Written>().map_err(|fault| unusable(one_line(fault.message())))?;
    Source::new(written, directory).map_err(|fault| match fault {
        TicketSystemsError::Source(_, what) => unusable(what),
        other => other,
    })
}

fn preset_of(name: &str) -> Result<Table, String> {
    let Some((_, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no preset \"{}\" (one of: {})", name.escape_debug(), known.join(", ")));
    };
    Ok(text.parse().expect("the presets are TOML: a test reads them"))
}

/// Lays one table over another: tables are laid over each other in turn, `false` removes what is below, and anything else
/// takes its place.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => lay_over(old, new),
            (Some(Value::Table(_)), Value::Boolean(false)) => {
                below.remove(&key);
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn check_together(sources: &[Source]) -> Result<(), TicketSystemsError> {
    let mut names = BTreeSet::new();
    for (number, source) in sources.iter().enumerate() {
        let unusable = |what: &str| TicketSystemsError::Source(source.name.to_string(), what.to_owned());
        if !names.insert(source.name.as_str()) {
            return Err(unusable("another one has this name"));
        }
        let overlap = |other: &&Source| {
            other.tenant == source.tenant
                && (other.prefix.starts_with(&source.prefix) || source.prefix.starts_with(&other.prefix))
        };
        if let Some(other) = sources[..number].iter().find(overlap) {
            return Err(unusable(&format!(
                "it and \"{}\" could both have a ticket of one name; give each a prefix of its own",
                other.name
            )));
        }
    }
    Ok(())
}

fn files(path: &Path) -> Result<Vec<PathBuf>, TicketSystemsError> {
    let unreadable = |fault| TicketSystemsError::File(path.to_owned(), fault);
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn text(file: &Path) -> Result<String, TicketSystemsError> {
    use std::io::Read as _;
    let unreadable = |fault| TicketSystemsError::File(file.to_owned(), fault);
    let mut text = String::new();
    std::fs::File::open(file).map_err(unreadable)?.take(LIMIT + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LIMIT {
        return Err(TicketSystemsError::Syntax(file.to_owned(), String::from("it is longer than 1 MiB")));
    }
    Ok(text)
}

/// A message of the parser without the text it is about, which might hold what should have stood in a file.
fn one_line(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains('|')).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) fn presets() -> impl Iterator<Item = (&'static str, Table)> {
    PRESETS.iter().map(|(name, text)| (*name, text.parse().unwrap()))
}
