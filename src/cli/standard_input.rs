//! Standard input is read once: what two arguments would take from it, one of them would take from the other.

use std::ffi::OsStr;

use clap::{Arg, ArgMatches, Command};

use super::exit::Failure;

/// The names under which standard input is given.
const NAMES: [&str; 4] = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
/// What arguments that are read are called in the help.
const READ: [&str; 4] = ["FILE", "PATH", "VALUE", "KEY"];
/// Arguments that name a file to be written.
const WRITTEN: [&str; 2] = ["output", "report"];

/// Whether a path names standard input.
pub fn is_meant(path: &OsStr) -> bool {
    NAMES.iter().any(|name| path == *name)
}

/// Refuses a command that would read standard input for two things: a token would be taken for a log, or a log for a token and be
/// sent as one.
pub fn read_once(command: &Command, matches: &ArgMatches) -> Result<(), Failure> {
    let readers = readers(command, matches);
    if readers.len() < 2 {
        return Ok(());
    }
    Err(Failure::usage(format_args!("Standard input is read once, and here it is to be {}.", readers.join(" and ")))
        .left("Nothing was read.")
        .next("Put all but one into files of yours, and name those."))
}

/// The arguments that read standard input, each as often as it says so.
fn readers(command: &Command, matches: &ArgMatches) -> Vec<String> {
    if let Some((name, matches)) = matches.subcommand()
        && let Some(command) = command.find_subcommand(name)
    {
        return readers(command, matches);
    }
    let values = |argument: &Arg| {
        let raw = matches.try_get_raw(argument.get_id().as_str()).ok().flatten();
        raw.map_or(0, |values| values.filter(|value| is_meant(value)).count())
    };
    let read = command.get_arguments().filter(|argument| is_read(argument));
    read.flat_map(|argument| std::iter::repeat_n(shown(argument), values(argument))).collect()
}

fn is_read(argument: &Arg) -> bool {
    let named = value_name(argument);
    !WRITTEN.contains(&argument.get_id().as_str()) && READ.iter().any(|name| named.contains(name))
}

fn value_name(argument: &Arg) -> String {
    match argument.get_value_names().and_then(|names| names.first()) {
        Some(name) => name.to_string(),
        None => argument.get_id().as_str().to_uppercase(),
    }
}

fn shown(argument: &Arg) -> String {
    argument.get_long().map_or_else(|| value_name(argument), |long| format!("--{long}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Arguments;

    fn told(line: &str) -> Option<String> {
        let command = Arguments::command();
        let matches = command.clone().try_get_matches_from(line.split(' ')).unwrap();
        read_once(&command, &matches).err().map(|failure| failure.what)
    }

    #[test]
    fn standard_input_is_not_read_for_two_things() {
        for (line, both) in [
            ("tarseal send - --ticket 1 --token-file -", "PATH and --token-file"),
            ("tarseal send - --ticket 1 --watchlist -", "PATH and --watchlist"),
            ("tarseal send /dev/stdin --ticket 1 --token-file -", "PATH and --token-file"),
            ("tarseal send - a.log - --ticket 1", "PATH and PATH"),
            ("tarseal seal - -o x --passphrase-file -", "PATH and --passphrase-file"),
            (
                "tarseal seal a.log -o x --sender-key - --sender-passphrase-file -",
                "--sender-key and --sender-passphrase-file",
            ),
            ("tarseal open - --key -", "FILE and --key"),
            ("tarseal open a --key - --passphrase-file -", "--key and --passphrase-file"),
            ("tarseal list - --token-file -", "FILE and --token-file"),
            ("tarseal fetch 1 --reason x --key - --token-file -", "--key and --token-file"),
            ("tarseal key public - --passphrase-file -", "FILE and --passphrase-file"),
            ("tarseal key show - --passphrase-file -", "KEY and --passphrase-file"),
            (
                "tarseal key passphrase a --passphrase-file - --new-passphrase-file -",
                "--passphrase-file and --new-passphrase-file",
            ),
            ("tarseal subject find - -", "VALUE and VALUE"),
        ] {
            let told = told(line).unwrap_or_else(|| panic!("{line} is not refused"));
            for one in both.split(" and ") {
                assert!(told.contains(one), "{line}: {told}");
            }
        }
    }

    #[test]
    fn standard_input_is_read_for_one_thing_whatever_is_written_or_said() {
        for line in [
            "tarseal send - --ticket 1 --token-file token",
            "tarseal seal - -o -",
            "tarseal redact - --report -",
            "tarseal fetch 1 --reason - --key -",
            "tarseal subject find - -o - --kind deletion",
            "tarseal send a.log --ticket 1 --token-file -",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn every_argument_that_says_so_is_known_to_read_standard_input() {
        let mut left = vec![Arguments::command()];
        while let Some(command) = left.pop() {
            for argument in command.get_arguments().filter(|argument| !WRITTEN.contains(&argument.get_id().as_str())) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.contains("for standard input") || is_read(argument), "{} {argument}", command.get_name());
            }
            left.extend(command.get_subcommands().cloned());
        }
    }
}
