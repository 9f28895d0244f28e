//! Traps of the table that are known to be open. The list is to become empty; the words say where the answer belongs.

pub(super) const OPEN: &[&str] = &[
    // Where a name ends is not known.
    "name: camel case and numbers",
    // What a dictionary's key takes ends at the line, not at the next colon.
    "shadow",
    // The text's shape is not recognised without its file name.
    "a key no longer at the value's side",
];

/// Lines that engineers need and that are still changed.
pub(super) const CHANGED: &[&str] = &[];

/// File names that still show a value.
pub(super) const PATHS: &[&str] = &[];
