//! The one background thread that all brokers' I/O is driven on, with a runtime of its own.
//!
//! A connection that lives on the caller's runtime ends with that runtime, and a caller that parks its runtime's only
//! thread would wait for itself. Here it does neither: executors work from any thread and any runtime.

use std::future::Future;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tracing::Dispatch;

/// Why nothing can be driven.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IoFault {
    #[error(
        "this process was forked from one that had sent to a broker, and has not inherited the thread that does; send \
         first after the fork, or start the process anew"
    )]
    Forked,
    #[error("the thread for the brokers' I/O can't start")]
    Start(#[source] std::io::Error),
}

struct Io {
    handle: Handle,
    thread: JoinHandle<()>,
    #[cfg(test)]
    end: Option<tokio::sync::oneshot::Sender<()>>,
}

static IO: Mutex<Option<Io>> = Mutex::new(None);

/// The process that started the thread, 0 before that.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Whether a child of the process that has the thread is asking. Looked at before any lock: the thread that held one
/// when the process was forked does not exist in the child.
pub(crate) fn check_process() -> Result<(), IoFault> {
    match PROCESS.load(Ordering::Relaxed) {
        0 => Ok(()),
        process if process == process::id() => Ok(()),
        _ => Err(IoFault::Forked),
    }
}

/// Drives the future on the thread, which is started if it isn't running. A future that panics is dropped, and hurts
/// no other.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), IoFault> {
    check_process()?;
    let mut io = IO.lock().unwrap_or_else(PoisonError::into_inner);
    // Its end drops the tasks that it drove: flushes that wait for one see that, and ask again here.
    let running = match io.take().filter(|io| !io.thread.is_finished()) {
        Some(running) => running,
        None => Io::start().map_err(IoFault::Start)?,
    };
    running.handle.spawn(future);
    *io = Some(running);
    Ok(())
}

impl Io {
    fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        #[cfg(test)]
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        #[cfg(test)]
        let until = async { drop(ended.await) };
        #[cfg(not(test))]
        let until = std::future::pending::<()>();
        // Clients trace what they send, the values in it among it.
        let run = move || tracing::dispatcher::with_default(&Dispatch::none(), || runtime.block_on(until));
        let thread = thread::Builder::new().name("airlock-io".to_owned()).spawn(run)?;
        PROCESS.store(process::id(), Ordering::Relaxed);
        Ok(Self {
            handle,
            thread,
            #[cfg(test)]
            end: Some(end),
        })
    }
}

/// Held by tests that end the thread, or would notice.
#[cfg(test)]
pub(crate) static ALONE: Mutex<()> = Mutex::new(());

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::runtime::block_on;

    /// Looks again and again until it is so.
    #[track_caller]
    pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < Duration::from_secs(60), "not in time: {what}");
            thread::yield_now();
        }
    }

    fn answer() -> Result<u32, tokio::sync::oneshot::error::RecvError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        spawn(async {
            let _ = sender.send(7);
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
        block_on(receiver)
    }

    #[test]
    fn a_panic_ends_what_it_happened_in_and_an_ended_thread_starts_again() {
        let _alone = ALONE.lock();
        assert_eq!(answer(), Ok(7));

        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        spawn(async move {
            let _held = sender;
            panic!("on purpose");
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
        assert!(block_on(receiver).is_err());
        assert_eq!(answer(), Ok(7));

        let (waiting, never) = tokio::sync::oneshot::channel::<()>();
        spawn(async move {
            let _held = waiting;
            std::future::pending::<()>().await;
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
        drop(IO.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(|io| io.end.take()));
        assert!(block_on(never).is_err());
        let has_ended =
            || IO.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_none_or(|io| io.thread.is_finished());
        until("the thread ends", has_ended);
        assert_eq!(answer(), Ok(7));
    }
}
