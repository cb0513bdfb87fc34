//! How is a connection served? One task each, HTTP/1.1 with keep-alive and pipelining, until the client goes, says
//! nothing for too long, or the server stops.
//!
//! The task is polled [`at_once`] again when it wakes itself, as it does with every body that it hands to an endpoint.
//! The runtime would take that for work that another thread should have a share in, and wake one: the last 2 futex calls
//! of a query. What is left is to wait for it, to read it, and to write the answer.
//!
//! Not here: what a request means.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;

/// How long a client may take for the head of a request, from the answer before it on.
const SILENCE: Duration = Duration::from_secs(75);

/// How often a task may wake itself before others have their turn.
const MOST_POLLS: usize = 8;

/// Accepts connections until `stop` is done; then lets the requests in flight finish.
pub async fn accept(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    accept_with(listener, router, stop, SILENCE).await;
}

async fn accept_with(
    mut listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    silence: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(silence);
    let open = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, _) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut stop => break,
        };
        // Without it small answers wait for the client's acknowledgement; that it can fail is no reason not to serve.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = at_once(connection).await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// A future that is polled again at once when it was woken while it was polled.
async fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    poll_fn(|context| {
        bell.listen(context.waker());
        for _ in 0..MOST_POLLS {
            bell.state.store(POLLED, Ordering::SeqCst);
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(output);
            }
            if bell.state.compare_exchange(POLLED, WAITS, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

const WAITS: u8 = 0;
const POLLED: u8 = 1;
const WOKEN: u8 = 2;

/// Wakes the task unless that is being polled, or has been woken already.
#[derive(Default)]
struct Bell {
    state: AtomicU8,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    fn listen(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::SeqCst) == WAITS {
            let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(task) = &*task {
                task.wake_by_ref();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        sync::atomic::AtomicUsize,
    };

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Wakes itself `left` times before it is done.
    async fn restless(mut left: usize) {
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[test]
    fn a_task_that_wakes_itself_bothers_nobody_unless_it_goes_on_and_on() {
        for (itself, polls, wakes) in [(0, 1, 0), (MOST_POLLS - 1, 1, 0), (MOST_POLLS, 2, 1)] {
            let counter = Arc::new(Counter::default());
            let waker = Waker::from(counter.clone());
            let mut task = pin!(at_once(restless(itself)));
            let mut polled = 1;
            while task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                polled += 1;
            }
            assert_eq!((polled, counter.0.load(Ordering::Relaxed)), (polls, wakes), "{itself}");
        }
    }

    #[test]
    fn a_task_that_waits_is_woken_from_outside() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (send, receive) = tokio::sync::oneshot::channel();
        let sender = std::thread::spawn(move || send.send(7));
        assert_eq!(runtime.block_on(at_once(receive)), Ok(7));
        sender.join().unwrap().unwrap();
    }

    #[test]
    fn a_client_that_never_ends_its_request_is_hung_up_on() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = std::future::pending();
        runtime.spawn(accept_with(listener, Router::new(), stop, Duration::from_millis(20)));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a").unwrap();
        assert_eq!(stream.read(&mut [0; 100]).unwrap(), 0);
    }
}
