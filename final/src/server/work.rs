//! Where does the work of a request run? In a bounded number of threads of their own, so that a heavy search keeps
//! nobody waiting who only wants to connect.
//!
//! A job is told to stop when its time is up, or when the client has gone: hyper drops the handler's future then,
//! and with it the guard that sets the flag.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Semaphore, task, time};

use super::reject::{Answer, Reject};

/// The threads that searches and the reading of large bodies run in.
#[derive(Debug)]
pub struct Workers {
    permits: Arc<Semaphore>,
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
        Self { permits: Arc::new(Semaphore::new(count.max(1))) }
    }

    /// Runs a job, and waits no longer than `limit` for its outcome, the time in line included.
    pub async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        limit: Duration,
        job: impl FnOnce(&AtomicBool) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let cancel = CancelOnDrop(Arc::new(AtomicBool::new(false)));
        let flag = cancel.0.clone();
        let work = async {
            let permit = self.permits.clone().acquire_owned().await;
            let job = move || {
                let _held_until_done = permit;
                job(&flag)
            };
            task::spawn_blocking(job).await
        };
        match time::timeout(limit, work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panicked)) => {
                Err(Reject::internal(format!("the operation '{operation}' failed: {panicked}")))
            }
            Err(_) => Err(Reject::timeout(operation, limit.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

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
}
