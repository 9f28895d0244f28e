//! How a command ends: its exit code, and for a failure what happened, whether anything left this computer, what to do.

use std::fmt;

/// The exit codes of every command, as the README lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or already done.
    Done = 0,
    /// An unexpected error: a bug.
    Bug = 1,
    /// Wrong usage or settings.
    Usage = 2,
    /// Done, but some sources could not be read; each is listed.
    Incomplete = 3,
    /// The gate stopped it; nothing was sealed or sent.
    Gate = 4,
    /// Not approved: review needed or declined, ticket closed, policy forbids.
    NotApproved = 5,
    /// Damaged, truncated or changed data, a bad signature, or the wrong kind of input.
    Damaged = 6,
    /// Something of this computer: disk, memory, permission.
    Local = 7,
    /// TLS or a certificate.
    Tls = 8,
    /// Refused: token, key not trusted, no key fits.
    Refused = 9,
    /// Not found: ticket, snapshot, file in the snapshot, file on this computer.
    NotFound = 10,
    /// Another run holds the lock.
    Locked = 11,
    /// A wrong passphrase.
    WrongPassphrase = 12,
    /// The snapshot or its share was deleted at its deadline, or a vendor's key list is too old.
    Expired = 13,
    /// `due`: something is due, unconfirmed or overdue.
    Due = 14,
    /// Temporary: network, portal busy. Worth trying again.
    Temporary = 75,
    /// Interrupted at the keyboard; state is kept.
    Interrupted = 130,
}

impl Exit {
    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The one of two that says more: what will not pass by itself before what may, and that before what was done.
    #[must_use]
    pub const fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Incomplete | Self::Due => 1,
            Self::Temporary | Self::Locked => 2,
            _ => 3,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened, as one or more sentences.
    pub what: String,
    /// Whether and how much left this computer, when that needs saying beyond the headline.
    pub left: Option<String>,
    /// What to do next; each a line, commands among them.
    pub next: Vec<String>,
}

impl Failure {
    /// A failure with no advice yet.
    pub fn new(exit: Exit, what: impl fmt::Display) -> Self {
        Self { exit, what: what.to_string(), left: None, next: Vec::new() }
    }

    /// Adds a line on what to do next.
    #[must_use]
    pub fn next(mut self, line: impl Into<String>) -> Self {
        self.next.push(line.into());
        self
    }

    /// Says what left this computer.
    #[must_use]
    pub fn left(mut self, line: impl Into<String>) -> Self {
        self.left = Some(line.into());
        self
    }

    /// Says what left this computer, where nothing nearer to it has said so.
    #[must_use]
    pub fn or_left(mut self, line: &str) -> Self {
        self.left.get_or_insert_with(|| line.to_owned());
        self
    }

    /// Something a user wrote or set is wrong.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// A file or directory of this computer could not be used, or is not there.
    pub fn local(doing: impl fmt::Display, error: &std::io::Error) -> Self {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Local };
        Self::new(exit, format_args!("{doing}: {}.", plain_io(error)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// An I/O error in words without a number, where there are such words.
#[must_use]
pub fn plain_io(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "it is not there".into(),
        ErrorKind::PermissionDenied => "permission was denied".into(),
        ErrorKind::AlreadyExists => "it is there already, and nothing is overwritten".into(),
        ErrorKind::StorageFull => "the disk is full".into(),
        ErrorKind::QuotaExceeded => "your disk quota is used up".into(),
        ErrorKind::IsADirectory => "it is a directory".into(),
        ErrorKind::NotADirectory => "part of the path is not a directory".into(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        _ => error.to_string(),
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code: [`Exit::Done`], [`Exit::Incomplete`], [`Exit::Due`], that of a fault that did not stop it, or the worst of
    /// several things done at once.
    pub exit: Exit,
    /// One word for the result event.
    pub status: &'static str,
    /// Further fields of the result event.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl Outcome {
    /// A command that did all it was asked.
    #[must_use]
    pub fn done(status: &'static str) -> Self {
        Self { exit: Exit::Done, status, fields: serde_json::Map::new() }
    }

    /// Adds a field to the result event.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl serde::Serialize) -> Self {
        let value = serde_json::to_value(value).expect("fields of a result are plain values");
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// Ends with another code than 0.
    #[must_use]
    pub const fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}
