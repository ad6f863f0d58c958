//! The task that has a connection, and writes one flush after the other through it.

use std::marker::PhantomData;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::dialect::Dialect;
use super::refusal::{no_connection, rejected, unavailable};
use super::rows::Rows;
use super::transaction::{self, Ended};
use crate::brokers::job::Job;
use crate::brokers::link::{Alive, Back, Connection};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

type Given = (Job<Rows>, Back<Rows>);

/// The way to that task.
pub(crate) struct Through<C> {
    jobs: UnboundedSender<Given>,
    alive: Alive,
    of: PhantomData<fn() -> C>,
}

pub(super) async fn connect<C: Dialect>(url: &BrokerUrl, alive: Alive) -> Result<Through<C>, DispatchError> {
    let place = url.place();
    let connection = C::connect(url).await.map_err(|error| match C::refusal(&error) {
        Some(refusal) => refusal.at(&place, None),
        None => not_connected(&place, &error),
    })?;
    let (jobs, receiver) = unbounded_channel();
    let writer = Writer { place, url: url.clone(), identity: C::identity(url), connection, alive: alive.clone() };
    tokio::spawn(writer.run(receiver));
    Ok(Through { jobs, alive, of: PhantomData })
}

/// What went wrong before the database itself could say something.
fn not_connected(place: &str, error: &sqlx::Error) -> DispatchError {
    match error {
        // What TLS itself says, of a certificate that isn't trusted, say: as it is not in a second either.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            rejected(&format!("no TLS with {place}: {error}"))
        }
        sqlx::Error::Io(error) => no_connection(place, &error.kind().to_string()),
        sqlx::Error::Tls(_) => rejected(&format!(
            "{place} has no TLS; turn `ssl` on there, or say `?sslmode=disable` if nobody is between"
        )),
        _ => no_connection(place, "the client gave up"),
    }
}

impl<C: Dialect> Connection for Through<C> {
    type Message = Rows;

    fn is_alive(&self) -> bool {
        self.alive.get() && !self.jobs.is_closed()
    }

    fn send(&mut self, job: Job<Rows>, back: &Back<Rows>) {
        if let Err(unsent) = self.jobs.send((job, back.clone())) {
            self.alive.lost();
            back.give(unsent.0.0);
        }
    }
}

struct Writer<C> {
    place: String,
    url: BrokerUrl,
    identity: Option<(u64, u64)>,
    connection: C,
    alive: Alive,
}

impl<C: Dialect> Writer<C> {
    async fn run(mut self, mut jobs: UnboundedReceiver<Given>) {
        while let Some((job, back)) = jobs.recv().await {
            if !self.write(job, &back).await {
                break;
            }
        }
        self.alive.lost();
        jobs.close();
        while let Some((job, back)) = jobs.recv().await {
            back.give(job);
        }
    }

    /// Whether the connection can be used for the next.
    async fn write(&mut self, job: Job<Rows>, back: &Back<Rows>) -> bool {
        if C::identity(&self.url) != self.identity {
            // Another file has taken the place of the one that is open.
            self.alive.lost();
            back.give(job);
            return false;
        }
        let Job { number, mut messages, patience, answer } = job;
        let Some(mut rows) = messages.pop() else { return true };
        match transaction::whole(&mut self.connection, &self.place, &mut rows, patience, &answer).await {
            Some(Ended { outcome, keeps }) => {
                if !keeps {
                    self.alive.lost();
                }
                // The next one's turn comes before this one's flush goes on.
                drop(rows);
                answer.all(&outcome);
                keeps
            }
            None => {
                // The next flush must not find this connection.
                self.alive.lost();
                if rows.was_given_back {
                    answer.all(&Err(unavailable(&self.place, "ends each connection as it begins")));
                } else {
                    rows.was_given_back = true;
                    back.give(Job { number, messages: vec![rows], patience, answer });
                }
                false
            }
        }
    }
}
