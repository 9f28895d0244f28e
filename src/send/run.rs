//! Drives one upload: joins the state machine, the file, the transport and the state file.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rand::CryptoRng;

use crate::progress::{Progress, Step};
use crate::send::address::UploadUrl;
use crate::send::checkpoint::Checkpoint;
use crate::send::error::SendError;
use crate::send::pieces::PieceReader;
use crate::send::transport::{Announced, Transport};
use crate::send::upload::{Answer, Ask, Do, Machine};
use crate::wire::Snapshot;

/// How long an upload is tried without a byte of progress, when nothing else is wished: 24 hours.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Measures and spends time for an upload. Handed in, so that a test does not wait and a user hears why it waits.
pub trait Pace {
    /// The time since any fixed beginning; it never goes back.
    fn elapsed(&self) -> Duration;
    /// Returns at the instant `until`, measured as [`elapsed`](Self::elapsed). `because` is the failure before.
    fn wait(&self, until: Duration, because: &SendError);
}

/// The machine's own steady time, and sleep. Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct SystemPace(Instant);

impl SystemPace {
    /// Begins to measure now.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemPace {
    fn default() -> Self {
        Self::new()
    }
}

impl Pace for SystemPace {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, until: Duration, _because: &SendError) {
        thread::sleep(until.saturating_sub(self.elapsed()));
    }
}

/// What the portal confirmed.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The snapshot as the portal has it: stored, with the size and SHA-256 of the sealed file.
    pub snapshot: Snapshot,
    /// The upload receipt, a signed note, not verified yet; `None` when it could not be fetched (it can be later).
    pub receipt: Option<String>,
}

/// Uploads the sealed file of `checkpoint` and returns when the portal has confirmed its size and SHA-256.
///
/// Goes on where an earlier run stopped. What may pass by itself (no network, a busy portal) is tried again until
/// `give_up_after` has gone by without progress; every other failure is returned at once. After an error the state file is
/// as it was and `resume` can go on. After success it is marked and holds no share any more; the caller records the end and
/// then calls [`Checkpoint::remove`]. An already stored file is success too.
pub fn upload(
    transport: &dyn Transport,
    checkpoint: &mut Checkpoint,
    give_up_after: Duration,
    pace: &dyn Pace,
    rng: &mut dyn CryptoRng,
    progress: &dyn Progress,
) -> Result<Sent, SendError> {
    let size = checkpoint.size();
    progress.begin(Step::Upload, Some(size));
    let mut shown = Shown { progress, amount: 0 };
    let ended = drive(transport, checkpoint, give_up_after, pace, rng, &mut shown);
    let summary = match &ended {
        Ok(_) => format!("{size} bytes stored at {}", checkpoint.portal().host()),
        Err(_) => format!("stopped at {} of {size} bytes", shown.amount),
    };
    progress.end(&summary);
    match ended {
        // Whose fault is it? A file that changed while it was sent is told as that.
        Err(SendError::DigestMismatch(what)) => Err(if checkpoint.has_changed()? {
            SendError::FileChanged(checkpoint.file().to_owned())
        } else {
            SendError::DigestMismatch(what)
        }),
        ended => ended,
    }
}

fn drive(
    transport: &dyn Transport,
    checkpoint: &mut Checkpoint,
    give_up_after: Duration,
    pace: &dyn Pace,
    rng: &mut dyn CryptoRng,
    shown: &mut Shown<'_>,
) -> Result<Sent, SendError> {
    // When the portal has it already, the sealed file itself is not needed.
    let (begin, mut pieces) = if checkpoint.is_stored() {
        (Ask::Look, None)
    } else {
        let begin = if checkpoint.upload_url().is_some() { Ask::Offset } else { Ask::Announce };
        (begin, Some(PieceReader::new(checkpoint.open_file()?)))
    };
    let mut machine = Machine::new(*checkpoint.file_id(), checkpoint.size(), checkpoint.sha256(), begin, give_up_after);
    loop {
        match machine.step(pace.elapsed()) {
            Do::Wait(until) => pace.wait(until, machine.because().expect("a wait follows a failure")),
            Do::Done(confirmed) => {
                let (snapshot, receipt) = *confirmed;
                return Ok(Sent { snapshot, receipt });
            }
            Do::Ask(ask) => {
                let outcome = perform(ask, transport, checkpoint, pieces.as_mut(), &machine);
                machine.outcome(outcome, pace.elapsed(), rng)?;
                shown.reach(machine.acknowledged());
                if machine.is_stored() && !checkpoint.is_stored() {
                    checkpoint.stored()?;
                }
            }
        }
    }
}

fn perform(
    ask: Ask,
    transport: &dyn Transport,
    checkpoint: &mut Checkpoint,
    pieces: Option<&mut PieceReader>,
    machine: &Machine,
) -> Result<Answer, SendError> {
    match ask {
        Ask::Announce => {
            let announced = transport.announce(checkpoint.ticket(), &checkpoint.announcement())?;
            if let Announced::Upload(upload) = &announced {
                checkpoint.uploading_to(upload)?;
            }
            Ok(Answer::Announced(announced))
        }
        Ask::Offset => transport.offset(&upload_of(checkpoint)).map(Answer::Offset),
        Ask::Append { offset, length } => {
            let upload = upload_of(checkpoint);
            let pieces = pieces.expect("only an upload that is not stored yet appends");
            let piece = pieces.take(offset, length).map_err(|source| unreadable(checkpoint, source))?;
            if let Some((offset, length)) = machine.after(offset, length) {
                pieces.read_ahead(offset, length).map_err(|source| unreadable(checkpoint, source))?;
            }
            transport.append(&upload, piece).map(Answer::Appended)
        }
        Ask::Look => transport.snapshot(checkpoint.file_id()).map(Answer::Looked),
        Ask::Receipt => transport.receipt(checkpoint.file_id()).map(Answer::Receipt),
    }
}

fn upload_of(checkpoint: &Checkpoint) -> UploadUrl {
    checkpoint.upload_url().expect("the state machine asks for an offset only where an upload is known")
}

/// A file that ends too early was cut since it was opened.
fn unreadable(checkpoint: &Checkpoint, source: io::Error) -> SendError {
    let path = checkpoint.file().to_owned();
    if source.kind() == io::ErrorKind::UnexpectedEof {
        SendError::FileChanged(path)
    } else {
        SendError::Local { path, source }
    }
}

/// Turns the offsets the portal tells into amounts that only grow.
struct Shown<'a> {
    progress: &'a dyn Progress,
    amount: u64,
}

impl Shown<'_> {
    fn reach(&mut self, offset: u64) {
        if offset > self.amount {
            self.progress.advance(offset - self.amount);
            self.amount = offset;
        }
    }
}
