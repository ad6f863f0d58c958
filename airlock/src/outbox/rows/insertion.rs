//! What needs a connection of the client crate: the outbox in a pool's database, and in a caller's transaction.

use crate::brokers::BrokerUrlError;
use crate::brokers::sql::SqlPool;
use crate::dispatch::DispatchError;
use crate::outbox::executor::Outbox;
use crate::outbox::format::CHANNEL;
use crate::outbox::wake_workers;
use crate::systems::queue::insert::insert_of;

impl Outbox {
    /// In the database of a pool. Connections of the outbox and its workers are made with the pool's options and are none
    /// of the pool's, so that tasks which use the pool can't starve them; `after_connect` doesn't run for them.
    ///
    /// # Errors
    /// The pool is of a SQLite database in memory, which only the connection that made it has.
    pub fn on(pool: &(impl SqlPool + ?Sized)) -> Result<Self, BrokerUrlError> {
        Ok(Self::at(pool.source()?.into()))
    }

    /// Wakes the workers of this process when another one has written rows, as far as the database tells.
    pub(crate) async fn listen(&self) -> Result<(), DispatchError> {
        self.broker().listen(CHANNEL, &wake_workers).await
    }
}

insert_of!(
    "outbox",
    Outbox,
    "outbox",
    "Writes what a scope holds into the transaction that is open on the connection: workers see the tasks when, and only \
     when, that commits. No connection but the given one is used, and no runtime but the caller's."
);
