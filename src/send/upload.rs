//! What an upload does next. No I/O, no clock, no threads: time and answers are handed in.
//!
//! ```text
//! Announce ──► Offset ──► Append … Append ──► Look ──► Receipt ──► done
//!     ▲          ▲  any failure │               │
//!     │          └──────────────┘ after a wait  │
//!     └── the portal no longer knows the upload ┘
//! ```
//!
//! Three rules: how far the upload is comes from the portal, never from memory; after a failure it is asked again before a
//! byte is sent; and nothing counts as sent before the portal has said "stored" with the same size and SHA-256.

use std::time::Duration;

use rand::CryptoRng;

use crate::ids::FileId;
use crate::send::backoff;
use crate::send::error::SendError;
use crate::send::transport::{Announced, Offset};
use crate::wire::{Snapshot, SnapshotState};

/// The most bytes sent in one request, and so the most that are sent twice after a break: 8 MiB.
pub const PIECE_LIMIT: u64 = 8 * 1024 * 1024;

/// The fewest bytes sent in one request; a line that cannot carry them within a minute is taken for a broken one.
const PIECE_LEAST: u64 = 256 * 1024;
/// The first piece: small, until it is known how fast the line is.
const PIECE_FIRST: u64 = 1024 * 1024;
/// How long one piece should take, so that a break costs little and progress is seen.
const PIECE_SECONDS: f64 = 4.0;
/// How often the portal may forget bytes it had acknowledged, before it is given up as faulty.
const SETBACKS: u32 = 5;
/// How often in a row a piece may arrive damaged.
const DAMAGED: u32 = 5;
/// How often the receipt is asked for. The file is stored by then; a missing receipt is fetched later.
const RECEIPT_TRIES: u32 = 5;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Tell the portal what comes.
    Announce,
    /// How far is the upload?
    Offset,
    /// Append these bytes of the file.
    Append {
        /// Where they begin.
        offset: u64,
        /// How many, at most [`PIECE_LIMIT`].
        length: u64,
    },
    /// What does the portal have?
    Look,
    /// Fetch the receipt.
    Receipt,
}

/// The answer to an [`Ask`] of the same name.
#[derive(Debug)]
pub(crate) enum Answer {
    Announced(Announced),
    Offset(Offset),
    Appended(u64),
    Looked(Snapshot),
    Receipt(String),
}

/// What to do now.
#[derive(Debug)]
pub(crate) enum Do {
    /// Make this request and hand in its outcome.
    Ask(Ask),
    /// Nothing until this instant.
    Wait(Duration),
    /// The portal has it. Without a receipt when that could not be fetched.
    Done(Box<(Snapshot, Option<String>)>),
}

/// The upload of one sealed file. Instants are durations since any fixed beginning.
#[derive(Debug)]
pub(crate) struct Machine {
    id: FileId,
    size: u64,
    sha256: String,
    give_up_after: Duration,
    next: Ask,
    only_look: bool,
    asked_at: Duration,
    wait_until: Duration,
    /// Failures since the last progress.
    failures: u32,
    progress_at: Option<Duration>,
    /// The highest offset the portal has told.
    acknowledged: Option<u64>,
    piece: u64,
    setbacks: u32,
    damaged: u32,
    because: Option<SendError>,
    snapshot: Option<Snapshot>,
    receipt: Option<String>,
    done: bool,
}

impl Machine {
    /// Begins with [`Ask::Announce`], with [`Ask::Offset`] when the upload's address is known, or with [`Ask::Look`] when
    /// the portal has said "stored" in an earlier run; such an upload never begins again.
    pub(crate) fn new(id: FileId, size: u64, sha256: &str, begin: Ask, give_up_after: Duration) -> Self {
        Self {
            id,
            size,
            sha256: sha256.to_owned(),
            give_up_after,
            next: begin,
            only_look: begin == Ask::Look,
            asked_at: Duration::ZERO,
            wait_until: Duration::ZERO,
            failures: 0,
            progress_at: None,
            acknowledged: None,
            piece: PIECE_FIRST,
            setbacks: 0,
            damaged: 0,
            because: None,
            snapshot: None,
            receipt: None,
            done: false,
        }
    }

    /// Says what to do at `now`. Asking again without an outcome in between gives the same answer.
    pub(crate) fn step(&mut self, now: Duration) -> Do {
        self.progress_at.get_or_insert(now);
        if self.done {
            let snapshot = self.snapshot.clone().expect("done is set after the portal said stored");
            return Do::Done(Box::new((snapshot, self.receipt.clone())));
        }
        if now < self.wait_until {
            return Do::Wait(self.wait_until);
        }
        self.asked_at = now;
        Do::Ask(self.next)
    }

    /// Takes the outcome of the last [`Ask`]. An error is final; what can be tried again becomes a wait.
    pub(crate) fn outcome(
        &mut self,
        outcome: Result<Answer, SendError>,
        now: Duration,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SendError> {
        match outcome {
            Ok(answer) => self.answered(answer, now, rng),
            Err(error) => self.failed(error, now, rng),
        }
    }

    /// The last failure: why it waits.
    pub(crate) fn because(&self) -> Option<&SendError> {
        self.because.as_ref()
    }

    /// True from the moment the portal has said "stored" with the right size and SHA-256.
    pub(crate) fn is_stored(&self) -> bool {
        self.snapshot.is_some()
    }

    /// The highest offset the portal has told so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.unwrap_or(0)
    }

    /// The piece after the one at `offset`, for reading ahead; `None` at the end.
    pub(crate) fn after(&self, offset: u64, length: u64) -> Option<(u64, u64)> {
        let begin = offset.saturating_add(length);
        (begin < self.size).then(|| (begin, self.piece.min(self.size - begin)))
    }

    fn answered(&mut self, answer: Answer, now: Duration, rng: &mut dyn CryptoRng) -> Result<(), SendError> {
        match (self.next, answer) {
            (Ask::Announce, Answer::Announced(Announced::Upload(_))) => self.next = Ask::Offset,
            (Ask::Announce, Answer::Announced(Announced::Stored(snapshot))) | (Ask::Look, Answer::Looked(snapshot)) => {
                return self.looked(snapshot, now, rng);
            }
            (Ask::Offset, Answer::Offset(told)) => return self.told(told, now, rng),
            (Ask::Append { offset, length }, Answer::Appended(new)) => {
                if new != offset + length {
                    let what = format!("the portal kept {new} bytes where {} were expected", offset + length);
                    return self.try_again(Ask::Offset, SendError::temporary(what), now, rng);
                }
                self.damaged = 0;
                self.adapt(length, now);
                self.move_to(new, now);
            }
            (Ask::Receipt, Answer::Receipt(note)) => {
                self.receipt = Some(note);
                self.done = true;
            }
            (ask, _) => unreachable!("the answer to {ask:?} has its name"),
        }
        Ok(())
    }

    fn failed(&mut self, error: SendError, now: Duration, rng: &mut dyn CryptoRng) -> Result<(), SendError> {
        let again = matches!(error, SendError::Temporary { .. } | SendError::NoRoom { .. });
        match self.next {
            Ask::Receipt if again && self.failures + 1 < RECEIPT_TRIES => self.try_again(Ask::Receipt, error, now, rng),
            Ask::Receipt => {
                self.because = Some(error);
                self.done = true;
                Ok(())
            }
            Ask::Append { .. } => {
                self.piece = (self.piece / 2).max(PIECE_LEAST);
                match error {
                    SendError::DigestMismatch(_) if self.damaged + 1 < DAMAGED => {
                        self.damaged += 1;
                        self.try_again(Ask::Offset, error, now, rng)
                    }
                    SendError::NotFound(_) | SendError::Expired(_) => self.set_back(Ask::Announce, error, now, rng),
                    _ if again => self.try_again(Ask::Offset, error, now, rng),
                    _ => Err(error),
                }
            }
            // It ended with the last piece: not that was refused but the whole, which has another digest than announced.
            Ask::Offset if matches!(error, SendError::NotFound(_)) && self.damaged > 0 => {
                Err(SendError::DigestMismatch("the portal compared the whole and kept nothing of it".to_owned()))
            }
            // The upload is gone: announcing it says why, or gives a new one, or says that it is stored.
            Ask::Offset if matches!(error, SendError::NotFound(_) | SendError::Expired(_)) => {
                self.set_back(Ask::Announce, error, now, rng)
            }
            Ask::Look if matches!(error, SendError::NotFound(_)) && !self.only_look => {
                self.set_back(Ask::Announce, error, now, rng)
            }
            ask if again => self.try_again(ask, error, now, rng),
            _ => Err(error),
        }
    }

    fn told(&mut self, told: Offset, now: Duration, rng: &mut dyn CryptoRng) -> Result<(), SendError> {
        if told.length.is_some_and(|length| length != self.size) || told.offset > self.size {
            return Err(SendError::Unexpected(format!(
                "it speaks of byte {} of {}, the sealed file has {}",
                told.offset,
                told.length.unwrap_or(told.offset),
                self.size
            )));
        }
        if self.acknowledged.is_some_and(|before| told.offset < before) {
            let what = format!("the portal has lost bytes it had acknowledged and is back at {}", told.offset);
            self.acknowledged = Some(told.offset);
            return self.set_back(Ask::Offset, SendError::temporary(what), now, rng);
        }
        self.move_to(told.offset, now);
        Ok(())
    }

    fn looked(&mut self, snapshot: Snapshot, now: Duration, rng: &mut dyn CryptoRng) -> Result<(), SendError> {
        if snapshot.id != self.id {
            return Err(SendError::Unexpected("it speaks of another snapshot".to_owned()));
        }
        match snapshot.state {
            SnapshotState::Restricted | SnapshotState::Deleting | SnapshotState::Deleted => {
                Err(SendError::snapshot_gone(&self.id))
            }
            _ if snapshot.size != self.size || snapshot.sha256 != self.sha256 => {
                Err(SendError::DigestMismatch(format!(
                    "it has {} bytes with SHA-256 {}, sealed were {} with {}",
                    snapshot.size,
                    snapshot.sha256.chars().filter(char::is_ascii_hexdigit).take(64).collect::<String>(),
                    self.size,
                    self.sha256
                )))
            }
            SnapshotState::Uploading if self.only_look => {
                Err(SendError::Unexpected("it had the whole snapshot and has no longer".to_owned()))
            }
            SnapshotState::Uploading => {
                let what = "the portal has all bytes and is not done with them";
                self.try_again(Ask::Offset, SendError::temporary(what), now, rng)
            }
            SnapshotState::Stored | SnapshotState::Held => {
                self.acknowledged = Some(self.size);
                self.snapshot = Some(snapshot);
                self.failures = 0;
                self.next = Ask::Receipt;
                Ok(())
            }
        }
    }

    /// Takes `offset` as acknowledged and goes on from there.
    fn move_to(&mut self, offset: u64, now: Duration) {
        if self.acknowledged.is_none_or(|before| offset > before) {
            if self.acknowledged.is_some() {
                self.failures = 0;
            }
            self.progress_at = Some(now);
        }
        self.acknowledged = Some(offset);
        self.next = if offset == self.size {
            Ask::Look
        } else {
            Ask::Append { offset, length: self.piece.min(self.size - offset) }
        };
    }

    fn set_back(
        &mut self,
        next: Ask,
        error: SendError,
        now: Duration,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SendError> {
        self.setbacks += 1;
        if self.setbacks > SETBACKS {
            return Err(SendError::Unexpected(format!("it keeps losing the upload ({error})")));
        }
        if next == Ask::Announce {
            self.acknowledged = None;
        }
        self.try_again(next, error, now, rng)
    }

    fn try_again(
        &mut self,
        next: Ask,
        error: SendError,
        now: Duration,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SendError> {
        self.failures = self.failures.saturating_add(1);
        self.next = next;
        let until = now.saturating_add(backoff::delay(self.failures, error.retry_after(), rng));
        let idle = until.saturating_sub(self.progress_at.unwrap_or(now));
        if idle > self.give_up_after {
            return Err(SendError::GaveUp { after: idle, last: Box::new(error) });
        }
        self.wait_until = until;
        self.because = Some(error);
        Ok(())
    }

    /// Sizes the next piece to take about [`PIECE_SECONDS`] at the speed of the last one.
    fn adapt(&mut self, length: u64, now: Duration) {
        let seconds = now.saturating_sub(self.asked_at).as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "at most 8 MiB, and only a size to aim at")]
        let factor = PIECE_SECONDS / seconds * (length as f64 / self.piece as f64);
        self.piece = if factor >= 4.0 {
            self.piece * 4
        } else if factor >= 2.0 {
            self.piece * 2
        } else if factor < 0.5 {
            self.piece / 2
        } else {
            self.piece
        }
        .clamp(PIECE_LEAST, PIECE_LIMIT);
    }
}
