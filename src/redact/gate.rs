//! The gate: scans what is about to leave once more, in every decoding the scan knows, for every learned value and every
//! pattern. What it finds is a fault, and stops the run.

use super::category::Category;
use super::engine::each_line;
use super::error::RedactError;
use super::lines::Chunk;
use super::pem::Pem;
use super::scan::Scratch;
use super::stand_in::StandIns;

/// The line, counted from 0, and the rule of the first value that is still there.
pub(crate) fn check(
    stand_ins: &StandIns,
    redacted: &[u8],
    chunk: &Chunk,
    keys: &[Pem],
    scratch: &mut Scratch,
) -> Result<Option<(u64, Category)>, RedactError> {
    let mut first = None;
    each_line(stand_ins, redacted, chunk, keys, scratch, |_, _, hits, line| {
        if first.is_none() {
            first = hits.first().map(|hit| (line, hit.category));
        }
        Ok(())
    })?;
    Ok(first)
}
