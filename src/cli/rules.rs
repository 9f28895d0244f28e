//! What a run redacts by: the profile and the watch list, from flags or settings.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::args::RulesArguments;
use super::exit::{Exit, Failure};
use super::output::shown;
use super::settings::Settings;
use crate::profile::Profile;
use crate::redact::GateHit;

/// Largest profile and watch list that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// The profile with the names of the watch list among its rules.
pub fn profile(arguments: &RulesArguments, settings: &Settings) -> Result<Profile, Failure> {
    let word = arguments.profile.as_deref().or_else(|| settings.profile.as_ref().map(|set| set.value.as_str()));
    let mut profile = word.map_or_else(|| Ok(Profile::default()), named)?;
    let file = arguments.watchlist.as_deref();
    if let Some(file) = file.or_else(|| settings.watchlist.as_ref().map(|set| set.value.as_path())) {
        profile.rules.watch_list = watch_list(file)?;
    }
    Ok(profile)
}

/// The built-in profile of that name, or the one in that file. What is a file's name has a slash or a dot.
pub fn named(word: &str) -> Result<Profile, Failure> {
    if let Some(profile) = Profile::built_in(word) {
        return Ok(profile);
    }
    if word.contains(['/', '.']) {
        let profile = read(Path::new(word))?;
        may_run(Path::new(word), &profile)?;
        return Ok(profile);
    }
    let failure = Failure::usage(format_args!("There is no profile \"{}\".", shown(word)));
    Err(match Profile::nearest(word) {
        Some(near) => failure.next(format!("Did you mean:  --profile {near}")),
        None => failure.next(format!("The built-in profiles: {}.", Profile::names().collect::<Vec<_>>().join(", "))),
    }
    .next(format!("A file of your own is named with a slash or its ending:  --profile ./{}.toml", shown(word))))
}

/// Refuses a profile that runs commands where everybody can write to it.
fn may_run(file: &Path, profile: &Profile) -> Result<(), Failure> {
    let runs = profile.collection.sources.iter().any(|rule| rule.kind.word() == "command");
    if runs && file.metadata().is_ok_and(|metadata| metadata.mode() & 0o002 != 0) {
        let place = shown(&file.display().to_string()).into_owned();
        return Err(Failure::usage(format_args!(
            "Everybody on this computer can write to {place}, and it runs commands."
        ))
        .next(format!("Make it yours:  chmod go-w {place}")));
    }
    Ok(())
}

/// The built-in profile of that name: what another may name, who must not point to a file here.
pub fn built_in(word: &str) -> Result<Profile, Failure> {
    Profile::built_in(word).ok_or_else(|| {
        let failure = Failure::usage(format_args!("There is no built-in profile \"{}\".", shown(word)));
        failure.next(format!("Those that are: {}.", Profile::names().collect::<Vec<_>>().join(", ")))
    })
}

/// Reads and checks a profile.
pub fn read(file: &Path) -> Result<Profile, Failure> {
    let text = text(file, "profile")?;
    Profile::read(&text).map_err(|error| {
        let place = shown(&file.display().to_string()).into_owned();
        let failure = Failure::usage(format_args!("{place}, line {}: {}.", error.line, shown(&error.what)));
        match &error.hint {
            Some(hint) => failure.next(shown(hint)),
            None => failure,
        }
    })
}

/// One name a line; empty lines and lines that begin with `#` are passed over.
fn watch_list(file: &Path) -> Result<Vec<String>, Failure> {
    let text = text(file, "watch list")?;
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(names.map(str::to_owned).collect())
}

fn text(file: &Path, what: &str) -> Result<String, Failure> {
    let shown = shown(&file.display().to_string()).into_owned();
    let local = |error: std::io::Error| Failure::local(format_args!("The {what} {shown}"), &error);
    if file.metadata().map_err(local)?.len() > LARGEST {
        return Err(Failure::usage(format_args!("{shown} is too large to be a {what}.")));
    }
    let bytes = fs::read(file).map_err(local)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        Failure::usage(format_args!("The {what} {shown} is not UTF-8 text; line {line} is the first that is not."))
            .next(format!("Save it as UTF-8, for example:  iconv -f latin1 -t utf8 {shown} > new"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The gate stopped a run: where, and how to go on. The value is told apart, and only to who asked: see [`show_value`].
pub fn gate_failure(hit: &GateHit) -> Failure {
    let place = match hit.path.as_str() {
        "" => "the input".to_owned(),
        path => shown(path).into_owned(),
    };
    let rule = hit.rule.word();
    let mut failure = Failure::new(
        Exit::Gate,
        format_args!("The gate stopped it: {place}, line {} still looks like personal data ({rule}).", hit.line),
    )
    .left("Nothing was sealed, nothing has left this computer. This cannot be switched off.")
    .next("How to go on, one of these, in a profile of your own (tarseal profile show generic):")
    .next("  a name: one line of it in a file, and  --watchlist FILE")
    .next(format!("  a pattern for what stands there:  [[redact.pattern]] with  category = \"{rule}\""));
    if !hit.path.is_empty() {
        failure = failure.next("  leave the file out:  [[redact.file]] with  path = \"…\"  leave_out = \"why\"");
    }
    failure.next("To see what stands there, at a terminal:  --show-values")
}
