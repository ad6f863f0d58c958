//! A connection that is made when it is needed, and again when it is lost: one for all clones of an executor.
//!
//! One task on the I/O thread owns it and takes jobs in order. While there is no connection, jobs wait for one, each as
//! long as its flush allows; attempts follow each other with full jitter, so that a fleet doesn't return in step.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender, unbounded_channel};

use super::driver::Driver;
use super::job::{FlushDoubt, Job, JobReplies, JobReply, JobTimeouts};
use crate::dispatch::DispatchError;
use crate::runtime::{BoxFuture, Deadline, io};

/// How one kind of broker is spoken to.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// What is sent.
    type Message: Send + 'static;
    /// What it is sent through.
    type Connection: Connection<Message = Self::Message>;

    /// How many bytes a message takes, about.
    fn size(message: &Self::Message) -> usize;

    /// Where the broker is, for errors.
    fn place(&self) -> String;

    /// Makes a connection that is ready to send, and that says so when it is lost.
    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<Self::Connection, DispatchError>>;
}

/// Whether a connection lives, as far as is known: for the manager, which asks before it sends, and for flushes, which
/// needn't wait for one if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Liveness {
    this: Arc<AtomicBool>,
    any: Arc<AtomicBool>,
}

impl Liveness {
    pub(super) fn new(any: &Arc<AtomicBool>) -> Self {
        Self { this: Arc::new(AtomicBool::new(true)), any: Arc::clone(any) }
    }

    /// Whether it does.
    pub(crate) fn get(&self) -> bool {
        self.this.load(Ordering::Relaxed)
    }

    /// It was lost.
    pub(crate) fn lost(&self) {
        self.this.store(false, Ordering::Relaxed);
        self.any.store(false, Ordering::Relaxed);
    }
}

/// A connection that jobs can be sent through, one after the other without waiting.
pub(crate) trait Connection: Send + 'static {
    /// What is sent.
    type Message: Send + 'static;

    /// Whether it can be sent through, as far as is known.
    fn is_alive(&self) -> bool;

    /// Why nothing can be sent now, although the connection lives.
    fn refuses(&self) -> Option<DispatchError> {
        None
    }

    /// Sends, behind all jobs before, and answers in its own time. What certainly was not sent may be given back to be
    /// sent through another connection.
    fn send(&mut self, job: Job<Self::Message>, requeue: &Requeue<Self::Message>);
}

/// Requeues jobs that certainly were not sent; held for each job until it is answered or requeued. After the last executor
/// of the connection is dropped, requeued jobs fail as unavailable.
pub(crate) struct Requeue<M> {
    requests: WeakUnboundedSender<Request<M>>,
    under_way: Arc<JobsInHand>,
}

/// The jobs that connections have in their hands.
#[derive(Debug, Default)]
struct JobsInHand {
    count: AtomicUsize,
    none: Notify,
}

impl<M> Requeue<M> {
    fn new(requests: WeakUnboundedSender<Request<M>>, under_way: Arc<JobsInHand>) -> Self {
        under_way.count.fetch_add(1, Ordering::Relaxed);
        Self { requests, under_way }
    }

    /// To be sent through the next connection, if there is one in time.
    pub(crate) fn give(&self, mut job: Job<M>) {
        job.reply.may_have_left(false);
        // Dropped, it says that it has not left.
        let _ = self.requests.upgrade().map(|requests| requests.send(Request::Send(job)));
    }
}

impl<M> Clone for Requeue<M> {
    fn clone(&self) -> Self {
        Self::new(self.requests.clone(), Arc::clone(&self.under_way))
    }
}

impl<M> Drop for Requeue<M> {
    fn drop(&mut self) {
        // A connection that sees none left also sees the jobs that they requeued.
        if self.under_way.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.under_way.none.notify_one();
        }
    }
}

/// Makes a [`Requeue`] for each job.
pub(super) struct RequeueSource<M> {
    requests: WeakUnboundedSender<Request<M>>,
    under_way: Arc<JobsInHand>,
}

impl<M> RequeueSource<M> {
    fn new(requests: WeakUnboundedSender<Request<M>>) -> Self {
        Self { requests, under_way: Arc::default() }
    }

    pub(super) fn of_job(&self) -> Requeue<M> {
        Requeue::new(self.requests.clone(), Arc::clone(&self.under_way))
    }

    /// Waits until every job has been answered or given back.
    pub(super) async fn none_under_way(&self) {
        while self.under_way.count.load(Ordering::Acquire) > 0 {
            self.under_way.none.notified().await;
        }
    }
}

pub(crate) enum Request<M> {
    /// Answer once there is a connection.
    Ready(JobTimeouts, JobReply),
    Send(Job<M>),
}

impl<M> Request<M> {
    pub(super) fn connect_until(&self) -> Instant {
        match self {
            Self::Ready(timeouts, _) | Self::Send(Job { timeouts, .. }) => timeouts.connect(),
        }
    }

    pub(super) fn refuse(self, error: DispatchError) {
        match self {
            Self::Ready(_, reply) | Self::Send(Job { reply, .. }) => reply.send_all(&Err(error)),
        }
    }
}

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
