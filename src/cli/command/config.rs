//! `config show` and `completions`.

use std::io::Write;

use clap::CommandFactory;
use serde_json::{Map, Value, json};

use crate::cli::Desk;
use crate::cli::args::{Arguments, ConfigCommand, PortalArguments};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::shown;
use crate::cli::settings::Settings;

/// Prints every setting in force.
pub fn run(command: &ConfigCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ConfigCommand::Show { origin } = command;
    let settings = Settings::resolve(&PortalArguments::default(), &desk.home, desk.world)?;
    let mut fields: Map<String, Value> = Map::new();
    for (name, value, from) in settings.lines() {
        let source = if *origin { format!("   # {}", shown(&from)) } else { String::new() };
        desk.output.data(format!("{name} = {}{source}", shown(&value)));
        fields.insert(name.into(), json!({ "value": value, "origin": from }));
    }
    Ok(Outcome::done("ok").with("settings", fields))
}

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tarseal", &mut script);
    if desk.output.manner().json {
        return Ok(Outcome::done("ok").with("script", String::from_utf8_lossy(&script)));
    }
    desk.output.raw().write_all(&script).map_err(|error| Failure::local("The script was not written", &error))?;
    Ok(Outcome::done("ok"))
}
