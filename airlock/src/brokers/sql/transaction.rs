//! One transaction: all rows of a flush, or none.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dialect::Dialect;
use super::refusal::{Kind, unavailable, unconfirmed};
use super::rows::{Part, Rows};
use crate::brokers::job::{Answer, Outcome, Patience};
use crate::brokers::row::SqlTable;
use crate::error::DispatchError;

/// How a transaction ended, and whether the connection can be used for another.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) keeps: bool,
}

/// Why rows were not written to their end.
enum Stopped {
    /// Whoever made them stopped.
    Abandoned,
    Failed(sqlx::Error, Option<&'static SqlTable>),
}

/// Writes the rows in a transaction of their own. `None` if none could begin because the connection has ended, which says
/// nothing about another one.
pub(super) async fn whole<C: Dialect>(
    connection: &mut C,
    place: &str,
    rows: &mut Rows,
    patience: Patience,
    answer: &Answer,
) -> Option<Ended> {
    let committing = AtomicBool::new(false);
    let done = patience.for_answer(async {
        if let Err(error) = connection.begin(patience_for_others(patience)).await {
            let refusal = C::refusal(&error).filter(|refusal| refusal.kind != Kind::Ending)?;
            return Some(Ended { outcome: Err(refusal.at(place, None)), keeps: true });
        }
        let outcome = match write(connection, rows).await {
            Ok(()) if answer.is_unheard() => Err(abandoned(place)),
            Ok(()) => {
                committing.store(true, Ordering::Relaxed);
                match connection.run("COMMIT").await {
                    Ok(()) => return Some(Ended { outcome: Ok(()), keeps: true }),
                    Err(error) => Err(of_commit::<C>(place, &error)),
                }
            }
            Err(stopped) => Err(stopped.error::<C>(place)),
        };
        let keeps = connection.run("ROLLBACK").await.is_ok();
        Some(Ended { outcome, keeps })
    });
    match done.await {
        Some(ended) => ended,
        // The connection is ended, and with it the transaction, unless it was committed.
        None if committing.load(Ordering::Relaxed) => {
            let outcome = Err(unconfirmed(place, "was told to commit it, and no answer came in time"));
            Some(Ended { outcome, keeps: false })
        }
        None => {
            let outcome = Err(unavailable(place, "gave no answer in time; nothing of it was committed"));
            Some(Ended { outcome, keeps: false })
        }
    }
}

/// Writes the rows within a transaction that is not ours.
pub(super) async fn within<C: Dialect>(connection: &mut C, rows: &mut Rows, patience: Patience) -> Outcome {
    let place = "the database of the open transaction";
    let done = patience.for_answer(async {
        connection.run("SAVEPOINT airlock").await.map_err(|error| Stopped::Failed(error, None).error::<C>(place))?;
        let Err(stopped) = write(connection, rows).await else {
            let released = connection.run("RELEASE SAVEPOINT airlock").await;
            return released.map_err(|error| Stopped::Failed(error, None).error::<C>(place));
        };
        let error = stopped.error::<C>(place);
        // What failed is taken back, so that whatever becomes of the transaction, it has all of this or none.
        for statement in ["ROLLBACK TO SAVEPOINT airlock", "RELEASE SAVEPOINT airlock"] {
            if connection.run(statement).await.is_err() {
                // A transaction that can't be used any more can't be committed either.
                break;
            }
        }
        Err(error)
    });
    let late = || unconfirmed(place, "gave no answer in time; roll the transaction back, it may hold a part of this");
    done.await.unwrap_or_else(|| Err(late()))
}

async fn write<C: Dialect>(connection: &mut C, rows: &mut Rows) -> Result<(), Stopped> {
    let mut channels = BTreeSet::new();
    loop {
        let part = match rows.next().await {
            None => return Err(Stopped::Abandoned),
            Some(Part::End) => break,
            Some(Part::Rows(part)) => part,
        };
        for of_one_table in part.chunk_by(|one, other| std::ptr::eq(one.table, other.table)) {
            let table = of_one_table.first().map(|row| row.table);
            connection.insert(of_one_table).await.map_err(|error| Stopped::Failed(error, table))?;
        }
        channels.extend(part.into_iter().filter_map(|row| row.notify));
    }
    for channel in channels {
        connection.notify(&channel).await.map_err(|error| Stopped::Failed(error, None))?;
    }
    Ok(())
}

impl Stopped {
    fn error<C: Dialect>(self, place: &str) -> DispatchError {
        match self {
            Self::Abandoned => abandoned(place),
            Self::Failed(error, table) => match C::refusal(&error) {
                Some(refusal) => refusal.at(place, table),
                None => unavailable(place, "ended the connection; nothing of it was committed"),
            },
        }
    }
}

fn abandoned(place: &str) -> DispatchError {
    unavailable(place, "got only a part of the flush before it ended; nothing of it was committed")
}

fn of_commit<C: Dialect>(place: &str, error: &sqlx::Error) -> DispatchError {
    match C::refusal(error) {
        Some(refusal) if refusal.kind != Kind::Ending => refusal.at(place, None),
        _ => unconfirmed(place, "was told to commit it, and the connection ended before the answer"),
    }
}

/// How long to wait for other writers: some time is left to say that they were too slow.
fn patience_for_others(patience: Patience) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 3600);

    patience.remaining().map_or(LONGEST, |left| (left - left / 10).min(LONGEST))
}
