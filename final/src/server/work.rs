//! Where does the work of a request run? In a bounded number of threads of their own, so that a heavy search keeps
//! nobody waiting who only wants to connect; and what is likely to be short where it arrived ([`Here`]).
//!
//! A job is told to stop when its time is up, or when the client has gone: hyper drops the handler's future then,
//! and with it the guard that sets the flag.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task, time,
};

use super::{
    here::Here,
    reject::{Answer, Reject},
};

/// Starting a thread costs as much as a short search; so many items are worth it.
const WORTH_A_THREAD: usize = 4;

/// The threads that searches and the reading of large bodies run in.
#[derive(Debug)]
pub struct Workers {
    permits: Arc<Semaphore>,
    here: OnceLock<Option<Here>>,
}

/// Sets the flag when it goes out of scope.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Workers {
    /// At most `count` jobs at a time; the others wait in line.
    pub fn new(count: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(count.max(1))), here: OnceLock::new() }
    }

    /// From now on short jobs may run in the threads of this runtime, in all of them but one.
    pub fn share(&self, runtime: &Handle) {
        self.here.get_or_init(|| Here::new(runtime));
    }

    /// Runs a job, and waits no longer than `limit` for its outcome, the time in line included.
    pub async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        limit: Duration,
        job: impl FnOnce(&AtomicBool) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        in_time(operation, limit, async { in_thread(self.permit().await, operation, job).await }).await
    }

    /// As [`Self::run`], for a job that is short as a rule and may be run twice: first where it is asked for, and if it
    /// turns out to be long, again in a thread.
    pub async fn run_short<T: Send + 'static>(
        &self,
        operation: &'static str,
        limit: Duration,
        job: impl Fn(&AtomicBool) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let work = async {
            let permit = self.permit().await;
            match self.try_here(operation, &job) {
                Some(answer) => answer,
                None => in_thread(permit, operation, job).await,
            }
        };
        in_time(operation, limit, work).await
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().acquire_owned().await.ok()
    }

    /// Nothing if the job may not run here now, or was stopped because it took too long.
    fn try_here<T>(
        &self,
        operation: &'static str,
        job: &impl Fn(&AtomicBool) -> Answer<T>,
    ) -> Option<Answer<T>> {
        let stay = self.here.get()?.as_ref()?.enter()?;
        match catch_unwind(AssertUnwindSafe(|| job(stay.overdue()))) {
            Ok(Err(_)) if stay.overdue().load(Ordering::Relaxed) => {
                stay.in_vain();
                None
            }
            Ok(answer) => Some(answer),
            Err(_) => Some(Err(Reject::internal(format!("the operation '{operation}' failed: it panicked")))),
        }
    }

    /// Does something with every item, in order in the answer, in this thread and as many others as are free.
    pub fn spread<I: Send, T: Send>(
        &self,
        mut items: Vec<I>,
        work: impl Fn(I) -> Answer<T> + Sync,
    ) -> Answer<Vec<T>> {
        let free = |_| self.permits.try_acquire().ok();
        let helpers: Vec<_> = (1..items.len() / WORTH_A_THREAD).map_while(free).collect();
        let share = items.len().div_ceil(helpers.len() + 1).max(1);
        let work_on = |share: Vec<I>| share.into_iter().map(&work).collect::<Answer<Vec<T>>>();
        thread::scope(|scope| {
            let work_on = &work_on;
            let mut others = Vec::new();
            while items.len() > share {
                let last = items.split_off((items.len() - 1) / share * share);
                others.push(scope.spawn(move || work_on(last)));
            }
            let mut done = work_on(items)?;
            for other in others.into_iter().rev() {
                done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            Ok(done)
        })
    }
}

async fn in_time<T>(
    operation: &'static str,
    limit: Duration,
    work: impl Future<Output = Answer<T>>,
) -> Answer<T> {
    time::timeout(limit, work).await.unwrap_or_else(|_| Err(Reject::timeout(operation, limit.as_secs())))
}

async fn in_thread<T: Send + 'static>(
    permit: Option<OwnedSemaphorePermit>,
    operation: &'static str,
    job: impl FnOnce(&AtomicBool) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let cancel = CancelOnDrop(Arc::new(AtomicBool::new(false)));
    let flag = cancel.0.clone();
    let job = move || {
        let _held_until_done = permit;
        job(&flag)
    };
    let failed = |panicked| Reject::internal(format!("the operation '{operation}' failed: {panicked}"));
    task::spawn_blocking(job).await.map_err(failed)?
}

#[cfg(test)]
mod tests {
    use std::sync::{atomic::AtomicUsize, mpsc};

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn a_job_whose_time_is_up_is_told_to_stop() {
        let workers = Workers::new(1);
        let (stopped, told) = mpsc::channel();
        let answer = block_on(workers.run("search", Duration::from_millis(5), move |cancel| {
            while !cancel.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            stopped.send(()).unwrap();
            Ok(())
        }));
        assert_eq!(answer.unwrap_err().status.as_u16(), 408);
        told.recv().unwrap();
    }

    #[test]
    fn a_panic_is_an_answer() {
        let answer = block_on(
            Workers::new(1).run("search", Duration::from_secs(60), |_| -> Answer<()> { panic!("a mistake") }),
        );
        assert_eq!(answer.unwrap_err().status.as_u16(), 500);
    }

    /// Two threads, so that one job may run in the runtime's own.
    fn sharing(workers: &Workers) -> tokio::runtime::Runtime {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        workers.share(runtime.handle());
        runtime
    }

    #[test]
    fn a_short_job_runs_where_it_is_asked_for_and_a_long_one_again_elsewhere() {
        let workers = Arc::new(Workers::new(2));
        let runtime = sharing(&workers);
        let ask = |job: fn(&AtomicBool) -> Answer<thread::ThreadId>| {
            let workers = workers.clone();
            let limit = Duration::from_secs(60);
            let asked =
                async move { (thread::current().id(), workers.run_short("search", limit, job).await) };
            let (asker, answer) = runtime.block_on(runtime.spawn(asked)).unwrap();
            asker == answer.unwrap()
        };
        assert!(ask(|_| Ok(thread::current().id())));
        static TRIES: AtomicUsize = AtomicUsize::new(0);
        let long = |cancel: &AtomicBool| {
            let first = TRIES.fetch_add(1, Ordering::Relaxed) == 0;
            while first && !cancel.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            if first { Err(Reject::internal("stopped")) } else { Ok(thread::current().id()) }
        };
        assert!(!ask(long));
        assert_eq!(TRIES.load(Ordering::Relaxed), 2);
        assert!(!ask(|_| Ok(thread::current().id())), "the next ones are not tried here");
    }

    #[test]
    fn items_are_spread_and_come_back_in_order() {
        let workers = Workers::new(3);
        for count in [0, 1, 7, 8, 50] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                workers.spread(items.clone(), |item| Ok(item * 2)).unwrap(),
                items.iter().map(|i| i * 2).collect::<Vec<_>>()
            );
        }
        let refused = workers.spread(vec![1; 50], |_| Err::<(), _>(Reject::bad_request("no")));
        assert_eq!(refused.unwrap_err().message, "Bad request: no");
        assert_eq!(workers.permits.available_permits(), 3);
    }
}
