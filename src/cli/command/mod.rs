//! The commands, one file each.

mod answer;
mod approve;
mod ask;
mod audit;
mod cat;
mod close;
mod collect;
mod collected;
mod config;
mod confirm;
#[cfg(feature = "portal")]
mod demo;
mod doctor;
mod fetch;
mod grant;
mod grep;
mod input;
mod inspect;
pub mod key;
mod key_list;
mod ledger;
mod letter;
mod list;
mod man;
mod names;
mod open;
mod opening;
mod paper;
mod places;
#[cfg(feature = "portal")]
mod portal;
mod profile;
mod proof;
mod readers;
mod receipt;
mod records;
mod redact;
pub mod remote;
mod request;
mod resume;
mod seal;
mod send;
mod share;
mod snapshot;
mod subject;
mod sync;
mod translate;
mod unsent;
mod upload;
mod vendor;
mod wipe;
mod withdraw;

pub use self::collected::{in_part, window_in_words};
pub use self::remote::sentence;
pub use self::snapshot::Told;

use super::Desk;
use std::ffi::OsString;

use super::args::Command;
use super::exit::{Failure, Outcome};
use super::output::Output;

/// The first word of the last line when a command fails: what did not happen. Taken from what was typed, so that it is known too
/// when the rest of that is wrong. Flags may stand between the words of a command; none of them takes a value.
pub fn headline(arguments: &[OsString]) -> &'static str {
    let typed = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut words = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    let mut word = || words.find(|word| !word.starts_with('-')).unwrap_or_default();
    match (word(), word()) {
        ("send" | "upload" | "resume", _) => "NOT SENT.",
        ("seal", _) => "NOT SEALED.",
        ("collect", _) => "NOT COLLECTED.",
        ("redact", _) => "NOT REDACTED.",
        ("open", _) if typed("--wipe") => "NOT WIPED.",
        ("open", _) if typed("--purge") => "NOT PURGED.",
        ("open", _) => "NOT OPENED.",
        ("fetch", _) => "NOT FETCHED.",
        ("close", _) => "NOT CLOSED.",
        ("ask" | "request", _) => "NOT ASKED.",
        ("answer", _) => "NOT ANSWERED.",
        ("withdraw", _) => "NOT WITHDRAWN.",
        ("grant", _) => "NOT GRANTED.",
        ("proof", _) => "NOT PROVED.",
        ("verify", _) => "NOT VERIFIED.",
        ("receipt" | "vendor", "add") => "NOT ADDED.",
        ("receipt", _) | ("audit", "verify") | ("profile", "check") | ("portal", "audit") => "NOT VALID.",
        ("audit", "export") => "NOT EXPORTED.",
        ("translate", _) => "NOT TRANSLATED.",
        ("confirm", _) => "NOT CONFIRMED.",
        ("vendor", "update") => "NOT UPDATED.",
        ("vendor", "check") | ("key-list", "show") => "NOT GOOD.",
        ("key-list", "root") => "NOT MADE.",
        ("key-list", _) => "NOT SIGNED.",
        _ => "FAILED.",
    }
}

/// Runs a command.
pub fn run(command: Command, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        #[cfg(feature = "portal")]
        Command::Demo(arguments) => demo::run(&arguments, desk),
        Command::Send(arguments) => send::run(arguments, desk),
        Command::Seal(arguments) => seal::run(arguments, desk),
        Command::Collect(arguments) => collect::run(&arguments, desk),
        Command::Redact(arguments) => redact::run(&arguments, desk),
        Command::Upload(arguments) => upload::run(&arguments, desk),
        Command::Resume(arguments) => resume::run(&arguments, desk),
        Command::Status(arguments) => ledger::status(&arguments, desk),
        Command::Due(arguments) => ledger::due(&arguments, desk),
        Command::Sync(arguments) => sync::run(&arguments, desk),
        Command::Letter(arguments) => letter::run(&arguments, desk),
        Command::Confirm(arguments) => confirm::run(&arguments, desk),
        Command::Doctor(arguments) => doctor::run(&arguments, desk),
        Command::Names(arguments) => names::run(&arguments, desk),
        Command::Translate(arguments) => translate::run(&arguments, desk),
        Command::Profile(command) => profile::run(&command, desk),
        Command::Receipt(command) => receipt::run(&command, desk),
        Command::Key(command) => key::run(&command, desk),
        Command::Vendor(command) => vendor::run(&command, desk),
        Command::KeyList(command) => key_list::run(&command, desk),
        Command::Open(arguments) => open::run(&arguments, desk),
        Command::List(arguments) => list::run(arguments, desk),
        Command::Cat(arguments) => cat::run(&arguments, desk),
        Command::Grep(arguments) => grep::run(&arguments, desk),
        Command::Verify(arguments) => inspect::verify(&arguments, desk),
        Command::Fetch(arguments) => fetch::run(&arguments, desk),
        Command::Close(arguments) => close::run(&arguments, desk),
        Command::Ask(arguments) => ask::run(&arguments, desk),
        Command::Answer(arguments) => answer::run(&arguments, desk),
        Command::Withdraw(arguments) => withdraw::run(&arguments, desk),
        Command::Grant(arguments) => grant::run(&arguments, desk),
        Command::Grants(arguments) => grant::list(&arguments, desk),
        Command::Proof(arguments) => proof::run(&arguments, desk),
        Command::Request(arguments) => request::run(&arguments, desk),
        Command::Audit(command) => audit::run(&command, desk),
        Command::Subject(command) => subject::run(&command, desk),
        Command::Records(arguments) => records::run(&arguments, desk),
        #[cfg(feature = "portal")]
        Command::Portal(command) => portal::run(&command, desk),
        Command::Config(command) => config::run(&command, desk),
        Command::Completions { shell } => config::completions(shell, &desk.output),
        Command::Man(arguments) => man::run(&arguments, &desk.output),
    }
}

/// Runs a command that keeps and reads nothing, and so needs no home; `None` when it is none of those.
pub fn run_without_home(command: &Command, output: &Output) -> Option<Result<Outcome, Failure>> {
    match command {
        Command::Completions { shell } => Some(config::completions(*shell, output)),
        Command::Man(arguments) => Some(man::run(arguments, output)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_is_told_of_every_command_also_when_its_arguments_are_wrong() {
        let told = |line: &str| headline(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for (line, headline) in [
            ("tarseal send ./logs --ticket -x", "NOT SENT."),
            ("tarseal --json -q resume", "NOT SENT."),
            ("tarseal open --wipe", "NOT WIPED."),
            ("tarseal open FILE --nonsense", "NOT OPENED."),
            ("tarseal receipt --json add", "NOT ADDED."),
            ("tarseal receipt", "NOT VALID."),
            ("tarseal key-list show", "NOT GOOD."),
            ("tarseal status", "FAILED."),
            ("tarseal", "FAILED."),
        ] {
            assert_eq!(told(line), headline, "{line}");
        }
    }

    #[test]
    fn the_words_of_the_headlines_are_commands() {
        use clap::CommandFactory as _;
        let own = include_str!("mod.rs");
        let (_, table) = own.split_once("match (word(), word())").unwrap();
        let (table, _) = table.split_once("\n    }").unwrap();
        let mut arguments = crate::cli::args::Arguments::command();
        arguments.build();
        let known = |word: &str| {
            arguments.find_subcommand(word).is_some()
                || arguments.get_subcommands().any(|command| command.find_subcommand(word).is_some())
        };
        for line in table.lines() {
            let pattern = line.split("=>").next().unwrap().split(" if ").next().unwrap();
            for word in pattern.split('"').skip(1).step_by(2).filter(|word| *word != "portal" && *word != "audit") {
                assert!(known(word), "{word} is no command");
            }
        }
    }
}
