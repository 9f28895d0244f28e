//! `portal settle`.

use super::{open_existing, restore};
use crate::cli::Desk;
use crate::cli::args::SettleArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::portal::backup::PutBack;

/// Makes a portal fit to be served whose database was put back by the database's own tools.
pub(super) fn run(arguments: &SettleArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let order = PutBack {
        tombstones: arguments.tombstones.clone(),
        tombstones_lost: arguments.tombstones_lost,
        verify: arguments.verify,
    };
    let admin = open_existing(&arguments.data, desk)?;
    let restored = admin.settle(&order).map_err(|error| super::failure(&error))?;
    restore::told(restored, &arguments.data, "settled", desk)
}
