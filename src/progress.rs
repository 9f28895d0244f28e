//! How long work tells how far it is, without knowing who listens.

/// One visible step of a run, in the words a user reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Finding files and reading their sizes.
    Collect,
    /// The first pass: learning names.
    Survey,
    /// The second pass: replacing personal values, checking, packing and sealing in one stream.
    Redact,
    /// Sending the sealed file.
    Upload,
    /// Fetching a sealed file.
    Fetch,
    /// Opening and unpacking a sealed file.
    Open,
}

impl Step {
    /// The word shown beside the bar.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Collect => "Collect",
            Self::Survey => "Survey",
            Self::Redact => "Redact",
            Self::Upload => "Upload",
            Self::Fetch => "Fetch",
            Self::Open => "Open",
        }
    }
}

/// Hears of progress. Calls come from any thread; amounts are bytes, except in [`Step::Collect`], which counts files.
pub trait Progress: Send + Sync {
    /// A step begins; `total` is known or not.
    fn begin(&self, step: Step, total: Option<u64>);
    /// `amount` more of the present step is done.
    fn advance(&self, amount: u64);
    /// The present step is over; `summary` is one line with counts.
    fn end(&self, summary: &str);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _step: Step, _total: Option<u64>) {}
    fn advance(&self, _amount: u64) {}
    fn end(&self, _summary: &str) {}
}

/// A count with its noun: `1 file`, `2 files`, `1,204 files`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("{grouped} {noun}{plural}")
}
