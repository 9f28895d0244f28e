//! What is typed about people's rights: where somebody occurs, and the record of what is done with their data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::RulesArguments;
use crate::ids::{FileId, TicketId};
use crate::wire::Moment;
use crate::wire::subject::SubjectKind;

/// Commands about a person who asks.
#[derive(Subcommand, Debug)]
pub enum SubjectCommand {
    /// Find the snapshots in which a person occurs, and write the request that the data-protection officer lodges at the portal
    Find(FindArguments),
    /// Write down what this computer keeps about a person, for the person
    Export(SubjectExportArguments),
}

/// Whom it is about.
#[derive(Args, Debug)]
pub struct PersonArguments {
    /// What the person is known by: name, user name, address, number; several may be given, - reads them from standard input
    #[arg(value_name = "VALUE", required_unless_present = "stand_in")]
    pub values: Vec<String>,
    /// Or what stands for them in a ticket, such as person-17; whoever that is, is looked for everywhere
    #[arg(long, value_name = "STAND-IN", requires = "ticket")]
    pub stand_in: Option<String>,
    /// The ticket of the stand-in
    #[arg(long, value_name = "TICKET", requires = "stand_in")]
    pub ticket: Option<TicketId>,
    /// The snapshot of the stand-in, where two snapshots of the ticket call two people the same
    #[arg(long, value_name = "ID", requires = "stand_in")]
    pub snapshot: Option<FileId>,
}

/// Arguments of `subject find`.
#[derive(Args, Debug)]
pub struct FindArguments {
    /// Whom to look for.
    #[command(flatten)]
    pub person: PersonArguments,
    /// Write the request to this file, which must not be there; - for standard output
    #[arg(long, short, value_name = "FILE", requires = "kind")]
    pub output: Option<PathBuf>,
    /// What is asked for: information, correction, deletion, blocking, portability or revocation
    #[arg(long, value_name = "KIND", value_parser = kind, requires = "output")]
    pub kind: Option<SubjectKind>,
    /// When it was received, a day or an instant; the day on which it is lodged when absent
    #[arg(long, value_name = "TIME", requires = "output")]
    pub received: Option<Moment>,
    /// Of a correction: a file with what is to stand beside the snapshots
    #[arg(long, value_name = "FILE", requires = "output", required_if_eq("kind", "correction"))]
    pub statement: Option<PathBuf>,
    /// The portal that the request is for, when the snapshots went to several
    #[arg(long, value_name = "URL", requires = "output")]
    pub portal: Option<String>,
}

/// Arguments of `subject export`.
#[derive(Args, Debug)]
pub struct SubjectExportArguments {
    /// Whom it is about.
    #[command(flatten)]
    pub person: PersonArguments,
    /// Where to write it, readable by you alone; standard output when absent
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `records`.
#[derive(Args, Debug)]
pub struct RecordsArguments {
    /// What you say yourself: who is responsible, who receives what (TOML); records.toml beside the settings when absent
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// As a page to read and print, instead of JSON
    #[arg(long)]
    pub html: bool,
    /// Where to write it; standard output when absent
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// List since when the record was how, with the digest of each version
    #[arg(long, conflicts_with_all = ["html", "output", "past"])]
    pub list: bool,
    /// An earlier version by its number
    #[arg(long, value_name = "NUMBER")]
    pub past: Option<u32>,
    /// What is redacted, and how.
    #[command(flatten)]
    pub rules: RulesArguments,
}

fn kind(text: &str) -> Result<SubjectKind, String> {
    let known = || SubjectKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
    SubjectKind::from_word(text).ok_or_else(|| format!("the kinds are {}", known()))
}
