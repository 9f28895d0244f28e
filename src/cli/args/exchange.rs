//! What sender and technician type to each other: questions and answers, passing on, taking back, proof.

use std::path::PathBuf;

use clap::Args;

use super::{KeyArguments, PortalArguments};
use crate::ids::{FileId, TicketId};

/// Arguments of `ask`.
#[derive(Args, Debug)]
pub struct AskArguments {
    /// The ticket
    pub ticket: TicketId,
    /// The stand-in, as it stands in the snapshot, such as person-17; without it the questions and their answers are shown
    pub stand_in: Option<String>,
    /// Why you need to know; the customer reads it
    #[arg(long, value_name = "TEXT", requires = "stand_in")]
    pub why: Option<String>,
    /// The snapshot, if the ticket has several; the newest when absent
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<FileId>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `answer`.
#[derive(Args, Debug)]
pub struct AnswerArguments {
    /// Only this ticket; all that were sent from here when absent
    pub ticket: Option<TicketId>,
    /// The question, if several wait; also one that was answered already, to answer it anew
    #[arg(long, value_name = "ID")]
    pub question: Option<String>,
    /// Do not tell
    #[arg(long, conflicts_with_all = ["text", "reveal"])]
    pub decline: bool,
    /// Answer in your own words
    #[arg(long, value_name = "TEXT", conflicts_with = "reveal")]
    pub text: Option<String>,
    /// Tell the real value that the stand-in stands for
    #[arg(long)]
    pub reveal: bool,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `withdraw`.
#[derive(Args, Debug)]
pub struct WithdrawArguments {
    /// The ticket
    pub ticket: TicketId,
    /// Only this snapshot of it
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<FileId>,
    /// Why; needed from everyone but the sender, who need not say
    #[arg(long)]
    pub reason: Option<String>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `proof`.
#[derive(Args, Debug)]
pub struct ProofArguments {
    /// The ticket
    pub ticket: TicketId,
    /// Where the receipt is written; nothing is overwritten
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// The snapshot, if several of the ticket were deleted
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<FileId>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `grant`.
#[derive(Args, Debug)]
pub struct GrantArguments {
    /// The ticket
    pub ticket: TicketId,
    /// The name with which whoever gets it signs in to the portal
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Their recipient (tarseal1…), or a file that holds it; compare its fingerprint with them
    #[arg(long, value_name = "RECIPIENT|FILE")]
    pub to: String,
    /// Why you pass it on; goes into the portal's audit log
    #[arg(long)]
    pub reason: String,
    /// What opens the snapshot.
    #[command(flatten)]
    pub keys: KeyArguments,
    /// The snapshot, if the ticket has several; the newest when absent
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<FileId>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}

/// Arguments of `grants`.
#[derive(Args, Debug)]
pub struct GrantsArguments {
    /// The ticket
    pub ticket: TicketId,
    /// Revoke this grant: who has it gets nothing more from the portal
    #[arg(long, value_name = "ID")]
    pub revoke: Option<String>,
    /// The portal.
    #[command(flatten)]
    pub portal: PortalArguments,
}
