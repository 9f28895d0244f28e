//! Samples: a few findings of each category with the text around them, for the review on the sender's own computer.
//!
//! A sample holds one value in clear, so it never goes into a snapshot or its manifest. The text around the value is the
//! redacted one: what else stood on the line is not shown again. Values of secrets are not kept at all.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::category::Category;
use super::hit::Hit;
use super::stand_in::decoded;
use super::text;

/// Samples of each category.
const MOST: usize = 5;
/// Longest value that is shown, in characters.
const LONGEST_VALUE: usize = 80;
/// Characters that are shown on each side of a value.
const AROUND: usize = 50;

/// One finding as it was and as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its category.
    pub category: Category,
    /// The file it stands in, by its redacted path.
    pub path: String,
    /// Its line in the redacted file, counted from 1.
    pub line: u64,
    /// The redacted text before it.
    pub left: String,
    /// The value; `None` for a secret.
    pub value: Option<String>,
    /// What replaced it.
    pub stand_in: String,
    /// The redacted text behind it.
    pub right: String,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").field("category", &self.category).field("line", &self.line).finish_non_exhaustive()
    }
}

/// The first samples of each category, whatever the number of threads.
#[derive(Default)]
pub(crate) struct Samples {
    taken: Mutex<Vec<Sample>>,
    /// A bit for each category of which there are enough.
    full: AtomicU32,
}

impl Samples {
    /// Begins a chunk.
    pub(crate) fn of_chunk(&self) -> ChunkSamples {
        ChunkSamples { full: self.full.load(Ordering::Relaxed), noted: Vec::new() }
    }

    /// Takes the samples of a chunk; chunks come in the order of the text.
    pub(crate) fn take(&self, samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for sample in samples {
            let of_category = taken.iter().filter(|one| one.category == sample.category);
            if of_category.clone().count() == MOST {
                self.full.fetch_or(bit(sample.category), Ordering::Relaxed);
            } else if !of_category.clone().any(|one| one.stand_in == sample.stand_in && one.value == sample.value) {
                taken.push(sample);
            }
        }
    }

    /// The samples, by category.
    pub(crate) fn finish(&self) -> Vec<Sample> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        taken.sort_by_key(|sample| sample.category);
        taken
    }
}

const fn bit(category: Category) -> u32 {
    1 << category as u32
}

/// Findings of one chunk that may become samples.
pub(crate) struct ChunkSamples {
    full: u32,
    noted: Vec<Noted>,
}

struct Noted {
    category: Category,
    value: Option<String>,
    start: usize,
    end: usize,
}

impl ChunkSamples {
    /// Notes a finding of a line that was replaced by what stands at the end of `out`, from `start` on.
    #[inline]
    pub(crate) fn note(&mut self, line: &[u8], hit: &Hit, out: &[u8], start: usize) {
        if self.full & bit(hit.category) == 0 {
            self.note_new(line, hit, out, start);
        }
    }

    fn note_new(&mut self, line: &[u8], hit: &Hit, out: &[u8], start: usize) {
        let value = (hit.category != Category::Secret).then(|| {
            let value = decoded(&line[hit.start..hit.end]);
            let value = text::decode(&value);
            let mut short: String = value.chars().take(LONGEST_VALUE).collect();
            if short.len() < value.len() {
                short.push('…');
            }
            short
        });
        let mut of_category = self.noted.iter().filter(|one| one.category == hit.category);
        if of_category.any(|one| one.value == value && out[one.start..one.end] == out[start..]) {
            return;
        }
        self.noted.push(Noted { category: hit.category, value, start, end: out.len() });
        if self.noted.iter().filter(|one| one.category == hit.category).count() == MOST {
            self.full |= bit(hit.category);
        }
    }

    /// The samples of a redacted chunk, whose first line has the number `line`. `last` is the chunk after the gate: a sample
    /// whose line was changed once more is not one.
    pub(crate) fn finish(self, redacted: &[u8], last: &[u8], path: &str, line: u64) -> Vec<Sample> {
        let sample = |noted: Noted| {
            let Noted { category, value, start, end } = noted;
            let line_start = memchr::memrchr(b'\n', &redacted[..start]).map_or(0, |at| at + 1);
            let line_end = memchr::memchr(b'\n', &redacted[end..]).map_or(redacted.len(), |length| end + length);
            // Four bytes hold any character.
            let within = |at: usize| redacted.get(at).is_some_and(|&b| b & 0xc0 == 0x80);
            let mut from = line_start.max(start.saturating_sub(4 * AROUND));
            while from < start && within(from) {
                from += 1;
            }
            let mut to = line_end.min(end + 4 * AROUND);
            while to > end && within(to) {
                to -= 1;
            }
            if !std::ptr::eq(redacted, last) && memchr::memmem::find(last, &redacted[from..to]).is_none() {
                return None;
            }
            let left: Vec<char> = text::decode(&redacted[from..start]).chars().collect();
            let cut = left.len().saturating_sub(AROUND);
            let more = if cut > 0 || from > line_start { "…" } else { "" };
            let left = format!("{more}{}", left[cut..].iter().collect::<String>());
            let rest = text::decode(&redacted[end..to]);
            let mut right: String = rest.chars().take(AROUND).collect();
            if right.len() < rest.len() || to < line_end {
                right.push('…');
            }
            Some(Sample {
                category,
                path: path.to_owned(),
                line: line + memchr::memchr_iter(b'\n', &redacted[..start]).count() as u64,
                left,
                value,
                stand_in: text::decode(&redacted[start..end]).into_owned(),
                right: right.trim_end().to_owned(),
            })
        };
        self.noted.into_iter().filter_map(sample).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::hit::{Form, Group};

    fn hit(start: usize, end: usize, category: Category) -> Hit {
        Hit { start, end, category, form: Form::Text(Group::Person), rank: 1 }
    }

    /// Notes `value` in `line` as replaced by `stand_in`.
    fn note(chunk: &mut ChunkSamples, line: &str, value: &str, stand_in: &str, category: Category, out: &mut Vec<u8>) {
        let at = line.find(value).unwrap();
        out.extend_from_slice(&line.as_bytes()[..at]);
        let start = out.len();
        out.extend_from_slice(stand_in.as_bytes());
        chunk.note(line.as_bytes(), &hit(at, at + value.len(), category), out, start);
        out.extend_from_slice(&line.as_bytes()[at + value.len()..]);
        out.push(b'\n');
    }

    #[test]
    fn the_first_five_different_values_of_a_category_are_taken() {
        let samples = Samples::default();
        for chunk in 0..3 {
            let (mut noted, mut out) = (samples.of_chunk(), Vec::new());
            for n in [0, 0, 1, 2] {
                let (value, stand_in) = (format!("Anna{chunk}{n}"), format!("person-{chunk}{n}"));
                note(&mut noted, &format!("x {value} y"), &value, &stand_in, Category::Person, &mut out);
            }
            samples.take(noted.finish(&out, &out, "log", 1 + 4 * chunk));
        }
        let taken: Vec<_> = samples.finish().into_iter().map(|one| (one.line, one.value.unwrap())).collect();
        let expected = [(1, "Anna00"), (3, "Anna01"), (4, "Anna02"), (5, "Anna10"), (7, "Anna11")];
        assert_eq!(taken, expected.map(|(line, value)| (line, value.to_owned())));
        assert!(
            samples.of_chunk().full & bit(Category::Person) != 0 && samples.of_chunk().full & bit(Category::Ip) == 0
        );
    }

    #[test]
    fn a_sample_is_short_and_holds_no_secret() {
        let (mut noted, mut out) = (Samples::default().of_chunk(), Vec::new());
        let line = format!("{}é password=swordfish {}", "a".repeat(500), "ü".repeat(500));
        note(&mut noted, &line, "swordfish", "[secret]", Category::Secret, &mut out);
        note(&mut noted, &"Q".repeat(500), &"Q".repeat(500), "person-1", Category::Person, &mut out);
        let samples = noted.finish(&out, &out, "log", 1);
        assert_eq!(samples[0].value, None);
        for sample in &samples {
            let long = sample.left.chars().count() + sample.right.chars().count();
            assert!(long <= 2 * AROUND + 2, "{} … {}", sample.left, sample.right);
            assert!(sample.value.as_ref().is_none_or(|value| value.chars().count() <= LONGEST_VALUE + 1));
        }
        assert!(samples[0].left.starts_with('…') && samples[0].left.ends_with("é password="), "{}", samples[0].left);
        assert!(!format!("{samples:?}").contains("QQ"));
    }

    #[test]
    fn a_line_that_was_changed_again_gives_no_sample() {
        let (mut noted, mut out) = (Samples::default().of_chunk(), Vec::new());
        note(&mut noted, "to Anna 4711", "Anna", "person-1", Category::Person, &mut out);
        assert!(noted.finish(&out, b"to [person]\n", "log", 1).is_empty());
    }
}
