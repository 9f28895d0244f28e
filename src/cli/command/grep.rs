//! `grep`: lines of a sealed file's files that match a pattern.

use std::io::{self, BufWriter, Write};

use memchr::{memchr, memchr_iter};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde_json::{Map, json};

use super::input::{Input, Sealed};
use super::open::snapshot_failure;
use super::places::Places;
use crate::cli::Desk;
use crate::cli::args::GrepArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{Output, Raw, count, shown};
use crate::cli::terminal::shown_bytes;
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::pack::{Limits, Receiver, UnpackError};
use crate::pipeline::{Parts, read_snapshot};
use crate::progress::Silent;

/// The snapshot's own files, which are not searched, stand below this.
const OWN: &str = ".tarseal/";
/// A line longer than this, in bytes, is searched and shown in pieces.
const LONGEST_LINE: usize = 1 << 20;

/// Searches files of a snapshot and prints `path:line:text` for each line that matches.
pub fn run(arguments: &GrepArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let regex = regex(&arguments.pattern, arguments.ignore_case)?;
    let places = Places::new(&arguments.paths)?;
    let sealed = Sealed::find(&arguments.sealed, desk)?;
    let mut search = Search::new(regex, places, &desk.output);
    let result = match sealed.input {
        Input::Anywhere(_) => search_parts(sealed, &mut search),
        Input::Stream(_) => search_stream(sealed, &mut search),
    };
    let flushed = search.out.flush().map_err(|error| search.failed(error));
    match result.and(flushed.map_err(|error| snapshot_failure(crate::pipeline::OpenSnapshotError::Unpack(error)))) {
        // Who reads the output has had enough: `| head`.
        Err(_) if search.gone => {}
        other => other?,
    }
    search.told(arguments, desk)
}

fn search_parts(sealed: Sealed, search: &mut Search) -> Result<(), Failure> {
    let Sealed { input: Input::Anywhere(input), identities, share } = sealed else { return Ok(()) };
    let ask = |header: &_| share.fetch(header, &identities);
    let mut parts = Parts::open(input, &identities, ask, &Limits::default()).map_err(snapshot_failure)?;
    for number in 0..parts.manifest().entries.len() {
        if search.places.hold(&parts.manifest().entries[number].path) {
            parts.read(number, search).map_err(snapshot_failure)?;
        }
    }
    Ok(())
}

fn search_stream(sealed: Sealed, search: &mut Search) -> Result<(), Failure> {
    let Sealed { input, identities, share } = sealed;
    let ask = |header: &_| share.fetch(header, &identities);
    read_snapshot(input.into_stream(), &identities, ask, search, &Limits::default(), &Silent)
        .map(drop)
        .map_err(snapshot_failure)
}

/// A regular expression over the bytes of a line.
fn regex(pattern: &str, ignore_case: bool) -> Result<Regex, Failure> {
    Regex::builder()
        .syntax(syntax::Config::new().utf8(false).case_insensitive(ignore_case))
        .configure(Regex::config().utf8_empty(false))
        .build(pattern)
        .map_err(|error| {
            let why = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Failure::usage(format_args!("\"{}\" is no pattern: {why}.", shown(pattern)))
                .next("To search for a character that has a meaning of its own, put a backslash before it:  \\.  \\[")
        })
}

/// Searches what it is given, line by line.
struct Search {
    regex: Regex,
    places: Places,
    output: Output,
    out: BufWriter<Raw>,
    path: String,
    /// The present line's number, from 1.
    line: u64,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// Whether the present file is passed over, or over.
    skip: bool,
    searched: u64,
    lines: u64,
    files: u64,
    /// Matching lines in the present file.
    here: u64,
    /// Whether nobody reads the output any more.
    gone: bool,
}

impl Search {
    fn new(regex: Regex, places: Places, output: &Output) -> Self {
        Self {
            regex,
            places,
            output: output.clone(),
            out: BufWriter::with_capacity(64 << 10, output.raw()),
            path: String::new(),
            line: 1,
            begun: Vec::new(),
            skip: false,
            searched: 0,
            lines: 0,
            files: 0,
            here: 0,
            gone: false,
        }
    }

    /// Searches one line, or a piece of a very long one.
    fn line(&mut self, line: &[u8]) -> Result<(), UnpackError> {
        if self.skip || !self.regex.is_match(line) {
            return Ok(());
        }
        self.here += 1;
        self.lines += 1;
        let binary = memchr(0, line).is_some();
        self.skip = binary;
        if self.output.manner().json {
            let mut fields = Map::new();
            fields.insert("path".into(), json!(self.path));
            if binary {
                fields.insert("binary".into(), json!(true));
            } else {
                fields.insert("line".into(), json!(self.line));
                fields.insert("text".into(), json!(String::from_utf8_lossy(line)));
            }
            self.output.event("match", fields);
            return Ok(());
        }
        let path = shown(&self.path);
        let written = if binary {
            writeln!(self.out, "{path}: binary data match")
        } else {
            writeln!(self.out, "{path}:{}:{}", self.line, shown_bytes(line))
        };
        written.map_err(|error| self.failed(error))
    }

    fn failed(&mut self, source: io::Error) -> UnpackError {
        self.gone |= source.kind() == io::ErrorKind::BrokenPipe;
        UnpackError::Destination { path: "standard output".into(), source }
    }

    /// How it ended, in words and with its exit code.
    fn told(&self, arguments: &GrepArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
        if self.searched == 0 && !arguments.paths.is_empty() && !self.gone {
            let named = arguments.paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" ");
            return Err(Failure::new(Exit::NotFound, format_args!("No file of the snapshot is named {named}."))
                .next("What is in it is told by:  tarseal list"));
        }
        let found = Outcome::done(if self.lines > 0 { "found" } else { "not-found" })
            .with("lines", self.lines)
            .with("files", self.files)
            .with("searched", self.searched);
        if self.lines > 0 || self.gone {
            return Ok(found);
        }
        desk.output.say(format!("Nothing matches in {}.", count(self.searched, "file")));
        Ok(found.exit(Exit::NotFound))
    }
}

impl Receiver for Search {
    fn begin(&mut self, path: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        self.skip = path.as_str().starts_with(OWN) || !self.places.hold(path);
        self.searched += u64::from(!self.skip);
        path.as_str().clone_into(&mut self.path);
        self.begun.clear();
        (self.line, self.here) = (1, 0);
        Ok(())
    }

    fn data(&mut self, mut bytes: &[u8]) -> Result<(), UnpackError> {
        if self.skip {
            return Ok(());
        }
        if !self.begun.is_empty() {
            let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
            self.begun.extend_from_slice(&bytes[..end]);
            if end == bytes.len() {
                return self.cut();
            }
            let line = std::mem::take(&mut self.begun);
            self.line(without_return(&line))?;
            self.line += 1;
            bytes = &bytes[end + 1..];
        }
        let mut begin = 0;
        for end in memchr_iter(b'\n', bytes) {
            self.line(without_return(&bytes[begin..end]))?;
            self.line += 1;
            begin = end + 1;
        }
        self.begun.extend_from_slice(&bytes[begin..]);
        self.cut()
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        let line = std::mem::take(&mut self.begun);
        if !line.is_empty() {
            self.line(without_return(&line))?;
        }
        self.files += u64::from(self.here > 0);
        Ok(())
    }
}

impl Search {
    /// Searches what is there of a line that does not end.
    fn cut(&mut self) -> Result<(), UnpackError> {
        if self.begun.len() < LONGEST_LINE {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.begun);
        self.line(&piece)
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
