//! The command line: arguments in, exit code out.
//!
//! [`run`] is the whole door. Everything a command touches besides files comes in by the [`World`], so the tests and the
//! demo run the same commands with a clock and a home of their own.

mod args;
mod browser;
mod command;
mod downloads;
mod exit;
mod given;
mod guard;
mod home;
mod interrupt;
mod keeping;
mod opened;
mod output;
mod parts;
mod passphrase;
mod progress;
mod requests;
mod review;
mod rules;
mod settings;
mod standard_input;
mod terminal;
mod vendors;
mod window;
mod world;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

pub use self::exit::Exit;
pub use self::guard::guard_memory;
pub use self::interrupt::hangs_up;
pub use self::world::{Kept, World};

use self::args::{Arguments, MannerArguments};
use self::exit::{Failure, plain_io};
use self::home::Home;
use self::output::{Manner, Output};
use self::progress::Bars;
use crate::redact::GateHit;

/// What is true when the arguments are wrong.
const NOTHING_DONE: &str = "Nothing was done, and nothing has left this computer.";

/// Runs one command and returns its exit code; `arguments` begins with the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, mut world: World) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let headline = command::headline(&arguments);
    let mut commands = Arguments::command();
    let parsed = commands.try_get_matches_from_mut(&arguments).and_then(|matches| {
        let once = standard_input::read_once(&commands, &matches);
        Ok((Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut commands))?, once))
    });
    let (arguments, once) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return show_usage(&error, headline, arguments.iter().any(|one| one == "--json"), &world),
    };
    let output =
        Output::new(manner(&arguments.manner, &world), world.clock.clone(), world.output.clone(), world.error.clone());
    let result = once.and_then(|()| {
        if let Some(result) = command::run_without_home(&arguments.command, &output) {
            return result;
        }
        let home = Home::find(&world)?;
        let bars = Bars::new(output.clone());
        let mut desk = Desk { world: &mut world, output: output.clone(), home, manner: arguments.manner, bars };
        command::run(arguments.command, &mut desk)
    });
    output.end(headline, &result);
    match (result, output.lost()) {
        (Ok(_), Some(error)) => {
            output.insist(format!("NOT PRINTED. Standard output could not be written: {}.", plain_io(&error)));
            output.insist("What the command did stands; what it was to print is missing.");
            Exit::Local.code()
        }
        (Ok(outcome), None) => outcome.exit.code(),
        (Err(failure), _) => failure.exit.code(),
    }
}

/// Removes what is half made and says so; true when the process must end now, false when the command ends by itself.
pub fn interrupted() -> bool {
    let ends = interrupt::ends_the_process();
    if ends {
        passphrase::show_again();
        interrupt::clean_up();
        match interrupt::uploading() {
            Some(ticket) => {
                eprintln!("\nINTERRUPTED. Nothing is left half made; what the portal has stored stays there.");
                eprintln!("The upload goes on where it stopped:  tarseal resume {ticket}");
            }
            None => eprintln!("\nINTERRUPTED. Nothing is left half made."),
        }
    }
    ends
}

/// What every command has at hand.
struct Desk<'a> {
    world: &'a mut World,
    output: Output,
    home: Home,
    manner: MannerArguments,
    bars: Bars,
}

impl Desk<'_> {
    /// Shows what the gate found, if that was asked for: on a terminal, and nowhere that is kept.
    fn show_value(&self, asked: bool, hit: &GateHit) {
        if !asked {
            return;
        }
        if self.world.interactive && !self.manner.json {
            let value = hit.value.expose();
            self.output.insist(format!("What the gate found:  {}", output::shown(value)));
        } else {
            self.output.insist("What the gate found is shown at a terminal only.");
        }
    }

    /// Asks a person for one line. Without a person there is no answer.
    fn ask(&mut self, question: &str) -> Result<Option<String>, Failure> {
        if self.manner.no_input || !self.world.interactive {
            return Ok(None);
        }
        self.output.insist(question);
        let answer = self.world.read_line();
        answer.map(Some).map_err(|error| Failure::local("Your answer could not be read", &error))
    }
}

fn manner(arguments: &MannerArguments, world: &World) -> Manner {
    let plain = arguments.plain || world.variable("ACCESSIBLE").is_some_and(|value| value == "1");
    Manner {
        json: arguments.json,
        quiet: arguments.quiet,
        color: world.color && !arguments.no_color && !settings::wants_no_color(world),
        plain,
    }
}

/// Prints help, the version, or what is wrong with the arguments, with the headline of the command that was not run; as a result
/// event where JSON was asked for.
fn show_usage(error: &clap::Error, headline: &str, json: bool, world: &World) -> u8 {
    let manner = Manner { json, ..Manner::default() };
    let output = Output::new(manner, world.clock.clone(), world.output.clone(), world.error.clone());
    if json && error.use_stderr() {
        output.end(headline, &Err(Failure::usage(error.to_string().trim_end()).left(NOTHING_DONE)));
        return Exit::Usage.code();
    }
    let colored = world.color && !settings::wants_no_color(world);
    let text = error.render();
    let text = if colored { text.ansi().to_string() } else { text.to_string() };
    if !error.use_stderr() {
        output.bytes(text.as_bytes());
        return if output.lost().is_some() { Exit::Local.code() } else { Exit::Done.code() };
    }
    output.insist(text.trim_end());
    if error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        output.insist(format!("\n{headline} {NOTHING_DONE}"));
    }
    Exit::Usage.code()
}
