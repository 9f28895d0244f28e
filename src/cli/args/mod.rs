//! The arguments. The help text of every command and flag is its doc comment.
//!
//! Here are the commands and what all of them take; what each takes besides stands with those who type it: the sender, the
//! technician, the operator of a portal.

mod audit;
mod exchange;
#[cfg(feature = "portal")]
mod operator;
mod rights;
mod sender;
#[cfg(feature = "portal")]
mod serve;
mod technician;
mod vendor;

#[cfg(feature = "portal")]
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub use self::audit::{AuditCommand, AuditExportArguments};
pub use self::exchange::{
    AnswerArguments, AskArguments, GrantArguments, GrantsArguments, ProofArguments, WithdrawArguments,
};
#[cfg(feature = "portal")]
pub use self::operator::{
    BackupArguments, ClockCommand, EraseArguments, PortalAuditCommand, PortalCommand, RestoreArguments,
    SettleArguments, TenantCommand, TicketsCommand, TokenCommand, UserCommand,
};
pub use self::rights::{FindArguments, PersonArguments, RecordsArguments, SubjectCommand, SubjectExportArguments};
pub use self::sender::{
    CollectArguments, ConfirmArguments, DoctorArguments, DueArguments, LetterArguments, NamesArguments, ProfileCommand,
    ReceiptCommand, RedactArguments, ResumeArguments, Review, RulesArguments, SealArguments, SendArguments,
    SnapshotArguments, StatusArguments, SyncArguments, TranslateArguments, UploadArguments, WindowArguments,
};
#[cfg(feature = "portal")]
pub use self::serve::ServeArguments;
pub use self::technician::{
    CatArguments, CloseArguments, FetchArguments, GrepArguments, InspectArguments, KeyArguments, KeyCommand,
    ListArguments, NewPassphraseArguments, OpenArguments, RequestArguments,
};
pub use self::vendor::{KeyListCommand, NewKeyArguments, SignArguments, VendorCommand};

const EXAMPLES: &str = "\
Examples:
  back office  tarseal send ./logs --ticket 4711
  technician   tarseal fetch 4711 --reason 'audio drops' --key me.key -o ./4711
  script       tarseal send ./logs --ticket 4711 --yes --no-input --json

First time?    tarseal demo  shows the whole way; nothing leaves this computer.";

const EXIT_CODES: &str = "\
Exit codes:
    0  done (or already sent)
    1  unexpected error: a bug
    2  wrong usage or settings
    3  done, but some sources were left out; each is listed
    4  the gate stopped it; nothing was sealed or sent
    5  not approved, or the ticket is closed
    6  damaged or changed data, a bad signature
    7  disk, memory or permission on this computer
    8  TLS or certificate problem
    9  refused: token, key not trusted, no key fits
   10  not found: ticket, snapshot, file
   11  another run holds the lock (try later)
   12  wrong passphrase
   13  expired: deleted at its deadline, or a vendor's key list is too old
   14  due: something is due, unconfirmed or overdue
   75  temporary: network, portal busy (try again)
  130  interrupted, 143 terminated, 129 its terminal was closed; an upload goes on with `tarseal resume`";

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
    /// Show what would be collected, with sizes and reasons; nothing is read but names and sizes
    Collect(CollectArguments),
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
    /// Print a letter that asks the vendor to confirm the deletion
    Letter(LetterArguments),
    /// Write down that a vendor confirmed the deletion in writing, where no portal signs receipts
    Confirm(ConfirmArguments),
    /// Look whether everything is in place for sending, and say what to do where it is not
    Doctor(DoctorArguments),
    /// Ask the portals for news: closed tickets, deletions, receipts
    Sync(SyncArguments),
    /// Show who stands behind the stand-ins of a ticket; only this computer knows
    Names(NamesArguments),
    /// Put the names back into a vendor's mail or report: text in, text with names out
    Translate(TranslateArguments),
    /// Answer what a technician asks about the stand-ins; you decide for each question what is told
    Answer(AnswerArguments),
    /// Take back what was sent for a ticket: it is deleted at once
    Withdraw(WithdrawArguments),
    /// List, show and check profiles: what is collected, and how it is redacted
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show or verify a receipt
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Make and show keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Pin vendors by their root key, and keep their keys up to date
    #[command(subcommand)]
    Vendor(VendorCommand),
    /// Make and sign the list of your keys that senders fetch: for vendors
    #[command(subcommand)]
    KeyList(KeyListCommand),
    /// Open a sealed file into a new directory
    Open(OpenArguments),
    /// List what is in a sealed file, and what was left out
    List(ListArguments),
    /// Print single files of a sealed file; of one behind an https:// address only what is needed is fetched
    Cat(CatArguments),
    /// Search the files of a sealed file for a pattern (exit code 10 when nothing is found)
    Grep(GrepArguments),
    /// Check a sealed file from end to end without writing anything
    Verify(InspectArguments),
    /// Fetch the snapshots of a ticket from the portal, and open them if a key is given
    Fetch(FetchArguments),
    /// Close a ticket: its snapshots are deleted 90 days later
    Close(CloseArguments),
    /// Ask the sender about a stand-in, or see what they answered
    Ask(AskArguments),
    /// Pass a snapshot on to one more person, under the same deadline
    Grant(GrantArguments),
    /// See to whom the snapshots of a ticket were passed on, or revoke that
    Grants(GrantsArguments),
    /// Fetch the receipt of a deletion, to be shown
    Proof(ProofArguments),
    /// Ask a sender for a snapshot: eight characters to read over the telephone, or a file
    Request(RequestArguments),
    /// Fetch the portal's audit log, and check it without the portal
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Find where a person occurs in what was sent from here, for those who ask
    #[command(subcommand)]
    Subject(SubjectCommand),
    /// Print the record of processing activities (GDPR Art. 30), from settings, profile and ledger
    Records(RecordsArguments),
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
    /// Print the manual page of a command, or write all of them
    Man(ManArguments),
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

/// Arguments of `man`.
#[derive(Args, Debug)]
pub struct ManArguments {
    /// The command, such as `key new`; the program itself when absent
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write the pages of all commands into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub dir: Option<PathBuf>,
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

/// Commands on settings.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Print every setting and its value
    Show {
        /// Also say where each value comes from
        #[arg(long, action = ArgAction::SetTrue)]
        origin: bool,
    },
    /// Print the JSON Schema of a settings file
    Schema,
}
