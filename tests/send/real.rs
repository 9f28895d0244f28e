//! The real portal, in this process, over loopback: the whole way, kills, and every refusal it has.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};
use tarseal::clock::{Clock, Timestamp};
use tarseal::format::{Identity, KeyKind, open_sealed};
use tarseal::ids::{FileId, TicketId};
use tarseal::portal::Portal;
use tarseal::progress::Silent;
use tarseal::secret::Secret;
use tarseal::send::{
    Checkpoint, Client, ClientOptions, PIECE_LIMIT, Pace, PortalAddress, SendError, Sent, SystemPace, Transport, upload,
};
use tarseal::track::ledger::{Ledger, LedgerError, Pinned, Sealed, Told};
use tarseal::track::{Phase, RetentionPolicy};
use tarseal::wire::{NewSnapshot, SnapshotState, TicketEvent, TicketState, share_info};

use crate::portal::TestPortal;
use crate::support::{ID, Place, SECRET, ticket};

fn client_with(portal: &TestPortal, token: &str) -> Client {
    let token = Secret::new(token.to_owned());
    Client::new(portal.url().parse().unwrap(), Some(&token), &ClientOptions::default()).unwrap()
}

fn technician(portal: &TestPortal) -> Client {
    client_with(portal, &portal.technician)
}

/// A sender with a token for the one ticket.
fn sender(portal: &TestPortal) -> Client {
    client_with(portal, &portal.upload)
}

fn begin(portal: &TestPortal, place: &Place) -> Checkpoint {
    place.begin_at(&portal.url().parse().unwrap())
}

fn run(client: &dyn Transport, checkpoint: &mut Checkpoint) -> Result<Sent, SendError> {
    let mut rng = StdRng::seed_from_u64(1);
    upload(client, checkpoint, Duration::from_secs(30), &SystemPace::new(), &mut rng, &Silent)
}

fn event(at: Option<Timestamp>) -> TicketEvent {
    TicketEvent { at: at.map(Into::into), ..TicketEvent::default() }
}

#[test]
fn a_snapshot_goes_the_whole_way_and_is_proved_gone_in_the_end() {
    let portal = TestPortal::start();
    let place = Place::new(5 * 1024 * 1024 + 77);
    let (sender, technician) = (sender(&portal), technician(&portal));
    let address = portal.url();
    let now = || portal.clock.now();
    let mut ledger = Ledger::open(&place.directory.path().join("ledger.db"), &RetentionPolicy::default()).unwrap();

    let announced = place.announcement();
    let sealed =
        Sealed { snapshot: ID, ticket: ticket(), size: announced.size, sha256: announced.sha256.clone(), file: None };
    ledger.sealed(sealed, now()).unwrap();
    ledger.uploading(&ID, &address, now()).unwrap();
    let mut checkpoint = begin(&portal, &place);
    let sent = run(&sender, &mut checkpoint).unwrap();
    assert_eq!((sent.snapshot.state, sent.snapshot.uploaded_at), (SnapshotState::Stored, Some(now())));

    let key = sender.receipt_key().unwrap().parse().unwrap();
    assert_eq!(ledger.pin(&address, &key, now()).unwrap(), Pinned::First);
    ledger.sent(&ID, sent.snapshot.uploaded_at.unwrap(), now()).unwrap();
    ledger.receipt(&ID, &sent.receipt.unwrap(), now()).unwrap();
    checkpoint.remove().unwrap();
    assert_eq!(ledger.snapshot(&ID).unwrap().unwrap().due_at, sent.snapshot.due_at, "both count the same days");

    let mut bytes = Vec::new();
    let mut content = technician.content(&ID, "looking into it", 0).unwrap();
    assert_eq!((content.length(), content.sha256()), (announced.size, Some(announced.sha256.as_str())));
    content.read_to_end(&mut bytes).unwrap();
    assert!(bytes == place.bytes);
    let mut rest = Vec::new();
    technician.content(&ID, "the rest", 1_000_000).unwrap().read_to_end(&mut rest).unwrap();
    assert!(rest == place.bytes[1_000_000..]);

    let closed = technician.close(&ticket(), &event(None)).unwrap();
    assert_eq!((closed.state, closed.closed_at), (TicketState::Closed, Some(now())));
    ledger.closed(&ticket(), &address, closed.closed_at.unwrap(), now()).unwrap();
    let told = sender.snapshot(&ID).unwrap();
    assert_eq!(ledger.snapshot(&ID).unwrap().unwrap().due_at, told.due_at, "both count the same days");

    portal.days_pass(91);
    portal.portal().sweep().unwrap();
    assert!(matches!(technician.content(&ID, "too late", 0), Err(SendError::Expired(_))));
    let told = sender.snapshot(&ID).unwrap();
    assert_eq!(told.state, SnapshotState::Deleted);
    let told = Told {
        phase: Phase::Deleted,
        due_at: told.due_at,
        deleted_at: told.deleted_at,
        reads: told.reads,
        readers: None,
    };
    ledger.told(&ID, told, now()).unwrap();
    assert!(ledger.snapshot(&ID).unwrap().unwrap().is_unconfirmed());
    ledger.receipt(&ID, &sender.receipt(&ID).unwrap(), now()).unwrap();
    let entry = ledger.snapshot(&ID).unwrap().unwrap();
    assert_eq!((entry.phase(), entry.reads()), (Phase::Deleted, 1));
    assert!(ledger.due(now(), 0).unwrap().is_empty());
    ledger.verify().unwrap();
}

/// Passes everything on until a number of pieces went through, then is gone, as the process would be.
struct Dying<'a> {
    client: &'a Client,
    pieces: std::cell::Cell<u32>,
    sent: std::cell::Cell<u64>,
}

impl Transport for Dying<'_> {
    fn announce(&self, ticket: &TicketId, snapshot: &NewSnapshot) -> Result<tarseal::send::Announced, SendError> {
        self.client.announce(ticket, snapshot)
    }
    fn offset(&self, upload: &tarseal::send::UploadUrl) -> Result<tarseal::send::Offset, SendError> {
        self.client.offset(upload)
    }
    fn append(&self, upload: &tarseal::send::UploadUrl, piece: tarseal::send::Piece) -> Result<u64, SendError> {
        self.sent.set(self.sent.get() + piece.bytes.len() as u64);
        if self.pieces.get() == 0 {
            return Err(SendError::Unexpected("killed".to_owned()));
        }
        self.pieces.set(self.pieces.get() - 1);
        self.client.append(upload, piece)
    }
    fn snapshot(&self, id: &FileId) -> Result<tarseal::wire::Snapshot, SendError> {
        self.client.snapshot(id)
    }
    fn receipt(&self, id: &FileId) -> Result<String, SendError> {
        self.client.receipt(id)
    }
}

#[test]
fn an_upload_that_was_killed_goes_on_where_it_stood() {
    let portal = TestPortal::start();
    let place = Place::new(20 * 1024 * 1024);
    let client = sender(&portal);
    drop(begin(&portal, &place));
    let mut sent = 0;
    for pieces in [0, 2, 1] {
        let dying = Dying { client: &client, pieces: pieces.into(), sent: 0.into() };
        run(&dying, &mut place.load()).unwrap_err();
        sent += dying.sent.get();
    }
    let last = Dying { client: &client, pieces: 100.into(), sent: 0.into() };
    run(&last, &mut place.load()).unwrap();
    sent += last.sent.get();
    let twice = sent - place.bytes.len() as u64;
    assert!(twice <= 3 * PIECE_LIMIT, "{twice}");
    assert!(run(&client, &mut place.load()).unwrap().receipt.is_some(), "a second resume finds it stored");
}

#[test]
fn a_portal_that_was_restarted_has_what_it_acknowledged() {
    let mut portal = TestPortal::start();
    let place = Place::new(9 * 1024 * 1024);
    let client = sender(&portal);
    let dying = Dying { client: &client, pieces: 1.into(), sent: 0.into() };
    run(&dying, &mut begin(&portal, &place)).unwrap_err();
    let before = dying.sent.get();
    portal.restart();
    // The port is another one now, which a real portal's is not: the state file is moved to it.
    let text = std::fs::read_to_string(place.state()).unwrap();
    let old = place.load().portal().to_string();
    std::fs::write(place.state(), text.replace(&old, &format!("{}/", portal.url()))).unwrap();
    let client = sender(&portal);
    let rest = Dying { client: &client, pieces: 100.into(), sent: 0.into() };
    run(&rest, &mut place.load()).unwrap();
    assert!(before > 1024 * 1024 && rest.sent.get() == place.bytes.len() as u64 - 1024 * 1024);
}

#[test]
fn each_refusal_is_told_as_what_it_is() {
    let portal = TestPortal::start();
    let place = Place::new(1000);
    let sender = sender(&portal);
    let begin_again = || {
        let _ = std::fs::remove_file(place.state());
        begin(&portal, &place)
    };

    let stranger = client_with(&portal, "swordfish");
    assert!(matches!(run(&stranger, &mut begin_again()), Err(SendError::Refused(_))));
    let nobody = Client::new(portal.url().parse().unwrap(), None, &ClientOptions::default()).unwrap();
    assert!(matches!(run(&nobody, &mut begin_again()), Err(SendError::Refused(_))));

    let technician = technician(&portal);
    let unknown: TicketId = "9999".parse().unwrap();
    let other = technician.announce(&unknown, &place.announcement());
    assert!(matches!(other, Err(SendError::NotFound(_))));
    assert!(matches!(technician.ticket(&unknown), Err(SendError::NotFound(_))));
    assert!(matches!(technician.open_ticket(&ticket()), Err(SendError::TicketExists(_))));
    assert!(matches!(sender.content(&ID, "why", 0), Err(SendError::Refused(_) | SendError::NotFound(_))));

    technician.close(&ticket(), &event(None)).unwrap();
    assert!(matches!(run(&sender, &mut begin_again()), Err(SendError::TicketClosed(_))));
    technician.reopen(&ticket(), &event(None)).unwrap();
    let mut checkpoint = begin_again();
    run(&sender, &mut checkpoint).unwrap();

    let mut differs = place.announcement();
    differs.sha256 = hex::encode(Sha256::digest(b"other"));
    assert!(matches!(Client::announce(&sender, &ticket(), &differs), Err(SendError::DigestMismatch(_))));
    assert_eq!(sender.snapshots(&ticket()).unwrap().len(), 1);

    let admin = portal.admin();
    for token in admin.tokens().unwrap() {
        if token.revoked.is_none() {
            admin.revoke(&token.id).unwrap();
        }
    }
    assert!(matches!(run(&sender, &mut place.load()), Err(SendError::Refused(_))));
}

#[test]
fn a_file_that_is_not_what_was_announced_is_never_stored() {
    let portal = TestPortal::start();
    let place = Place::new(2 * 1024 * 1024);
    let sender = sender(&portal);
    let mut checkpoint = begin(&portal, &place);
    let mut bytes = place.bytes.clone();
    bytes[70] ^= 1;
    std::fs::write(place.file(), &bytes).unwrap();
    assert!(matches!(run(&sender, &mut checkpoint), Err(SendError::FileChanged(_))));
    assert!(matches!(sender.snapshot(&ID), Err(SendError::NotFound(_))));
    std::fs::write(place.file(), &place.bytes).unwrap();
    run(&sender, &mut place.load()).unwrap();
}

#[test]
fn a_receipt_of_another_portal_is_refused_by_the_ledger() {
    let (one, other) = (TestPortal::start(), TestPortal::start());
    let place = Place::new(1000);
    let mut ledger = Ledger::open(&place.directory.path().join("ledger.db"), &RetentionPolicy::default()).unwrap();
    let announced = place.announcement();
    let sealed = Sealed { snapshot: ID, ticket: ticket(), size: announced.size, sha256: announced.sha256, file: None };
    let now = one.clock.now();
    ledger.sealed(sealed, now).unwrap();
    ledger.uploading(&ID, "portal", now).unwrap();
    ledger.pin("portal", &one.portal().key(), now).unwrap();
    let mut checkpoint = begin(&other, &place);
    let receipt = run(&sender(&other), &mut checkpoint).unwrap().receipt.unwrap();
    assert!(matches!(ledger.receipt(&ID, &receipt, now), Err(LedgerError::Receipt(_))));
    assert!(matches!(ledger.pin("portal", &other.portal().key(), now), Err(LedgerError::KeyChanged { .. })));
}

/// Time that passes fifty times as fast, so that waits are kept and short.
struct FastPace(Instant);

impl Pace for FastPace {
    fn elapsed(&self) -> Duration {
        self.0.elapsed() * 50
    }
    fn wait(&self, until: Duration, _: &SendError) {
        thread::sleep(until.saturating_sub(self.elapsed()) / 50);
    }
}

/// How many connections of a bad line break.
const BREAKS: usize = 12;

/// Stands between client and portal and breaks the first connections, somewhere in a request or in an answer.
struct BadLine {
    port: u16,
    up: Arc<AtomicU64>,
}

impl BadLine {
    fn to(portal: &Portal, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let portal = portal.url().trim_start_matches("http://").to_owned();
        let up = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&up);
        // The thread ends with the test process; it holds sockets and nothing else.
        thread::spawn(move || {
            let mut rng = StdRng::seed_from_u64(seed);
            for (number, client) in listener.incoming().enumerate() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(&portal) else { return };
                let (cut_up, cut_down) = match number {
                    BREAKS.. => (u64::MAX, u64::MAX),
                    _ if rng.random_bool(0.7) => (rng.random_range(0..4_000_000), u64::MAX),
                    _ => (u64::MAX, rng.random_range(0..2_000)),
                };
                let up = Arc::clone(&count);
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || carry(client, server, cut_up, &up));
                thread::spawn(move || carry(back.0, back.1, cut_down, &AtomicU64::new(0)));
            }
        });
        Self { port, up }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut left: u64, carried: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer)
        && length > 0
    {
        let length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        carried.fetch_add(length as u64, Ordering::SeqCst);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        left -= length as u64;
        if left == 0 {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_line_that_keeps_breaking_carries_the_file_all_the_same() {
    let portal = TestPortal::start();
    let token = Secret::new(portal.upload.clone());
    for seed in 0..4 {
        let line = BadLine::to(portal.portal(), seed);
        let id = FileId([u8::try_from(seed).unwrap(); 16]);
        let place = Place::of(id, 12 * 1024 * 1024 + usize::try_from(seed).unwrap());
        let address: PortalAddress = format!("http://127.0.0.1:{}", line.port).parse().unwrap();
        let client = Client::new(address.clone(), Some(&token), &ClientOptions::default()).unwrap();
        let snapshot = NewSnapshot { file_id: id, ..place.announcement() };
        let mut checkpoint = Checkpoint::create(&place.state(), &address, &ticket(), &place.file(), snapshot).unwrap();
        let mut rng = StdRng::seed_from_u64(seed);
        let pace = FastPace(Instant::now());
        let sent = upload(&client, &mut checkpoint, Duration::from_secs(24 * 3600), &pace, &mut rng, &Silent).unwrap();
        assert_eq!(sent.snapshot.sha256, place.announcement().sha256);
        let mut bytes = Vec::new();
        technician(&portal).content(&id, "to compare", 0).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(bytes == place.bytes);
        let twice = line.up.load(Ordering::SeqCst).saturating_sub(place.bytes.len() as u64);
        assert!(twice > 0 && twice <= BREAKS as u64 * PIECE_LIMIT, "seed {seed}: {twice} bytes more");
    }
}

#[test]
fn the_share_reaches_the_technician_sealed_to_their_key() {
    let portal = TestPortal::start();
    let place = Place::new(1000);
    run(&sender(&portal), &mut begin(&portal, &place)).unwrap();
    let identity = Identity::generate(KeyKind::XWing, &mut StdRng::seed_from_u64(5));
    let given = technician(&portal).share(&ID, &identity.recipient().to_string(), "Störung 4711").unwrap();
    let sealed = STANDARD.decode(&given.sealed).unwrap();
    let share = open_sealed(&identity, &share_info(&ID, &given.id), &sealed).unwrap();
    assert_eq!(STANDARD.encode(share.expose()), SECRET);
    assert!(matches!(technician(&portal).share(&ID, "tarseal1nonsense", "why"), Err(SendError::Rejected(_))));
    assert!(matches!(sender(&portal).share(&ID, &identity.recipient().to_string(), "why"), Err(SendError::Refused(_))));
}
