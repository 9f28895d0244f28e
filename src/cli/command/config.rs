//! `config show`, `config schema` and `completions`.

use clap::CommandFactory;
use serde_json::{Map, Value, json};

use crate::cli::Desk;
use crate::cli::args::{Arguments, ConfigCommand, PortalArguments};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::{Output, shown};
use crate::cli::settings::{self, Settings};

/// Prints the settings, or what may stand in a file of them.
pub fn run(command: &ConfigCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match *command {
        ConfigCommand::Show { origin } => show(origin, desk),
        ConfigCommand::Schema => {
            let schema = settings::schema();
            desk.output.data(serde_json::to_string_pretty(&schema).expect("a schema is plain JSON"));
            Ok(Outcome::done("ok").with("schema", schema))
        }
    }
}

/// Prints every setting in force.
fn show(origin: bool, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let settings = Settings::resolve(&PortalArguments::default(), &desk.home, desk.world)?;
    let mut fields: Map<String, Value> = Map::new();
    for (name, value, from) in settings.lines() {
        let source = if origin { format!("   # {}", shown(&from)) } else { String::new() };
        desk.output.data(format!("{name} = {}{source}", shown(&value)));
        fields.insert(name.into(), json!({ "value": value, "origin": from }));
    }
    Ok(Outcome::done("ok").with("settings", fields))
}

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell, output: &Output) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tarseal", &mut script);
    if output.manner().json {
        return Ok(Outcome::done("ok").with("script", String::from_utf8_lossy(&script)));
    }
    output.bytes(&script);
    Ok(Outcome::done("ok"))
}
