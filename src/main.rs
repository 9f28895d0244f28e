//! The `tarseal` command.

fn main() {}
