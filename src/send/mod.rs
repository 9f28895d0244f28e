//! Carries sealed bytes to the portal and asks the portal its questions.
//!
//! The room does not know what a sealed file holds: it moves bytes, compares digests and never says "sent" before the
//! portal has said "stored" with the same SHA-256. In the order of the data's way:
//!
//! - a [`PortalAddress`] is `https://…`, or `http://…` to this machine and to nothing else;
//! - a [`Client`] speaks the portal's API: no redirects, capped replies, the token in one header only;
//! - a [`Checkpoint`] is the state file of one upload, so that it goes on after a kill or a reboot;
//! - [`upload`] drives one sealed file to its end through a [`Transport`] (the [`Client`], or a hostile one in tests);
//!   what to do next is decided by a state machine without I/O, so every fault can be played to it;
//! - a [`RangedFile`] reads a file somewhere where it is asked for, and no more of it;
//! - [`fetch_text`] fetches what anyone may read from a [`PublicUrl`], such as a vendor's key list;
//! - a [`TicketLock`] keeps two runs from working on the same ticket at once.
//!
//! Waiting is the caller's matter: a [`Pace`] is handed in, hears why, and sleeps.

mod address;
mod answer;
mod backoff;
mod checkpoint;
mod client;
mod error;
mod grants;
mod lock;
mod pieces;
mod public;
mod questions;
mod ranged;
mod run;
mod tls;
mod transport;
mod upload;

pub use address::{FileUrl, NotAPortal, PortalAddress, PublicUrl, UploadUrl};
pub use checkpoint::Checkpoint;
pub use client::{AuditPage, Client, ClientOptions, Content};
pub use error::SendError;
pub use lock::TicketLock;
pub use public::fetch_text;
pub use ranged::{RangedError, RangedFile};
pub use run::{GIVE_UP_AFTER, Pace, Sent, SystemPace, upload};
pub use transport::{Announced, Offset, Piece, Transport};
pub use upload::PIECE_LIMIT;
