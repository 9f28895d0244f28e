//! The `tarseal` command.

use std::process::ExitCode;
use std::thread;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tarseal::cli::{World, guard_memory, interrupted, run};

fn main() -> ExitCode {
    guard_memory();
    match Signals::new([SIGINT, SIGTERM]) {
        Ok(signals) => drop(thread::spawn(|| end_at_a_signal(signals))),
        Err(error) => eprintln!("Signals cannot be caught, so an interrupted run may leave a partial file: {error}"),
    }
    let world = World::of_this_process(Box::new(UnwrapErr(SysRng)));
    ExitCode::from(run(std::env::args_os(), world))
}

#[expect(clippy::disallowed_methods, reason = "a signal ends the process, and this is main")]
fn end_at_a_signal(mut signals: Signals) {
    for signal in signals.forever() {
        if interrupted() {
            std::process::exit(128 + signal);
        }
    }
}
