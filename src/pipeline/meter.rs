//! Tells the progress of a pass over items in bytes of the source, however the pass reads them.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::item::{Content, Item};
use crate::progress::{Progress, Step};

/// How often listeners hear of it.
const INTERVAL: Duration = Duration::from_millis(100);
/// A pass over fewer bytes is over before anyone could listen: they are told at its end.
const AT_ONCE: u64 = 1 << 20;

/// An item whose reading is counted: each of its bytes once in a pass, also when it is opened several times.
pub(super) struct Metered {
    pub(super) item: Item,
    count: Arc<Count>,
}

struct Count {
    /// How far this item was read in this pass.
    furthest: AtomicU64,
    size: u64,
    /// What all items were read in this pass.
    sum: Arc<AtomicU64>,
}

/// Counts the reading of many items.
pub(super) struct Meter {
    sum: Arc<AtomicU64>,
    total: u64,
}

impl Meter {
    pub(super) fn new(items: Vec<Item>) -> (Self, Vec<Metered>) {
        let meter = Self { sum: Arc::new(AtomicU64::new(0)), total: items.iter().map(|item| item.size).sum() };
        let metered = items.into_iter().map(|item| {
            let count = Arc::new(Count { furthest: AtomicU64::new(0), size: item.size, sum: Arc::clone(&meter.sum) });
            let content = Box::new(CountedContent { inner: item.content, count: Arc::clone(&count) });
            Metered { item: Item { content, ..item }, count }
        });
        let metered = metered.collect();
        (meter, metered)
    }

    /// Runs one pass and tells its progress meanwhile. The pass gives its result and a summary.
    pub(super) fn pass<T, E>(
        &self,
        step: Step,
        progress: &dyn Progress,
        work: impl FnOnce() -> Result<(T, String), E>,
    ) -> Result<T, E> {
        self.sum.store(0, Ordering::Relaxed);
        progress.begin(step, Some(self.total));
        let result = if self.total < AT_ONCE { self.at_once(progress, work) } else { self.tell(progress, work) };
        match result {
            Ok((value, summary)) => {
                progress.end(&summary);
                Ok(value)
            }
            Err(error) => Err(error),
        }
    }

    /// Does the work and tells how much it was.
    fn at_once<T>(&self, progress: &dyn Progress, work: impl FnOnce() -> T) -> T {
        let result = work();
        progress.advance(self.sum.load(Ordering::Relaxed));
        result
    }

    /// Does the work and tells its progress meanwhile.
    fn tell<T>(&self, progress: &dyn Progress, work: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let teller = scope.spawn(|| {
                let mut told = 0;
                loop {
                    let last = over.load(Ordering::Acquire);
                    let sum = self.sum.load(Ordering::Relaxed);
                    if sum > told {
                        progress.advance(sum - told);
                        told = sum;
                    }
                    if last {
                        return;
                    }
                    thread::park_timeout(INTERVAL);
                }
            });
            // Also when the work panics: the scope would wait for the teller for ever.
            let _end = OnDrop(|| {
                over.store(true, Ordering::Release);
                teller.thread().unpark();
            });
            work()
        })
    }
}

impl Metered {
    /// Counts the item as read to its end, however much of it was.
    pub(super) fn settle(&self) {
        self.count.reach(self.count.size);
    }

    /// Makes ready for the next pass.
    pub(super) fn rewind(&self) {
        self.count.furthest.store(0, Ordering::Relaxed);
    }
}

impl Count {
    fn reach(&self, position: u64) {
        let position = position.min(self.size);
        let before = self.furthest.fetch_max(position, Ordering::Relaxed);
        self.sum.fetch_add(position.saturating_sub(before), Ordering::Relaxed);
    }
}

struct CountedContent {
    inner: Box<dyn Content>,
    count: Arc<Count>,
}

impl Content for CountedContent {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let reader = CountedReader { inner: self.inner.open()?, count: Arc::clone(&self.count), position: 0 };
        Ok(Box::new(reader))
    }
}

struct CountedReader {
    inner: Box<dyn Read + Send>,
    count: Arc<Count>,
    position: u64,
}

impl Read for CountedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.position += length as u64;
        self.count.reach(self.position);
        Ok(length)
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use super::*;

    struct Bytes(&'static [u8]);

    impl Content for Bytes {
        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(self.0))
        }
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>, AtomicU64);

    impl Progress for Heard {
        fn begin(&self, step: Step, total: Option<u64>) {
            self.0.lock().unwrap().push(format!("{} of {total:?}", step.word()));
        }
        fn advance(&self, amount: u64) {
            self.1.fetch_add(amount, Ordering::Relaxed);
        }
        fn end(&self, summary: &str) {
            self.0.lock().unwrap().push(summary.to_owned());
        }
    }

    fn told(unit: &'static [u8]) {
        let item = |name: &str, bytes| Item {
            path: name.parse().unwrap(),
            size: 10 * unit.len() as u64,
            modified: None,
            content: Box::new(Bytes(bytes)),
        };
        let of = |units: usize| &*unit.repeat(units).leak();
        let (meter, items) = Meter::new(vec![item("a", of(10)), item("b", of(5)), item("c", of(13))]);
        let heard = Heard::default();
        for _ in 0..2 {
            let pass = || {
                for metered in &items {
                    metered.rewind();
                    for _ in 0..3 {
                        io::copy(&mut metered.item.content.open().unwrap(), &mut io::sink()).unwrap();
                    }
                    metered.settle();
                }
                Ok::<_, Infallible>(((), "done".into()))
            };
            meter.pass(Step::Survey, &heard, pass).unwrap();
        }
        assert_eq!(heard.1.load(Ordering::Relaxed), 60 * unit.len() as u64);
        let begun = format!("Survey of Some({})", 30 * unit.len());
        assert_eq!(*heard.0.lock().unwrap(), [&begun, "done", &begun, "done"]);
    }

    #[test]
    fn every_byte_is_told_once_in_a_pass_however_often_it_is_read() {
        told(b"x");
        told(&[b'x'; 70_000]);
    }
}
