//! Which part of the logs is wanted: from flags, or else from the profile.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::args::WindowArguments;
use super::exit::Failure;
use super::output::shown;
use super::world::World;
use crate::clock::Timestamp;
use crate::collect::{Window, WindowRule};

/// The window the flags name, or else the profile's.
pub fn resolve(arguments: &WindowArguments, rule: &WindowRule, world: &World) -> Result<Window, Failure> {
    let now = world.clock.now();
    let here = zone(world);
    let instant = |text: &Option<String>| text.as_deref().map(|text| instant(text, &here)).transpose();
    let (since, until) = (instant(&arguments.since)?, instant(&arguments.until)?);
    let none = since.is_none() && until.is_none() && arguments.last.is_none();
    let last = arguments.last.or(rule.last.filter(|_| none));
    let since = since.or_else(|| last.map(|last| until.unwrap_or(now).plus_seconds(-last)));
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        return Err(Failure::usage(format_args!("Nothing lies between {since} and {until}.")));
    }
    Ok(Window { since, until, slack: rule.slack, zone: rule.zone.clone().unwrap_or(here) })
}

/// The time zone of this computer, or the one that `TZ` names.
fn zone(world: &World) -> TimeZone {
    let named = world.variable("TZ").and_then(|name| name.into_string().ok());
    let named = named.and_then(|name| {
        let name = name.trim_start_matches(':');
        TimeZone::get(name).or_else(|_| TimeZone::posix(name)).ok()
    });
    named.unwrap_or_else(TimeZone::system)
}

fn instant(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let local = text.parse::<DateTime>().ok().and_then(|civil| zone.to_ambiguous_timestamp(civil).compatible().ok());
    local.map(Timestamp::from).ok_or_else(|| {
        Failure::usage(format_args!("\"{}\" is not a point in time.", shown(text)))
            .next("For example:  2026-11-21T14:00:00Z   or   \"2026-11-21 14:00\"   or   2026-11-21")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_this_computers() {
        let zone = TimeZone::get("Europe/Brussels").unwrap();
        for (text, expected) in [
            ("2026-11-21T14:00:00Z", "2026-11-21T14:00:00Z"),
            ("2026-11-21T14:00:00+02:00", "2026-11-21T12:00:00Z"),
            ("2026-11-21 14:00", "2026-11-21T13:00:00Z"),
            ("2026-07-21T14:00:05", "2026-07-21T12:00:05Z"),
            ("2026-11-21", "2026-11-20T23:00:00Z"),
        ] {
            assert_eq!(instant(text, &zone).unwrap().to_string(), expected, "{text}");
        }
        for bad in ["", "yesterday", "14:00", "2026-13-01"] {
            assert!(instant(bad, &zone).is_err(), "{bad}");
        }
    }
}
