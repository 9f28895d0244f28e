//! The peer in Python: another implementation of the sealed file, from another hand and in another language.
//!
//! It runs where `TARSEAL_PYTHON` (default `python3`) has `cryptography` 50 or later. Elsewhere a test says on standard
//! error that it was skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails instead.

use std::env;
use std::path::Path;
use std::process::Command;

fn python() -> String {
    env::var("TARSEAL_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether the peer is there; says so when it is not.
pub fn peer_is_there(test: &str) -> bool {
    let check = "import cryptography as c; assert int(c.__version__.split('.')[0]) >= 50, c.__version__";
    let missing = match Command::new(python()).args(["-c", check]).output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no reason given").to_owned(),
        Err(error) => error.to_string(),
    };
    assert!(
        env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"),
        "{test} needs {} with cryptography 50 or later: {missing}",
        python()
    );
    eprintln!("SKIPPED {test}: {} with cryptography 50 or later is not there ({missing})", python());
    false
}

/// Runs a peer script; gives its standard output or what it complained of.
pub fn run(script: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format").join(script);
    let output = Command::new(python()).arg("-B").arg(script).args(arguments).output().unwrap();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
