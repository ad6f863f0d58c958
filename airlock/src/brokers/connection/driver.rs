//! The task that owns a connection, on the I/O thread: it makes one when it is needed, and takes what is to be sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;

use super::fault::BrokerFault;
use super::protocol::{Connection, Liveness, Protocol};
use super::requeue::{Request, RequeueSource};
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::runtime::{BoxFuture, Pauses};

/// Keeps the connection, on the I/O thread.
pub(super) struct Driver<P: Protocol> {
    protocol: Arc<P>,
    is_connected: Arc<AtomicBool>,
    requeue: RequeueSource<P::Message>,
    connection: Option<P::Connection>,
    /// When there was one.
    connected_at: Instant,
    /// Used once the jobs of the one before are over: what it gives back comes before what is new.
    replacement: Option<P::Connection>,
    /// In the order in which jobs were sent.
    waiting: VecDeque<Request<P::Message>>,
    attempt: Option<BoxFuture<'static, Result<P::Connection, DispatchError>>>,
    /// Before the next attempt.
    pause: Duration,
    backoff: Pauses,
    last_error: Option<DispatchError>,
}

impl<P: Protocol> Driver<P> {
    pub(super) fn new(protocol: Arc<P>, is_connected: Arc<AtomicBool>, requeue: RequeueSource<P::Message>) -> Self {
        Self {
            protocol,
            is_connected,
            requeue,
            connection: None,
            connected_at: Instant::now(),
            replacement: None,
            waiting: VecDeque::new(),
            attempt: None,
            pause: Duration::ZERO,
            backoff: Pauses::new(),
            last_error: None,
        }
    }

    pub(super) async fn run(mut self, mut requests: UnboundedReceiver<Request<P::Message>>) {
        let _lowered = DisconnectedOnDrop(Arc::clone(&self.is_connected));
        loop {
            let first_to_give_up = self.waiting.iter().map(Request::connect_until).min();
            tokio::select! {
                biased;
                request = requests.recv() => match request {
                    Some(request) => self.take(request),
                    // The last executor is dropped, and all its jobs are under way.
                    None => break,
                },
                made = attempt_or_pending(&mut self.attempt) => self.attempted(made),
                () = self.requeue.none_under_way(), if self.replacement.is_some() => {
                    // The last of them may have been given back since the look above.
                    while let Ok(request) = requests.try_recv() {
                        self.take(request);
                    }
                    self.change();
                }
                () = sleep_until(first_to_give_up) => self.give_up(Instant::now()),
            }
        }
    }

    fn take(&mut self, request: Request<P::Message>) {
        if self.connection.as_ref().is_some_and(|connection| !connection.is_alive()) {
            self.connection = None;
            if self.connected_at.elapsed() >= STABLE {
                self.backoff = Pauses::new();
            } else {
                // A server that takes connections and ends them is not to be stormed.
                self.pause = self.backoff.next();
            }
        }
        self.is_connected.store(self.connection.is_some(), Ordering::Relaxed);
        let Some(connection) = &mut self.connection else {
            self.wait(request);
            if self.attempt.is_none() && self.replacement.is_none() {
                let pause = std::mem::take(&mut self.pause);
                self.attempt = Some(self.attempt_after(pause));
            }
            return;
        };
        if let Some(error) = connection.refuses() {
            return request.refuse(error);
        }
        match request {
            Request::Ready(_, reply) => reply.send_all(&Ok(())),
            Request::Send(job) if job.reply.doubt().is_in_doubt() => job.reply.send_all(&Err(self.would_overtake())),
            // Its flush has ended, and it has not left.
            Request::Send(job) if job.reply.is_closed() => {}
            Request::Send(mut job) => {
                job.reply.may_have_left(true);
                connection.send(job, &self.requeue.of_job());
            }
        }
    }

    fn would_overtake(&self) -> DispatchError {
        DispatchError::unavailable(BrokerFault::new(format!(
            "the connection to {} was lost with earlier ones of this flush on their way, which this one might overtake; send \
             it again once it is known how they fared",
            self.protocol.place()
        )))
    }

    /// Puts it in its place: what is given back was sent before what came meanwhile.
    fn wait(&mut self, request: Request<P::Message>) {
        let is_later = |other: &Request<P::Message>| match (other, &request) {
            (Request::Send(other), Request::Send(job)) => other.number > job.number,
            _ => false,
        };
        let place = self.waiting.iter().position(is_later).unwrap_or(self.waiting.len());
        self.waiting.insert(place, request);
    }

    fn attempt_after(&self, pause: Duration) -> BoxFuture<'static, Result<P::Connection, DispatchError>> {
        let (protocol, liveness) = (Arc::clone(&self.protocol), Liveness::new(&self.is_connected));
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            let place = protocol.place();
            match tokio::time::timeout(ATTEMPT, protocol.connect(liveness)).await {
                Ok(made) => made,
                Err(_) => Err(DispatchError::unavailable(BrokerFault::new(format!("no answer from {place}")))),
            }
        })
    }

    fn attempted(&mut self, made: Result<P::Connection, DispatchError>) {
        self.attempt = None;
        match made {
            Ok(connection) => self.replacement = Some(connection),
            // What the broker refuses now it refuses again.
            Err(error) if error.kind() == DispatchErrorKind::Rejected => {
                self.backoff = Pauses::new();
                let error = error.of_connection();
                self.waiting.drain(..).for_each(|request| request.refuse(error.clone()));
            }
            Err(error) => {
                self.last_error = Some(error);
                let pause = self.backoff.next();
                let at = Instant::now() + pause;
                // It would come too late for these.
                self.give_up(at);
                if !self.waiting.is_empty() {
                    self.attempt = Some(self.attempt_after(pause));
                }
            }
        }
    }

    /// Sends what waits through the next connection.
    fn change(&mut self) {
        self.last_error = None;
        self.connected_at = Instant::now();
        self.connection = self.replacement.take();
        for request in std::mem::take(&mut self.waiting) {
            self.take(request);
        }
    }

    /// Refuses what doesn't wait for a connection until then.
    fn give_up(&mut self, at: Instant) {
        let place = self.protocol.place();
        let none = || DispatchError::unavailable(BrokerFault::new(format!("no connection to {place} in time")));
        let error = self.last_error.clone().unwrap_or_else(none);
        for request in std::mem::take(&mut self.waiting) {
            if request.connect_until() <= at {
                request.refuse(error.clone());
            } else {
                self.waiting.push_back(request);
            }
        }
        if self.waiting.is_empty() {
            // The next flush starts afresh.
            self.attempt = None;
            self.backoff = Pauses::new();
            self.last_error = None;
        }
    }
}

/// How long a connection lives that was worth making: after that, the next one is made without a pause.
const STABLE: Duration = Duration::from_secs(1);

/// How long one attempt may take: the kernel's own patience is minutes.
const ATTEMPT: Duration = Duration::from_secs(5);

async fn attempt_or_pending<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Says that there is no connection, however the task ends.
struct DisconnectedOnDrop(Arc<AtomicBool>);

impl Drop for DisconnectedOnDrop {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
