//! May a job run in the thread that its request arrived in? Where it does, a query makes 2 futex calls instead of 8, and
//! costs the server a quarter less; but meanwhile nobody reads that thread's sockets, and nobody sees its client go.
//!
//! So a job is let in only while another thread of the runtime stays free, and a watch looks at all of them every few
//! milliseconds. A job that has been at it for a whole turn of the watch is told to stop, to be run again by the workers,
//! and a free thread is woken to look after the sockets. After a job that had to be stopped, or did not heed it, the next
//! hundred go to the workers at once.
//!
//! Not here: the workers, and whatever must not be tried twice, such as a write.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use tokio::runtime::Handle;

/// Between two looks of the watch; a job gets one to two of it.
const TURN: Duration = Duration::from_millis(4);

/// A job that took this many turns was not unlucky with the scheduler, but long.
const LONG: u64 = 10;

/// After so many turns with nothing to look at, the watch sleeps until it is woken.
const IDLE_TURNS: u32 = 250;

/// How many jobs are not let in after one that took too long.
const WARY: u32 = 100;

/// The jobs that run in the runtime's own threads.
#[derive(Debug)]
pub struct Here {
    shared: Arc<Shared>,
    watch: Thread,
}

#[derive(Debug)]
struct Shared {
    runtime: Handle,
    most: usize,
    running: Mutex<Vec<Running>>,
    turn: AtomicU64,
    wary: AtomicU32,
    asleep: AtomicBool,
}

#[derive(Debug)]
struct Running {
    since: u64,
    overdue: Arc<AtomicBool>,
}

/// The right to run a job here, until it is dropped.
#[derive(Debug)]
pub struct Stay<'a> {
    shared: &'a Shared,
    since: u64,
    overdue: Arc<AtomicBool>,
}

impl Here {
    /// Nothing if the runtime has a single thread, or the watch can't be started.
    pub fn new(runtime: &Handle) -> Option<Self> {
        let most = runtime.metrics().num_workers().checked_sub(1).filter(|most| *most > 0)?;
        let shared = Arc::new(Shared {
            runtime: runtime.clone(),
            most,
            running: Mutex::default(),
            turn: AtomicU64::new(0),
            wary: AtomicU32::new(0),
            asleep: AtomicBool::new(false),
        });
        let watched = Arc::downgrade(&shared);
        let watch =
            thread::Builder::new().name("kith-watch".to_owned()).spawn(move || watch(&watched)).ok()?;
        Some(Self { shared, watch: watch.thread().clone() })
    }

    /// Lets a job in, if there is room for it and the last ones were short.
    pub fn enter(&self) -> Option<Stay<'_>> {
        let shared = &*self.shared;
        let less = |wary: u32| wary.checked_sub(1);
        if shared.wary.load(Ordering::Relaxed) > 0
            && shared.wary.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
        {
            return None;
        }
        let overdue = Arc::new(AtomicBool::new(false));
        let mut running = shared.running();
        if running.len() >= shared.most {
            return None;
        }
        let since = shared.turn.load(Ordering::Relaxed);
        running.push(Running { since, overdue: overdue.clone() });
        drop(running);
        if shared.asleep.load(Ordering::SeqCst) {
            self.watch.unpark();
        }
        Some(Stay { shared, since, overdue })
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.watch.unpark();
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the jobs that have been here for a whole turn to stop; false if there are none at all.
    fn look(&self) -> bool {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let running = self.running();
        let late = |job: &&Running| job.since < turn && !job.overdue.swap(true, Ordering::Relaxed);
        for _ in running.iter().filter(late) {
            // A thread that waits for sockets hands them on to nobody when it takes up a job. An empty task wakes
            // another one, which then finds nothing to do and waits for sockets.
            drop(self.runtime.spawn(async {}));
        }
        !running.is_empty()
    }
}

impl Stay<'_> {
    /// Set when the job is to stop, because it takes too long for here.
    pub fn overdue(&self) -> &AtomicBool {
        &self.overdue
    }

    /// Notes that the job was stopped.
    pub fn in_vain(&self) {
        self.shared.wary.store(WARY, Ordering::Relaxed);
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        if self.shared.turn.load(Ordering::Relaxed) - self.since >= LONG {
            self.in_vain();
        }
        self.shared.running().retain(|job| !Arc::ptr_eq(&job.overdue, &self.overdue));
    }
}

fn watch(watched: &Weak<Shared>) {
    let mut idle = 0;
    while let Some(shared) = watched.upgrade() {
        idle = if shared.look() { 0 } else { idle + 1 };
        if idle < IDLE_TURNS {
            drop(shared);
            thread::sleep(TURN);
            continue;
        }
        idle = 0;
        shared.asleep.store(true, Ordering::SeqCst);
        // Whoever came before that has woken nobody.
        if shared.running().is_empty() {
            drop(shared);
            thread::park();
        }
        if let Some(shared) = watched.upgrade() {
            shared.asleep.store(false, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpStream, sync::mpsc};

    use tokio::net::TcpListener;

    use super::*;

    /// A thread of the runtime that waits for sockets does not hand them on when it takes up a task, and the others
    /// sleep: a search in one of two threads kept everybody waiting, the health check as well.
    #[test]
    fn sockets_are_looked_after_while_a_job_takes_long() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let here = Arc::new(Here::new(runtime.handle()).unwrap());
        for _ in 0..20 {
            here.shared.wary.store(0, Ordering::Relaxed);
            let listen = || runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let (busy, idle) = (listen(), listen());
            let (to_busy, to_idle) = (busy.local_addr().unwrap(), idle.local_addr().unwrap());
            let (ready, is_ready) = mpsc::channel();
            let (begun, has_begun) = mpsc::channel();
            let (end, ended) = mpsc::channel::<()>();
            let (accepted, was_accepted) = mpsc::channel();
            let (here, also_ready) = (here.clone(), ready.clone());
            runtime.spawn(async move {
                also_ready.send(()).unwrap();
                idle.accept().await.unwrap();
                accepted.send(()).unwrap();
            });
            let job = runtime.spawn(async move {
                ready.send(()).unwrap();
                busy.accept().await.unwrap();
                let _stay = here.enter().unwrap();
                assert!(here.enter().is_none(), "one thread stays free");
                begun.send(()).unwrap();
                let _ = ended.recv();
            });
            for _ in 0..2 {
                is_ready.recv().unwrap();
            }
            let _arrives = TcpStream::connect(to_busy).unwrap();
            has_begun.recv().unwrap();
            let _meanwhile = TcpStream::connect(to_idle).unwrap();
            was_accepted.recv_timeout(Duration::from_secs(10)).unwrap();
            drop(end);
            runtime.block_on(job).unwrap();
        }
    }

    #[test]
    fn a_runtime_of_one_thread_keeps_it_for_itself() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(Here::new(runtime.handle()).is_none());
    }
}
