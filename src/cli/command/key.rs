//! `key`: make and show keys.

use std::path::Path;

use crate::cli::Desk;
use crate::cli::args::KeyCommand;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::{read_secret, write_private_new};
use crate::format::{Identity, KeyKind, Recipient, SlotKind};

/// Runs one of the key commands.
pub fn run(command: &KeyCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        KeyCommand::New { output, classic } => new(output, *classic, desk),
        KeyCommand::Public { file } => {
            let recipient = read_identity(file, desk)?.recipient();
            desk.output.data(recipient.to_string());
            Ok(Outcome::done("ok").with("recipient", recipient.to_string()))
        }
        KeyCommand::Show { key } => show(key, desk),
    }
}

fn new(file: &Path, classic: bool, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let kind = if classic { KeyKind::X25519 } else { KeyKind::XWing };
    let identity = Identity::generate(kind, &mut *desk.world.rng);
    let text = identity.to_text(desk.world.clock.now());
    write_private_new(file, text.expose().as_bytes())
        .map_err(|error| Failure::local(format_args!("The key {} was not written", file.display()), &error))?;
    let recipient = identity.recipient();
    desk.output.data(recipient.to_string());
    desk.output.say(format!("The secret key is in {}: keep it to yourself.", file.display()));
    desk.output.say("The line on standard output is the recipient: give it to those who send to you.");
    Ok(Outcome::done("made")
        .with("recipient", recipient.to_string())
        .with("fingerprint", recipient.fingerprint())
        .with("file", file))
}

fn show(key: &str, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let (recipient, secret) = if key.starts_with("tarseal1") || holds_recipient(Path::new(key)) {
        (read_recipient(key)?, false)
    } else {
        (read_identity(Path::new(key), desk)?.recipient(), true)
    };
    let kind = match recipient.kind() {
        SlotKind::XWing => "X-Wing (ML-KEM-768 and X25519)",
        _ => "X25519",
    };
    let what = if secret { "identity (secret)" } else { "recipient (public)" };
    let (fingerprint, words) = (recipient.fingerprint(), recipient.words());
    desk.output.data(format!("{what}\n  kind         {kind}\n  fingerprint  {fingerprint}\n  words        {words}"));
    Ok(Outcome::done("ok")
        .with("secret", secret)
        .with("kind", kind)
        .with("fingerprint", fingerprint)
        .with("words", words)
        .with("recipient", recipient.to_string()))
}

/// Reads an identity from a file that only its owner can read.
pub fn read_identity(file: &Path, desk: &mut Desk<'_>) -> Result<Identity, Failure> {
    let text = read_secret(file, "key file", desk.world)?;
    let parsed = text.expose().parse::<Identity>();
    parsed.map_err(|error| Failure::usage(format_args!("{} is not a key file: {error}.", file.display())))
}

/// Reads every identity given on the command line.
pub fn read_identities(files: &[impl AsRef<Path>], desk: &mut Desk<'_>) -> Result<Vec<Identity>, Failure> {
    files.iter().map(|file| read_identity(file.as_ref(), desk)).collect()
}

/// Reads a recipient given as text, or as a file that holds one.
pub fn read_recipient(text: &str) -> Result<Recipient, Failure> {
    if text.starts_with("tarseal1") {
        return text.parse().map_err(|error| Failure::usage(format_args!("The recipient is not valid: {error}.")));
    }
    let content = std::fs::read_to_string(text)
        .map_err(|error| Failure::local(format_args!("The recipient file {text}"), &error))?;
    let lines: Vec<&str> = recipient_lines(&content).collect();
    match lines.as_slice() {
        [line] => {
            line.parse().map_err(|error| Failure::usage(format_args!("The recipient in {text} is not valid: {error}.")))
        }
        [] => Err(Failure::new(Exit::Usage, format_args!("{text} holds no recipient (a line that begins tarseal1)."))
            .next("A technician prints one with:  tarseal key public FILE")),
        _ => Err(Failure::usage(format_args!("{text} holds more than one recipient; give each with its own --to."))),
    }
}

fn holds_recipient(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|content| recipient_lines(&content).next().is_some())
}

fn recipient_lines(content: &str) -> impl Iterator<Item = &str> {
    content.lines().map(str::trim).filter(|line| line.starts_with("tarseal1"))
}
