//! A connection that is made when it is needed, and again when it is lost: one for all clones of an executor.
//!
//! One task on the I/O thread owns it and takes jobs in order. While there is no connection, jobs wait for one, each as
//! long as its flush allows; attempts follow each other with full jitter, so that a fleet doesn't return in step.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::driver::Driver;
use super::job::{FlushDoubt, Job, JobReplies, JobReply, JobTimeouts};
use super::protocol::Protocol;
use super::requeue::{Request, RequeueSource};
use crate::dispatch::DispatchError;
use crate::runtime::{Deadline, io};

/// A handle; clones share the connection.
pub(crate) struct ConnectionManager<P: Protocol>(Arc<Shared<P>>);

struct Shared<P: Protocol> {
    protocol: Arc<P>,
    connect_timeout: Duration,
    is_connected: Arc<AtomicBool>,
    /// The way to the task on the I/O thread, once it was started.
    task: Mutex<DriverTask<P::Message>>,
}

struct DriverTask<M> {
    requests: Option<UnboundedSender<Request<M>>>,
    /// How many jobs were sent to it and to those before it.
    jobs: u64,
}

impl<P: Protocol> Clone for ConnectionManager<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Protocol> fmt::Debug for ConnectionManager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionManager").field(&self.0.protocol.place()).finish()
    }
}

impl<P: Protocol> ConnectionManager<P> {
    /// A connection is made at the first need, which takes up to this long before it is given up.
    pub(crate) fn new(protocol: P, connect_timeout: Duration) -> Self {
        let (task, is_connected) = (Mutex::new(DriverTask { requests: None, jobs: 0 }), Arc::default());
        Self(Arc::new(Shared { protocol: Arc::new(protocol), connect_timeout, is_connected, task }))
    }

    /// How the broker is spoken to.
    pub(crate) fn protocol(&self) -> &P {
        &self.0.protocol
    }

    /// How long a flush with this deadline waits.
    pub(crate) fn timeouts(&self, deadline: Deadline) -> JobTimeouts {
        JobTimeouts::new(deadline, self.0.connect_timeout)
    }

    /// Waits for a connection, if there is none.
    pub(crate) async fn ready(&self, timeouts: JobTimeouts) -> Result<(), DispatchError> {
        if self.0.is_connected.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (reply, replies) = JobReply::channel(1, FlushDoubt::default());
        self.request(Request::Ready(timeouts, reply));
        replies.receive().await.pop().unwrap_or(Ok(()))
    }

    /// Sends behind all that was sent before, as one of the jobs of a flush.
    pub(crate) fn send(&self, messages: Vec<P::Message>, timeouts: JobTimeouts, doubt: &FlushDoubt) -> JobReplies {
        let (reply, replies) = JobReply::channel(messages.len(), doubt.clone());
        self.request(Request::Send(Job { number: 0, messages, timeouts, reply }));
        replies
    }

    fn request(&self, mut request: Request<P::Message>) {
        if let Err(fault) = io::check_process() {
            return request.refuse(DispatchError::unavailable(fault));
        }
        let mut task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Request::Send(job) = &mut request {
            task.jobs += 1;
            job.number = task.jobs;
        }
        let request = match &task.requests {
            Some(running) => match running.send(request) {
                Ok(()) => return,
                // The thread has ended, or a panic has ended the task.
                Err(unsent) => unsent.0,
            },
            None => request,
        };
        let (requests, receiver) = unbounded_channel();
        let requeue = RequeueSource::new(requests.downgrade());
        let driver = Driver::new(Arc::clone(&self.0.protocol), Arc::clone(&self.0.is_connected), requeue);
        match io::spawn(driver.run(receiver)) {
            Ok(()) => {
                let _ = requests.send(request);
                task.requests = Some(requests);
            }
            Err(fault) => request.refuse(DispatchError::unavailable(fault)),
        }
    }
}

#[cfg(test)]
mod tests;
