//! The world a command runs in: time, chance, environment and the three streams, all handed in.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::output::Stream;
use crate::clock::{Clock, SystemClock};
use crate::secret::Secret;

/// Looks up an environment variable by its name.
pub type Environment = Box<dyn Fn(&str) -> Option<OsString> + Send>;

/// What a command can see of the outside.
///
/// `main` hands in the machine's own; tests and the demo hand in a clock they can move and a home of their own.
pub struct World {
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// Draws keys and identifiers.
    pub rng: Box<dyn CryptoRng + Send>,
    /// Looks up an environment variable.
    pub environment: Environment,
    /// The settings of the whole machine. Not an environment variable: its policy must hold for every user.
    pub system_config: PathBuf,
    /// Standard input.
    pub input: Box<dyn Read + Send>,
    /// Whether standard input is a person at a terminal.
    pub interactive: bool,
    /// Standard output.
    pub output: Stream,
    /// Whether standard output is a terminal: what comes from a snapshot is then shown without acting on it.
    pub terminal: bool,
    /// Standard error.
    pub error: Stream,
    /// Whether standard error may be coloured.
    pub color: bool,
}

impl World {
    /// The machine's own clock, environment and streams; randomness comes from the caller.
    #[must_use]
    pub fn of_this_process(rng: Box<dyn CryptoRng + Send>) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            rng,
            environment: Box::new(|name| std::env::var_os(name)),
            system_config: "/etc/tarseal/config.toml".into(),
            input: standard_input(),
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            output: Arc::new(Mutex::new(io::stdout())),
            terminal: io::stdout().is_terminal(),
            error: Arc::new(Mutex::new(io::stderr())),
            color: io::stderr().is_terminal(),
        }
    }

    /// An environment variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// An environment variable that names a path.
    #[must_use]
    pub fn path_variable(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    /// Hands out standard input; who asks again finds it empty.
    #[must_use]
    pub fn take_input(&mut self) -> Box<dyn Read + Send> {
        std::mem::replace(&mut self.input, Box::new(io::empty()))
    }

    /// Reads one line that a person types unseen, with its line end; a little more than `most` bytes of it at most.
    pub fn read_secret_line(&mut self, most: usize) -> io::Result<Secret<Vec<u8>>> {
        // Room for all of it from the start, so that growing leaves no copy behind.
        let mut line = Secret::new(Vec::with_capacity(most + 3));
        let mut byte = Zeroizing::new([0]);
        while line.expose().len() < most + 3 && self.input.read(&mut *byte)? == 1 {
            line.expose_mut().push(byte[0]);
            if byte[0] == b'\n' {
                break;
            }
        }
        Ok(line)
    }

    /// Reads one line that a person types, without its line end; at most 4096 bytes of it.
    pub fn read_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < 4096 && self.input.read(&mut byte)? == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }
}

/// Standard input without a buffer: what a person types unseen leaves no copy in one.
fn standard_input() -> Box<dyn Read + Send> {
    match io::stdin().as_fd().try_clone_to_owned() {
        Ok(input) => Box::new(File::from(input)),
        Err(_) => Box::new(io::stdin()),
    }
}

/// A stream that keeps what was written: for tests, and for the demo, which shows what its commands print.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// What was written since the last time this was called.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The same place as a stream.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Arc::new(Mutex::new(self.clone()))
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
