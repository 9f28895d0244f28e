//! Writes a made-up Pexip Infinity diagnostic snapshot: `cargo run --example pexip -- OUT.tgz [MIB]`.
//!
//! `MIB` is about how much log it holds, before compression (default 1). With a third argument the planted values go to that
//! file, one a line, for trying other tools.

use std::process::ExitCode;

#[path = "../fixtures/pexip/mod.rs"]
mod pexip;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(out), Ok(mebibytes)) = (arguments.first(), arguments.get(1).map_or("1", String::as_str).parse()) else {
        eprintln!("usage: pexip OUT.tgz [MIB [PLANTED.txt]]");
        return ExitCode::from(2);
    };
    let snapshot = pexip::generate(1, mebibytes);
    let mut values = String::new();
    for planted in &snapshot.planted {
        values.push_str(&format!("{}\t{}\t{}\n", planted.category, planted.value, planted.place));
    }
    let written = std::fs::write(out, snapshot.tgz())
        .and_then(|()| arguments.get(2).map_or(Ok(()), |path| std::fs::write(path, values)));
    match written {
        Ok(()) => {
            eprintln!(
                "{out}: {} files, {} planted values, {} strings to keep, {} queries, without text: {:?}",
                snapshot.members.len(),
                snapshot.planted.len(),
                snapshot.kept.len(),
                snapshot.queries.len(),
                snapshot.unreadable
            );
            eprintln!("first to keep: {:?}", snapshot.kept.first().map(|kept| (&kept.place, &kept.text)));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{out}: {error}");
            ExitCode::FAILURE
        }
    }
}
