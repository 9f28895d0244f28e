//! `translate`: a vendor's mail or report with the names in place of the stand-ins. What was written stays as it is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde_json::json;

use super::names;
use crate::cli::args::TranslateArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::cli::{Desk, keeping};
use crate::redact::{Translator, VaultEntry};

/// Longest piece of a line that is translated at once, in bytes.
const PIECE: u64 = 1 << 20;

/// Reads text, writes it with names.
pub fn run(arguments: &TranslateArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let ticket = &arguments.ticket;
    let own = keeping::own_identity(desk)?;
    let kept = names::kept(ticket, desk)?;
    let mut entries: Vec<VaultEntry> = Vec::new();
    for file in &kept {
        if let Some(vault) = keeping::open_vault(file, &own, desk)? {
            for entry in vault {
                entries.push(entry?);
            }
        }
    }
    let mut translator = Translator::new(entries);
    let mut input = input(arguments.file.as_deref(), desk)?;
    loop {
        let mut piece = Vec::new();
        let read = (&mut input).take(PIECE).read_until(b'\n', &mut piece);
        if read.map_err(|error| Failure::local("Reading failed", &error))? == 0 {
            break;
        }
        complete(&mut input, &mut piece)?;
        let text = String::from_utf8(piece).map_err(|_| {
            Failure::new(Exit::Damaged, "It is not UTF-8 text.").next("Save it as plain text in UTF-8 and try again.")
        })?;
        let text = translator.text(&text);
        if desk.manner.json {
            desk.output.event("text", json!({ "text": text }).as_object().cloned().unwrap_or_default());
        } else {
            match desk.output.raw().write_all(text.as_bytes()) {
                // Who reads the output has had enough: `| head`.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                written => written.map_err(|error| Failure::local("Standard output", &error))?,
            }
        }
    }
    if !translator.unknown().is_empty() {
        desk.output.say("In no vault of this ticket, left as they are:");
        for stand_in in translator.unknown() {
            desk.output.say(format!("  {}", shown(stand_in)));
        }
    }
    desk.output.say(format!("{} translated.", count(translator.translated(), "stand-in")));
    Ok(Outcome::done("translated").with("translated", translator.translated()).with("unknown", translator.unknown()))
}

/// Reads on where a piece ends within a line, up to the next blank, so that no stand-in is divided; at most 64 KiB.
fn complete(input: &mut impl BufRead, piece: &mut Vec<u8>) -> Result<(), Failure> {
    let most = piece.len() + (64 << 10);
    while piece.len() as u64 >= PIECE && piece.len() < most && !piece.last().is_some_and(u8::is_ascii_whitespace) {
        let mut byte = [0];
        if input.read(&mut byte).map_err(|error| Failure::local("Reading failed", &error))? == 0 {
            break;
        }
        piece.push(byte[0]);
    }
    Ok(())
}

fn input(file: Option<&Path>, desk: &mut Desk<'_>) -> Result<BufReader<Box<dyn Read>>, Failure> {
    let input: Box<dyn Read> = match file {
        Some(path) if path != Path::new("-") => {
            Box::new(File::open(path).map_err(|error| Failure::local(path.display(), &error))?)
        }
        _ => desk.world.take_input(),
    };
    Ok(BufReader::new(input))
}
