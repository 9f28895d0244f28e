//! From TOML to what is collected.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::BadProfile;
use super::keys::{FORMATS, PRIORITIES, RUNTIMES};
use super::table::{At, Table, Text};
use crate::collect::{
    ArchiveSource, Collection, CommandSource, ContainerSource, FileSource, Globs, JournalSource, KubernetesSource,
    SourceKind, SourceRule, is_secret,
};
use crate::item::ArchivePath;

/// Most sources of each kind, and most words in a list.
const MOST: usize = 200;
/// Most arguments of a command.
const MOST_ARGUMENTS: usize = 64;

/// Adds what a profile says to what the one it extends collects; its own sources come first.
pub(super) fn add(text: Text<'_>, collect: &Table<'_>, collection: &mut Collection) -> Result<(), BadProfile> {
    if collect.is_true("own_only")? {
        *collection = Collection::default();
    }
    if let Some(window) = collect.table("window", "collect.window")? {
        let rule = &mut collection.window;
        rule.last = seconds(window.time("last")?).or(rule.last);
        rule.slack = seconds(window.time("slack")?).unwrap_or(rule.slack);
        if let Some((name, at)) = window.text("zone")? {
            let zone = TimeZone::get(name).map_err(|_| {
                text.wrong(at.start, format!("there is no time zone \"{}\"", name.escape_debug()))
                    .hint("for example UTC or Europe/Brussels")
            })?;
            rule.zone = Some(zone);
        }
    }
    if let Some(table) = collect.table("limits", "collect.limits")? {
        let limits = &mut collection.limits;
        limits.total = table.size("total")?.unwrap_or(limits.total);
        limits.source = table.size("source")?.unwrap_or(limits.source);
        for (key, limit) in [
            ("item_time", &mut limits.item_time),
            ("source_time", &mut limits.source_time),
            ("total_time", &mut limits.total_time),
        ] {
            *limit = duration(&table, key)?.unwrap_or(*limit);
        }
        if let Some(number) = table.number("parallel", 1..=16)? {
            limits.parallel = usize::try_from(number).expect("16 at most");
        }
        limits.full_speed |= table.is_true("full_speed")?;
    }
    let mut own = Vec::new();
    for table in collect.tables("file", "collect.file", MOST)? {
        own.push(file(text, &table)?);
    }
    for table in collect.tables("command", "collect.command", MOST)? {
        own.push(command(text, &table)?);
    }
    for table in collect.tables("journal", "collect.journal", MOST)? {
        own.push(journal(text, &table)?);
    }
    for table in collect.tables("container", "collect.container", MOST)? {
        own.push(container(text, &table)?);
    }
    for table in collect.tables("kubernetes", "collect.kubernetes", MOST)? {
        own.push(kubernetes(text, &table)?);
    }
    for table in collect.tables("archive", "collect.archive", MOST)? {
        own.push(archive(text, &table)?);
    }
    collection.sources.splice(..0, own);
    Ok(())
}

fn seconds(time: Option<u64>) -> Option<i64> {
    time.map(|seconds| i64::try_from(seconds).expect("a year at most"))
}

/// A time that is longer than nothing.
fn duration(table: &Table<'_>, key: &str) -> Result<Option<Duration>, BadProfile> {
    match table.time(key)? {
        Some(0) => Err(table.wrong(format!("\"{key}\" must be 1s at least"))),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

/// What every source may have.
fn rule(table: &Table<'_>, name: &str, kind: SourceKind) -> Result<SourceRule, BadProfile> {
    let name = table.text("name")?.map_or(name, |(name, _)| name);
    Ok(SourceRule {
        name: name.chars().take(200).collect(),
        kind,
        required: table.is_true("required")?,
        low: table.is_true("low")?,
        limit: table.size("limit")?,
    })
}

fn file(text: Text<'_>, table: &Table<'_>) -> Result<SourceRule, BadProfile> {
    let paths = paths(text, table)?;
    let name = paths[0].clone();
    let files = FileSource {
        paths,
        exclude: globs(text, table, "exclude")?,
        window: table.is_true("window")?,
        network: table.is_true("network")?,
    };
    rule(table, &name, SourceKind::Files(files))
}

fn command(text: Text<'_>, table: &Table<'_>) -> Result<SourceRule, BadProfile> {
    let run = table.list("run", MOST_ARGUMENTS)?;
    let (program, at) = &run[0];
    if program.contains('/') && !program.starts_with('/') || program.contains(char::is_whitespace) {
        let wrong = text.wrong(at.start, "a program is a name, or a path from the root");
        return Err(wrong.hint("arguments are texts of their own:  run = [\"uname\", \"-a\"]"));
    }
    let words: Vec<String> = run.iter().map(|(word, _)| word.clone()).collect();
    let name = words.join(" ");
    let save_as = match table.text("save_as")? {
        Some((path, at)) => {
            path.parse().map_err(|error: crate::item::BadPath| text.wrong(at.start, error.to_string()))?
        }
        None => default_path(&words),
    };
    let environment = table.list("environment", MOST)?;
    for (name, at) in &environment {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(text.wrong(at.start, format!("\"{}\" is no name of a variable", name.escape_debug())));
        }
    }
    let source = CommandSource {
        run: words,
        save_as,
        environment: plain(environment),
        window: table.is_true("window")?,
        time: duration(table, "time")?,
    };
    rule(table, &name, SourceKind::Command(source))
}

/// `commands/ip_-j_address.txt` for `ip -j address`.
fn default_path(words: &[String]) -> ArchivePath {
    let joined = words.join(" ");
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '+' | '=' | ',') { c } else { '_' };
    let name: String = joined.trim_start_matches('/').chars().take(120).map(fits).collect();
    format!("commands/{name}.txt").parse().expect("letters, digits and a few marks")
}

fn journal(text: Text<'_>, table: &Table<'_>) -> Result<SourceRule, BadProfile> {
    let units = table.list("units", MOST)?;
    no_options(text, &units)?;
    let source = JournalSource {
        units: plain(units),
        priority: table.one_of("priority", &PRIORITIES)?.map(str::to_owned),
        format: table.one_of("format", &FORMATS)?.unwrap_or(FORMATS[0]).to_owned(),
    };
    rule(table, "journal", SourceKind::Journal(source))
}

fn container(text: Text<'_>, table: &Table<'_>) -> Result<SourceRule, BadProfile> {
    let runtime = table.one_of("runtime", &RUNTIMES)?.ok_or_else(|| table.missing("runtime"))?.to_owned();
    let mut containers = globs(text, table, "containers")?;
    if containers.texts().is_empty() {
        containers = Globs::new(vec!["*".into()]).expect("a star is a glob");
    }
    let name = runtime.clone();
    rule(table, &name, SourceKind::Containers(ContainerSource { runtime, containers }))
}

fn kubernetes(text: Text<'_>, table: &Table<'_>) -> Result<SourceRule, BadProfile> {
    let namespaces = table.list("namespaces", MOST)?;
    for (name, at) in &namespaces {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.len() > 63 || name.starts_with('-') || !name.bytes().all(fits) {
            return Err(text.wrong(at.start, format!("\"{}\" is no name of a namespace", name.escape_debug())));
        }
    }
    let resources = table.list("resources", MOST)?;
    no_options(text, &resources)?;
    for (kind, at) in &resources {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !kind.bytes().all(fits) {
            return Err(text.wrong(at.start, format!("\"{}\" is no kind of resource", kind.escape_debug())));
        }
        if is_secret(kind) {
            return Err(text.wrong(at.start, "values of secrets are never read"));
        }
    }
    let source = KubernetesSource {
        namespaces: plain(namespaces),
        selector: table.text("selector")?.map(|(selector, _)| selector.to_owned()),
        previous: table.is_true("previous")?,
        resources: plain(resources),
    };
    rule(table, "kubernetes", SourceKind::Kubernetes(source))
}

fn archive(text: Text<'_>, table: &Table<'_>) -> Result<SourceRule, BadProfile> {
    let what = table.required("what")?.0.to_owned();
    let source = ArchiveSource {
        paths: paths(text, table)?,
        all: table.is_true("all")?,
        what: what.clone(),
        must_hold: plain(table.list("must_hold", MOST)?),
        logs: globs(text, table, "logs")?,
        exclude: globs(text, table, "exclude")?,
        low: globs(text, table, "low_members")?,
    };
    rule(table, &what, SourceKind::Archive(source))
}

/// Paths from the root or from the user's home, each a good glob.
fn paths(text: Text<'_>, table: &Table<'_>) -> Result<Vec<String>, BadProfile> {
    let paths = table.list("paths", MOST)?;
    for (path, at) in &paths {
        if !path.starts_with('/') && !path.starts_with("~/") {
            let wrong = text.wrong(at.start, format!("\"{}\" is no path from the root", path.escape_debug()));
            return Err(wrong.hint("a path begins with / or, in your home, with ~/"));
        }
        good_glob(text, path, at.start)?;
    }
    Ok(plain(paths))
}

fn globs(text: Text<'_>, table: &Table<'_>, key: &str) -> Result<Globs, BadProfile> {
    let globs = table.list(key, MOST)?;
    for (glob, at) in &globs {
        good_glob(text, glob, at.start)?;
    }
    Globs::new(plain(globs)).map_err(|(glob, error)| table.wrong(format!("\"{glob}\" is no glob: {}", error.kind())))
}

fn good_glob(text: Text<'_>, glob: &str, at: usize) -> Result<(), BadProfile> {
    let checked = Globs::new(vec![glob.to_owned()]);
    checked
        .map(drop)
        .map_err(|(_, error)| text.wrong(at, format!("\"{}\" is no glob: {}", glob.escape_debug(), error.kind())))
}

/// Words that are handed to a program must not be options of it.
fn no_options(text: Text<'_>, words: &[At<String>]) -> Result<(), BadProfile> {
    match words.iter().find(|(word, _)| word.starts_with('-')) {
        Some((word, at)) => Err(text.wrong(at.start, format!("\"{}\" looks like an option", word.escape_debug()))),
        None => Ok(()),
    }
}

fn plain(words: Vec<At<String>>) -> Vec<String> {
    words.into_iter().map(|(word, _)| word).collect()
}
