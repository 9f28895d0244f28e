//! Removing the copies whose day has come.

use std::collections::BTreeSet;

use super::{OpenedCopy, Removal, all, sweep};
use crate::cli::Desk;
use crate::cli::exit::{Exit, Failure};

/// The removal of what is due, as often as a command tries it. No fault stops it: each is told once, and the others go on.
#[derive(Default)]
pub struct Purge {
    /// What was removed.
    pub removed: Vec<OpenedCopy>,
    /// How a command ends that does nothing else: the exit code of the first fault.
    pub fault: Option<Exit>,
    told: BTreeSet<String>,
}

impl Purge {
    /// Removes every copy whose day has come, and says so. A copy that cannot be removed is said too, and stays noted.
    pub fn run(&mut self, desk: &Desk<'_>) {
        for fault in sweep(desk) {
            self.warn(&fault, desk);
        }
        let noted = all(desk);
        for fault in &noted.faults {
            self.warn(fault, desk);
        }
        let now = desk.world.clock.now();
        for copy in noted.copies.into_iter().take_while(|copy| copy.delete_by <= now) {
            match copy.remove(desk) {
                Ok(removal @ (Removal::Removed | Removal::NotThere)) => {
                    copy.tell(&removal, desk);
                    if removal == Removal::Removed {
                        self.removed.push(copy);
                    }
                }
                Ok(removal) => {
                    let stays = copy.stays(&removal);
                    self.warn(&Failure { what: format!("OVERDUE. {}", stays.what), ..stays }, desk);
                }
                Err(failure) => self.warn(&Failure { what: format!("OVERDUE. {}", failure.what), ..failure }, desk),
            }
        }
    }

    /// Says what is wrong, once, and what to do about it.
    pub fn warn(&mut self, failure: &Failure, desk: &Desk<'_>) {
        self.fault.get_or_insert(failure.exit);
        if self.told.insert(failure.what.clone()) {
            desk.output.insist(&failure.what);
            for line in &failure.next {
                desk.output.insist(line);
            }
        }
    }
}
