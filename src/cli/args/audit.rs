//! What is typed about the audit log.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::PortalArguments;
use crate::clock::Timestamp;
use crate::ids::TicketId;

/// Commands on the audit log.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Check an export without a network: no record was changed, removed or moved since the portal signed its log
    Verify {
        /// The export, as `audit export` wrote it; - for standard input
        file: PathBuf,
        /// The portal's receipt key, or a file that holds it; the keys the ledger pinned when absent
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// The checkpoint that the export must be of, as someone else fetched it from the portal's /log/checkpoint
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Fetch the audit log from the portal: all of it for those who watch over it, a ticket's part for its customer
    Export(AuditExportArguments),
}

/// Arguments of `audit export`.
#[derive(Args, Debug)]
pub struct AuditExportArguments {
    /// Only what was done with this ticket
    #[arg(long)]
    pub ticket: Option<TicketId>,
    /// Only this act, such as read-content
    #[arg(long)]
    pub act: Option<String>,
    /// Only from this instant on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Only before this instant (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// The form; only json can be verified
    #[arg(long, value_enum, default_value_t = AuditForm::Json)]
    pub format: AuditForm,
    /// Where to write it, readable by you alone; standard output when absent
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// A form of the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuditForm {
    /// JSON lines with proofs
    Json,
    /// A table
    Csv,
    /// Events of the Open Cybersecurity Schema Framework, as JSON lines
    Ocsf,
    /// Lines of syslog (RFC 5424)
    Syslog,
}

impl AuditForm {
    /// The form in one word, as the portal knows it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ocsf => "ocsf",
            Self::Syslog => "syslog",
        }
    }
}
