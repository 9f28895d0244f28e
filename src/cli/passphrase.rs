//! Passphrases: from a file that only its owner can read, or typed at the terminal without being shown.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Desk;
use super::args::NewPassphraseArguments;
use super::command::sentence;
use super::exit::{Exit, Failure, plain_io};
use super::home::read_secret;
use crate::format::Passphrase;

/// Where the passphrases of a command come from: one file for all of them, or a person, who is asked for each.
pub struct Passphrases {
    file: Option<PathBuf>,
    read: Option<Passphrase>,
}

impl Passphrases {
    /// The passphrases of a command that was given this file, or none.
    #[must_use]
    pub fn of(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_owned), read: None }
    }

    /// Whether a file was given.
    #[must_use]
    pub const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The passphrase of `what`. The file is read once. `flag` is the one that names a file.
    pub fn of_what(&mut self, what: &str, flag: &str, desk: &mut Desk<'_>) -> Result<Passphrase, Failure> {
        if let Some(read) = &self.read {
            return Ok(read.clone());
        }
        if let Some(file) = &self.file {
            return Ok(self.read.insert(from_file(file, desk)?).clone());
        }
        ask(&format!("Passphrase of {what}:"), desk)?.ok_or_else(|| {
            Failure::usage(format_args!("The passphrase of {what} is needed, and nobody is there to type it."))
                .next(format!("Give it in a file that is yours alone:  {flag} FILE"))
        })
    }
}

/// A new passphrase: out of the file that was named, typed twice where that was asked for, or `None`.
pub fn new(arguments: &NewPassphraseArguments, what: &str, desk: &mut Desk<'_>) -> Result<Option<Passphrase>, Failure> {
    match &arguments.passphrase_file {
        Some(file) => from_file(file, desk).map(Some),
        None if arguments.passphrase => ask_twice(what, "--passphrase-file", desk).map(Some),
        None => Ok(None),
    }
}

/// Asks for a new passphrase, and again, because nobody can see what is typed. `flag` is the one that names a file instead.
pub fn ask_twice(what: &str, flag: &str, desk: &mut Desk<'_>) -> Result<Passphrase, Failure> {
    let first = ask(&format!("New passphrase of {what}:"), desk)?.ok_or_else(|| {
        Failure::usage("Nobody is there to type a passphrase.")
            .next(format!("Give it in a file that is yours alone:  {flag} FILE"))
    })?;
    if ask("The same again:", desk)?.as_ref() == Some(&first) {
        Ok(first)
    } else {
        Err(Failure::usage("The two passphrases are different. Nothing was written."))
    }
}

/// Reads a passphrase from a file of one line that only its owner can read, or from standard input for `-`.
pub fn from_file(file: &Path, desk: &mut Desk<'_>) -> Result<Passphrase, Failure> {
    let text = read_secret(file, "passphrase file", desk.world)?;
    let lines = text.expose().lines().count();
    if lines > 1 {
        return Err(Failure::usage(format_args!(
            "{} holds {lines} lines; a passphrase file holds one.",
            file.display()
        )));
    }
    Passphrase::new(text.expose().as_bytes())
        .map_err(|error| Failure::usage(format_args!("{}: {error}.", file.display())))
}

/// Asks a person for a passphrase. Without a person there is none.
fn ask(question: &str, desk: &mut Desk<'_>) -> Result<Option<Passphrase>, Failure> {
    if desk.manner.no_input || !desk.world.interactive {
        return Ok(None);
    }
    // Hidden first: who types as soon as the question is there must not be shown.
    let hidden = Hidden::begin();
    desk.output.insist(question);
    let typed = desk.world.read_secret_line(Passphrase::MAX_LENGTH);
    drop(hidden);
    let typed = typed.map_err(|error| {
        Failure::new(Exit::Local, format_args!("The passphrase could not be read: {}.", plain_io(&error)))
    })?;
    Passphrase::new(typed.expose()).map(Some).map_err(|error| Failure::usage(sentence(&error.to_string())))
}

/// How the terminal was before it stopped showing what is typed. A signal must find it, so it is the process's.
static SHOWN: Mutex<Option<Termios>> = Mutex::new(None);

/// While it lives, the terminal does not show what is typed, if standard input is one.
struct Hidden;

impl Hidden {
    fn begin() -> Self {
        if let Ok(shown) = tcgetattr(io::stdin()) {
            let mut hidden = shown.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            hidden.local_modes.insert(LocalModes::ECHONL);
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
            // What was typed before the question is dropped: it was shown.
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &hidden);
        }
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        show_again();
    }
}

/// Makes the terminal show again what is typed, if it had stopped.
pub fn show_again() {
    if let Some(shown) = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &shown);
    }
}
