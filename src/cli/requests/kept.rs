//! What came of codes, kept for as long as anything of their tickets is at the portal.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{NOTHING_YET, when};
use crate::cli::Desk;
use crate::cli::command::remote;
use crate::cli::exit::{Exit, Failure};
use crate::cli::home::{read_secret, write_private};
use crate::cli::keeping::remove;
use crate::cli::settings::Settings;
use crate::clock::Timestamp;
use crate::format::request::ClaimedRequest;
use crate::ids::TicketId;
use crate::secret::Secret;
use crate::send::PortalAddress;
use crate::wire::{Redeem, Redeemed, RequestCode};

/// A code that was redeemed here, or is about to be.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    edition: u32,
    portal: PortalAddress,
    claim: Zeroizing<String>,
    redeemed: Option<Redeemed>,
    /// When a snapshot was sent with it.
    #[serde(default)]
    spent: Option<Timestamp>,
}

/// Redeems a code, or gives what came of it before. The claim is kept before the portal is asked, so that a lost answer can be
/// asked for again.
pub fn redeemed(
    code: &RequestCode,
    portal: &PortalAddress,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Redeemed, Failure> {
    let path = desk.home.directory("requests")?.join(format!("{}.json", code.plain().as_str()));
    let kept = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice::<Kept>(&Zeroizing::new(bytes)).ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::local(path.display(), &error)),
    };
    let mut kept = match kept.filter(|kept| kept.edition == 1 && kept.portal == *portal) {
        Some(Kept { spent: Some(at), .. }) => return Err(was_sent(at)),
        Some(Kept { redeemed: Some(redeemed), .. }) => return Ok(redeemed),
        Some(kept) => kept,
        None => {
            let mut drawn = [0; 16];
            desk.world.rng.fill_bytes(&mut drawn);
            Kept { edition: 1, portal: portal.clone(), claim: hex::encode(drawn).into(), redeemed: None, spent: None }
        }
    };
    keep(&path, &kept)?;
    let client = remote::client(portal.clone(), None, settings)?;
    let asked = client.redeem(&Redeem { code: code.clone(), claim: kept.claim.clone() });
    let redeemed = asked.map_err(|error| {
        if !error.is_temporary() {
            // Nothing came of it, and nothing will.
            let _ = fs::remove_file(&path);
        }
        remote::failure(&error, portal.host()).left(NOTHING_YET)
    })?;
    kept.redeemed = Some(redeemed.clone());
    keep(&path, &kept)?;
    Ok(redeemed)
}

/// A code is good for one snapshot, and that was sent.
fn was_sent(at: Timestamp) -> Failure {
    Failure::new(Exit::Refused, format_args!("One snapshot is sent with one code, and it was sent on {}.", when(at)))
        .left(NOTHING_YET)
        .next("What was sent is listed by:  tarseal status")
        .next("To send another, ask the technician for a new code.")
}

/// Writes down that the code whose token is kept for a ticket has done its work.
pub fn spent(ticket: &TicketId, portal: &PortalAddress, desk: &mut Desk<'_>) -> Result<(), Failure> {
    let Some(token) = kept_token(ticket, portal, desk)? else { return Ok(()) };
    for file in files(&desk.home.directory("requests")?)? {
        let Ok(bytes) = fs::read(&file).map(Zeroizing::new) else { continue };
        let Ok(mut kept) = serde_json::from_slice::<Kept>(&bytes) else { continue };
        if kept.redeemed.as_ref().is_some_and(|redeemed| redeemed.token.as_str() == token.expose().trim()) {
            kept.spent = Some(desk.world.clock.now());
            keep(&file, &kept)?;
        }
    }
    Ok(())
}

fn keep(path: &Path, kept: &Kept) -> Result<(), Failure> {
    let text = Zeroizing::new(serde_json::to_vec(kept).expect("plain values are JSON"));
    write_private(path, &text).map_err(|error| Failure::local(path.display(), &error))
}

/// The file of the token that a code gave for a ticket.
fn token_file(ticket: &TicketId, portal: &PortalAddress, desk: &Desk<'_>) -> Result<PathBuf, Failure> {
    let place = hex::encode(&Sha256::digest(portal.as_str().as_bytes())[..4]);
    Ok(desk.home.directory("tokens")?.join(format!("{ticket}@{place}")))
}

/// Keeps the token that a code gave for a ticket.
pub fn keep_token(
    ticket: &TicketId,
    portal: &PortalAddress,
    redeemed: &Redeemed,
    desk: &Desk<'_>,
) -> Result<(), Failure> {
    let path = token_file(ticket, portal, desk)?;
    write_private(&path, redeemed.token.as_bytes()).map_err(|error| Failure::local(path.display(), &error))
}

/// The token that a code gave for a ticket at that portal.
pub fn kept_token(
    ticket: &TicketId,
    portal: &PortalAddress,
    desk: &mut Desk<'_>,
) -> Result<Option<Secret<String>>, Failure> {
    let path = token_file(ticket, portal, desk)?;
    if !path.exists() {
        return Ok(None);
    }
    read_secret(&path, "token file", desk.world).map(Some)
}

/// Forgets what codes gave for a ticket.
pub fn forget(ticket: &TicketId, desk: &Desk<'_>) -> Result<(), Failure> {
    let directory = desk.home.directory("tokens")?;
    for file in files(&directory)? {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.split('@').next() == Some(ticket.as_str()) {
            remove(&file)?;
        }
    }
    let of_ticket = |bytes: Vec<u8>| {
        let kept: Kept = serde_json::from_slice(&Zeroizing::new(bytes)).ok()?;
        Some(ClaimedRequest::read(&kept.redeemed?.request).ok()?.asked().ticket == *ticket)
    };
    for file in files(&desk.home.directory("requests")?)? {
        if fs::read(&file).ok().and_then(of_ticket) == Some(true) {
            remove(&file)?;
        }
    }
    Ok(())
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(directory).map_err(|error| Failure::local(directory.display(), &error))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}
