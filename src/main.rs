//! The `tarseal` command.

use std::process::ExitCode;
use std::thread;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::raise;
use tarseal::cli::{World, guard_memory, hangs_up, interrupted, run};

fn main() -> ExitCode {
    guard_memory();
    let caught: &[i32] = if hangs_up() { &[SIGINT, SIGTERM, SIGHUP] } else { &[SIGINT, SIGTERM] };
    match Signals::new(caught) {
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
        // What ends by itself does so when it is terminated; a closed window means the same.
        if signal == SIGHUP && raise(SIGTERM).is_err() {
            std::process::exit(128 + signal);
        }
    }
}
