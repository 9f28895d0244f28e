//! What the technician types: keys, opening and checking sealed files, fetching and closing tickets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PortalArguments;
use crate::clock::Timestamp;
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
    /// The sealed file: a path, the list of its parts (FILE.parts), an https:// address, or - for standard input. With --wipe the
    /// opened copy: its directory, its ticket or its snapshot
    #[arg(required_unless_present = "purge", conflicts_with = "purge")]
    pub file: Option<PathBuf>,
    /// What opens it.
    #[command(flatten)]
    pub keys: KeyArguments,
    /// The directory to make; named after the file when absent
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Open it into memory (`$XDG_RUNTIME_DIR/tarseal`): it is never on the disk, and goes when you log out
    #[arg(long, conflicts_with_all = ["output", "sync"])]
    pub memory: bool,
    /// Remove an opened copy now
    #[arg(long, conflicts_with_all = ["output", "memory", "sync", "purge"])]
    pub wipe: bool,
    /// Remove every opened copy whose day has come, after asking the portal, if the settings name one, for news of them
    #[arg(long, conflicts_with_all = ["output", "memory", "sync"])]
    pub purge: bool,
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

/// Arguments of `list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// The sealed file: a path, the list of its parts (FILE.parts), an https:// address, or - for standard input
    #[arg(required_unless_present_any = ["mine", "opened"], conflicts_with_all = ["mine", "opened"])]
    pub file: Option<PathBuf>,
    /// The snapshots that the portal holds for you, instead
    #[arg(long, conflicts_with = "opened")]
    pub mine: bool,
    /// The copies that were opened on this computer, instead
    #[arg(long)]
    pub opened: bool,
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

/// Arguments of `verify`, and a part of those of `cat` and `grep`.
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// The sealed file: a path, the list of its parts (FILE.parts), an https:// address, or - for standard input
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
    /// With --key: open it into memory (`$XDG_RUNTIME_DIR/tarseal`): it is never on the disk, and goes when you log out
    #[arg(long, conflicts_with = "output")]
    pub memory: bool,
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

/// Arguments of `request`.
#[derive(Args, Debug)]
pub struct RequestArguments {
    /// The ticket
    #[arg(long, short)]
    pub ticket: TicketId,
    /// What the ticket is about, in one line that the sender reads
    #[arg(long)]
    pub title: Option<String>,
    /// What kind of source it is: a built-in profile (see `tarseal profile list`)
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// How far back: a number with m, h or d
    #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with_all = ["since", "until"])]
    pub last: Option<u64>,
    /// From when on: RFC 3339
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Until when: RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// How large the sealed file may be: a number with kB, MB, GB, KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_size: Option<u64>,
    /// How long the code is good: a number with m, h or d, at most 7d
    #[arg(long, value_name = "TIME", default_value = "48h", value_parser = seconds)]
    pub valid: u64,
    /// Whom the snapshot is sealed to: a recipient (tarseal1…), a file that holds one, or a vendor's name; repeatable
    #[arg(long = "to", value_name = "VENDOR|RECIPIENT")]
    pub to: Vec<String>,
    /// Your signing key (`tarseal key new --sender`)
    #[arg(long, value_name = "FILE")]
    pub sender_key: Option<PathBuf>,
    /// A file that holds the passphrase of your signing key; asked for when absent
    #[arg(long, value_name = "FILE")]
    pub sender_passphrase_file: Option<PathBuf>,
    /// Sign with the vendor's root key instead
    #[arg(long, value_name = "FILE", conflicts_with = "sender_key")]
    pub root_key: Option<PathBuf>,
    /// Also write the request to a file, for a mail or a stick (never overwritten): whoever has it can send for the ticket
    #[arg(long, short, value_name = "FILE.tsreq")]
    pub output: Option<PathBuf>,
    /// Show the requests that wait for the ticket instead of making one
    #[arg(long, conflicts_with_all = ["output", "revoke"])]
    pub list: bool,
    /// Take a request back, by its id
    #[arg(long, value_name = "ID", conflicts_with = "output")]
    pub revoke: Option<String>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

fn seconds(text: &str) -> Result<u64, String> {
    let units = [("m", 60), ("h", 3_600), ("d", 86_400)];
    number(text, &units).filter(|seconds| *seconds > 0).ok_or_else(|| "expected a time such as 90m, 24h or 7d".into())
}

pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let units =
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    number(text, &units).filter(|bytes| *bytes > 0).ok_or_else(|| "expected a size such as 500MiB or 2GB".into())
}

/// A whole number with one of these units behind it.
fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    digits.trim_end().parse::<u64>().ok()?.checked_mul(*unit)
}
