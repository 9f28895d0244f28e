//! `key`: make, show and protect keys.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::Desk;
use crate::cli::args::{KeyCommand, NewPassphraseArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::home::{read_secret, write_private, write_private_new};
use crate::cli::passphrase::{self, Passphrases};
use crate::format::{
    Identity, KeyError, KeyFile, KeyKind, ProtectedKey, Recipient, SecretKey, Sender, SenderKey, SlotKind,
};

/// Runs one of the key commands.
pub fn run(command: &KeyCommand, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        KeyCommand::New { output, classic, shared, sender, protect } => {
            let rng = &mut *desk.world.rng;
            let key = match (sender, shared, classic) {
                (true, _, _) => SecretKey::Sender(SenderKey::generate(rng)),
                (_, true, _) => SecretKey::Identity(Identity::generate_shared(rng)),
                (_, _, true) => SecretKey::Identity(Identity::generate(KeyKind::X25519, rng)),
                _ => SecretKey::Identity(Identity::generate(KeyKind::XWing, rng)),
            };
            new(output, &key, protect, desk)
        }
        KeyCommand::Public { file, passphrase_file } => public(file, passphrase_file.as_deref(), desk),
        KeyCommand::Show { key, passphrase_file } => show(key, passphrase_file.as_deref(), desk),
        KeyCommand::Passphrase { file, passphrase_file, new_passphrase_file, remove } => {
            let mut old = Passphrases::of(passphrase_file.as_deref());
            change(file, &mut old, new_passphrase_file.as_deref(), *remove, desk)
        }
    }
}

fn new(
    file: &Path,
    key: &SecretKey,
    protect: &NewPassphraseArguments,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Failure> {
    let shown = file.display().to_string();
    let not_written = |error: &std::io::Error| Failure::local(format_args!("The key {shown} was not written"), error);
    if file.symlink_metadata().is_ok() {
        return Err(not_written(&std::io::ErrorKind::AlreadyExists.into()));
    }
    let now = desk.world.clock.now();
    let text = match passphrase::new(protect, &shown, desk)? {
        Some(passphrase) => key
            .to_protected_text(now, &passphrase, &mut *desk.world.rng)
            .expect("a key that was drawn here has a key file"),
        None => key.to_text(now),
    };
    write_private_new(file, text.expose().as_bytes()).map_err(|error| not_written(&error))?;
    let told = Told::of(key);
    desk.output.data(told.public.as_deref().unwrap_or(&told.fingerprint));
    desk.output.say(format!("The secret key is in {shown}: keep it to yourself."));
    desk.output.say(match key {
        SecretKey::Sender(_) => "The line on standard output is the sender: give it to those who open your files.",
        SecretKey::Identity(identity) if identity.kind() == SlotKind::SharedKey => {
            "Only the other side gets a copy of it, by hand. The line on standard output is its fingerprint, to compare."
        }
        _ => "The line on standard output is the recipient: give it to those who send to you.",
    });
    let outcome = Outcome::done("made").with("fingerprint", told.fingerprint).with("file", file);
    Ok(match told.public {
        Some(public) => outcome.with(told.name, public),
        None => outcome,
    })
}

fn public(file: &Path, passphrase_file: Option<&Path>, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let key = read_key(file, &mut Passphrases::of(passphrase_file), desk)?;
    let told = Told::of(&key);
    let Some(public) = told.public else {
        return Err(Failure::usage(format_args!(
            "{} holds a shared key, and nothing of that is public.",
            file.display()
        ))
        .next(format!("Its fingerprint, to compare:  tarseal key show {}", file.display())));
    };
    desk.output.data(&public);
    Ok(Outcome::done("ok").with(told.name, public))
}

fn show(key: &str, passphrase_file: Option<&Path>, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let public = |prefix: &str| key.starts_with(prefix) || holds_line(Path::new(key), prefix);
    let (told, secret) = if public(RECIPIENT) {
        (Told::of_recipient(&read_recipient(key)?), false)
    } else if public(SENDER) {
        match read_sender(key)?.as_slice() {
            [sender] => (Told::of_sender(sender), false),
            _ => return Err(Failure::usage(format_args!("{key} holds more than one sender."))),
        }
    } else {
        (Told::of(&read_key(Path::new(key), &mut Passphrases::of(passphrase_file), desk)?), true)
    };
    let what = match (told.name, secret) {
        ("shared key", _) => "shared key (secret)",
        ("sender", true) => "sender's key (secret)",
        ("sender", false) => "sender (public)",
        (_, true) => "identity (secret)",
        (_, false) => "recipient (public)",
    };
    let mut lines = format!("{what}\n  kind         {}\n  fingerprint  {}", told.kind, told.fingerprint);
    let mut outcome =
        Outcome::done("ok").with("secret", secret).with("kind", told.kind).with("fingerprint", told.fingerprint);
    if let Some(words) = told.words {
        lines.push_str(&format!("\n  words        {words}"));
        outcome = outcome.with("words", words);
    }
    desk.output.data(lines);
    Ok(match told.public {
        Some(public) => outcome.with(told.name, public),
        None => outcome,
    })
}

/// Protects a key file, changes its passphrase or takes it off; the file is replaced all or nothing.
fn change(
    file: &Path,
    old: &mut Passphrases,
    new: Option<&Path>,
    remove: bool,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Failure> {
    let shown = file.display().to_string();
    let local = |error: &std::io::Error| Failure::local(format_args!("The key file {shown}"), error);
    // A link stays a link: what it leads to is replaced.
    let file = file.canonicalize().map_err(|error| local(&error))?;
    let text = read_secret(&file, "key file", desk.world)?;
    let key = match parse(&file, text.expose())? {
        KeyFile::Protected(protected) => unlock(&file, &protected, old, desk)?,
        KeyFile::Clear(_) if remove => {
            return Err(Failure::usage(format_args!("{shown} is not protected with a passphrase.")));
        }
        KeyFile::Clear(key) => key,
        #[expect(
            unreachable_patterns,
            reason = "the enum is non-exhaustive for other crates; a new variant lands here"
        )]
        _ => return Err(Failure::new(Exit::Bug, "A key file of an unknown kind.")),
    };
    let new = match new {
        _ if remove => None,
        Some(new) => Some(passphrase::from_file(new, desk)?),
        None => Some(passphrase::ask_twice(&shown, "--new-passphrase-file", desk)?),
    };
    let replaced = key
        .replace_in(text.expose(), new.as_ref(), &mut *desk.world.rng)
        .map_err(|error| not_a_key_file(&file, &error))?;
    write_private(&file, replaced.expose().as_bytes()).map_err(|error| local(&error))?;
    let (status, said) = if remove {
        ("removed", "holds the secret key in clear now")
    } else {
        ("protected", "opens with the new passphrase alone now")
    };
    desk.output.say(format!("{shown} {said}."));
    Ok(Outcome::done(status).with("file", file).with("fingerprint", Told::of(&key).fingerprint))
}

/// What people are told of a key.
struct Told {
    /// `recipient`, `sender` or `shared key`.
    name: &'static str,
    kind: &'static str,
    fingerprint: String,
    /// The fingerprint in words, for a key that others seal to.
    words: Option<String>,
    public: Option<String>,
}

impl Told {
    fn of(key: &SecretKey) -> Self {
        match key {
            SecretKey::Identity(identity) => Self::of_recipient(&identity.recipient()),
            SecretKey::Sender(key) => Self::of_sender(&key.sender()),
            #[expect(
                unreachable_patterns,
                reason = "the enum is non-exhaustive for other crates; a new variant lands here"
            )]
            _ => Self { name: "key", kind: "unknown", fingerprint: String::new(), words: None, public: None },
        }
    }

    fn of_recipient(recipient: &Recipient) -> Self {
        let kind = match recipient.kind() {
            SlotKind::XWing => "X-Wing (ML-KEM-768 and X25519)",
            SlotKind::SharedKey => "256 bits for both sides",
            _ => "X25519",
        };
        let public = recipient.is_public().then(|| recipient.to_string());
        let name = if public.is_some() { "recipient" } else { "shared key" };
        let words = public.is_some().then(|| recipient.words());
        Self { name, kind, fingerprint: recipient.fingerprint(), words, public }
    }

    fn of_sender(sender: &Sender) -> Self {
        let (fingerprint, public) = (sender.fingerprint(), Some(sender.to_string()));
        Self { name: "sender", kind: "Ed25519 (signs)", fingerprint, words: None, public }
    }
}

/// Reads an identity from a file that only its owner can read. `passphrases` opens a protected one.
pub fn read_identity_with(
    file: &Path,
    passphrases: &mut Passphrases,
    desk: &mut Desk<'_>,
) -> Result<Identity, Failure> {
    match read_key(file, passphrases, desk)? {
        SecretKey::Identity(identity) => Ok(identity),
        _ => Err(Failure::usage(format_args!("{} is a sender's key: it signs, and opens nothing.", file.display()))),
    }
}

/// Reads a sender's key from a file that only its owner can read. `passphrase_file` opens a protected one.
pub fn read_sender_key(file: &Path, passphrase_file: Option<&Path>, desk: &mut Desk<'_>) -> Result<SenderKey, Failure> {
    not_public(file)?;
    let text = read_secret(file, "key file", desk.world)?;
    let key = match parse(file, text.expose())? {
        KeyFile::Clear(key) => key,
        KeyFile::Protected(protected) => {
            let mut passphrases = Passphrases::of(passphrase_file);
            let passphrase = passphrases.of_what(&file.display().to_string(), "--sender-passphrase-file", desk)?;
            protected.unlock(&passphrase).map_err(|error| not_a_key_file(file, &error))?
        }
        #[expect(
            unreachable_patterns,
            reason = "the enum is non-exhaustive for other crates; a new variant lands here"
        )]
        _ => return Err(Failure::new(Exit::Bug, "A key file of an unknown kind.")),
    };
    match key {
        SecretKey::Sender(key) => Ok(key),
        _ => Err(Failure::usage(format_args!("{} is not a sender's key: it does not sign.", file.display()))
            .next("Make one with:  tarseal key new --sender -o FILE")),
    }
}

/// Reads a secret key of any kind.
fn read_key(file: &Path, passphrases: &mut Passphrases, desk: &mut Desk<'_>) -> Result<SecretKey, Failure> {
    not_public(file)?;
    let text = read_secret(file, "key file", desk.world)?;
    match parse(file, text.expose())? {
        KeyFile::Clear(key) => Ok(key),
        KeyFile::Protected(protected) => unlock(file, &protected, passphrases, desk),
        #[expect(
            unreachable_patterns,
            reason = "the enum is non-exhaustive for other crates; a new variant lands here"
        )]
        _ => Err(Failure::new(Exit::Bug, "A key file of an unknown kind.")),
    }
}

/// Refuses the file of a public key by its kind, before it is looked at who can read it.
fn not_public(file: &Path) -> Result<(), Failure> {
    let is = |prefix: &str| file.is_file() && holds_line(file, prefix);
    let what = match (is(RECIPIENT), is(SENDER)) {
        (true, _) => "a recipient: others seal to it, and it opens and signs nothing",
        (_, true) => "a sender: it says who signed, and opens and signs nothing",
        _ => return Ok(()),
    };
    Err(Failure::usage(format_args!("{} holds {what}.", file.display()))
        .next("Name the file of the secret key that it belongs to."))
}

fn unlock(
    file: &Path,
    key: &ProtectedKey,
    passphrases: &mut Passphrases,
    desk: &mut Desk<'_>,
) -> Result<SecretKey, Failure> {
    let passphrase = passphrases.of_what(&file.display().to_string(), "--passphrase-file", desk)?;
    key.unlock(&passphrase).map_err(|error| not_a_key_file(file, &error))
}

fn parse(file: &Path, text: &str) -> Result<KeyFile, Failure> {
    text.parse().map_err(|error| not_a_key_file(file, &error))
}

fn not_a_key_file(file: &Path, error: &KeyError) -> Failure {
    let file = file.display();
    match error {
        KeyError::WrongPassphrase => {
            Failure::new(Exit::WrongPassphrase, format_args!("The passphrase does not open {file}."))
        }
        KeyError::Memory(_) => Failure::new(Exit::Local, format_args!("{file}: {error}.")),
        _ => Failure::usage(format_args!("{file} is not a key file: {error}.")),
    }
}

/// How much of a file is looked at to see what kind of key it holds, in bytes.
const SHORT: usize = 64 << 10;
/// What the line of a recipient begins with.
const RECIPIENT: &str = "tarseal1";
/// What the line of a sender begins with.
const SENDER: &str = "tarseal-sender1";

/// Reads a sender given as text, or the senders that a file holds, one a line; at least one.
pub fn read_sender(text: &str) -> Result<Vec<Sender>, Failure> {
    if text.starts_with(SENDER) {
        let sender = text.parse().map_err(|error| Failure::usage(format_args!("The sender is not valid: {error}.")))?;
        return Ok(vec![sender]);
    }
    if text.starts_with(RECIPIENT) {
        return Err(Failure::usage("This is a recipient, who signs nothing; a sender begins tarseal-sender1."));
    }
    let content = std::fs::read_to_string(text)
        .map_err(|error| Failure::local(format_args!("The sender file {text}"), &error))?;
    let senders: Result<Vec<Sender>, KeyError> = lines_with(&content, SENDER).map(str::parse).collect();
    match senders {
        Ok(senders) if senders.is_empty() => {
            Err(Failure::new(Exit::Usage, format_args!("{text} holds no sender (a line that begins tarseal-sender1)."))
                .next("A sender prints it with:  tarseal key public FILE"))
        }
        Ok(senders) => Ok(senders),
        Err(error) => Err(Failure::usage(format_args!("A sender in {text} is not valid: {error}."))),
    }
}

/// Reads a recipient given as text, or as a file that holds one.
pub fn read_recipient(text: &str) -> Result<Recipient, Failure> {
    if text.starts_with(RECIPIENT) || text.starts_with(SENDER) {
        return text.parse().map_err(|error| Failure::usage(format_args!("The recipient is not valid: {error}.")));
    }
    let content = std::fs::read_to_string(text)
        .map_err(|error| Failure::local(format_args!("The recipient file {text}"), &error))?;
    let lines: Vec<&str> = lines_with(&content, RECIPIENT).collect();
    match lines.as_slice() {
        [line] => {
            line.parse().map_err(|error| Failure::usage(format_args!("The recipient in {text} is not valid: {error}.")))
        }
        [] => Err(Failure::new(Exit::Usage, format_args!("{text} holds no recipient (a line that begins tarseal1)."))
            .next("A technician prints one with:  tarseal key public FILE")),
        _ => Err(Failure::usage(format_args!("{text} holds more than one recipient; give each with its own --to."))),
    }
}

/// Whether a line of a short file begins so. What it holds may be a secret, and is wiped.
fn holds_line(file: &Path, prefix: &str) -> bool {
    let mut content = Zeroizing::new(String::with_capacity(SHORT + 1));
    let read = File::open(file).and_then(|file| file.take(SHORT as u64).read_to_string(&mut content));
    read.is_ok() && lines_with(&content, prefix).next().is_some()
}

fn lines_with<'a>(content: &'a str, prefix: &str) -> impl Iterator<Item = &'a str> {
    content.lines().map(str::trim).filter(move |line| line.starts_with(prefix))
}
