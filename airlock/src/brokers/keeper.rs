//! The task that owns a connection, on the I/O thread: it makes one when it is needed, and takes what is to be sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;

use super::fault::BrokerFault;
use super::jitter::Backoff;
use super::link::{Alive, Back, Connection, Protocol, Request};
use crate::error::{DispatchError, DispatchErrorKind};
use crate::executors::BoxFuture;

/// Keeps the connection, on the I/O thread.
pub(super) struct Keeper<P: Protocol> {
    protocol: Arc<P>,
    is_connected: Arc<AtomicBool>,
    back: Back<P::Message>,
    connection: Option<P::Connection>,
    waiting: VecDeque<Request<P::Message>>,
    attempt: Option<BoxFuture<'static, Result<P::Connection, DispatchError>>>,
    backoff: Backoff,
    last: Option<DispatchError>,
}

impl<P: Protocol> Keeper<P> {
    pub(super) fn new(protocol: Arc<P>, is_connected: Arc<AtomicBool>, back: Back<P::Message>) -> Self {
        let (connection, waiting, attempt) = (None, VecDeque::new(), None);
        Self { protocol, is_connected, back, connection, waiting, attempt, backoff: Backoff::new(), last: None }
    }

    pub(super) async fn run(mut self, mut requests: UnboundedReceiver<Request<P::Message>>) {
        let _lowered = Lowered(Arc::clone(&self.is_connected));
        loop {
            let first_to_give_up = self.waiting.iter().map(Request::connect_until).min();
            tokio::select! {
                biased;
                request = requests.recv() => match request {
                    Some(request) => self.take(request),
                    // No executor has the link any more, and all that they gave is under way.
                    None => break,
                },
                made = either(&mut self.attempt) => self.attempted(made),
                () = sleep_until(first_to_give_up) => self.give_up(Instant::now()),
            }
        }
    }

    fn take(&mut self, request: Request<P::Message>) {
        if self.connection.as_ref().is_some_and(|connection| !connection.is_alive()) {
            self.connection = None;
        }
        self.is_connected.store(self.connection.is_some(), Ordering::Relaxed);
        let Some(connection) = &mut self.connection else {
            self.waiting.push_back(request);
            if self.attempt.is_none() {
                self.attempt = Some(self.attempt_after(Duration::ZERO));
            }
            return;
        };
        if let Some(error) = connection.refuses() {
            return request.refuse(error);
        }
        match request {
            Request::Ready(_, answer) => answer.all(&Ok(())),
            // Nobody waits for it any more, and it has not left.
            Request::Send(job) if job.answer.is_unheard() => {}
            Request::Send(mut job) => {
                job.answer.may_have_left(true);
                connection.send(job, &self.back);
            }
        }
    }

    fn attempt_after(&self, pause: Duration) -> BoxFuture<'static, Result<P::Connection, DispatchError>> {
        let (protocol, alive) = (Arc::clone(&self.protocol), Alive::new(&self.is_connected));
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            let place = protocol.place();
            match tokio::time::timeout(ATTEMPT, protocol.connect(alive)).await {
                Ok(made) => made,
                Err(_) => Err(DispatchError::unavailable(BrokerFault::new(format!("no answer from {place}")))),
            }
        })
    }

    fn attempted(&mut self, made: Result<P::Connection, DispatchError>) {
        self.attempt = None;
        match made {
            Ok(connection) => {
                self.backoff = Backoff::new();
                self.last = None;
                self.connection = Some(connection);
                for request in std::mem::take(&mut self.waiting) {
                    self.take(request);
                }
            }
            // What the broker refuses now it refuses again.
            Err(error) if error.kind() == DispatchErrorKind::Rejected => {
                self.backoff = Backoff::new();
                self.waiting.drain(..).for_each(|request| request.refuse(error.clone()));
            }
            Err(error) => {
                self.last = Some(error);
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

    /// Refuses what doesn't wait for a connection until then.
    fn give_up(&mut self, at: Instant) {
        let place = self.protocol.place();
        let none = || DispatchError::unavailable(BrokerFault::new(format!("no connection to {place} in time")));
        let error = self.last.clone().unwrap_or_else(none);
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
            self.backoff = Backoff::new();
            self.last = None;
        }
    }
}

/// How long one attempt may take: the kernel's own patience is minutes.
const ATTEMPT: Duration = Duration::from_secs(5);

async fn either<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
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
struct Lowered(Arc<AtomicBool>);

impl Drop for Lowered {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
