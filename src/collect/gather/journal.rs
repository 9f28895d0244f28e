//! The journal of this computer, by `journalctl`.

use crate::collect::collection::JournalSource;
use crate::collect::window::Window;

/// What `journalctl` is asked.
pub(super) fn arguments(journal: &JournalSource, window: &Window) -> Vec<String> {
    let mut arguments: Vec<String> = ["journalctl", "--no-pager", "--quiet"].map(str::to_owned).into_iter().collect();
    arguments.push(format!("--output={}", journal.format));
    if let Some(since) = window.since {
        arguments.push(format!("--since=@{}", (since.seconds() - window.slack).max(0)));
    }
    if let Some(until) = window.until {
        arguments.push(format!("--until=@{}", until.seconds() + window.slack));
    }
    if let Some(priority) = &journal.priority {
        arguments.push(format!("--priority={priority}"));
    }
    arguments.extend(journal.units.iter().map(|unit| format!("--unit={unit}")));
    arguments
}

/// What the file is called.
pub(super) fn file_name(journal: &JournalSource) -> &'static str {
    match journal.format.as_str() {
        "export" => "journal.export",
        "json" => "journal.json",
        _ => "journal.log",
    }
}
