//! `cat`: single files of a sealed file on standard output.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, json};

use super::input::{Input, Sealed};
use super::open::snapshot_failure;
use crate::cli::Desk;
use crate::cli::args::CatArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{Output, Raw, count, shown};
use crate::cli::terminal::Escaping;
use crate::clock::Timestamp;
use crate::item::ArchivePath;
use crate::pack::{Limits, MANIFEST_PATH, Manifest, Receiver, UnpackError};
use crate::pipeline::{Parts, read_snapshot};
use crate::progress::Silent;

/// Most bytes in one event of JSON.
const PIECE: usize = 48 << 10;
/// In a longer list a near name is looked for only among those that end alike.
const COMPARED: usize = 20_000;

/// Prints files of a snapshot, in the order they were asked for; out of a stream in the order they come.
pub fn run(arguments: &CatArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let sealed = Sealed::find(&arguments.sealed, desk)?;
    let mut printer = Printer::new(desk);
    let result = match sealed.input {
        Input::Anywhere(_) => from_parts(sealed, &arguments.paths, &mut printer),
        Input::Stream(_) => from_stream(sealed, &arguments.paths, &mut printer),
    };
    match result {
        // Who reads the output has had enough: `| head`.
        Err(_) if printer.gone => {}
        other => other?,
    }
    Ok(Outcome::done("ok").with("files", printer.files).with("bytes", printer.bytes))
}

fn from_parts(sealed: Sealed, paths: &[String], printer: &mut Printer) -> Result<(), Failure> {
    let Sealed { input: Input::Anywhere(input), identities, share } = sealed else { return Ok(()) };
    let ask = |header: &_| share.fetch(header, &identities);
    let mut parts = Parts::open(input, &identities, ask, &Limits::default()).map_err(snapshot_failure)?;
    // All are found before the first is printed. `None` is the manifest.
    let mut numbers = Vec::with_capacity(paths.len());
    for path in paths {
        let number = parts.manifest().entries.iter().position(|entry| entry.path.as_str() == path);
        if number.is_none() && path != MANIFEST_PATH {
            return Err(not_there(parts.manifest(), path));
        }
        numbers.push(number);
    }
    for number in numbers {
        match number {
            Some(number) => parts.read(number, printer).map_err(snapshot_failure)?,
            None => parts.read_manifest(printer).map_err(snapshot_failure)?,
        }
    }
    Ok(())
}

fn from_stream(sealed: Sealed, paths: &[String], printer: &mut Printer) -> Result<(), Failure> {
    let Sealed { input, identities, share } = sealed;
    let ask = |header: &_| share.fetch(header, &identities);
    let mut chosen = Chosen { wanted: paths.iter().map(String::as_str).collect(), on: false, printer };
    let read = read_snapshot(input.into_stream(), &identities, ask, &mut chosen, &Limits::default(), &Silent);
    let manifest = read.map_err(snapshot_failure)?.manifest;
    match paths.iter().find(|path| chosen.wanted.contains(path.as_str())) {
        Some(path) => Err(not_there(&manifest, path)),
        None => Ok(()),
    }
}

/// Says that a file is not in the snapshot, and what may help.
fn not_there(manifest: &Manifest, path: &str) -> Failure {
    let told = shown(path);
    let failure = |what: String| Failure::new(Exit::NotFound, what);
    let folder = format!("{}/", path.trim_end_matches('/'));
    let inside = manifest.entries.iter().filter(|entry| entry.path.as_str().starts_with(&folder)).count();
    if inside > 0 {
        return failure(format!("{told} is a directory of the snapshot; {} below it.", count(inside as u64, "file")))
            .next("Name a file, or search them all with:  tarseal grep");
    }
    if let Some(left_out) = manifest.left_out.iter().find(|left_out| left_out.path == path) {
        return failure(format!("{told} is not in the snapshot. The sender left it out: {}.", left_out.reason.words()));
    }
    let failure = failure(format!("There is no {told} in the snapshot."));
    match nearest(manifest, path) {
        Some(near) => failure.next(format!("Did you mean  {}", shown(near))),
        None => failure.next("What is in it is told by:  tarseal list"),
    }
}

/// The file whose name is most like `path`, if any is like it.
fn nearest<'m>(manifest: &'m Manifest, path: &str) -> Option<&'m str> {
    let folded = path.to_lowercase();
    let all = || manifest.entries.iter().map(|entry| entry.path.as_str());
    let ends_alike = |other: &&str| {
        let other = other.to_lowercase();
        other == folded || other.ends_with(&format!("/{folded}")) || folded.ends_with(&format!("/{other}"))
    };
    all().find(ends_alike).or_else(|| {
        let likeness = |other: &str| strsim::jaro_winkler(&folded, &other.to_lowercase());
        let like = all().take(COMPARED).map(|other| (likeness(other), other)).filter(|(likeness, _)| *likeness > 0.9);
        like.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, near)| near)
    })
}

/// Prints what it is given.
struct Printer {
    out: Out,
    files: u64,
    bytes: u64,
    /// Whether nobody reads the output any more.
    gone: bool,
}

enum Out {
    /// The bytes as they are.
    Plain(BufWriter<Raw>),
    /// Text that is only shown.
    Terminal(Escaping<BufWriter<Raw>>),
    /// Events that carry Base64, each with the path.
    Json(Output, String),
}

impl Out {
    /// Ends a file: what is held back goes out.
    fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Terminal(out) => out.end(),
            Self::Json(..) => Ok(()),
        }
    }
}

impl Printer {
    fn new(desk: &Desk<'_>) -> Self {
        let raw = || BufWriter::with_capacity(64 << 10, desk.output.raw());
        let out = if desk.output.manner().json {
            Out::Json(desk.output.clone(), String::new())
        } else if desk.world.terminal {
            Out::Terminal(Escaping::new(raw()))
        } else {
            Out::Plain(raw())
        };
        Self { out, files: 0, bytes: 0, gone: false }
    }

    fn failed(&mut self, source: io::Error) -> UnpackError {
        self.gone |= source.kind() == io::ErrorKind::BrokenPipe;
        UnpackError::Destination { path: "standard output".into(), source }
    }
}

impl Receiver for Printer {
    fn begin(&mut self, path: &ArchivePath, _: u64, _: Option<Timestamp>) -> Result<(), UnpackError> {
        self.files += 1;
        if let Out::Json(_, name) = &mut self.out {
            *name = path.as_str().to_owned();
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.bytes += bytes.len() as u64;
        let written = match &mut self.out {
            Out::Plain(out) => out.write_all(bytes),
            Out::Terminal(out) => out.write_all(bytes),
            Out::Json(output, path) => {
                for piece in bytes.chunks(PIECE) {
                    let mut fields = Map::new();
                    fields.insert("path".into(), json!(path));
                    fields.insert("base64".into(), json!(BASE64_STANDARD.encode(piece)));
                    output.event("content", fields);
                }
                Ok(())
            }
        };
        written.map_err(|error| self.failed(error))
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        self.out.end().map_err(|error| self.failed(error))
    }
}

/// Passes on the files that are wanted.
struct Chosen<'a> {
    wanted: HashSet<&'a str>,
    on: bool,
    printer: &'a mut Printer,
}

impl Receiver for Chosen<'_> {
    fn begin(&mut self, path: &ArchivePath, size: u64, modified: Option<Timestamp>) -> Result<(), UnpackError> {
        self.on = self.wanted.remove(path.as_str());
        if self.on { self.printer.begin(path, size, modified) } else { Ok(()) }
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        if self.on { self.printer.data(bytes) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        if self.on { self.printer.end() } else { Ok(()) }
    }
}
