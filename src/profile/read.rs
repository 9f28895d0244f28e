//! From TOML to a profile, and to the rules of its redaction.

use toml::de::DeTable;

use super::table::{At, Table, Text, nearest};
use super::{BadProfile, Profile, sources};
use crate::redact::{
    Action, BadPattern, Category, ColumnRule, FileRule, FileTreat, OpeningLimits, PatternRule, Rules, Treat,
};

/// Longest profile in bytes.
const LONGEST: usize = 1 << 20;
/// Most rules over columns, and over files.
const MOST_RULES: usize = 1000;
/// Most patterns.
const MOST_PATTERNS: usize = 200;

pub(super) fn profile(source: &str) -> Result<Profile, BadProfile> {
    let text = Text(source);
    if source.len() > LONGEST {
        return Err(text.wrong(0, "it is larger than 1 MiB"));
    }
    let document = DeTable::parse(source).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        text.wrong(at, error.message().lines().next().unwrap_or("it is no TOML"))
    })?;
    let top = document.get_ref();
    // A profile of a later format has keys that are unknown here: that it is later is what needs saying.
    if let Some(schema) =
        top.get("schema").filter(|value| value.get_ref().as_integer().is_some_and(|n| n.as_str() != "1"))
    {
        let number = schema.get_ref().as_integer().map_or("", |number| number.as_str());
        return Err(text
            .wrong(schema.span().start, format!("schema {number} is not known to this version"))
            .hint("use a newer tarseal, or write the profile for:  schema = 1"));
    }
    let top = Table::new(text, "", 0, top)?;
    top.number("schema", 1..=1)?;
    let name = name(text, top.required("name")?)?;
    let title = top.text("title")?.map_or_else(|| name.clone(), |(title, _)| title.to_owned());
    let purpose = top.text("purpose")?.map(|(purpose, _)| purpose.to_owned());
    let base = top.text("extends")?.map(|extends| base(text, extends)).transpose()?;
    let extends = base.as_ref().map(|base| base.name.clone());
    let (mut rules, mut collection) = base.map(|base| (base.rules, base.collection)).unwrap_or_default();
    if let Some(collect) = top.table("collect", "collect")? {
        sources::add(text, &collect, &mut collection)?;
    }
    if let Some(redact) = top.table("redact", "redact")? {
        add(text, &redact, &mut rules)?;
    }
    Ok(Profile { name, title, purpose, extends, rules, collection })
}

fn name(text: Text<'_>, (name, at): At<&str>) -> Result<String, BadProfile> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        let what = "\"name\" must be 1 to 64 letters, digits, '-', '_' and '.'";
        return Err(text.wrong(at.start, what));
    }
    Ok(name.to_owned())
}

fn base(text: Text<'_>, (name, at): At<&str>) -> Result<Profile, BadProfile> {
    // The built-in ones extend only those before them in this sense: generic extends none.
    Profile::built_in(name).ok_or_else(|| {
        let wrong = text.wrong(at.start, format!("there is no built-in profile \"{}\"", name.escape_debug()));
        match Profile::nearest(name) {
            Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
            None => wrong.hint(format!("the built-in profiles: {}", Profile::names().collect::<Vec<_>>().join(", "))),
        }
    })
}

/// Adds what a profile says to the rules of the one it extends; its own rules come first.
fn add(text: Text<'_>, redact: &Table<'_>, rules: &mut Rules) -> Result<(), BadProfile> {
    if let Some(actions) = redact.table("actions", "redact.actions")? {
        for (key, word) in actions.texts()? {
            let category = category(text, &key, false)?;
            rules.actions.insert(category, action(text, &word, category)?);
        }
    }
    if let Some(keys) = redact.table("keys", "redact.keys")? {
        for ((key, at), word) in keys.texts()? {
            let folded = Rules::folded_key(key);
            if folded.is_empty() || key.len() > 64 {
                let what = format!("a key must be 1 to 64 letters or digits, \"{}\" is not", key.escape_debug());
                return Err(text.wrong(at.start, what));
            }
            rules.keys.insert(folded, category(text, &word, false)?);
        }
    }
    rules.bare_numbers |= redact.is_true("bare_numbers")?;
    if let Some(limits) = redact.table("limits", "redact.limits")? {
        let OpeningLimits { opened, ratio, free, depth, members, database } = &mut rules.limits;
        *opened = limits.size("opened")?.unwrap_or(*opened);
        *ratio = limits.number("ratio", 1..=1_000_000)?.unwrap_or(*ratio);
        *free = limits.size("free")?.unwrap_or(*free);
        if let Some(number) = limits.number("depth", 0..=8)? {
            *depth = u32::try_from(number).expect("8 at most");
        }
        *database = limits.size("database")?.unwrap_or(*database);
        *members = limits.number("members", 0..=10_000_000)?.unwrap_or(*members);
    }
    let mut columns = Vec::new();
    for table in redact.tables("column", "redact.column", MOST_RULES)? {
        columns.push(column(text, &table)?);
    }
    rules.columns.splice(..0, columns);
    let mut files = Vec::new();
    for table in redact.tables("file", "redact.file", MOST_RULES)? {
        files.push(file(text, &table)?);
    }
    rules.files.splice(..0, files);
    let mut patterns = Vec::new();
    for table in redact.tables("pattern", "redact.pattern", MOST_PATTERNS)? {
        patterns.push(pattern(text, &table)?);
    }
    rules.patterns.splice(..0, patterns);
    Ok(())
}

fn column(text: Text<'_>, table: &Table<'_>) -> Result<ColumnRule, BadProfile> {
    let (tables, tables_at) = table.text("table")?.unwrap_or(("*", 0..0));
    let (columns, columns_at) = table.required("column")?;
    let word = table.required("treat")?;
    let treat = if word.0 == "scan" { Treat::Scan } else { Treat::Category(category(text, &word, true)?) };
    // Each glob is tried alone first, so that the line shown is the right one.
    ColumnRule::new("*", columns, treat).map_err(|error| text.wrong(columns_at.start, error.to_string()))?;
    ColumnRule::new(tables, columns, treat).map_err(|error| text.wrong(tables_at.start, error.to_string()))
}

fn file(text: Text<'_>, table: &Table<'_>) -> Result<FileRule, BadProfile> {
    let (path, at) = table.required("path")?;
    let treat = match (table.text("leave_out")?, table.is_true("scan")?) {
        (Some(_), true) => return Err(table.wrong("a file is left out or scanned, not both")),
        (Some((reason, _)), false) => FileTreat::LeaveOut { reason: reason.to_owned() },
        (None, true) => FileTreat::Scan,
        (None, false) => {
            let example = "say why these files are left out:  leave_out = \"login data\"";
            return Err(table.missing("leave_out").hint(example));
        }
    };
    FileRule::new(path, treat).map_err(|error| text.wrong(at.start, error.to_string()))
}

fn pattern(text: Text<'_>, table: &Table<'_>) -> Result<PatternRule, BadProfile> {
    let (name, _) = table.required("name")?;
    let (regex, at) = table.required("regex")?;
    let category = category(text, &table.required("category")?, false)?;
    PatternRule::new(name, regex, category).map_err(|error| {
        let wrong = text.wrong(at.start, format!("the pattern \"{}\" cannot be used: {error}", name.escape_debug()));
        match error {
            BadPattern::Syntax(_) => {
                wrong.hint("written in single quotes, a backslash is a backslash:  regex = '\\d+'")
            }
            _ => wrong,
        }
    })
}

fn category(text: Text<'_>, (word, at): &At<&str>, or_scan: bool) -> Result<Category, BadProfile> {
    word.parse().map_err(|_| {
        let wrong = text.wrong(at.start, format!("there is no category \"{}\"", word.escape_debug()));
        let known = || Category::ALL.iter().map(|category| category.word()).chain(or_scan.then_some("scan"));
        match nearest(word, known()) {
            Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
            None => wrong.hint(format!("the categories: {}", known().collect::<Vec<_>>().join(", "))),
        }
    })
}

fn action(text: Text<'_>, (word, at): &At<&str>, category: Category) -> Result<Action, BadProfile> {
    let action: Action = word.parse().map_err(|_| {
        let wrong = text.wrong(at.start, format!("there is no action \"{}\"", word.escape_debug()));
        match nearest(word, Action::ALL.iter().map(|action| action.word())) {
            Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
            None => wrong.hint("the actions: stand-in, drop, keep; for phone also keep-country"),
        }
    })?;
    if action == Action::KeepCountry && category != Category::Phone {
        return Err(text.wrong(at.start, "only phone numbers have a country to keep"));
    }
    Ok(action)
}
