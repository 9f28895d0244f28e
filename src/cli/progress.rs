//! Progress on the terminal: a bar where lines can be redrawn, one line per ten percent where they cannot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, json};

use super::output::{Output, size, stderr_is_terminal};
use crate::progress::{Progress, Step};

/// Shows every step of a run. Ends each with one plain line, so that what was done stays readable above the next bar.
pub struct Bars {
    output: Output,
    present: Mutex<Option<Present>>,
    counted: AtomicBool,
}

struct Present {
    step: Step,
    total: Option<u64>,
    done: u64,
    told: u64,
    bar: ProgressBar,
}

impl Bars {
    /// Shows progress in the manner of `output`.
    #[must_use]
    pub fn new(output: Output) -> Self {
        Self { output, present: Mutex::new(None), counted: AtomicBool::new(false) }
    }

    /// Whether the lines of the steps say which of the five of sending they are.
    pub fn count_steps(&self, counted: bool) {
        self.counted.store(counted, Ordering::SeqCst);
    }

    /// How many bytes of the present step are done, and of how many.
    pub fn so_far(&self) -> Option<(u64, u64)> {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.as_ref().and_then(|present| Some((present.done, present.total?)))
    }

    /// The line that ends a step.
    fn line(&self, step: Step, summary: &str) -> String {
        let number = match step {
            Step::Collect => 1,
            Step::Survey => 2,
            Step::Redact => 3,
            Step::Upload | Step::Fetch | Step::Open => 0,
        };
        match number {
            1.. if self.counted.load(Ordering::SeqCst) => format!("{number} of 5  {:<10} {summary}", step.word()),
            _ => format!("{:<9} {summary}", step.word()),
        }
    }

    fn redraws(&self) -> bool {
        let manner = self.output.manner();
        !manner.plain && !manner.quiet && !manner.json && stderr_is_terminal()
    }
}

impl Progress for Bars {
    fn begin(&self, step: Step, total: Option<u64>) {
        let bar = if self.redraws() { new_bar(step, total) } else { ProgressBar::hidden() };
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Present { step, total, done: 0, told: 0, bar });
    }

    fn advance(&self, amount: u64) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(present) = present.as_mut() else { return };
        present.done += amount;
        present.bar.inc(amount);
        let Some(total) = present.total.filter(|&total| total > 0 && counts_bytes(present.step)) else { return };
        let tenth = (present.done.saturating_mul(10) / total).min(9);
        if tenth > present.told {
            present.told = tenth;
            let mut fields = Map::new();
            fields.insert("step".into(), json!(present.step.word().to_lowercase()));
            fields.insert("bytes".into(), json!(present.done));
            fields.insert("total".into(), json!(total));
            self.output.event("progress", fields);
            if !self.redraws() && total >= TOLD_FROM {
                self.output.say(format!(
                    "  {:<9}{}0 %  {} of {}",
                    present.step.word(),
                    tenth,
                    size(present.done),
                    size(total)
                ));
            }
        }
    }

    fn end(&self, summary: &str) {
        let Some(present) = self.present.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        present.bar.finish_and_clear();
        self.output.say(self.line(present.step, summary));
        let mut fields = Map::new();
        fields.insert("step".into(), json!(present.step.word().to_lowercase()));
        fields.insert("done".into(), json!(true));
        fields.insert("summary".into(), json!(summary));
        self.output.event("step", fields);
    }
}

/// Off a terminal, a step shorter than this many bytes is over before a line about it could be read.
const TOLD_FROM: u64 = 10_000_000;

const fn counts_bytes(step: Step) -> bool {
    !matches!(step, Step::Collect)
}

fn new_bar(step: Step, total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{prefix:<9} {bar:30} {bytes:>11} of {total_bytes}  {bytes_per_sec}  {eta} left",
        None if counts_bytes(step) => "{prefix:<9} {spinner} {bytes}",
        None => "{prefix:<9} {spinner} {pos}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is a constant and well formed");
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(8));
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(step.word());
    if total.is_none() {
        bar.enable_steady_tick(Duration::from_millis(150));
    }
    bar
}
