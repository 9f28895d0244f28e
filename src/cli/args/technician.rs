//! What the technician types: keys, opening and checking sealed files, fetching and closing tickets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PortalArguments;
use crate::clock::Timestamp;
use crate::ids::TicketId;

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
