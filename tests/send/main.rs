//! The door of `send`: an upload shown every fault of a network, a hostile portal on a real socket, a file read in parts, TLS.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod faults;
mod hostile;
#[cfg(feature = "portal")]
#[path = "../support/portal.rs"]
#[expect(dead_code, reason = "shared with other tests, which use more of it")]
mod portal;
mod ranged;
#[cfg(feature = "portal")]
mod real;
mod support;
mod tls;
