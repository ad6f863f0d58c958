//! Making the table, or making it newer.

use super::store::check_oldest;
use crate::brokers::Transport;
use crate::dispatch::DispatchErrorKind;
use crate::outbox::error::OutboxError;
use crate::outbox::executor::Outbox;
use crate::outbox::schema::{self, OLDEST, VERSION};

/// What programs that migrate at the same time wait for, on Postgres: the first letters of `airlock`.
const LOCK: i64 = 0x61_6972_6c6f_636b;

impl Outbox {
    /// Makes the table, or brings it to this version's form. It changes nothing where that is so already, and then waits for
    /// no lock.
    ///
    /// All of it is one transaction: cancelled half-way, it leaves nothing, and several at the same time wait for each
    /// other. The
    /// statements are public, for people's own migrations: [`migrations`](Self::migrations).
    ///
    /// # Errors
    /// There is no connection, this user may not make tables, or a later version's form is not one that this program knows.
    ///
    /// # Panics
    /// Outside of a tokio runtime with `enable_all`, as the client crate does.
    pub async fn migrate(&self) -> Result<(), OutboxError> {
        let mut store = self.connect().await?;
        // Without a table, this is refused.
        match store.version().await {
            Ok((version, oldest)) if version >= VERSION => return Ok(check_oldest(oldest)?),
            Ok(_) => {}
            Err(error) if error.kind() != DispatchErrorKind::Rejected => return Err(error.into()),
            Err(_) => store = self.connect().await?,
        }
        let schema = self.format().table.schema;
        store.session.begin().await?;
        if store.transport() == Transport::Postgres {
            // Until the end of the transaction, whatever ends it.
            let wait = "SET LOCAL lock_timeout = '20s'";
            store.session.script(format!("{wait}; SELECT pg_advisory_xact_lock({LOCK})")).await?;
        }
        let statements = schema::migrations(store.transport(), schema).concat();
        store.session.script(statements).await?;
        store.session.script(self.raise_version()).await?;
        store.session.commit().await?;
        Ok(())
    }

    /// The statements that make the table and bring it to each later form, oldest first: for programs that keep their
    /// database's migrations themselves. Each may be run again.
    #[must_use]
    pub fn migrations(&self) -> Vec<String> {
        schema::migrations(self.transport(), self.format().table.schema)
    }

    /// Notes the version, unless a later one is noted.
    fn raise_version(&self) -> String {
        let at = schema::at(self.format().table.schema);
        format!("UPDATE {at}airlock_outbox_schema SET version = {VERSION}, oldest = {OLDEST} WHERE version < {VERSION}")
    }
}
