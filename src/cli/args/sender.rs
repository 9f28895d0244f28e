//! What the sender types: collecting, sealing, uploading, and watching over what was sent.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::PortalArguments;
use crate::ids::TicketId;
use crate::pack::PackOptions;
use crate::redact::Category;

/// What is collected and how it is sealed: shared by `send` and `seal`.
#[derive(Args, Debug)]
pub struct SnapshotArguments {
    /// Files, directories, globs in quotes, or - for standard input; what the profile collects when absent. To `send`, first may
    /// stand a request: its code or its file; to `seal`, its file
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// Which part of the logs.
    #[command(flatten)]
    pub window: WindowArguments,
    /// Who can open it: a vendor's name, a recipient (tarseal1…) or a file that holds one; repeatable
    #[arg(long = "to", value_name = "VENDOR|RECIPIENT")]
    pub to: Vec<String>,
    /// Your sender's key: signs the snapshot, so that others know it is from you
    #[arg(long, value_name = "FILE")]
    pub sender_key: Option<PathBuf>,
    /// A file that holds the passphrase of your sender's key; asked for when absent
    #[arg(long, value_name = "FILE")]
    pub sender_passphrase_file: Option<PathBuf>,
    /// How it is redacted.
    #[command(flatten)]
    pub rules: RulesArguments,
    /// Leave personal data as it is. Written into the manifest and shown in the review
    #[arg(long)]
    pub no_redact: bool,
    /// How hard it is compressed, 1 to 9. 1 is the quickest; logs become hardly smaller with more
    #[arg(long, value_name = "N", default_value_t = *PackOptions::LEVELS.start(), value_parser = level)]
    pub level: i32,
    /// Show what would be collected, with sizes; read nothing, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Which part of the logs is wanted: lines with another time stamp are left out.
#[derive(Args, Debug, Default)]
pub struct WindowArguments {
    /// Only the last minutes, hours or days: a number with m, h or d
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "since")]
    pub last: Option<i64>,
    /// Only from this time on: 2026-11-21T14:00:00Z, or "2026-11-21 14:00" in this computer's time zone
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only before this time
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
}

/// Arguments of `collect`.
#[derive(Args, Debug)]
pub struct CollectArguments {
    /// Files, directories or globs in quotes; what the profile collects when absent
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// Whose sources: a built-in profile (see `tarseal profile list`) or a file of your own
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Which part of the logs.
    #[command(flatten)]
    pub window: WindowArguments,
    /// Show what would be collected, with sizes; read nothing, run nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How something is redacted: shared by `send`, `seal` and `redact`.
#[derive(Args, Debug)]
pub struct RulesArguments {
    /// What kind of source it is: a built-in profile (see `tarseal profile list`) or a file of your own
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// A file of names to remove wherever they stand, one a line; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub watchlist: Option<PathBuf>,
    /// When the gate stops it, show on this terminal what it found
    #[arg(long)]
    pub show_values: bool,
}

/// Arguments of `send`.
#[derive(Args, Debug)]
pub struct SendArguments {
    /// What and for whom.
    #[command(flatten)]
    pub snapshot: SnapshotArguments,
    /// The support ticket it belongs to; a request names it
    #[arg(long, short)]
    pub ticket: Option<TicketId>,
    /// The eight words of the key that signs requests, as the technician told you: needed once, unless you pinned the vendor
    #[arg(long, value_name = "WORDS")]
    pub signer: Option<String>,
    /// Leave out what lies at this path or matches this glob; repeatable
    #[arg(long, value_name = "PATH")]
    pub leave_out: Vec<String>,
    /// Where it goes.
    #[command(flatten)]
    pub portal: PortalArguments,
    /// How long to go on trying while nothing gets through: a number with m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = patience)]
    pub give_up_after: Duration,
    /// How to show what will leave before it leaves
    #[arg(long, value_enum, default_value_t = Review::Html)]
    pub review: Review,
}

/// How the review before sending is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Review {
    /// As a page for the browser, kept on this computer until the snapshot is deleted; a summary on standard error
    Html,
    /// All of it as text on standard error
    Text,
    /// Not at all
    None,
}

/// Arguments of `seal`.
#[derive(Args, Debug)]
pub struct SealArguments {
    /// What and for whom.
    #[command(flatten)]
    pub snapshot: SnapshotArguments,
    /// The sealed file; - for standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A file that holds a key that both sides hold: seals to it, instead of or beside --to; repeatable
    #[arg(long, value_name = "FILE")]
    pub shared_key: Vec<PathBuf>,
    /// Ask for a passphrase and seal with it, to nobody else
    #[arg(long, conflicts_with_all = ["passphrase_file", "to", "shared_key"])]
    pub passphrase: bool,
    /// A file that holds the passphrase to seal with, in one line, readable by you alone; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "shared_key"])]
    pub passphrase_file: Option<PathBuf>,
    /// Cut the sealed file into parts of at most this size, FILE.001, FILE.002 and so on, with their list FILE.parts: for
    /// sticks and mails. A number with kB, MB, GB, KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", value_parser = super::technician::bytes, requires = "output")]
    pub split: Option<u64>,
    /// The eight words of the key that signed the request, as the technician told you: needed once, unless you pinned the vendor
    #[arg(long, value_name = "WORDS")]
    pub signer: Option<String>,
    /// The support ticket it belongs to; a request names it
    #[arg(long, short)]
    pub ticket: Option<TicketId>,
    /// How to show what is in it: html where there is a ticket, none where there is not, unless this says otherwise
    #[arg(long, value_enum)]
    pub review: Option<Review>,
}

/// Arguments of `redact`.
#[derive(Args, Debug)]
pub struct RedactArguments {
    /// The text; - or nothing for standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write what was found, as counts by category, to this file (JSON)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Use the stand-ins of this ticket, so that the same value gets the same stand-in as in its snapshots
    #[arg(long, short)]
    pub ticket: Option<TicketId>,
    /// How it is redacted.
    #[command(flatten)]
    pub rules: RulesArguments,
    /// Only count what would be replaced
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `upload`.
#[derive(Args, Debug)]
pub struct UploadArguments {
    /// The sealed file, or the list of its parts (FILE.parts)
    pub file: PathBuf,
    /// The support ticket it belongs to; a request names it
    #[arg(long, short, required_unless_present = "request")]
    pub ticket: Option<TicketId>,
    /// The request it was sealed for, its code or its file: gives the token
    #[arg(long, value_name = "CODE|FILE.tsreq")]
    pub request: Option<OsString>,
    /// The eight words of the key that signed the request, as the technician told you: needed once, unless you pinned the vendor
    #[arg(long, value_name = "WORDS", requires = "request")]
    pub signer: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub portal: PortalArguments,
    /// How long to go on trying while nothing gets through: a number with m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = patience)]
    pub give_up_after: Duration,
}

/// Arguments of `resume`. An upload goes on where it began, whatever portal is named.
#[derive(Args, Debug)]
pub struct ResumeArguments {
    /// Only this ticket's uploads; all when absent
    pub ticket: Option<TicketId>,
    /// The portal that the token is for; an upload to another one does not see it
    #[arg(long, value_name = "URL")]
    pub portal: Option<String>,
    /// A file that holds the token, readable by you alone; - for standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificates to trust instead of the system's, in PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long to go on trying while nothing gets through: a number with m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = patience)]
    pub give_up_after: Duration,
}

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct StatusArguments {
    /// Only this ticket
    pub ticket: Option<TicketId>,
}

/// Arguments of `due`.
#[derive(Args, Debug)]
pub struct DueArguments {
    /// How far ahead to look, in days
    #[arg(long, value_name = "DAYS", default_value = "14d", value_parser = days)]
    pub within: u32,
    /// Print every deadline that is known as a calendar (RFC 5545) instead; the exit code is 0
    #[arg(long)]
    pub ical: bool,
}

/// Arguments of `letter`.
#[derive(Args, Debug)]
pub struct LetterArguments {
    /// The ticket
    pub ticket: TicketId,
    /// A text of your own; {ticket}, {date} and {snapshots} in it are filled in
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
}

/// Arguments of `confirm`.
#[derive(Args, Debug)]
pub struct ConfirmArguments {
    /// The ticket
    pub ticket: TicketId,
    /// What the vendor wrote: a mail, a scan; it is kept, and its digest goes into the ledger
    #[arg(long, value_name = "FILE")]
    pub evidence: PathBuf,
}

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Also look whether the token is good for this ticket
    #[arg(long, short)]
    pub ticket: Option<TicketId>,
    /// How to reach the portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `sync`.
#[derive(Args, Debug)]
pub struct SyncArguments {
    /// Only this ticket
    pub ticket: Option<TicketId>,
    /// How to reach the portals.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `names`.
#[derive(Args, Debug)]
pub struct NamesArguments {
    /// The ticket
    pub ticket: TicketId,
    /// Only this stand-in, such as person-17, or values that hold this text
    pub search: Option<String>,
    /// Only values of this category, such as person or ip
    #[arg(long, value_parser = category)]
    pub category: Option<Category>,
}

/// Arguments of `translate`.
#[derive(Args, Debug)]
pub struct TranslateArguments {
    /// The ticket
    pub ticket: TicketId,
    /// The mail or report; - or nothing for standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Commands on profiles.
#[derive(Subcommand, Debug)]
pub enum ProfileCommand {
    /// List the built-in profiles
    List,
    /// Print a profile, to read or to begin one of your own with
    Show {
        /// A built-in profile or a file
        #[arg(value_name = "NAME|FILE")]
        name: String,
    },
    /// Check a profile of your own
    Check {
        /// The profile
        file: PathBuf,
    },
    /// Print the JSON schema of profiles, for editors and other tools
    Schema,
}

/// Commands on receipts.
#[derive(Subcommand, Debug)]
pub enum ReceiptCommand {
    /// Print the receipts of a ticket from the ledger
    Show {
        /// The ticket
        ticket: TicketId,
    },
    /// Check a receipt without a network
    Verify {
        /// The receipt; - for standard input
        file: PathBuf,
        /// The portal's receipt key, or a file that holds it; the key the ledger pinned when absent
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Take a receipt that came by hand into the ledger: of a sealed file that went by stick or mail
    Add {
        /// The receipt; - for standard input
        file: PathBuf,
        /// The portal's receipt key, or a file that holds it; the key the ledger pinned when absent
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// The portal's address; that of the settings when absent
        #[arg(long, value_name = "URL")]
        portal: Option<String>,
    },
}

fn level(text: &str) -> Result<i32, String> {
    let (least, most) = PackOptions::LEVELS.into_inner();
    let known = text.parse().ok().filter(|level| PackOptions::LEVELS.contains(level));
    known.ok_or_else(|| format!("expected a number from {least} to {most}"))
}

fn category(text: &str) -> Result<Category, String> {
    let known = || Category::ALL.map(Category::word).join(", ");
    text.parse().map_err(|_| format!("the categories are {}", known()))
}

fn patience(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3_600),
        Some(b'd') => (&text[..text.len() - 1], 86_400),
        _ => (text, 0),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| (60..=30 * 86_400).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "expected a time from 1m to 30d, such as 30m or 24h".into())
}

/// A number with s, m, h or d, in seconds.
fn span(text: &str) -> Result<i64, String> {
    const UNITS: [(char, i64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(*unit));
    let seconds = unit.and_then(|(unit, seconds)| text.strip_suffix(*unit)?.parse::<i64>().ok()?.checked_mul(*seconds));
    seconds
        .filter(|seconds| (1..=3_660 * 86_400).contains(seconds))
        .ok_or_else(|| "expected a time such as 30m, 24h or 7d".into())
}

fn days(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix('d').unwrap_or(text);
    digits.parse().ok().filter(|days| *days <= 3650).ok_or_else(|| "expected a number of days such as 14d".into())
}
