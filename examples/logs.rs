//! Writes a log with invented people, for trying and measuring: `cargo run --release --example logs -- FILE MIB`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

#[path = "../tests/support/logs.rs"]
mod logs;

const BLOCK: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, mebibytes] = arguments.as_slice() else {
        eprintln!("usage: logs FILE MIB");
        return ExitCode::from(2);
    };
    match mebibytes.parse().map_err(std::io::Error::other).and_then(|mebibytes| write(file, mebibytes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(file: &str, mebibytes: usize) -> std::io::Result<()> {
    let mut output = BufWriter::new(File::create(file)?);
    let mut left = mebibytes * 1024 * 1024;
    let mut seed = 0;
    while left > 0 {
        let block = logs::generate(logs::Mix::Typical, left.min(BLOCK), seed);
        left = left.saturating_sub(block.bytes.len());
        seed += 1;
        output.write_all(&block.bytes)?;
    }
    output.flush()
}
