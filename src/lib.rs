//! tarseal sends a diagnostic snapshot to a support portal: personal data is replaced, what remains is sealed to the
//! technician's key, uploaded resumably, and deleted on time with proof.
//!
//! The rooms stand in the order of the data's way; which may import which says the table in `tests/floors.rs`.

#[cfg(any(feature = "cli", feature = "portal"))]
mod causes;
pub mod clock;
pub mod ids;
pub mod item;
mod note;
#[cfg(any(feature = "cli", feature = "portal"))]
mod printable;
pub mod progress;
pub mod secret;
#[cfg(feature = "snapshot")]
pub mod spool;
#[cfg(feature = "snapshot")]
mod workers;

pub mod wire;

pub mod format;
#[cfg(feature = "snapshot")]
pub mod redact;
pub mod track;

#[cfg(any(feature = "cli", feature = "portal"))]
pub mod records;

#[cfg(feature = "snapshot")]
pub mod collect;
#[cfg(feature = "snapshot")]
pub mod pack;
#[cfg(feature = "snapshot")]
pub mod profile;
#[cfg(feature = "cli")]
pub mod send;

#[cfg(feature = "snapshot")]
pub mod pipeline;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "portal")]
pub mod portal;
