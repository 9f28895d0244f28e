//! The command line, through the same door as `main`: what a sender, a technician and an operator see.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fall over as tests do")]

mod air_gap;
mod audit;
mod collecting;
mod desk;
mod exchange;
mod html;
mod interrupted;
mod journeys;
mod keys;
mod large;
#[path = "../support/logs.rs"]
mod logs;
mod opened;
mod pace;
mod parts;
#[path = "../support/python.rs"]
mod peer;
mod people;
mod printing;
mod profiles;
mod python;
mod refusals;
mod requests;
mod review;
mod rights;
mod secrets;
mod several;
mod terminal;
mod tickets;
mod translate;
mod vendor;
mod whole_way;
