//! Hostile archives inside validly sealed files: whoever knows a recipient can make one. Each must be refused, with nothing
//! outside the destination, nothing left behind and nothing on the terminal but plain text.
//!
//! `each_attack_ends_within_5_seconds_and_128_mib` is a campaign of its own; see there.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod archive;
mod cases;
mod desk;
mod heavy;
mod refused;
