//! The arguments. The help text of every command and flag is its doc comment.

use std::ffi::OsString;
#[cfg(feature = "portal")]
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::clock::Timestamp;
#[cfg(feature = "portal")]
use crate::ids::TenantId;
use crate::ids::TicketId;

const EXAMPLES: &str = "\
Examples:
  back office   tarseal send ./logs --ticket 4711 --portal https://support.vendor.example --to tarseal1… --token-file token
  technician    tarseal fetch 4711 --reason \"audio drops\" --key me.key -o ./4711
  script        tarseal send ./logs --ticket 4711 --yes --no-input --json

First time?  tarseal demo   shows the whole way on this computer; nothing leaves it.";

const EXIT_CODES: &str = "\
Exit codes:
    0  done (or already sent)                    9  refused: token, key not trusted, no key fits
    1  unexpected error                         10  not found: ticket, snapshot, file in the snapshot
    2  wrong usage or settings                  11  another run holds the lock (try later)
    3  done, but some sources left out          13  expired: deleted at its deadline
    4  the gate stopped it                      14  due: something is due or overdue
    5  not approved, or the ticket is closed    75  temporary: network, portal busy (try again)
    6  damaged data, bad signature             130  interrupted; state kept, `tarseal resume` goes on
    7  disk, memory or permission here         143  terminated; likewise
    8  TLS or certificate problem";

/// Sends a diagnostic snapshot to a support portal: personal data out, sealed in, deleted on time, with proof.
#[derive(Parser, Debug)]
#[command(name = "tarseal", version, before_help = EXAMPLES, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Arguments {
    /// How to talk.
    #[command(flatten)]
    pub manner: MannerArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Args, Debug, Clone)]
pub struct MannerArguments {
    /// JSON lines on standard output; the last one is the result
    #[arg(long, global = true)]
    pub json: bool,
    /// Only errors and the final line on standard error
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// No colour (also `NO_COLOR`, `TERM=dumb`)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// No redrawn lines: one line per 10 % (also `ACCESSIBLE=1`)
    #[arg(long, global = true)]
    pub plain: bool,
    /// Never ask; what would need an answer fails
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Answer yes to every question
    #[arg(long, short, global = true)]
    pub yes: bool,
}

/// The commands, in the order of the data's way.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show the whole way on this computer: portal, keys, redact, seal, upload, open, close, delete, receipt
    #[cfg(feature = "portal")]
    Demo(DemoArguments),
    /// Collect, redact, seal and upload a snapshot for a ticket
    Send(SendArguments),
    /// The same up to the sealed file; nothing leaves this computer
    Seal(SealArguments),
    /// Redact text: standard input or a file in, redacted text out
    Redact(RedactArguments),
    /// Upload a sealed file made earlier
    Upload(UploadArguments),
    /// Go on with an upload that was interrupted
    Resume(ResumeArguments),
    /// Show what was sent and when it will be deleted
    Status(StatusArguments),
    /// Show what is due for deletion soon, overdue or unconfirmed (exit code 14 when there is something)
    Due(DueArguments),
    /// Ask the portals for news: closed tickets, deletions, receipts
    Sync(SyncArguments),
    /// Show who stands behind the stand-ins of a ticket; only this computer knows
    Names(NamesArguments),
    /// Show or verify a receipt
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Make and show keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Open a sealed file into a new directory
    Open(OpenArguments),
    /// List what is in a sealed file
    List(InspectArguments),
    /// Check a sealed file from end to end without writing anything
    Verify(InspectArguments),
    /// Fetch the snapshots of a ticket from the portal, and open them if a key is given
    Fetch(FetchArguments),
    /// Close a ticket: its snapshots are deleted 90 days later
    Close(CloseArguments),
    /// Run and administer the support portal
    #[cfg(feature = "portal")]
    #[command(subcommand)]
    Portal(PortalCommand),
    /// Show the settings in force
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `demo`.
#[cfg(feature = "portal")]
#[derive(Args, Debug)]
pub struct DemoArguments {
    /// Where the demo may write; a new directory below the state directory when absent
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Logs to use instead of this computer's own
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
}

/// What is collected and how it is sealed: shared by `send` and `seal`.
#[derive(Args, Debug)]
pub struct SnapshotArguments {
    /// Files, directories, globs in quotes, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// Who can open it: a recipient (tarseal1…) or a file that holds one; repeatable
    #[arg(long = "to", value_name = "RECIPIENT")]
    pub to: Vec<String>,
    /// A file of names to remove wherever they stand, one a line
    #[arg(long, value_name = "FILE")]
    pub watchlist: Option<PathBuf>,
    /// Leave personal data as it is. Written into the manifest and shown in the review
    #[arg(long)]
    pub no_redact: bool,
    /// Show what would be collected, with sizes; read nothing, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `send`.
#[derive(Args, Debug)]
pub struct SendArguments {
    /// What and for whom.
    #[command(flatten)]
    pub snapshot: SnapshotArguments,
    /// The support ticket it belongs to
    #[arg(long, short)]
    pub ticket: TicketId,
    /// Where it goes.
    #[command(flatten)]
    pub portal: PortalArguments,
    /// How long to go on trying while nothing gets through: a number with m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = patience)]
    pub give_up_after: Duration,
    /// How to show what will leave before it leaves
    #[arg(long, value_enum, default_value_t = Review::Text)]
    pub review: Review,
}

/// How the review before sending is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Review {
    /// As text on standard error
    Text,
    /// Not at all
    None,
}

/// How to reach a portal: flag, environment, configuration file.
#[derive(Args, Debug, Clone, Default)]
pub struct PortalArguments {
    /// The portal's address
    #[arg(long, value_name = "URL")]
    pub portal: Option<String>,
    /// A file that holds the token, readable by you alone; - for standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificates to trust instead of the system's, in PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
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
    /// The support ticket it belongs to
    #[arg(long, short)]
    pub ticket: Option<TicketId>,
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
    /// A file of names to remove wherever they stand, one a line
    #[arg(long, value_name = "FILE")]
    pub watchlist: Option<PathBuf>,
    /// Only count what would be replaced
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `upload`.
#[derive(Args, Debug)]
pub struct UploadArguments {
    /// The sealed file
    pub file: PathBuf,
    /// The support ticket it belongs to
    #[arg(long, short)]
    pub ticket: TicketId,
    /// Where it goes.
    #[command(flatten)]
    pub portal: PortalArguments,
    /// How long to go on trying while nothing gets through: a number with m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = patience)]
    pub give_up_after: Duration,
}

/// Arguments of `resume`. An upload goes on where it began, so the portal cannot be named anew.
#[derive(Args, Debug)]
pub struct ResumeArguments {
    /// Only this ticket's uploads; all when absent
    pub ticket: Option<TicketId>,
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
    /// Only this stand-in, such as person-17
    pub stand_in: Option<String>,
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
}

/// Commands on keys.
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Make a key: the secret part goes to FILE (never overwritten), the recipient is printed
    New {
        /// Where the identity is written, readable by you alone
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// X25519 alone instead of X-Wing (ML-KEM-768 and X25519): for readers without ML-KEM
        #[arg(long)]
        classic: bool,
    },
    /// Print the recipient of an identity file
    Public {
        /// The identity file; - for standard input
        file: PathBuf,
    },
    /// Show kind and fingerprint of an identity file or a recipient
    Show {
        /// An identity file, a file that holds a recipient, or a recipient
        key: String,
    },
}

/// Arguments of `open`.
#[derive(Args, Debug)]
pub struct OpenArguments {
    /// The sealed file; - for standard input
    pub file: PathBuf,
    /// The identity file; repeatable
    #[arg(long, short, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    /// The directory to make; named after the file when absent
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Why you read it; goes into the portal's audit log
    #[arg(long)]
    pub reason: Option<String>,
    /// Where the portal's part of the key is.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `list` and `verify`.
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// The sealed file; - for standard input
    pub file: PathBuf,
    /// The identity file; repeatable
    #[arg(long, short, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    /// Why you read it; goes into the portal's audit log
    #[arg(long)]
    pub reason: Option<String>,
    /// Where the portal's part of the key is.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `fetch`.
#[derive(Args, Debug)]
pub struct FetchArguments {
    /// The ticket
    pub ticket: TicketId,
    /// Why you read it; goes into the portal's audit log
    #[arg(long)]
    pub reason: String,
    /// The identity file: opens what was fetched; repeatable
    #[arg(long, short, value_name = "FILE")]
    pub key: Vec<PathBuf>,
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
    /// When it was closed, if not now (RFC 3339, not in the future)
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Commands of the portal's operator.
#[cfg(feature = "portal")]
#[derive(Subcommand, Debug)]
pub enum PortalCommand {
    /// Serve the portal until interrupted
    Serve {
        /// The directory that holds everything; made when it is not there
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Address and port to listen on; port 0 takes a free one
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
        listen: SocketAddr,
        /// The certificate chain, in PEM
        #[arg(long, value_name = "FILE", requires = "tls_key")]
        tls_cert: Option<PathBuf>,
        /// The certificate's key, in PEM
        #[arg(long, value_name = "FILE", requires = "tls_cert")]
        tls_key: Option<PathBuf>,
        /// A proxy in front ends TLS: allow plain HTTP on any address
        #[arg(long)]
        behind_proxy: bool,
    },
    /// Tenants: the customers of the portal
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Tokens: who may do what
    #[command(subcommand)]
    Token(TokenCommand),
    /// Delete now what is due
    Sweep {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Only print what would be due at this instant (RFC 3339)
        #[arg(long, value_name = "TIME")]
        as_of: Option<Timestamp>,
    },
}

/// Commands on tenants.
#[cfg(feature = "portal")]
#[derive(Subcommand, Debug)]
pub enum TenantCommand {
    /// Add a tenant
    New {
        /// Its name
        name: TenantId,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// List the tenants
    List {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Commands on tokens.
#[cfg(feature = "portal")]
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Make a token; it is printed once, alone, on standard output
    New {
        /// What its bearer is: upload, staff, technician, lead, admin, dpo or auditor
        #[arg(long)]
        role: String,
        /// The tenant; may be left out while there is only one
        #[arg(long)]
        tenant: Option<TenantId>,
        /// The one ticket it is good for (needed for role upload); opened if the portal does not know it
        #[arg(long)]
        ticket: Option<TicketId>,
        /// How long it is good for: a number with h or d
        #[arg(long, value_name = "TIME", default_value = "72h", value_parser = hours)]
        expires: u32,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// List the tokens, without their secrets
    List {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Revoke a token: it is refused from the next request on
    Revoke {
        /// Its id, from `list`
        id: String,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Commands on settings.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Print every setting and its value
    Show {
        /// Also say where each value comes from
        #[arg(long, action = ArgAction::SetTrue)]
        origin: bool,
    },
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

fn days(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix('d').unwrap_or(text);
    digits.parse().ok().filter(|days| *days <= 3650).ok_or_else(|| "expected a number of days such as 14d".into())
}

#[cfg(feature = "portal")]
fn hours(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.strip_suffix('d') {
        Some(digits) => (digits, 24),
        None => (text.strip_suffix('h').unwrap_or(text), 1),
    };
    digits
        .parse::<u32>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|hours| (1..=24 * 3650).contains(hours))
        .ok_or_else(|| "expected a time such as 72h or 30d".into())
}
