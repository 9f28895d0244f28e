//! Redaction: what must not leave is replaced before anything is packed.
//!
//! Two passes. The [`Survey`] reads every item and learns people, users and computers wherever a key or a log's shape says
//! what a value is, so that a name found in file 40 is hidden in file 3. The [`Redactor`] then replaces what was learned and
//! what detectors find, in chunks on every core, and hands out a [`Redacted`] stream: the only thing that can be packed.
//! Every chunk passes the gate before a byte of it is given: it is scanned once more, in every decoding, and a hit is an
//! error that stops the run.
//!
//! ```text
//! Item ─ decode ─ lines ─ scan ─┬─ Survey ── Learned
//!                               └─ Redactor ─ stand_in ─ gate ─ Redacted ─ pack
//! ```
//!
//! What stays readable: time stamps, UUIDs, the identifier of a Call-ID, versions, codecs, interface and conference names.
//! What cannot be read as text is left out and listed; nothing passes unread.

mod category;
mod chunk_scan;
mod common;
mod container;
mod database;
mod decode;
mod detector;
mod engine;
mod error;
mod fit;
mod gate;
mod given;
mod handover;
mod hit;
mod keys;
mod learned;
mod lines;
mod masks;
mod memo;
mod own;
mod path;
mod pem;
mod prf;
mod reader;
mod redacted;
mod redactor;
mod rules;
mod sample;
mod scan;
mod shape;
mod simd;
mod stand_in;
mod survey;
mod text;
mod translate;
mod unescape;
mod vault;
mod walk;

pub use category::{Action, Category, Counts, UnknownWord};
pub use database::unite_databases;
pub use error::{GateHit, RedactError};
pub use given::Given;
pub use learned::{Learned, SetAside};
pub use prf::TicketKey;
pub use redacted::{Consent, Redacted};
pub use redactor::{FILTER_WINDOW, Finding, Redactor};
pub use rules::{BadGlob, BadPattern, ColumnRule, FileRule, FileTreat, OpeningLimits, PatternRule, Rules, Treat};
pub use sample::Sample;
pub use survey::Survey;
pub use translate::Translator;
pub use vault::{Vault, VaultEntry};
