//! What the technician types: keys, opening and checking sealed files, fetching and closing tickets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PortalArguments;
use crate::ids::TicketId;
use crate::wire::Moment;

/// Commands on keys.
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Make a key: the secret part goes to FILE (never overwritten), the public part is printed
    New {
        /// Where the secret key is written, readable by you alone
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// X25519 alone instead of X-Wing (ML-KEM-768 and X25519): for readers without ML-KEM
        #[arg(long, conflicts_with_all = ["shared", "sender"])]
        classic: bool,
        /// A shared key: both sides hold it, and it seals and opens; nothing of it is public
        #[arg(long, conflicts_with = "sender")]
        shared: bool,
        /// A sender's key: it signs what you seal, so that others know it is from you
        #[arg(long)]
        sender: bool,
        /// Protects the key file.
        #[command(flatten)]
        protect: NewPassphraseArguments,
    },
    /// Print the public part of a key file: the recipient, or the sender
    Public {
        /// The key file; - for standard input
        file: PathBuf,
        /// A file that holds the key file's passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Show kind and fingerprint of a key file, a recipient or a sender
    Show {
        /// A key file, a file that holds a recipient or a sender, a recipient or a sender
        key: String,
        /// A file that holds the key file's passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Protect a key file with a passphrase, change the passphrase or take it off
    Passphrase {
        /// The key file
        file: PathBuf,
        /// A file that holds the present passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// A file that holds the new passphrase
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
        /// Take the passphrase off
        #[arg(long, conflicts_with = "new_passphrase_file")]
        remove: bool,
    },
}

/// A passphrase that is set.
#[derive(Args, Debug, Clone, Default)]
pub struct NewPassphraseArguments {
    /// Ask for a passphrase to protect it with
    #[arg(long, conflicts_with = "passphrase_file")]
    pub passphrase: bool,
    /// A file that holds the passphrase to protect it with, in one line, readable by you alone; - for standard input
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What opens a sealed file, and whose files are taken.
#[derive(Args, Debug, Clone, Default)]
pub struct KeyArguments {
    /// The identity file; repeatable
    #[arg(long, short, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// A file that holds the key that both sides hold; repeatable
    #[arg(long, value_name = "FILE")]
    pub shared_key: Vec<PathBuf>,
    /// A file that holds the passphrase, of the sealed file or of the key file; asked for when absent
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Refuse what this sender did not sign: tarseal-sender1… or a file that holds some; repeatable, one must fit
    #[arg(long, value_name = "SENDER|FILE")]
    pub require_sender: Vec<String>,
}

/// Arguments of `open`.
#[derive(Args, Debug)]
pub struct OpenArguments {
    /// The sealed file: a path, an https:// address, or - for standard input
    pub file: PathBuf,
    /// What opens it.
    #[command(flatten)]
    pub keys: KeyArguments,
    /// The directory to make; named after the file when absent
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Wait until all of it is on the disk and survives a power failure
    #[arg(long)]
    pub sync: bool,
    /// Why you read it; goes into the portal's audit log
    #[arg(long)]
    pub reason: Option<String>,
    /// Where the portal's part of the key is.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `list` and `verify`, and a part of those of `cat` and `grep`.
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// The sealed file: a path, an https:// address, or - for standard input
    pub file: PathBuf,
    /// What opens it.
    #[command(flatten)]
    pub keys: KeyArguments,
    /// Why you read it; goes into the portal's audit log
    #[arg(long)]
    pub reason: Option<String>,
    /// Where the portal's part of the key is.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `cat`.
#[derive(Args, Debug)]
pub struct CatArguments {
    /// Where the snapshot is and what opens it.
    #[command(flatten)]
    pub sealed: InspectArguments,
    /// Files of the snapshot, as `list` names them; `.tarseal/manifest.json` for the manifest
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
}

/// Arguments of `grep`.
#[derive(Args, Debug)]
pub struct GrepArguments {
    /// Where the snapshot is and what opens it.
    #[command(flatten)]
    pub sealed: InspectArguments,
    /// A regular expression, searched line by line
    pub pattern: String,
    /// Search only these files or directories of the snapshot: paths or globs (`*.log`, `var/log/**`)
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Make no difference between capital and small letters
    #[arg(long, short)]
    pub ignore_case: bool,
}

/// Arguments of `fetch`.
#[derive(Args, Debug)]
pub struct FetchArguments {
    /// The ticket
    pub ticket: TicketId,
    /// Why you read it; goes into the portal's audit log
    #[arg(long)]
    pub reason: String,
    /// What opens what was fetched.
    #[command(flatten)]
    pub keys: KeyArguments,
    /// The directory to make (with --key), or the directory for the sealed files
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `close`.
#[derive(Args, Debug)]
pub struct CloseArguments {
    /// The ticket
    pub ticket: TicketId,
    /// When it was closed, if not now: RFC 3339, or a day, which means its end where the tenant is; not in the future
    #[arg(long, value_name = "TIME")]
    pub at: Option<Moment>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}
