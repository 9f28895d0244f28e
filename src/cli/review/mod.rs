//! The review: what a snapshot holds, for the person who answers for it, before it leaves.
//!
//! [`Review`] has everything in words; [`page`](Review::page) makes a static page for the browser of it, [`lines`](Review::lines)
//! the same as text. It holds a few values in clear, so it stays on this computer: nothing of it goes into the snapshot, the
//! manifest or the events of `--json`.

mod page;
mod text;

use std::collections::HashMap;

use super::command::{Told, in_part, window_in_words};
use super::output::{count, shown, size};
use crate::format::SlotKind;
use crate::pipeline::Created;
use crate::profile::Profile;
use crate::redact::{Category, Sample};

/// Most rows of a table; what is beyond them is counted.
const MOST_ROWS: usize = 2000;
/// Most words that are told as set aside.
const MOST_ASIDE: usize = 200;

/// What the review tells, in words, with what came from outside made visible.
pub struct Review {
    title: String,
    facts: Vec<(&'static str, String)>,
    redacted: bool,
    totals: Vec<Row>,
    files: Vec<File>,
    more_files: Option<String>,
    samples: Vec<Samples>,
    aside: Vec<Aside>,
    more_aside: Option<String>,
    left_out: Vec<Row>,
    more_left_out: Option<String>,
    profile: InForce,
}

/// A name and what is said of it.
struct Row {
    name: String,
    says: String,
}

struct File {
    path: String,
    size: String,
    findings: String,
}

/// The samples of one category.
struct Samples {
    category: &'static str,
    list: Vec<Shown>,
}

struct Shown {
    place: String,
    left: String,
    value: String,
    /// The value is a secret, and `value` says so instead.
    hidden: bool,
    stand_in: String,
    right: String,
}

struct Aside {
    value: String,
    category: &'static str,
    reason: &'static str,
}

/// The profile in words.
struct InForce {
    name: String,
    title: String,
    purpose: Option<String>,
    actions: Vec<(&'static str, &'static str, bool)>,
    rules: Vec<Row>,
}

impl Review {
    /// Puts into words what was created. `portal` is where it will go, if it goes.
    pub fn new(created: &Created, told: &Told, portal: Option<&str>) -> Self {
        let manifest = &created.manifest;
        let ticket = manifest.ticket.as_ref().map(ToString::to_string);
        let mut facts = vec![
            ("Snapshot", created.file_id.to_string()),
            ("Ticket", ticket.clone().unwrap_or_else(|| "none".into())),
            ("Made", manifest.created.to_string()),
            (
                "Goes to",
                portal.map_or_else(|| "nowhere by itself: it was only sealed".into(), |url| shown(url).into_owned()),
            ),
        ];
        for recipient in &told.recipients {
            facts.push((
                "Who can open it",
                match recipient.kind() {
                    SlotKind::Passphrase => "whoever knows the passphrase".into(),
                    SlotKind::SharedKey => {
                        format!("whoever holds the shared key with the fingerprint {}", recipient.fingerprint())
                    }
                    _ => format!("the key with the fingerprint {}", recipient.fingerprint()),
                },
            ));
        }
        if let Some(sender) = &told.sender {
            facts.push(("Signed by", format!("the sender with the fingerprint {}", sender.fingerprint())));
        }
        let report = manifest.collected.as_ref();
        if let Some(window) = report.and_then(window_in_words) {
            facts.push(("Logs", format!("only what was written {window}")));
        }
        for source in report.iter().flat_map(|report| &report.sources) {
            let came = format!("{}, {}", count(source.items, "item"), size(source.bytes));
            facts.push(("Collected", format!("{} {}: {came}", source.kind, shown(&source.name))));
        }
        facts.push(("Files", count(manifest.entries.len() as u64, "file")));
        facts.push(("Sealed size", size(created.size)));
        facts.push(("Digest of the sealed file (SHA-256)", created.sha256.to_string()));
        let title = match &ticket {
            Some(ticket) => format!("Review of the snapshot for ticket {ticket}"),
            None => "Review of a snapshot".into(),
        };
        Self {
            title,
            facts,
            redacted: manifest.redacted,
            totals: manifest
                .findings
                .iter()
                .map(|(category, number)| Row { name: category.word().into(), says: count(*number, "value") })
                .collect(),
            files: manifest.entries.iter().take(MOST_ROWS).map(file).collect(),
            more_files: more(manifest.entries.len(), MOST_ROWS, "more file"),
            samples: samples(&created.samples),
            aside: created.set_aside.iter().take(MOST_ASIDE).map(aside).collect(),
            more_aside: more(created.set_aside.len(), MOST_ASIDE, "more word"),
            left_out: manifest
                .left_out
                .iter()
                .map(|one| left_out(one, &told.profile))
                .chain(report.iter().flat_map(|report| &report.fell_out).filter(|one| one.in_part).map(part))
                .take(MOST_ROWS)
                .collect(),
            more_left_out: more(manifest.left_out.len(), MOST_ROWS, "more file"),
            profile: profile(&told.profile),
        }
    }
}

fn more(all: usize, most: usize, noun: &str) -> Option<String> {
    (all > most).then(|| count((all - most) as u64, noun))
}

fn file(entry: &crate::pack::Entry) -> File {
    let findings: Vec<String> =
        entry.findings.iter().map(|(category, number)| format!("{number} {}", category.word())).collect();
    File {
        path: shown(entry.path.as_str()).into_owned(),
        size: size(entry.size),
        findings: if findings.is_empty() { "nothing".into() } else { findings.join(", ") },
    }
}

fn samples(all: &[Sample]) -> Vec<Samples> {
    let mut by_category: HashMap<Category, Vec<Shown>> = HashMap::new();
    for sample in all {
        let text = |text: &str| shown(text).into_owned();
        by_category.entry(sample.category).or_default().push(Shown {
            place: format!("{}, line {}", shown(&sample.path), sample.line),
            left: text(&sample.left),
            value: sample.value.as_deref().map_or_else(|| "a secret, not shown".into(), text),
            hidden: sample.value.is_none(),
            stand_in: text(&sample.stand_in),
            right: text(&sample.right),
        });
    }
    Category::ALL
        .into_iter()
        .filter_map(|category| Some(Samples { category: category.word(), list: by_category.remove(&category)? }))
        .collect()
}

fn aside(one: &crate::redact::SetAside) -> Aside {
    Aside { value: shown(&one.value).into_owned(), category: one.category.word(), reason: one.reason }
}

fn left_out(one: &crate::item::LeftOut, profile: &Profile) -> Row {
    let rule = profile.rules.leaves_out(&one.path).and_then(|rule| rule.reason());
    let says = match rule.filter(|_| one.reason == crate::item::Reason::ByProfile) {
        Some(reason) => format!("{}: {}", one.reason.words(), shown(reason)),
        None => one.reason.words().to_owned(),
    };
    Row { name: shown(&one.path).into_owned(), says }
}

fn part(one: &crate::item::FellOut) -> Row {
    Row { name: format!("{} (in part)", shown(&one.path)), says: in_part(one) }
}

fn profile(profile: &Profile) -> InForce {
    let rules = &profile.rules;
    let text = |text: &str| shown(text).into_owned();
    let mut told: Vec<Row> = Vec::new();
    for file in &rules.files {
        let says =
            file.reason().map_or_else(|| "read like any other".into(), |why| format!("left out: {}", shown(why)));
        told.push(Row { name: format!("files {}", shown(file.path())), says });
    }
    for pattern in &rules.patterns {
        told.push(Row {
            name: format!("pattern \"{}\"", shown(pattern.name())),
            says: pattern.category().word().into(),
        });
    }
    for column in &rules.columns {
        let name = format!("column {} of {}", shown(column.column()), shown(column.table()));
        told.push(Row { name, says: column.treat.to_string() });
    }
    for (key, category) in &rules.keys {
        told.push(Row { name: format!("key {}", shown(key)), says: category.word().into() });
    }
    let names = rules.watch_list.len();
    if names > 0 {
        told.push(Row { name: "watch list".into(), says: count(names as u64, "name") });
    }
    InForce {
        name: text(&profile.name),
        title: text(&profile.title),
        purpose: profile.purpose.as_deref().map(text),
        actions: Category::ALL
            .map(|category| {
                let action = rules.action(category);
                (category.word(), action.word(), action != category.default_action())
            })
            .into(),
        rules: told,
    }
}
