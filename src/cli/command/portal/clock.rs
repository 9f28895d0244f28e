//! `portal clock`.

use super::{failure, open_existing};
use crate::cli::Desk;
use crate::cli::args::ClockCommand;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::portal::admin::ClockJump;

/// Shows whether the clock jumped, or takes it for right.
pub(super) fn run(command: &ClockCommand, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    match command {
        ClockCommand::Show { data } => {
            let jump = open_existing(data, desk)?.clock_jump().map_err(|error| failure(&error))?;
            let now = desk.world.clock.now();
            desk.output.data(now.to_string());
            match jump {
                Some(jump) => Err(jumped(&jump)),
                None => {
                    desk.output.say("The clock runs as it should.");
                    Ok(Outcome::done("ok").with("now", now))
                }
            }
        }
        ClockCommand::Confirm { data } => {
            let now = open_existing(data, desk)?.confirm_clock().map_err(|error| failure(&error))?;
            desk.output.say(format!("It is {now}. Deletions go on by this clock."));
            Ok(Outcome::done("confirmed").with("now", now))
        }
    }
}

/// Says that nothing is deleted, and what to do.
pub(super) fn jumped(jump: &ClockJump) -> Failure {
    Failure::new(
        Exit::NotApproved,
        format_args!(
            "The clock jumped: it said {} where {} was expected. No deletion begins. Set the clock right, then: \
             tarseal portal clock confirm --data DIR",
            jump.found, jump.expected
        ),
    )
}
