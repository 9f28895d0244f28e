//! `doctor`: whether everything is in place for sending, line by line, with what to do where it is not.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Map, json};

use super::remote;
use crate::cli::Desk;
use crate::cli::args::DoctorArguments;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::output::{count, shown, size};
use crate::cli::requests::{day, kept_token};
use crate::cli::settings::Settings;
use crate::cli::vendors;
use crate::send::{PortalAddress, SendError};
use crate::wire::TicketState;

/// Free space below which sending is likely to stop, in bytes.
const ROOM: u64 = 1 << 30;
/// How far this computer's clock may be from the portal's, in seconds.
const CLOCKS: i64 = 300;
/// From so many days before a vendor's list expires it is said.
const SOON_DAYS: i64 = 14;

/// How a thing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Ok,
    Missing,
    Wrong,
}

impl Stands {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }
}

/// One line.
struct Line {
    stands: Stands,
    name: &'static str,
    what: String,
    next: Option<String>,
}

/// What was looked at so far.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn ok(&mut self, name: &'static str, what: impl Into<String>) {
        self.0.push(Line { stands: Stands::Ok, name, what: what.into(), next: None });
    }

    fn missing(&mut self, name: &'static str, what: impl Into<String>, next: impl Into<String>) {
        self.0.push(Line { stands: Stands::Missing, name, what: what.into(), next: Some(next.into()) });
    }

    fn wrong(&mut self, name: &'static str, what: impl Into<String>, next: impl Into<String>) {
        self.0.push(Line { stands: Stands::Wrong, name, what: what.into(), next: Some(next.into()) });
    }

    fn failed(&mut self, name: &'static str, failure: Failure) {
        let next = failure.next.into_iter().next().unwrap_or_default();
        self.wrong(name, failure.what, next);
    }
}

/// Looks at everything and says how it stands; exit code 2 when something is missing or wrong.
pub fn run(arguments: &DoctorArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let mut lines = Lines::default();
    let settings = match Settings::resolve(&arguments.portal, &desk.home, desk.world) {
        Ok(settings) => {
            let file = desk.home.config_file();
            lines.ok("settings", if file.exists() { file.display().to_string() } else { "none of your own".into() });
            Some(settings)
        }
        Err(failure) => {
            lines.failed("settings", failure);
            None
        }
    };
    home(&mut lines, desk);
    if let Some(settings) = &settings {
        portal(arguments, settings, &mut lines, desk);
        recipients(settings, &mut lines, desk);
    }
    ledger(&mut lines, desk);
    told(&lines, desk)
}

fn told(lines: &Lines, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    for line in &lines.0 {
        desk.output.data(format!("{:<8} {:<11} {}", line.stands.word(), line.name, line.what));
        if let Some(next) = line.next.as_deref().filter(|next| !next.is_empty()) {
            desk.output.data(format!("{:<20} {next}", ""));
        }
        let mut fields = Map::new();
        fields.insert("name".into(), json!(line.name));
        fields.insert("stands".into(), json!(line.stands.word()));
        fields.insert("what".into(), json!(line.what));
        fields.insert("next".into(), json!(line.next));
        desk.output.event("looked", fields);
    }
    let bad = lines.0.iter().filter(|line| line.stands != Stands::Ok).count();
    if bad > 0 {
        let things = if bad == 1 { "One thing is" } else { &format!("{bad} things are") };
        return Err(Failure::usage(format_args!("{things} missing or wrong; what to do stands beside.")));
    }
    desk.output.headline("READY.", "Everything that sending needs is in place.");
    Ok(Outcome::done("ready"))
}

/// The state directory: its own alone, with room.
fn home(lines: &mut Lines, desk: &Desk<'_>) {
    let directory = match desk.home.directory("") {
        Ok(directory) => directory,
        Err(failure) => return lines.failed("home", failure),
    };
    let shown_path = shown(&directory.display().to_string()).into_owned();
    match fs::metadata(&directory) {
        Ok(metadata) if metadata.mode() & 0o077 != 0 => lines.wrong(
            "home",
            format!("others on this computer can look into {shown_path}"),
            format!("chmod 700 {shown_path}"),
        ),
        Ok(metadata) if metadata.uid() != rustix::process::getuid().as_raw() => {
            lines.wrong("home", format!("{shown_path} is another user's"), format!("chown -R \"$USER\" {shown_path}"));
        }
        Ok(_) => lines.ok("home", shown_path.clone()),
        Err(error) => lines.failed("home", Failure::local(shown_path.as_str(), &error)),
    }
    match rustix::fs::statvfs(&directory) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free < ROOM {
                lines.wrong(
                    "disk",
                    format!("{} free; a large snapshot needs more", size(free)),
                    "Make room, or put the state elsewhere: TARSEAL_HOME=/another/disk",
                );
            } else {
                lines.ok("disk", format!("{} free", size(free)));
            }
        }
        Err(error) => lines.failed("disk", Failure::local(shown_path, &std::io::Error::from(error))),
    }
}

/// The portal: named, reached, trusted, its clock near ours; the token: there, private, good.
fn portal(arguments: &DoctorArguments, settings: &Settings, lines: &mut Lines, desk: &mut Desk<'_>) {
    if settings.portal.is_none() {
        let config = desk.home.config_file();
        lines.missing(
            "portal",
            "no portal is named",
            format!("Put a line into {}:  portal = \"https://…\"", config.display()),
        );
        return;
    }
    let address = match remote::address(settings) {
        Ok(address) => address,
        Err(failure) => return lines.failed("portal", failure),
    };
    let reached = reach(&address, settings, lines, desk);
    if reached {
        token(arguments, &address, settings, lines, desk);
    }
}

fn reach(address: &PortalAddress, settings: &Settings, lines: &mut Lines, desk: &Desk<'_>) -> bool {
    let client = match remote::client(address.clone(), None, settings) {
        Ok(client) => client,
        Err(failure) => {
            lines.failed("portal", failure);
            return false;
        }
    };
    let told = match client.time() {
        Ok(told) => told,
        Err(error) => {
            lines.failed("portal", remote::failure(&error, address.host()));
            return false;
        }
    };
    let how = if address.as_str().starts_with("https:") {
        "reached, its certificate is good"
    } else {
        "reached on this computer"
    };
    lines.ok("portal", format!("{}  {how}", address.as_str()));
    let now = desk.world.clock.now();
    match told.map(|told| now.seconds() - told.seconds()) {
        Some(apart) if apart.abs() > CLOCKS => {
            let which = if apart > 0 { "ahead of" } else { "behind" };
            lines.wrong(
                "clock",
                format!("this computer's clock is {} {which} the portal's", count(apart.unsigned_abs() / 60, "minute")),
                "Set the clock, or let it be set:  timedatectl set-ntp true",
            );
        }
        Some(_) => lines.ok("clock", "agrees with the portal's"),
        None => {}
    }
    match client.receipt_key().ok().and_then(|text| text.trim().parse().ok()) {
        Some(key) => match super::ledger::open(desk).map(|ledger| ledger.pinned(address.as_str())) {
            Ok(Ok(Some(pinned))) if pinned == key => lines.ok("receipts", "checked with the key seen first"),
            Ok(Ok(Some(_))) => lines.wrong(
                "receipts",
                "the portal's receipt key is not the one seen first",
                "Call the portal's operator on a number you already know before you send anything more.",
            ),
            _ => lines.ok("receipts", "the portal's key is trusted with the first snapshot"),
        },
        None => lines.wrong("receipts", "the portal tells no receipt key", "Is it a tarseal portal?"),
    }
    true
}

fn token(
    arguments: &DoctorArguments,
    address: &PortalAddress,
    settings: &Settings,
    lines: &mut Lines,
    desk: &mut Desk<'_>,
) {
    let kept = match &arguments.ticket {
        Some(ticket) => kept_token(ticket, address, desk).ok().flatten().is_some(),
        None => false,
    };
    if settings.token_file.is_none() && !kept {
        lines.ok("token", "none in the settings; a request's code brings its own");
        return;
    }
    let remote = match &arguments.ticket {
        Some(ticket) => remote::connect_for(address.clone(), ticket, settings, desk),
        None => remote::connect_to(address.clone(), settings, desk),
    };
    let remote = match remote {
        Ok(remote) => remote,
        Err(failure) => return lines.failed("token", failure),
    };
    let Some(ticket) = &arguments.ticket else {
        lines.ok("token", "its file is yours alone; whether it is good:  tarseal doctor --ticket T");
        return;
    };
    match remote.client.ticket(ticket) {
        Ok(told) if told.state == TicketState::Open => {
            lines.ok("token", format!("good for ticket {ticket}, which is open"));
        }
        Ok(_) => {
            lines.wrong("token", format!("good, but ticket {ticket} is closed"), "Ask the technician to reopen it.");
        }
        Err(error @ SendError::NotFound(_)) => {
            lines.wrong(
                "token",
                remote::failure(&error, address.host()).what,
                "Ask the technician for the ticket's number.",
            );
        }
        Err(error) => lines.failed("token", remote::failure(&error, address.host())),
    }
}

/// Whom snapshots are sealed to, and how old the vendors' lists are.
fn recipients(settings: &Settings, lines: &mut Lines, desk: &Desk<'_>) {
    let now = desk.world.clock.now();
    match vendors::all(desk) {
        Ok(all) => {
            for vendor in all {
                let expires = vendor.list.expires();
                let what =
                    format!("{}: list of {}, good until {}", vendor.name, day(vendor.list.issued()), day(expires));
                match vendor.list.recipients(now) {
                    Err(error) => lines.wrong(
                        "vendor",
                        format!("{}: {error}", vendor.name),
                        format!("tarseal vendor update {}", vendor.name),
                    ),
                    Ok(_) if now.plus_days(SOON_DAYS) >= expires => {
                        lines.wrong(
                            "vendor",
                            format!("{what}, which is soon"),
                            format!("tarseal vendor update {}", vendor.name),
                        );
                    }
                    Ok(keys) => lines.ok("vendor", format!("{what}, {}", count(keys.len() as u64, "key"))),
                }
            }
        }
        Err(failure) => lines.failed("vendor", failure),
    }
    let Some(to) = &settings.to else {
        lines.ok("recipients", "none in the settings; a request names them, or --to");
        return;
    };
    match vendors::recipients(&to.value, desk) {
        Ok(found) => lines.ok("recipients", format!("{} in the settings", count(found.len() as u64, "key"))),
        Err(failure) => lines.failed("recipients", failure),
    }
}

/// The ledger: whole, and nothing in it overdue.
fn ledger(lines: &mut Lines, desk: &Desk<'_>) {
    let mut ledger = match super::ledger::open(desk) {
        Ok(ledger) => ledger,
        Err(failure) => return lines.failed("ledger", failure),
    };
    if let Err(error) = ledger.verify() {
        return lines.failed("ledger", super::ledger::failure(&error));
    }
    match ledger.due(desk.world.clock.now(), 0) {
        Ok(due) if due.is_empty() => lines.ok("ledger", "whole; nothing is overdue"),
        Ok(due) => lines.wrong(
            "ledger",
            format!("{} overdue or unproved", count(due.len() as u64, "deletion")),
            "tarseal sync, then tarseal due",
        ),
        Err(error) => lines.failed("ledger", super::ledger::failure(&error)),
    }
}
