//! `man`: the manual pages, made from the same words as `--help`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::args::{Arguments, ManArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{Output, count, shown};

/// Prints the page of one command, or writes every page into a directory.
pub fn run(arguments: &ManArguments, output: &Output) -> Result<Outcome, Failure> {
    let root = built();
    if let Some(directory) = &arguments.dir {
        let pages = write_all(&root, directory).map_err(|error| Failure::local(directory.display(), &error))?;
        output.data(directory.display().to_string());
        output.say(format!("{} written.", count(pages.len() as u64, "manual page")));
        return Ok(Outcome::done("ok").with("directory", directory).with("pages", pages));
    }
    let page = rendered(named(root, &arguments.command)?);
    if output.manner().json {
        return Ok(Outcome::done("ok").with("page", String::from_utf8_lossy(&page)));
    }
    output.bytes(&page);
    Ok(Outcome::done("ok"))
}

/// The commands with their full names (`tarseal-key-new`), as the pages are called.
fn built() -> Command {
    let mut root = Arguments::command().disable_help_subcommand(true);
    root.build();
    root
}

/// The command that the words name; none are the program itself.
fn named(root: Command, words: &[String]) -> Result<Command, Failure> {
    words.iter().try_fold(root, |command, word| {
        command.find_subcommand(word).cloned().ok_or_else(|| {
            Failure::new(Exit::Usage, format_args!("There is no command \"{}\".", shown(&words.join(" "))))
                .next("The commands are listed by:  tarseal --help")
        })
    })
}

fn rendered(command: Command) -> Vec<u8> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    Man::new(command.display_name(name)).render(&mut page).expect("a page in memory takes all bytes");
    page
}

/// Writes the page of every command that is shown, and returns their names, sorted.
fn write_all(root: &Command, directory: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(directory)?;
    let mut names = Vec::new();
    let mut left = vec![root];
    while let Some(command) = left.pop() {
        let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
        fs::write(directory.join(OsStr::new(&name)), rendered(command.clone()))?;
        names.push(name);
        left.extend(command.get_subcommands().filter(|command| !command.is_hide_set()));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_of_its_own_name() {
        let directory = tempfile::tempdir().unwrap();
        let names = write_all(&built(), directory.path()).unwrap();
        for page in ["tarseal.1", "tarseal-send.1", "tarseal-key-new.1", "tarseal-completions.1"] {
            assert!(names.iter().any(|name| name == page), "{page} is not in {names:?}");
        }
        for name in names {
            let page = fs::read_to_string(directory.path().join(&name)).unwrap();
            assert!(page.contains(".SH NAME"), "{name}");
        }
    }

    #[test]
    fn a_command_that_is_not_there_has_no_page() {
        let failure = named(built(), &["key".into(), "lose".into()]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.what.contains("key lose"));
    }

    #[test]
    fn a_page_says_what_its_command_takes() {
        let page = String::from_utf8(rendered(named(built(), &["send".into()]).unwrap())).unwrap();
        assert!(page.contains("tarseal\\-send") && page.contains("\\-\\-ticket"), "{page}");
    }
}
