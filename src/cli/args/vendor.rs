//! What is typed about key lists: by senders, who pin a vendor, and by the vendor, who publishes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::clock::Timestamp;
use crate::format::key_list::MAX_DAYS;
use crate::ids::VendorId;

/// Commands on the vendors whose key lists are kept.
#[derive(Subcommand, Debug)]
pub enum VendorCommand {
    /// Pin a vendor: from then on `--to NAME` seals to the keys of its list
    Add {
        /// What you call it
        name: VendorId,
        /// Where its key list is: https://…, or a file
        #[arg(value_name = "URL|FILE")]
        from: String,
        /// The vendor's root key, as the vendor told you: the key, a file that holds it, its fingerprint or its eight words
        #[arg(long, value_name = "KEY|FINGERPRINT")]
        root: Option<String>,
        /// Certificates to trust instead of the system's, in PEM
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
    /// Show the vendors, their keys and fingerprints
    List {
        /// Only this one
        name: Option<VendorId>,
    },
    /// Take the newest key list of one vendor, or of all
    Update {
        /// Only this one
        name: Option<VendorId>,
        /// Take the list from this file instead of its address
        #[arg(long, value_name = "FILE", requires = "name")]
        from: Option<PathBuf>,
        /// Certificates to trust instead of the system's, in PEM
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
    /// Ask whether the key list kept here is good, and whether there is a newer one; nothing is changed
    Check {
        /// Only this one
        name: Option<VendorId>,
        /// Certificates to trust instead of the system's, in PEM
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
    /// Forget a vendor, its root key and its key list
    Remove {
        /// Which
        name: VendorId,
    },
}

/// Commands with which a vendor makes its key list.
#[derive(Subcommand, Debug)]
pub enum KeyListCommand {
    /// Make a root key, which signs key lists: the secret part goes to FILE (never overwritten), the root key is printed
    Root {
        /// Where the secret part is written, readable by you alone
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// The vendor's name, such as support.vendor.example: without spaces, and for good
        #[arg(long)]
        name: String,
    },
    /// Make the first key list
    New {
        /// The key list (never overwritten)
        #[arg(value_name = "LIST")]
        list: PathBuf,
        /// Its first key.
        #[command(flatten)]
        key: NewKeyArguments,
        /// How it is signed.
        #[command(flatten)]
        sign: SignArguments,
    },
    /// Add a key, to which senders seal from then on
    Add {
        /// The key list
        #[arg(value_name = "LIST")]
        list: PathBuf,
        /// The key.
        #[command(flatten)]
        key: NewKeyArguments,
        /// How it is signed.
        #[command(flatten)]
        sign: SignArguments,
    },
    /// Retire a key: nothing more is sealed to it, what was sealed to it is safe
    Retire {
        /// The key list
        #[arg(value_name = "LIST")]
        list: PathBuf,
        /// The recipient, a file that holds it, its fingerprint or its words
        #[arg(value_name = "KEY")]
        key: String,
        /// How it is signed.
        #[command(flatten)]
        sign: SignArguments,
    },
    /// Revoke a key for good: senders refuse to seal to it, also when it is given directly
    Revoke {
        /// The key list
        #[arg(value_name = "LIST")]
        list: PathBuf,
        /// The recipient, a file that holds it, its fingerprint or its words
        #[arg(value_name = "KEY")]
        key: String,
        /// Why, in one line that senders will read
        #[arg(long)]
        reason: String,
        /// How it is signed.
        #[command(flatten)]
        sign: SignArguments,
    },
    /// Sign the list anew, so that it expires later
    Renew {
        /// The key list
        #[arg(value_name = "LIST")]
        list: PathBuf,
        /// How it is signed.
        #[command(flatten)]
        sign: SignArguments,
    },
    /// Hand over to a new root key; senders who pinned the old one follow
    Handover {
        /// The key list
        #[arg(value_name = "LIST")]
        list: PathBuf,
        /// The file of the new root key
        #[arg(long, value_name = "FILE")]
        new_root_key: PathBuf,
        /// How it is signed.
        #[command(flatten)]
        sign: SignArguments,
    },
    /// Check a key list by itself and show it
    Show {
        /// The key list
        #[arg(value_name = "LIST")]
        list: PathBuf,
    },
}

/// A key that comes into a list.
#[derive(Args, Debug)]
pub struct NewKeyArguments {
    /// The recipient (tarseal1…), or a file that holds one
    #[arg(value_name = "RECIPIENT")]
    pub recipient: String,
    /// Who or what it is for, in one line that senders will read
    #[arg(long, default_value = "support")]
    pub purpose: String,
    /// From when on senders seal to it; now when absent
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Until when; two years later when absent
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
}

/// How a list is signed.
#[derive(Args, Debug)]
pub struct SignArguments {
    /// The file of the root key, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub root_key: PathBuf,
    /// For how many days the list is good, 1 to 400; it is to be renewed before
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    pub days: i64,
}
