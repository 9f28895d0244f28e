//! A sealed file, a clock that does not wait, and a portal in memory that can be told to fail.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use tarseal::clock::Timestamp;
use tarseal::ids::{FileId, ShareId, TicketId};
use tarseal::progress::Silent;
use tarseal::send::{
    Announced, Checkpoint, Offset, PIECE_LIMIT, Pace, Piece, PortalAddress, SendError, Sent, Transport, UploadUrl,
    upload,
};
use tarseal::wire::{NewShare, NewSnapshot, Problem, Snapshot, SnapshotState, problems};

pub const ID: FileId = FileId([7; 16]);
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);
pub const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub fn ticket() -> TicketId {
    "4711".parse().unwrap()
}

pub fn address() -> PortalAddress {
    "https://support.vendor.example".parse().unwrap()
}

/// A sealed file and the state file of its upload.
pub struct Place {
    pub directory: tempfile::TempDir,
    pub bytes: Vec<u8>,
}

impl Place {
    pub fn new(length: usize) -> Self {
        Self::of(ID, length)
    }

    /// A file that begins as the sealed one of that id does; nobody here looks further.
    pub fn of(id: FileId, length: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
        let noise = NOISE.get_or_init(|| {
            let mut noise = vec![0; 1024 * 1024 + 7];
            StdRng::seed_from_u64(1).fill_bytes(&mut noise);
            noise
        });
        let mut bytes = noise.repeat(length / noise.len() + 1);
        bytes.truncate(length);
        let begin = [b"\x89TSL\r\n\x1a\n\x01\x01\0\0\x01\0\x01\0\0\0\x10".as_slice(), &id.0].concat();
        let told = length.min(begin.len());
        bytes[..told].copy_from_slice(&begin[..told]);
        fs::write(directory.path().join("a.tarseal"), &bytes).unwrap();
        Self { directory, bytes }
    }

    pub fn file(&self) -> PathBuf {
        self.directory.path().join("a.tarseal")
    }

    pub fn state(&self) -> PathBuf {
        self.directory.path().join("upload.json")
    }

    pub fn announcement(&self) -> NewSnapshot {
        NewSnapshot {
            file_id: ID,
            size: self.bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&self.bytes)),
            share: Some(NewShare { id: ShareId([8; 16]), secret: SECRET.to_owned().into(), not_after: Timestamp::MAX }),
        }
    }

    pub fn begin_at(&self, portal: &PortalAddress) -> Checkpoint {
        Checkpoint::create(&self.state(), portal, &ticket(), &self.file(), self.announcement()).unwrap()
    }

    pub fn begin(&self) -> Checkpoint {
        self.begin_at(&address())
    }

    pub fn load(&self) -> Checkpoint {
        Checkpoint::load(&self.state()).unwrap()
    }
}

/// Time that passes only when it is waited for, or when a portal takes its time.
#[derive(Default)]
pub struct FakePace {
    now: Cell<Duration>,
    pub waits: RefCell<Vec<(Duration, String)>>,
}

impl FakePace {
    pub fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

impl Pace for FakePace {
    fn elapsed(&self) -> Duration {
        self.now.get()
    }

    fn wait(&self, until: Duration, because: &SendError) {
        assert!(until > self.now.get(), "a wait that is over is not waited for");
        self.waits.borrow_mut().push((until - self.now.get(), because.to_string()));
        self.now.set(until);
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// The connection breaks before the portal has the request whole.
    Cut,
    /// The portal did it; its answer is lost.
    LostReply,
    /// No answer for a minute, and nothing done.
    Stall,
    /// 409, the offset is another one.
    Conflict,
    /// 423.
    Locked,
    /// 429 with a `Retry-After` of 90 s.
    Busy,
    /// 503.
    Unwell,
    /// 507.
    NoRoom,
    /// The piece arrived damaged (460).
    Damaged,
    /// The portal has lost up to this many acknowledged bytes.
    Back(u64),
    /// The portal tells an offset beyond the end.
    Beyond,
    /// The portal tells another length than was announced.
    OtherLength,
    /// The portal has forgotten the upload, its bytes and its share.
    Forgotten,
    /// The portal keeps less of a piece than it got, and says so.
    Partial,
    /// A redirect.
    Redirect,
    /// An answer without sense.
    Senseless,
    /// 401.
    Refused,
    /// The ticket was closed.
    Closed,
    /// Deleted.
    Expired,
    /// The portal stored other bytes and says so at the end.
    OtherBytes,
    /// The portal compares the whole at the end, finds another digest and keeps nothing.
    WholeRefused,
}

/// Every fault after which an upload goes on by itself.
pub const SURVIVED: [Fault; 12] = [
    Fault::Pass,
    Fault::Cut,
    Fault::LostReply,
    Fault::Stall,
    Fault::Conflict,
    Fault::Locked,
    Fault::Busy,
    Fault::Unwell,
    Fault::NoRoom,
    Fault::Damaged,
    Fault::Partial,
    Fault::Forgotten,
];

/// Every fault that ends an upload at once.
pub const FINAL: [Fault; 7] = [
    Fault::Beyond,
    Fault::OtherLength,
    Fault::Redirect,
    Fault::Senseless,
    Fault::Refused,
    Fault::Closed,
    Fault::Expired,
];

/// A portal in memory. Honest but for the faults it is told.
pub struct FakePortal<'a> {
    pace: &'a FakePace,
    plan: RefCell<VecDeque<Fault>>,
    announced: RefCell<Option<NewSnapshot>>,
    uploads: Cell<u32>,
    pub kept: RefCell<Vec<u8>>,
    pub calls: RefCell<Vec<(&'static str, Fault)>>,
    sent_up_to: Cell<u64>,
    /// Bytes that were sent before, over all breaks.
    pub sent_twice: Cell<u64>,
    /// How often the upload was broken, and may send up to a piece again.
    pub breaks: Cell<u64>,
    stored: Cell<bool>,
    /// How many bytes of a piece arrive in a second; all at once when 0.
    pub speed: Cell<u64>,
    pub lengths: RefCell<Vec<u64>>,
}

impl<'a> FakePortal<'a> {
    pub fn new(pace: &'a FakePace, plan: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            pace,
            plan: RefCell::new(plan.into_iter().collect()),
            announced: RefCell::default(),
            uploads: Cell::new(0),
            kept: RefCell::default(),
            calls: RefCell::default(),
            sent_up_to: Cell::new(0),
            sent_twice: Cell::new(0),
            breaks: Cell::new(0),
            stored: Cell::new(false),
            speed: Cell::new(0),
            lengths: RefCell::default(),
        }
    }

    pub fn replan(&self, plan: impl IntoIterator<Item = Fault>) {
        *self.plan.borrow_mut() = plan.into_iter().collect();
    }

    pub fn count(&self, call: &str) -> usize {
        self.calls.borrow().iter().filter(|(name, _)| *name == call).count()
    }

    fn url(&self) -> UploadUrl {
        UploadUrl::parse(&address(), &format!("/v1/uploads/{}", self.uploads.get())).unwrap()
    }

    /// Plays the next fault around `act`.
    fn play<T>(&self, call: &'static str, act: impl FnOnce(Fault) -> Result<T, SendError>) -> Result<T, SendError> {
        let fault = self.plan.borrow_mut().pop_front().unwrap_or(Fault::Pass);
        self.calls.borrow_mut().push((call, fault));
        assert!(self.calls.borrow().len() < 2000, "it does not come to an end");
        if fault != Fault::Pass {
            self.breaks.set(self.breaks.get() + 1);
        }
        match fault {
            Fault::Cut => Err(temporary("cut", None)),
            Fault::Stall => {
                self.pace.pass(Duration::from_secs(60));
                Err(temporary("no answer", None))
            }
            Fault::LostReply => {
                let _ = act(Fault::Pass);
                Err(temporary("lost reply", None))
            }
            Fault::Conflict => Err(temporary("409", None)),
            Fault::Locked => Err(temporary("423", Some(1))),
            Fault::Busy => Err(temporary("429", Some(90))),
            Fault::Unwell => Err(temporary("503", None)),
            Fault::NoRoom => Err(SendError::NoRoom { problem: problem(507, problems::NO_ROOM), retry_after: None }),
            Fault::Redirect => {
                Err(SendError::Redirect { host: "portal".to_owned(), to: "http://169.254.169.254/".to_owned() })
            }
            Fault::Senseless => Err(SendError::Unexpected("noise".to_owned())),
            Fault::Refused => Err(SendError::Refused(problem(401, problems::TOKEN_REFUSED))),
            Fault::Closed => Err(SendError::TicketClosed(problem(409, problems::TICKET_CLOSED))),
            Fault::Forgotten if !self.stored.get() => {
                self.announced.borrow_mut().take();
                self.kept.borrow_mut().clear();
                self.sent_up_to.set(0);
                act(fault)
            }
            _ => act(fault),
        }
    }

    fn snapshot_now(&self) -> Option<Snapshot> {
        let announced = self.announced.borrow();
        let announced = announced.as_ref()?;
        let kept = self.kept.borrow();
        Some(Snapshot {
            id: announced.file_id,
            ticket: ticket(),
            state: if self.stored.get() { SnapshotState::Stored } else { SnapshotState::Uploading },
            size: announced.size,
            sha256: if self.stored.get() { hex::encode(Sha256::digest(&*kept)) } else { announced.sha256.clone() },
            check_phrase: None,
            uploaded_at: None,
            due_at: None,
            deleted_at: None,
            review_at: None,
            reads: 0,
        })
    }

    fn unknown(&self) -> SendError {
        SendError::NotFound(problem(404, problems::UPLOAD_UNKNOWN))
    }
}

impl Transport for FakePortal<'_> {
    fn announce(&self, to: &TicketId, snapshot: &NewSnapshot) -> Result<Announced, SendError> {
        assert_eq!(*to, ticket());
        self.play("announce", |fault| {
            if fault == Fault::Expired {
                return Err(SendError::Expired(problem(410, problems::EXPIRED)));
            }
            if self.stored.get() {
                return Ok(Announced::Stored(self.snapshot_now().unwrap()));
            }
            let share = snapshot.share.as_ref().expect("a portal that knows nothing needs the share");
            assert_eq!(*share.secret, SECRET);
            if self.announced.borrow().is_none() {
                *self.announced.borrow_mut() = Some(snapshot.clone());
                self.uploads.set(self.uploads.get() + 1);
            }
            Ok(Announced::Upload(self.url()))
        })
    }

    fn offset(&self, upload: &UploadUrl) -> Result<Offset, SendError> {
        self.play("offset", |fault| {
            if self.announced.borrow().is_none() || *upload != self.url() || self.stored.get() {
                return Err(self.unknown());
            }
            let length = self.announced.borrow().as_ref().unwrap().size;
            match fault {
                Fault::Back(bytes) => {
                    let kept = self.kept.borrow().len() as u64;
                    let left = kept.saturating_sub(bytes);
                    self.kept.borrow_mut().truncate(usize::try_from(left).unwrap());
                    self.sent_up_to.set(left);
                }
                Fault::Beyond => return Ok(Offset { offset: length + 1, length: None }),
                Fault::OtherLength => return Ok(Offset { offset: 0, length: Some(length + 1) }),
                Fault::Expired => return Err(SendError::Expired(problem(410, problems::EXPIRED))),
                _ => {}
            }
            Ok(Offset { offset: self.kept.borrow().len() as u64, length: Some(length) })
        })
    }

    fn append(&self, upload: &UploadUrl, piece: Piece) -> Result<u64, SendError> {
        assert!(piece.bytes.len() as u64 <= PIECE_LIMIT && !piece.bytes.is_empty());
        let end = piece.offset + piece.bytes.len() as u64;
        self.lengths.borrow_mut().push(piece.bytes.len() as u64);
        if let Some(milliseconds) = (piece.bytes.len() as u64 * 1000).checked_div(self.speed.get()) {
            self.pace.pass(Duration::from_millis(milliseconds));
        }
        self.sent_twice.set(self.sent_twice.get() + self.sent_up_to.get().min(end).saturating_sub(piece.offset));
        self.sent_up_to.set(self.sent_up_to.get().max(end));
        self.play("append", |fault| {
            let Some(announced) = self.announced.borrow().clone() else { return Err(self.unknown()) };
            if *upload != self.url() || self.stored.get() {
                return Err(self.unknown());
            }
            assert_eq!(piece.sha256, <[u8; 32]>::from(Sha256::digest(&piece.bytes)));
            let mut kept = self.kept.borrow_mut();
            if piece.offset != kept.len() as u64 {
                return Err(temporary("409", None));
            }
            match fault {
                Fault::Damaged => return Err(SendError::DigestMismatch("damaged".to_owned())),
                Fault::Expired => return Err(SendError::Expired(problem(410, problems::EXPIRED))),
                Fault::Partial => {
                    let half = piece.bytes.len() / 2;
                    kept.extend_from_slice(&piece.bytes[..half]);
                    return Ok(kept.len() as u64);
                }
                _ => kept.extend_from_slice(&piece.bytes),
            }
            if fault == Fault::WholeRefused {
                kept.clear();
                self.announced.borrow_mut().take();
                return Err(SendError::DigestMismatch("the whole".to_owned()));
            }
            if fault == Fault::OtherBytes {
                let last = kept.len() - 1;
                kept[last] ^= 1;
            }
            if kept.len() as u64 == announced.size {
                self.stored.set(true);
            }
            Ok(kept.len() as u64)
        })
    }

    fn snapshot(&self, id: &FileId) -> Result<Snapshot, SendError> {
        self.play("snapshot", |fault| {
            assert_eq!(*id, ID);
            match (fault, self.snapshot_now()) {
                (Fault::Expired, Some(known)) => Ok(Snapshot { state: SnapshotState::Deleted, ..known }),
                (_, Some(known)) => Ok(known),
                (_, None) => Err(SendError::NotFound(problem(404, problems::SNAPSHOT_UNKNOWN))),
            }
        })
    }

    fn receipt(&self, id: &FileId) -> Result<String, SendError> {
        self.play("receipt", |_| {
            assert_eq!(*id, ID);
            assert!(self.stored.get(), "the receipt is asked for when it is stored");
            Ok("a signed note".to_owned())
        })
    }
}

pub fn temporary(what: &str, seconds: Option<u64>) -> SendError {
    SendError::Temporary { what: what.to_owned(), retry_after: seconds.map(Duration::from_secs), source: None }
}

pub fn problem(status: u16, kind: &str) -> Problem {
    Problem { kind: kind.to_owned(), title: "told".to_owned(), status, detail: String::new() }
}

pub fn run(portal: &FakePortal<'_>, pace: &FakePace, checkpoint: &mut Checkpoint) -> Result<Sent, SendError> {
    upload(portal, checkpoint, GIVE_UP_AFTER, pace, &mut StdRng::seed_from_u64(1), &Silent)
}
