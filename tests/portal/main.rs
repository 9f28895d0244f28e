//! The portal, driven over HTTP on loopback.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

#[path = "../support/portal.rs"]
mod support;

mod bucket;
#[path = "../support/histories.rs"]
mod histories;

mod backup;
mod client;
mod clock;
mod deadlines;
mod deletion;
mod doors;
mod erasure;
mod grants;
mod inbox;
mod kill;
mod late;
mod lists;
mod log;
mod metrics;
mod once;
mod openapi;
mod operator;
mod oracle;
mod peers;
mod people;
mod person;
mod policies;
mod put_back;
mod questions;
mod race;
mod reading;
mod records;
mod requests;
mod rights;
mod row_security;
mod share;
mod small;
mod store;
mod ticket_systems;
mod tls;
mod tus;
