//! The door of the format room: what was sealed opens, and whatever was changed does not.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

mod cases;
#[cfg(feature = "snapshot")]
mod inside;
#[cfg(feature = "snapshot")]
mod mutants;
#[path = "../support/python.rs"]
mod peer;
mod python;
mod round_trip;
mod secrets;
mod seek;
mod support;
mod tamper;
