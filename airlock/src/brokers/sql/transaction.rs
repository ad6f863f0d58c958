//! One transaction: all rows of a flush, or none.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dialect::{Dialect, SAVEPOINT, SqlPhase};
use super::refusal::{Refusal, RefusalKind, rejected, unavailable, unconfirmed};
use super::rows::{Rows, WriterMessage};
use crate::brokers::connection::{JobOutcome, JobReply, JobTimeouts};
use crate::brokers::row::SqlTable;
use crate::dispatch::DispatchError;

/// How a transaction ended, and whether the connection can be used for another.
pub(super) struct TransactionEnd {
    pub(super) outcome: JobOutcome,
    pub(super) keeps: bool,
}

/// Why rows were not written to their end.
enum Stopped {
    /// The flush that made the rows stopped.
    Abandoned,
    Failed(sqlx::Error, Option<&'static SqlTable>),
    /// The end of all failed.
    Committing(sqlx::Error),
}

/// Writes the rows in a transaction of their own. `None` if none could begin because the connection has ended, which says
/// nothing about another one.
pub(super) async fn whole<C: Dialect>(
    connection: &mut C,
    place: &str,
    rows: &mut Rows,
    timeouts: JobTimeouts,
    reply: &JobReply,
) -> Option<TransactionEnd> {
    let committing = AtomicBool::new(false);
    let done = timeouts.for_answer(async {
        rows.begin().await;
        if let Err(error) = connection.begin(lock_timeout(timeouts)).await {
            let refusal =
                C::refusal(&error, SqlPhase::Writing).filter(|refusal| refusal.kind != RefusalKind::Ending)?;
            return Some(TransactionEnd { outcome: Err(refusal.at(place, None, None)), keeps: true });
        }
        let error = match write(connection, rows).await {
            Ok(()) if reply.is_closed() => Stopped::Abandoned,
            Ok(()) => {
                committing.store(true, Ordering::Relaxed);
                match connection.commit(lock_timeout(timeouts)).await {
                    Ok(()) => return Some(TransactionEnd { outcome: Ok(()), keeps: true }),
                    Err(error) => Stopped::Committing(error),
                }
            }
            Err(stopped) => stopped,
        };
        let keeps = connection.run("ROLLBACK").await.is_ok();
        Some(TransactionEnd { outcome: Err(error.at(connection, place).await), keeps })
    });
    match done.await {
        Some(ended) => ended,
        // The connection is ended, and with it the transaction, unless it was committed.
        None if committing.load(Ordering::Relaxed) => {
            let outcome = Err(unconfirmed(place, "was asked to commit it, and no answer came in time"));
            Some(TransactionEnd { outcome, keeps: false })
        }
        None => {
            let outcome = Err(unavailable(place, "gave no answer in time; nothing of it was committed"));
            Some(TransactionEnd { outcome, keeps: false })
        }
    }
}

/// How errors call a database that the caller has connected to.
const OPEN: &str = "the database of the open transaction";

/// Why a transaction of the caller takes no rows, with what the client said, if it was the client.
pub(crate) type TransactionFault = (DispatchError, Option<sqlx::Error>);

/// Shows that a transaction of the client is open, takes statements, and is all that its `commit` would commit. It has the
/// savepoint [`SAVEPOINT`] then.
pub(super) async fn check<C: Dialect>(connection: &mut C, timeouts: JobTimeouts) -> Result<(), TransactionFault> {
    match connection.depth() {
        1 => {}
        0 => return Err((no_transaction(), None)),
        _ => {
            let what =
                format!("{OPEN} has a savepoint open within it, which `commit` would release alone; end that first");
            return Err((rejected(&what), None));
        }
    }
    match timeouts.for_answer(connection.check_open()).await {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(Stopped::Failed(error, None).into_fault::<C>(None)),
        None => Err((unavailable(OPEN, "gave no answer in time"), None)),
    }
}

/// Adds the rows to a transaction that was [`check`]ed, and is rolled back unless this goes well. It takes the rows: once it
/// has ended, the flush that makes them must not wait for room.
pub(super) async fn add<C: Dialect>(
    connection: &mut C,
    mut rows: Rows,
    timeouts: JobTimeouts,
) -> Result<(), TransactionFault> {
    let written = timeouts.for_answer(async {
        let limited = connection.limit_lock_waits(lock_timeout(timeouts)).await;
        limited.map_err(|error| Stopped::Failed(error, None))?;
        write(connection, &mut rows).await
    });
    match written.await {
        Some(Ok(())) => Ok(()),
        Some(Err(stopped)) => {
            drop(rows);
            let schemas = if stopped.is_of_schemas::<C>() {
                // A transaction that an error has aborted answers no question.
                let _ = connection.run(format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}")).await;
                connection.schemas().await
            } else {
                None
            };
            let is_missing = stopped.refusal::<C>().is_some_and(|refusal| refusal.kind == RefusalKind::Missing);
            let (error, client) = stopped.into_fault::<C>(schemas);
            if is_missing {
                let what = format!("{}; if it is in another database, say so by `elsewhere()`", error.reason());
                return Err((rejected(&what), client));
            }
            Err((error, client))
        }
        None => Err((unavailable(OPEN, "gave no answer in time"), None)),
    }
}

/// What is known of a transaction whose COMMIT failed: it is unconfirmed, or was not committed.
pub(super) fn commit_failed<C: Dialect>(error: &sqlx::Error) -> DispatchError {
    of_commit(OPEN, C::refusal(error, SqlPhase::Committing))
}

fn no_transaction() -> DispatchError {
    rejected(&format!("{OPEN} has none that the client knows of; begin it with `begin` or `begin_with` of the client"))
}

/// Writes the rows within a transaction that is not ours: all of them or none, also if this is dropped half-way.
pub(super) async fn within<C: Dialect>(connection: &mut C, rows: &mut Rows, timeouts: JobTimeouts) -> JobOutcome {
    let place = OPEN;
    if connection.depth() == 0 {
        return Err(no_transaction());
    }
    let failed = |error| Stopped::Failed(error, None).error::<C>(place, None);
    let is_kept = AtomicBool::new(false);
    let done = timeouts.for_answer(async {
        connection.check_open().await.map_err(failed)?;
        let mut nested = SavepointGuard::begin(&mut *connection).await.map_err(failed)?;
        let written = match write(nested.0, rows).await {
            Ok(()) => nested.keep(&is_kept).await.map_err(|error| Stopped::Failed(error, None)),
            Err(stopped) => Err(stopped),
        };
        drop(nested);
        // Rolls back first, if nothing is to be kept. A transaction that refuses this can't be committed either.
        let released = connection.run(format!("RELEASE SAVEPOINT {SAVEPOINT}")).await;
        match written {
            Ok(()) => released.map_err(failed),
            Err(stopped) => Err(stopped.at(connection, place).await),
        }
    });
    let late = || match is_kept.load(Ordering::Relaxed) {
        true => unconfirmed(place, "gave no answer in time; roll the transaction back, it may hold all of this"),
        false => unavailable(place, "gave no answer in time; nothing of this is in the transaction"),
    };
    done.await.unwrap_or_else(|| Err(late()))
}

/// The client's last savepoint, to which it rolls back when this is dropped.
struct SavepointGuard<'a, C: Dialect>(&'a mut C);

impl<'a, C: Dialect> SavepointGuard<'a, C> {
    async fn begin(connection: &'a mut C) -> Result<Self, sqlx::Error> {
        connection.begin_savepoint().await?;
        Ok(Self(connection))
    }

    /// Puts a second savepoint of the same name in front of the first: what was written until now stays when the client
    /// rolls back to that name. One statement decides, so that there is no moment at which a drop leaves a part.
    async fn keep(&mut self, is_kept: &AtomicBool) -> Result<(), sqlx::Error> {
        // As sqlx 0.9 names them. With another name it would roll back to the first one, and the tests see no rows.
        let name = format!("_sqlx_savepoint_{}", self.0.depth() - 1);
        is_kept.store(true, Ordering::Relaxed);
        self.0.run(format!("SAVEPOINT {name}")).await
    }
}

impl<C: Dialect> Drop for SavepointGuard<'_, C> {
    fn drop(&mut self) {
        self.0.rollback_savepoint();
    }
}

async fn write<C: Dialect>(connection: &mut C, rows: &mut Rows) -> Result<(), Stopped> {
    let mut channels = BTreeSet::new();
    loop {
        let part = match rows.next().await {
            None => return Err(Stopped::Abandoned),
            Some(WriterMessage::End) => break,
            Some(WriterMessage::Rows(part)) => part,
        };
        let mut rest = part;
        while let Some(first) = rest.first() {
            let table = first.table;
            let many = rest.iter().take_while(|row| std::ptr::eq(row.table, table)).count();
            let mut of_one_table = std::mem::take(&mut rest);
            rest = of_one_table.split_off(many);
            channels.extend(of_one_table.iter_mut().filter_map(|row| row.notify.take()));
            connection.insert(of_one_table).await.map_err(|error| Stopped::Failed(error, Some(table)))?;
        }
    }
    for channel in channels {
        connection.notify(&channel).await.map_err(|error| Stopped::Failed(error, None))?;
    }
    Ok(())
}

impl Stopped {
    /// The error, with where a table was looked for. The transaction is rolled back by now.
    async fn at<C: Dialect>(self, connection: &mut C, place: &str) -> DispatchError {
        let schemas = if self.is_of_schemas::<C>() { connection.schemas().await } else { None };
        self.error::<C>(place, schemas)
    }

    /// The error, with that of the client.
    fn into_fault<C: Dialect>(self, schemas: Option<String>) -> TransactionFault {
        let error = self.error::<C>(OPEN, schemas);
        match self {
            Self::Abandoned => (error, None),
            Self::Failed(client, _) | Self::Committing(client) => (error, Some(client)),
        }
    }

    /// Whether it depends on the schemas in which a table is looked for.
    fn is_of_schemas<C: Dialect>(&self) -> bool {
        self.refusal::<C>().is_some_and(Refusal::is_of_schemas)
    }

    /// What the database said of a row.
    fn refusal<C: Dialect>(&self) -> Option<Refusal> {
        match self {
            Self::Failed(error, _) => C::refusal(error, SqlPhase::Writing),
            Self::Abandoned | Self::Committing(_) => None,
        }
    }

    fn error<C: Dialect>(&self, place: &str, schemas: Option<String>) -> DispatchError {
        match self {
            Self::Abandoned => abandoned(place),
            Self::Committing(error) => of_commit(place, C::refusal(error, SqlPhase::Committing)),
            Self::Failed(error, table) => match C::refusal(error, SqlPhase::Writing) {
                Some(refusal) => refusal.at(place, *table, schemas.as_deref()),
                None => unavailable(place, "ended the connection; nothing of it was committed"),
            },
        }
    }
}

fn abandoned(place: &str) -> DispatchError {
    unavailable(place, "got only a part of the flush before it ended; nothing of it was committed")
}

fn of_commit(place: &str, refusal: Option<Refusal>) -> DispatchError {
    match refusal {
        None | Some(Refusal { kind: RefusalKind::Ending, .. }) => {
            unconfirmed(place, "was asked to commit it, and the connection ended before the answer, or with it")
        }
        Some(Refusal { kind: RefusalKind::Unsent, .. }) => {
            unconfirmed(place, "was asked to commit it, and failed at reading or writing its files")
        }
        Some(refusal) => refusal.at(place, None, None),
    }
}

/// How long to wait for other writers: some time is left to say that they were too slow.
fn lock_timeout(timeouts: JobTimeouts) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    const MARGIN: Duration = Duration::from_millis(100);

    timeouts.remaining().map_or(LONGEST, |left| left.saturating_sub(MARGIN.max(left / 10)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::DispatchErrorKind;

    #[test]
    fn promise_13_what_is_not_known_of_a_commit_is_unconfirmed() {
        let of = |kind| of_commit("it", Some(Refusal { kind, what: "", code: *b"00000" })).kind();
        assert_eq!(of_commit("it", None).kind(), DispatchErrorKind::Unconfirmed);
        assert_eq!([RefusalKind::Ending, RefusalKind::Unsent].map(of), [DispatchErrorKind::Unconfirmed; 2]);
        assert_eq!(of(RefusalKind::Unavailable), DispatchErrorKind::Unavailable);
        assert_eq!([RefusalKind::Rejected, RefusalKind::Missing].map(of), [DispatchErrorKind::Rejected; 2]);
    }
}
