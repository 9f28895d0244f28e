//! The portal's pages: over plain HTTP, and in a real browser.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/portal.rs"]
mod support;

mod accessible;
mod browser;
mod driver;
mod exchange;
mod forms;
mod headers;
mod line;
mod parts;
mod passkeys;
mod people;
mod rights;
mod roles;
mod screenshots;
mod words;
