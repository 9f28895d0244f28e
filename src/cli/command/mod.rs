//! The commands, one file each.

mod answer;
mod approve;
mod ask;
mod audit;
mod cat;
mod close;
mod collect;
mod collected;
mod config;
mod confirm;
#[cfg(feature = "portal")]
mod demo;
mod doctor;
mod fetch;
mod grant;
mod grep;
mod input;
mod inspect;
pub mod key;
mod key_list;
mod ledger;
mod letter;
mod list;
mod man;
mod names;
mod open;
mod opening;
mod paper;
mod places;
#[cfg(feature = "portal")]
mod portal;
mod profile;
mod proof;
mod readers;
mod receipt;
mod records;
mod redact;
pub mod remote;
mod request;
mod seal;
mod send;
mod share;
mod snapshot;
mod subject;
mod translate;
mod upload;
mod vendor;
mod wipe;
mod withdraw;

pub use self::collected::{in_part, window_in_words};
pub use self::remote::sentence;
pub use self::snapshot::Told;

use super::Desk;
#[cfg(feature = "portal")]
use super::args::PortalCommand;
use super::args::{AuditCommand, Command, KeyListCommand, ProfileCommand, ReceiptCommand, VendorCommand};
use super::exit::{Failure, Outcome};

/// The first word of the last line when a command fails: what did not happen.
pub const fn headline(command: &Command) -> &'static str {
    match command {
        Command::Send(_) | Command::Upload(_) | Command::Resume(_) => "NOT SENT.",
        Command::Seal(_) => "NOT SEALED.",
        Command::Collect(_) => "NOT COLLECTED.",
        Command::Redact(_) => "NOT REDACTED.",
        Command::Open(arguments) if arguments.wipe => "NOT WIPED.",
        Command::Open(arguments) if arguments.purge => "NOT PURGED.",
        Command::Open(_) => "NOT OPENED.",
        Command::Fetch(_) => "NOT FETCHED.",
        Command::Close(_) => "NOT CLOSED.",
        Command::Ask(_) => "NOT ASKED.",
        Command::Answer(_) => "NOT ANSWERED.",
        Command::Withdraw(_) => "NOT WITHDRAWN.",
        Command::Grant(_) => "NOT GRANTED.",
        Command::Proof(_) => "NOT PROVED.",
        Command::Verify(_) => "NOT VERIFIED.",
        Command::Receipt(ReceiptCommand::Add { .. }) => "NOT ADDED.",
        Command::Receipt(_)
        | Command::Audit(AuditCommand::Verify { .. })
        | Command::Profile(ProfileCommand::Check { .. }) => "NOT VALID.",
        Command::Audit(AuditCommand::Export(_)) => "NOT EXPORTED.",
        #[cfg(feature = "portal")]
        Command::Portal(PortalCommand::Audit(_)) => "NOT VALID.",
        Command::Translate(_) => "NOT TRANSLATED.",
        Command::Confirm(_) => "NOT CONFIRMED.",
        Command::Request(_) => "NOT ASKED.",
        Command::Vendor(VendorCommand::Add { .. }) => "NOT ADDED.",
        Command::Vendor(VendorCommand::Update { .. }) => "NOT UPDATED.",
        Command::Vendor(VendorCommand::Check { .. }) | Command::KeyList(KeyListCommand::Show { .. }) => "NOT GOOD.",
        Command::KeyList(KeyListCommand::Root { .. }) => "NOT MADE.",
        Command::KeyList(_) => "NOT SIGNED.",
        _ => "FAILED.",
    }
}

/// Runs a command.
pub fn run(command: Command, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        #[cfg(feature = "portal")]
        Command::Demo(arguments) => demo::run(&arguments, desk),
        Command::Send(arguments) => send::run(arguments, desk),
        Command::Seal(arguments) => seal::run(arguments, desk),
        Command::Collect(arguments) => collect::run(&arguments, desk),
        Command::Redact(arguments) => redact::run(&arguments, desk),
        Command::Upload(arguments) => upload::run(&arguments, desk),
        Command::Resume(arguments) => upload::resume(&arguments, desk),
        Command::Status(arguments) => ledger::status(&arguments, desk),
        Command::Due(arguments) => ledger::due(&arguments, desk),
        Command::Sync(arguments) => ledger::sync(&arguments, desk),
        Command::Letter(arguments) => letter::run(&arguments, desk),
        Command::Confirm(arguments) => confirm::run(&arguments, desk),
        Command::Doctor(arguments) => doctor::run(&arguments, desk),
        Command::Names(arguments) => names::run(&arguments, desk),
        Command::Translate(arguments) => translate::run(&arguments, desk),
        Command::Profile(command) => profile::run(&command, desk),
        Command::Receipt(command) => receipt::run(&command, desk),
        Command::Key(command) => key::run(&command, desk),
        Command::Vendor(command) => vendor::run(&command, desk),
        Command::KeyList(command) => key_list::run(&command, desk),
        Command::Open(arguments) => open::run(&arguments, desk),
        Command::List(arguments) => list::run(arguments, desk),
        Command::Cat(arguments) => cat::run(&arguments, desk),
        Command::Grep(arguments) => grep::run(&arguments, desk),
        Command::Verify(arguments) => inspect::verify(&arguments, desk),
        Command::Fetch(arguments) => fetch::run(&arguments, desk),
        Command::Close(arguments) => close::run(&arguments, desk),
        Command::Ask(arguments) => ask::run(&arguments, desk),
        Command::Answer(arguments) => answer::run(&arguments, desk),
        Command::Withdraw(arguments) => withdraw::run(&arguments, desk),
        Command::Grant(arguments) => grant::run(&arguments, desk),
        Command::Grants(arguments) => grant::list(&arguments, desk),
        Command::Proof(arguments) => proof::run(&arguments, desk),
        Command::Request(arguments) => request::run(&arguments, desk),
        Command::Audit(command) => audit::run(&command, desk),
        Command::Subject(command) => subject::run(&command, desk),
        Command::Records(arguments) => records::run(&arguments, desk),
        #[cfg(feature = "portal")]
        Command::Portal(command) => portal::run(&command, desk),
        Command::Config(command) => config::run(&command, desk),
        Command::Completions { shell } => config::completions(shell, desk),
        Command::Man(arguments) => man::run(&arguments, desk),
    }
}
