//! A line between browser and portal that the test cuts.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Line {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    /// After how many more bytes towards the portal it is cut.
    budget: AtomicU64,
    carried: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Line {
    /// Carries connections to `target` until it is cut.
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { budget: AtomicU64::new(u64::MAX), ..State::default() });
        let carrying = state.clone();
        thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                if carrying.is_cut.load(Ordering::SeqCst) {
                    drop(here.shutdown(Shutdown::Both));
                    continue;
                }
                let Ok(there) = TcpStream::connect(target) else { continue };
                let clone = |stream: &TcpStream| stream.try_clone().unwrap();
                carrying.open.lock().unwrap().extend([clone(&here), clone(&there)]);
                let (up, down) = ((clone(&here), clone(&there)), (there, here));
                let state = carrying.clone();
                thread::spawn(move || state.carry(up, true));
                let state = carrying.clone();
                thread::spawn(move || state.carry(down, false));
            }
        });
        Self { address, state }
    }

    /// Cuts it when that many more bytes went to the portal.
    pub fn cut_after(&self, bytes: u64) {
        self.state.budget.store(bytes, Ordering::SeqCst);
    }

    /// Whether it is cut.
    pub fn is_cut(&self) -> bool {
        self.state.is_cut.load(Ordering::SeqCst)
    }

    /// Makes it whole again.
    pub fn mend(&self) {
        self.state.budget.store(u64::MAX, Ordering::SeqCst);
        self.state.is_cut.store(false, Ordering::SeqCst);
    }

    /// How many bytes it has carried to the portal.
    pub fn carried(&self) -> u64 {
        self.state.carried.load(Ordering::SeqCst)
    }
}

impl State {
    fn carry(&self, (mut from, mut to): (TcpStream, TcpStream), is_up: bool) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length) = from.read(&mut buffer) {
            if length == 0 || self.is_cut.load(Ordering::SeqCst) || to.write_all(&buffer[..length]).is_err() {
                break;
            }
            if is_up {
                let length = length as u64;
                self.carried.fetch_add(length, Ordering::SeqCst);
                let left = self.budget.load(Ordering::SeqCst);
                if left != u64::MAX {
                    self.budget.store(left.saturating_sub(length), Ordering::SeqCst);
                    if left <= length {
                        self.cut();
                    }
                }
            }
        }
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}
