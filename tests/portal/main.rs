//! The portal, driven over HTTP on loopback.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

#[path = "../support/portal.rs"]
mod support;

mod bucket;
mod client;
mod deletion;
mod doors;
mod inbox;
mod operator;
mod peers;
mod people;
mod reading;
mod share;
mod tls;
mod tus;
