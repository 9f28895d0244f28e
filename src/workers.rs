//! Does one kind of work on threads of its own. Who hands in a job waits for its result when it needs it, so results are
//! taken in the order the jobs were given, whichever is done first.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What one thread does, with what it keeps from job to job.
pub(crate) trait Work: Send + 'static {
    /// What it is given.
    type Job: Send + 'static;
    /// What comes of it.
    type Done: Send + 'static;

    /// Does one job. Where there may be several threads, the result does not depend on the jobs before it.
    fn work(&mut self, job: Self::Job) -> Self::Done;
}

/// A job and the place where its result is awaited.
type Order<W> = (<W as Work>::Job, SyncSender<<W as Work>::Done>);

/// Threads for one kind of work. They are started when there is work for them, and gone when this is dropped.
pub(crate) struct Workers<W: Work> {
    threads: Vec<JoinHandle<()>>,
    orders: Option<Sender<Order<W>>>,
    queue: Arc<Mutex<Receiver<Order<W>>>>,
}

/// How many threads the machine has use for.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A result that will be there.
pub(crate) struct Promise<T>(Receiver<T>);

impl<T> Promise<T> {
    /// Waits for the result. An error when the thread that was to give it panicked.
    pub(crate) fn wait(self) -> io::Result<T> {
        self.0.recv().map_err(|_| broken())
    }

    /// Gives the result if it is there already, and the promise if it is not.
    pub(crate) fn poll(self) -> Result<io::Result<T>, Self> {
        match self.0.try_recv() {
            Ok(result) => Ok(Ok(result)),
            Err(TryRecvError::Disconnected) => Ok(Err(broken())),
            Err(TryRecvError::Empty) => Err(self),
        }
    }
}

fn broken() -> io::Error {
    io::Error::other("a thread broke down over it")
}

impl<W: Work> Workers<W> {
    /// Starts no thread yet.
    pub(crate) fn new() -> Self {
        let (orders, queue) = mpsc::channel();
        Self { threads: Vec::new(), orders: Some(orders), queue: Arc::new(Mutex::new(queue)) }
    }

    /// Hands in a job while `unfinished` others may still be under way. If more threads would help, and there are fewer than
    /// `most`, another is started, and `make` gives it what it works with. The job comes back when there is no thread at all
    /// that could do it.
    pub(crate) fn give(
        &mut self,
        job: W::Job,
        most: usize,
        unfinished: usize,
        make: impl FnOnce() -> io::Result<W>,
    ) -> Result<Promise<W::Done>, W::Job> {
        if self.threads.len() < most && self.threads.len() <= unfinished {
            // A machine that has no room for one more thread gets by with those that are there.
            let _ = make().and_then(|worker| self.start(worker));
        }
        let Some(orders) = self.orders.as_ref().filter(|_| !self.threads.is_empty()) else { return Err(job) };
        let (done, promise) = mpsc::sync_channel(1);
        orders.send((job, done)).map_err(|refused| refused.0.0)?;
        Ok(Promise(promise))
    }

    fn start(&mut self, worker: W) -> io::Result<()> {
        let queue = Arc::clone(&self.queue);
        let thread = thread::Builder::new().name("tarseal-worker".into());
        self.threads.push(thread.spawn(move || serve(worker, &queue))?);
        Ok(())
    }
}

/// Does jobs until no more can come.
fn serve<W: Work>(mut worker: W, queue: &Mutex<Receiver<Order<W>>>) {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok((job, done)) = next() {
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| worker.work(job))) else {
            // What it works with is in doubt now. The jobs it takes from here on are dropped, and so are the places where
            // their results are awaited: nobody waits for ever.
            drop(done);
            while next().is_ok() {}
            return;
        };
        // Who gave the job may have given up.
        let _ = done.send(result);
    }
}

impl<W: Work> Drop for Workers<W> {
    fn drop(&mut self) {
        self.orders = None;
        // Jobs that nobody has begun are not begun any more.
        while self.queue.lock().unwrap_or_else(PoisonError::into_inner).try_recv().is_ok() {}
        for thread in self.threads.drain(..) {
            // Its panic was told where its result was awaited.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Gives back what it is given, the sooner the larger it is.
    struct Echo;

    impl Work for Echo {
        type Job = u64;
        type Done = u64;

        fn work(&mut self, job: u64) -> u64 {
            assert!(job < 1_000, "too much");
            thread::sleep(Duration::from_millis(20_u64.saturating_sub(job)));
            job
        }
    }

    fn give(workers: &mut Workers<Echo>, job: u64, unfinished: usize) -> Promise<u64> {
        workers.give(job, 3, unfinished, || Ok(Echo)).expect("threads can be started")
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs_and_threads_as_they_are_needed() {
        let mut workers = Workers::new();
        assert_eq!(workers.threads.len(), 0);
        for job in 0..3 {
            assert_eq!(give(&mut workers, job, 0).wait().unwrap(), job);
        }
        assert_eq!(workers.threads.len(), 1, "one thread does what comes one by one");
        let promises: Vec<_> = (0..20).map(|job| (job, give(&mut workers, job, 19))).collect();
        assert_eq!(workers.threads.len(), 3);
        for (job, promise) in promises {
            assert_eq!(promise.wait().unwrap(), job);
        }
    }

    #[test]
    fn a_panic_is_an_error_where_the_result_is_awaited_and_nobody_waits_for_ever() {
        let mut workers = Workers::new();
        let promises: Vec<_> = [1, 5_000, 5_000, 5_000].into_iter().map(|job| give(&mut workers, job, 2)).collect();
        let mut results = promises.into_iter().map(Promise::wait);
        assert_eq!(results.next().unwrap().unwrap(), 1);
        assert!(results.all(|result| result.is_err()));
        // All threads are lost; what is given now fails too.
        assert!(give(&mut workers, 1, 2).wait().is_err());
    }

    #[test]
    fn jobs_that_nobody_waits_for_do_not_keep_it_from_ending() {
        let mut workers = Workers::new();
        for job in 0..50 {
            drop(give(&mut workers, job, 2));
        }
        drop(workers);
    }

    #[test]
    fn a_job_comes_back_where_no_thread_can_be_started() {
        let mut workers = Workers::<Echo>::new();
        assert_eq!(workers.give(7, 2, 0, || Err(io::ErrorKind::WouldBlock.into())).err(), Some(7));
    }
}
