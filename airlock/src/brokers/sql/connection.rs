//! The task that has a connection, and writes one flush after the other through it.

use std::marker::PhantomData;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Sql;
use super::dialect::{Dialect, SqlPhase};
use super::refusal::{no_connection, rejected, unavailable};
use super::rows::Rows;
use super::transaction::{self, TransactionEnd};
use crate::brokers::connection::{BrokerFault, Connection, Job, Liveness, Requeue};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

type WriterJob = (Job<Rows>, Requeue<Rows>);

/// The way to that task.
pub(crate) struct WriterHandle<C> {
    jobs: UnboundedSender<WriterJob>,
    liveness: Liveness,
    of: PhantomData<fn() -> C>,
}

/// Makes a connection.
pub(super) async fn open<C: Dialect>(sql: &Sql<C>) -> Result<C, DispatchError> {
    let connected = C::connect(&sql.url, sql.options.as_ref()).await;
    connected.map_err(|error| match C::refusal(&error, SqlPhase::Connecting) {
        Some(refusal) => refusal.at(&sql.url.place(), None, None),
        None => not_connected(&sql.url.place(), &error),
    })
}

pub(super) async fn connect<C: Dialect>(sql: &Sql<C>, liveness: Liveness) -> Result<WriterHandle<C>, DispatchError> {
    let (url, place) = (&sql.url, sql.url.place());
    let connection = open(sql).await?;
    let (jobs, receiver) = unbounded_channel();
    let writer = Writer { place, url: url.clone(), file_id: C::file_id(url), connection, liveness: liveness.clone() };
    tokio::spawn(writer.run(receiver));
    Ok(WriterHandle { jobs, liveness, of: PhantomData })
}

/// What went wrong before the database itself could say something.
fn not_connected(place: &str, error: &sqlx::Error) -> DispatchError {
    match error {
        // What TLS itself says, of a certificate that isn't trusted, say: as it is not in a second either.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            rejected(&format!("no TLS with {place}: {error}"))
        }
        sqlx::Error::Io(error) => no_connection(place, &error.kind().to_string()),
        sqlx::Error::Tls(error) if error.to_string().contains("does not support TLS") => rejected(&format!(
            "{place} has no TLS; turn `ssl` on there, or say `?sslmode=disable` if the network between is trusted"
        )),
        // Its own words may quote what is in the files.
        sqlx::Error::Configuration(error) if error.is::<BrokerFault>() => {
            rejected(&format!("no connection to {place}: {error}"))
        }
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => rejected(&format!(
            "no TLS with {place}: a certificate or a key that the URL names can't be used; look at `sslrootcert`, `sslcert` \
             and `sslkey`, of which the last two go together"
        )),
        _ => no_connection(place, "the client gave up"),
    }
}

impl<C: Dialect> Connection for WriterHandle<C> {
    type Message = Rows;

    fn is_alive(&self) -> bool {
        self.liveness.get() && !self.jobs.is_closed()
    }

    fn send(&mut self, job: Job<Rows>, requeue: &Requeue<Rows>) {
        if let Err(unsent) = self.jobs.send((job, requeue.clone())) {
            self.liveness.lost();
            requeue.give(unsent.0.0);
        }
    }
}

struct Writer<C> {
    place: String,
    url: BrokerUrl,
    file_id: Option<(u64, u64)>,
    connection: C,
    liveness: Liveness,
}

impl<C: Dialect> Writer<C> {
    async fn run(mut self, mut jobs: UnboundedReceiver<WriterJob>) {
        while let Some((job, requeue)) = jobs.recv().await {
            if !self.write(job, &requeue).await {
                break;
            }
        }
        self.liveness.lost();
        jobs.close();
        while let Some((job, requeue)) = jobs.recv().await {
            requeue.give(job);
        }
    }

    /// Whether the connection can be used for the next.
    async fn write(&mut self, job: Job<Rows>, requeue: &Requeue<Rows>) -> bool {
        if C::file_id(&self.url) != self.file_id {
            // Another file has taken the place of the one that is open.
            self.liveness.lost();
            requeue.give(job);
            return false;
        }
        let Job { number, mut messages, timeouts, reply } = job;
        let Some(mut rows) = messages.pop() else { return true };
        match transaction::whole(&mut self.connection, &self.place, &mut rows, timeouts, &reply).await {
            Some(TransactionEnd { outcome, keeps }) => {
                if !keeps {
                    self.liveness.lost();
                }
                // The next one's turn comes before this one's flush goes on.
                drop(rows);
                reply.send_all(&outcome);
                keeps
            }
            None => {
                // The next flush must not find this connection.
                self.liveness.lost();
                if rows.was_given_back {
                    reply.send_all(&Err(unavailable(&self.place, "ends each connection as it begins")));
                } else {
                    rows.was_given_back = true;
                    requeue.give(Job { number, messages: vec![rows], timeouts, reply });
                }
                false
            }
        }
    }
}
