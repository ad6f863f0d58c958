//! The requests of a connection's line, and the way back into it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::sync::mpsc::WeakUnboundedSender;

use super::job::{Job, JobReply, JobTimeouts};
use crate::dispatch::DispatchError;

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
    pub(super) fn new(requests: WeakUnboundedSender<Request<M>>) -> Self {
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
