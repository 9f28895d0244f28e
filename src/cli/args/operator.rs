//! What the portal's operator types: serving it, its tenants and their tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::serve::ServeArguments;
use crate::clock::Timestamp;
use crate::ids::{SourceName, TenantId, TicketId};

/// Commands of the portal's operator.
#[derive(Subcommand, Debug)]
pub enum PortalCommand {
    /// Serve the portal until interrupted
    Serve(Box<ServeArguments>),
    /// Tenants: the customers of the portal
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Tokens: who may do what
    #[command(subcommand)]
    Token(TokenCommand),
    /// Invite somebody to sign in; the invitation is printed once, alone, on standard output
    Invite {
        /// What they are to be: staff, technician, lead, admin, dpo or auditor
        #[arg(long)]
        role: String,
        /// The tenant; may be left out while there is only one
        #[arg(long)]
        tenant: Option<TenantId>,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Users: the people who sign in
    #[command(subcommand)]
    User(UserCommand),
    /// The portal's clock: whether it jumped
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Delete now what is due
    Sweep {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Only print what would be due at this instant (RFC 3339)
        #[arg(long, value_name = "TIME")]
        as_of: Option<Timestamp>,
    },
    /// Look at the audit log: nothing was changed since it was signed
    #[command(subcommand)]
    Audit(PortalAuditCommand),
    /// Make a backup, also while the portal serves; older ones are thinned out
    Backup(BackupArguments),
    /// Make a new directory out of a backup; what was deleted since is deleted in it
    Restore(RestoreArguments),
    /// Make a portal fit to be served whose database its own tools put back
    Settle(SettleArguments),
    /// Compare what the database says with the files, both ways
    Reconcile {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Remove files that no row has known for so many days
        #[arg(long, value_name = "DAYS", default_value_t = 7)]
        older_than: u16,
    },
    /// Tickets as their ticket systems tell of them
    #[command(subcommand)]
    Tickets(TicketsCommand),
}

/// Commands on ticket systems.
#[derive(Subcommand, Debug)]
pub enum TicketsCommand {
    /// Ask each ticket system once and say how its answer is read; changes nothing
    Check {
        /// The file or directory that `serve --ticket-systems` takes
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The ticket to ask for, by the portal's name of it; without it each system is only asked whether it answers
        #[arg(long)]
        ticket: Option<TicketId>,
        /// Ask this system alone
        #[arg(long, value_name = "NAME")]
        source: Option<SourceName>,
    },
    /// Take closings out of a table (CSV with the columns `ticket` and `closed_at`, and `event` if there is one)
    Import {
        /// The table; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The tenant; may be left out while there is only one
        #[arg(long)]
        tenant: Option<TenantId>,
        /// The ticket system that the table comes from; told twice by one system, a closing counts once
        #[arg(long, value_name = "NAME")]
        source: SourceName,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Take the good lines although there are bad ones
        #[arg(long)]
        skip_bad: bool,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Show how the ticket systems do that the portal asks
    Status {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Arguments of `portal backup`.
#[derive(Args, Debug)]
pub struct BackupArguments {
    /// The portal's directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The directory of the backups; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Back up the shares and the portal's key instead; kept for seven days at most
    #[arg(long)]
    pub shares: bool,
    /// Of how many days the last backup is kept
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub daily: u16,
    /// Of how many weeks
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with = "shares")]
    pub weekly: u16,
    /// Of how many months
    #[arg(long, value_name = "N", default_value_t = 12, conflicts_with = "shares")]
    pub monthly: u16,
}

/// Arguments of `portal restore`.
#[derive(Args, Debug)]
pub struct RestoreArguments {
    /// The backup: a directory called portal-…
    #[arg(long, value_name = "BACKUP")]
    pub from: PathBuf,
    /// The directory to make; nothing may be there
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The backup of the shares and the portal's key: a directory called shares-…
    #[arg(long, value_name = "BACKUP", required_unless_present = "without_shares")]
    pub shares: Option<PathBuf>,
    /// Go on without: what has a share can never be opened again, and receipts are signed with a new key
    #[arg(long, conflicts_with = "shares")]
    pub without_shares: bool,
    /// Where deletions since the backup are written down: the former directory, or a copy of its tombstones
    #[arg(long, value_name = "DIR", required_unless_present = "tombstones_lost")]
    pub tombstones: Vec<PathBuf>,
    /// They are lost with the former directory: what was deleted after the newest backup may come back
    #[arg(long, conflicts_with = "tombstones")]
    pub tombstones_lost: bool,
    /// Read everything back before the directory gets its name
    #[arg(long)]
    pub verify: bool,
}

/// Arguments of `portal settle`.
#[derive(Args, Debug)]
pub struct SettleArguments {
    /// The portal's directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Where deletions since the backup are written down: the former directory of each process, or a copy of its tombstones
    #[arg(long, value_name = "DIR", required_unless_present = "tombstones_lost")]
    pub tombstones: Vec<PathBuf>,
    /// They are lost: what was deleted after the backup may come back
    #[arg(long, conflicts_with = "tombstones")]
    pub tombstones_lost: bool,
    /// Read every sealed file back
    #[arg(long)]
    pub verify: bool,
}

/// Commands on the portal's audit log.
#[derive(Subcommand, Debug)]
pub enum PortalAuditCommand {
    /// Compare every record, receipt and tile with what was signed, and say which differ
    Verify {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// A checkpoint that was kept elsewhere: the log must still begin with what it was then
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Erase a name, an address or a reason, as when the person asks for it; the records and their proofs stay
    Erase(EraseArguments),
    /// Make the tree anew from the records, if they are the ones that were signed
    Rebuild {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Arguments of `portal audit erase`.
#[derive(Args, Debug)]
pub struct EraseArguments {
    /// A name, as it stands in the log
    #[arg(long, required_unless_present_any = ["address", "reason"], conflicts_with_all = ["address", "reason"])]
    pub name: Option<String>,
    /// A network address
    #[arg(long, conflicts_with = "reason")]
    pub address: Option<String>,
    /// A reason somebody gave
    #[arg(long)]
    pub reason: Option<String>,
    /// The tenant in whose log it stands
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: TenantId,
    /// The portal's directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Commands on the portal's clock.
#[derive(Subcommand, Debug)]
pub enum ClockCommand {
    /// Show what the clock says, and whether a jump waits to be confirmed
    Show {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Take the present time for right: deletions go on by it
    Confirm {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Commands on tenants.
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

/// Commands on users.
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// List the users
    List {
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Invite a user to choose a new password and second factor
    Reset {
        /// Their id, from `list`
        id: String,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Give a user another role; it takes them off their tickets
    Role {
        /// Their id, from `list`
        id: String,
        /// What they are to be: staff, technician, lead, admin, dpo or auditor
        role: String,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Disable a user: their sessions end at once
    Disable {
        /// Their id, from `list`
        id: String,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Their id, from `list`
        id: String,
        /// The portal's directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

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
