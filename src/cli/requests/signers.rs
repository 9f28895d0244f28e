//! Keys that sign requests and whose words were typed here.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cli::Desk;
use crate::cli::exit::{Exit, Failure};
use crate::cli::home::write_private;
use crate::clock::Timestamp;
use crate::format::request::Signer;
use crate::send::PortalAddress;

/// A key whose words were typed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownSigner {
    signer: Signer,
    portal: PortalAddress,
    since: Timestamp,
}

fn signer_file(signer: &Signer, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    let name = signer.fingerprint().to_string().replace(' ', "");
    Ok(desk.home.directory("signers")?.join(format!("{name}.json")))
}

/// Since when a key is trusted, if it is.
pub fn known_since(signer: &Signer, desk: &Desk<'_>) -> Result<Option<Timestamp>, Failure> {
    let path = signer_file(signer, desk)?;
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::local(path.display(), &error)),
    };
    let known: KnownSigner = serde_json::from_slice(&bytes)
        .map_err(|_| Failure::new(Exit::Damaged, format_args!("{} is damaged; remove it.", path.display())))?;
    Ok((known.signer == *signer).then_some(known.since))
}

/// Trusts a key from now on.
pub fn know(signer: &Signer, portal: &PortalAddress, now: Timestamp, desk: &Desk<'_>) -> Result<(), Failure> {
    let known = KnownSigner { signer: signer.clone(), portal: portal.clone(), since: now };
    let path = signer_file(signer, desk)?;
    let text = serde_json::to_vec(&known).expect("plain values are JSON");
    write_private(&path, &text).map_err(|error| Failure::local(path.display(), &error))?;
    desk.output.say("This key is trusted from now on.");
    Ok(())
}
