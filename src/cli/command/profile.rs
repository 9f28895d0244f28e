//! `profile`: the profiles there are, what they say, and whether one of your own can be used.

use serde_json::json;

use super::collected::words;
use crate::cli::args::ProfileCommand;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::cli::{Desk, rules};
use crate::collect::SourceKind;
use crate::profile::{Profile, schema};
use crate::redact::{Action, Category, PatternRule, Rules};

/// Runs a command on profiles.
pub fn run(command: &ProfileCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        ProfileCommand::List => Ok(list(desk)),
        ProfileCommand::Show { name } => show(name, desk),
        ProfileCommand::Check { file } => {
            let profile = rules::read(file)?;
            desk.output.headline("VALID.", &format!("{}: {}.", shown(&profile.title), summary(&profile.rules)));
            for source in &profile.collection.sources {
                desk.output.say(format!("  collects  {:<10}  {}", source.kind.word(), shown(&source.name)));
                if let SourceKind::Command(command) = &source.kind {
                    desk.output.say(format!("            runs        {}", words(&command.run)));
                }
            }
            Ok(Outcome::done("valid").with("profile", described(&profile)))
        }
        ProfileCommand::Schema => {
            let schema = schema();
            desk.output.data(serde_json::to_string_pretty(&schema).expect("a schema is plain JSON"));
            Ok(Outcome::done("ok").with("schema", schema))
        }
    }
}

fn list(desk: &Desk<'_>) -> Outcome {
    let profiles: Vec<_> = Profile::names().filter_map(Profile::built_in).collect();
    for profile in &profiles {
        desk.output.data(format!("{:<16} {}", profile.name, profile.title));
    }
    Outcome::done("ok").with("profiles", profiles.iter().map(described).collect::<Vec<_>>())
}

/// Prints a profile's text, to read or to begin one of your own with.
fn show(name: &str, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let profile = rules::named(name)?;
    match Profile::text(name) {
        Some(text) => desk.output.data(text.trim_end()),
        None => {
            let text = std::fs::read_to_string(name).map_err(|error| Failure::local(shown(name), &error))?;
            desk.output.data(text.lines().map(shown).collect::<Vec<_>>().join("\n"));
        }
    }
    Ok(Outcome::done("ok").with("profile", described(&profile)))
}

fn summary(rules: &Rules) -> String {
    [
        count(rules.actions.len() as u64, "action"),
        count(rules.keys.len() as u64, "key"),
        count(rules.columns.len() as u64, "column rule"),
        count(rules.files.len() as u64, "file rule"),
        count(rules.patterns.len() as u64, "pattern"),
    ]
    .join(", ")
}

/// A profile in JSON: every action, also those that are not named, and how many rules of each kind.
fn described(profile: &Profile) -> serde_json::Value {
    let rules = &profile.rules;
    let actions: serde_json::Map<_, _> = Category::ALL
        .into_iter()
        .map(|category| (category.word().to_owned(), json!(Action::word(rules.action(category)))))
        .collect();
    json!({
        "name": profile.name, "title": profile.title, "purpose": profile.purpose, "extends": profile.extends,
        "actions": actions, "keys": rules.keys.len(), "columns": rules.columns.len(), "files": rules.files.len(),
        "sources": profile.collection.sources.iter()
            .map(|source| json!({ "kind": source.kind.word(), "name": source.name }))
            .collect::<Vec<_>>(),
        "patterns": rules.patterns.iter().map(PatternRule::name).collect::<Vec<_>>(),
    })
}
