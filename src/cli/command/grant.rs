//! `grant` and `grants`: a snapshot passed on to one more person, under the same deadline.
//!
//! The vendor's part of the key is opened here and sealed to that person's key here; the portal gets it sealed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::ask::one_of;
use super::fetch::stored;
use super::key::read_recipient;
use super::open::open_failure;
use super::opening::Opening;
use super::remote::{connect, failure};
use crate::cli::Desk;
use crate::cli::args::{GrantArguments, GrantsArguments};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::format::Header;
use crate::wire::NewGrant;

/// Passes the newest snapshot of a ticket on, or the one that was named.
pub fn run(arguments: &GrantArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut opening = Opening::read(&arguments.keys, desk)?;
    let recipient = read_recipient(&arguments.to)?;
    let remote = connect(&arguments.portal, desk)?;
    let told = |error: &_| failure(error, remote.address.host());
    let snapshot = one_of(&remote, &arguments.ticket, arguments.snapshot)?;
    // Of the content only the beginning is read: the header.
    let content = remote.client.content(&snapshot.id, &arguments.reason, 0);
    let mut content = content.map_err(|error| told(&error))?;
    let header = Header::read(&mut content).map_err(|error| open_failure(&error))?;
    drop(content);
    if header.share.is_none() {
        return Err(Failure::new(
            Exit::NotApproved,
            "The snapshot was sealed without a portal's share: what is passed on could not end at the deadline.",
        )
        .left("Nothing was passed on."));
    }
    let identities = opening.identities(&header, desk)?;
    let unlocked = header.unlock(&identities).map_err(|error| open_failure(&error))?;
    let part = unlocked.grant(&recipient, &mut *desk.world.rng).ok_or_else(|| {
        Failure::usage("A snapshot is passed on to a public key, not to a passphrase or a shared key.")
    })?;
    let grant =
        NewGrant { user: arguments.user.clone(), recipient: recipient.to_string(), part: BASE64_STANDARD.encode(part) };
    let made = remote.client.grant(&snapshot.id, &grant, &arguments.reason).map_err(|error| told(&error))?;
    desk.output.headline(
        "GRANTED.",
        &format!("{} can fetch and open one snapshot of ticket {}.", shown(&made.name), arguments.ticket),
    );
    desk.output.say(format!("For the key with the fingerprint  {}", shown(&made.fingerprint)));
    desk.output.say(match snapshot.due_at {
        Some(due) => format!("It ends with the snapshot, on {due} at the latest. Sooner:"),
        None => "It ends with the snapshot. Sooner:".into(),
    });
    desk.output.say(format!("  tarseal grants {} --revoke {}", arguments.ticket, shown(&made.id)));
    Ok(Outcome::done("granted").with("grant", made).with("snapshot", snapshot.id).with("ticket", &arguments.ticket))
}

/// Lists the grants of a ticket's snapshots, or revokes one.
pub fn list(arguments: &GrantsArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let remote = connect(&arguments.portal, desk)?;
    let told = |error: &_| failure(error, remote.address.host());
    let (mut all, mut in_force) = (Vec::new(), 0);
    for snapshot in stored(&remote, &arguments.ticket)? {
        for grant in remote.client.grants(&snapshot.id).map_err(|error| told(&error))? {
            if let Some(wanted) = &arguments.revoke {
                if grant.id == *wanted {
                    remote.client.revoke_grant(&snapshot.id, &grant.id).map_err(|error| told(&error))?;
                    desk.output.headline(
                        "REVOKED.",
                        &format!("The portal gives {} nothing of it any more.", shown(&grant.name)),
                    );
                    desk.output.say("What they have opened before, they have.");
                    return Ok(Outcome::done("revoked").with("grant", grant.id).with("snapshot", snapshot.id));
                }
                continue;
            }
            in_force += u64::from(grant.revoked_at.is_none());
            let state = match grant.revoked_at {
                Some(at) => format!("revoked {at}"),
                None => "in force".into(),
            };
            desk.output.data(format!(
                "{}  {}  {}  since {}  {state}",
                shown(&grant.id),
                shown(&grant.name),
                shown(&grant.fingerprint),
                grant.granted_at
            ));
            all.push(grant);
        }
    }
    if let Some(wanted) = &arguments.revoke {
        let ticket = &arguments.ticket;
        return Err(Failure::new(Exit::NotFound, format_args!("Ticket {ticket} has no grant {}.", shown(wanted)))
            .next(format!("See them all:  tarseal grants {ticket}")));
    }
    desk.output.say(format!("{} in force.", count(in_force, "grant")));
    Ok(Outcome::done("ok").with("grants", all))
}
