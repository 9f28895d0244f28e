//! What a command prints: data on standard output, talk on standard error, JSON lines when asked.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::exit::{Failure, Outcome};
use crate::clock::Clock;
use crate::item::is_bidi;
pub use crate::progress::count;

/// How much and in which form a command talks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// JSON lines on standard output instead of text.
    pub json: bool,
    /// No talk on standard error but the final line and errors.
    pub quiet: bool,
    /// Colour on standard error.
    pub color: bool,
    /// No redrawn lines.
    pub plain: bool,
}

/// Where a command's words go.
///
/// Cheap to clone; clones share the same two streams, so lines never cut into each other.
#[derive(Clone)]
pub struct Output {
    manner: Manner,
    clock: Arc<dyn Clock>,
    out: Stream,
    err: Stream,
    lost: Arc<Mutex<Option<io::Error>>>,
}

/// One of the two streams.
pub type Stream = Arc<Mutex<dyn Write + Send>>;

impl Output {
    /// Talks to the given streams.
    #[must_use]
    pub fn new(manner: Manner, clock: Arc<dyn Clock>, out: Stream, err: Stream) -> Self {
        Self { manner, clock, out, err, lost: Arc::default() }
    }

    /// The form in which it talks.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// Prints one line for people on standard error, unless `--quiet`.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.manner.quiet {
            self.insist(line);
        }
    }

    /// Prints one line on standard error, also under `--quiet`: the last line, and errors.
    pub fn insist(&self, line: impl AsRef<str>) {
        let mut stream = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        // There is no other place to say it.
        let _ = writeln!(stream, "{}", line.as_ref()).and_then(|()| stream.flush());
    }

    /// Prints a headline such as `SENT.` in front of a line: bold on a terminal, never only by colour.
    pub fn headline(&self, word: &str, line: &str) {
        if self.manner.color {
            self.insist(format!("\u{1b}[1m{word}\u{1b}[0m {line}"));
        } else {
            self.insist(format!("{word} {line}"));
        }
    }

    /// Prints one line of data on standard output, unless JSON was asked for: then the result event carries it.
    pub fn data(&self, line: impl AsRef<str>) {
        if !self.manner.json {
            self.bytes(format!("{}\n", line.as_ref()).as_bytes());
        }
    }

    /// Prints one event on standard output when JSON was asked for.
    pub fn event(&self, name: &str, fields: Map<String, Value>) {
        if self.manner.json {
            let mut event = Map::new();
            event.insert("v".into(), json!(1));
            event.insert("ts".into(), json!(self.clock.now()));
            event.insert("event".into(), json!(name));
            event.extend(fields);
            self.bytes(format!("{}\n", Value::Object(event)).as_bytes());
        }
    }

    /// Prints bytes on standard output. What cannot be written is [`lost`](Self::lost).
    pub fn bytes(&self, bytes: &[u8]) {
        let mut out = self.raw();
        self.lose(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// Why something that was to stand on standard output does not, if it is so. A reader that went away (`| head`) wants no more:
    /// then nothing is lost.
    #[must_use]
    pub fn lost(&self) -> Option<io::Error> {
        self.lose(self.raw().flush());
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn lose(&self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// Hands out standard output for bytes that are themselves the data.
    #[must_use]
    pub fn raw(&self) -> Raw {
        Raw(Arc::clone(&self.out))
    }

    /// Prints how a command ended: the result event always, and for a failure what happened and what to do.
    pub fn end(&self, headline: &str, result: &Result<Outcome, Failure>) {
        match result {
            Ok(outcome) => {
                let mut fields = Map::new();
                fields.insert("status".into(), json!(outcome.status));
                fields.insert("exit".into(), json!(outcome.exit.code()));
                fields.extend(outcome.fields.clone());
                self.event("result", fields);
            }
            Err(failure) => {
                self.headline(headline, &failure.what);
                for line in failure.left.iter().chain(&failure.next) {
                    self.insist(line);
                }
                let mut fields = Map::new();
                fields.insert("status".into(), json!("failed"));
                fields.insert("exit".into(), json!(failure.exit.code()));
                fields.insert("error".into(), json!(failure.what));
                fields.insert("left".into(), json!(failure.left));
                fields.insert("next".into(), json!(failure.next));
                self.event("result", fields);
            }
        }
    }
}

/// Standard output as a writer of bytes.
pub struct Raw(Stream);

impl Write for Raw {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// Whether standard error is a terminal that redraws lines.
#[must_use]
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Shows text that came from outside: control characters and direction overrides are escaped, the rest stays.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| c.is_control() || is_bidi(c)) {
        text.chars()
            .flat_map(|c| if c.is_control() || is_bidi(c) { c.escape_default().collect() } else { vec![c] })
            .collect::<String>()
            .into()
    } else {
        text.into()
    }
}

/// A size as people read it: `38.4 MB` (powers of ten, one decimal from 1 MB on).
#[must_use]
pub fn size(bytes: u64) -> String {
    const STEPS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in STEPS {
        if bytes >= unit {
            let tenths = bytes / (unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_move_the_cursor_or_turn_the_line() {
        assert_eq!(shown("plain ü"), "plain ü");
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown("a\u{202e}b\n"), "a\\u{202e}b\\n");
    }

    #[test]
    fn sizes_and_counts_read_well() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_000), "1.0 kB");
        assert_eq!(size(38_449_999), "38.4 MB");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(31_402, "finding"), "31,402 findings");
    }
}
