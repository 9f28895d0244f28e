//! The door of `send`: an upload shown every fault of a network, a hostile portal on a real socket, TLS.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod faults;
mod hostile;
mod support;
mod tls;
