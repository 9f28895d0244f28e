//! The portal's log: events with fields, to standard error. It never holds a token, a secret, a reason or a file's name.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How the lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// Sends the log to standard error from now on: everything from `info` up, or what `filter` says (`warn`,
/// `tarseal=debug`). A second call changes nothing.
pub fn start_logging(format: LogFormat, filter: Option<&str>) {
    let filter = filter.and_then(|filter| filter.parse().ok()).unwrap_or_else(|| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // An error means that a log is running already.
    drop(match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    });
}
