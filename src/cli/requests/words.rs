//! What is asked for, in words.

use crate::cli::output::{count, shown, size};
use crate::cli::rules;
use crate::clock::Timestamp;
use crate::format::Recipient;
use crate::format::request::Asked;

/// What is asked for, line by line.
pub fn wanted(asked: &Asked) -> Vec<String> {
    let title = asked.title.as_deref().map_or_else(String::new, |title| format!("  \"{}\"", shown(title)));
    let mut wants = Vec::new();
    if let Some(profile) = &asked.profile {
        wants.push(rules::built_in(profile).map_or_else(|_| profile.clone(), |known| known.title));
    }
    match (asked.last_seconds, asked.since, asked.until) {
        (Some(seconds), _, _) => wants.push(format!("the last {}", span(seconds))),
        (_, Some(since), Some(until)) => wants.push(format!("from {} to {}", when(since), when(until))),
        (_, Some(since), None) => wants.push(format!("since {}", when(since))),
        (_, None, Some(until)) => wants.push(format!("until {}", when(until))),
        (None, None, None) => {}
    }
    wants.extend(asked.max_bytes.map(|most| format!("at most {} sealed", size(most))));
    let wants = if wants.is_empty() { "what you choose to send".to_owned() } else { wants.join(", ") };
    vec![format!("  Ticket     {}{title}", asked.ticket), format!("  Wants      {wants}")]
}

fn span(seconds: u64) -> String {
    match seconds {
        s if s.is_multiple_of(86_400) && s > 86_400 => count(s / 86_400, "day"),
        s if s.is_multiple_of(3_600) => count(s / 3_600, "hour"),
        s => count(s / 60, "minute"),
    }
}

/// The words of the first key, and how many more there are.
pub fn shortest(recipients: &[Recipient]) -> String {
    let first = recipients.first().map(Recipient::words).unwrap_or_default();
    match recipients.len() {
        0 | 1 => first,
        more => format!("{first}; and {} more", more - 1),
    }
}

/// An instant as people read it: `21 Nov 2026, 14:21 UTC`.
pub fn when(at: Timestamp) -> String {
    at.to_jiff().strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A day as people read it: `21 Nov 2026`.
pub fn day(at: Timestamp) -> String {
    at.to_jiff().strftime("%-d %b %Y").to_string()
}
