//! One transaction: all rows of a flush, or none.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dialect::Dialect;
use super::refusal::{Kind, Refusal, unavailable, unconfirmed};
use super::rows::{Part, Rows};
use crate::brokers::job::{Answer, Outcome, Patience};
use crate::brokers::row::SqlTable;
use crate::dispatch::DispatchError;

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
        rows.begin().await;
        if let Err(error) = connection.begin(patience_for_others(patience)).await {
            let refusal = C::refusal(&error).filter(|refusal| refusal.kind != Kind::Ending)?;
            return Some(Ended { outcome: Err(refusal.at(place, None)), keeps: true });
        }
        let outcome = match write(connection, rows).await {
            Ok(()) if answer.is_unheard() => Err(abandoned(place)),
            Ok(()) => {
                committing.store(true, Ordering::Relaxed);
                match connection.commit(patience_for_others(patience)).await {
                    Ok(()) => return Some(Ended { outcome: Ok(()), keeps: true }),
                    Err(error) => Err(of_commit(place, C::refusal(&error))),
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

fn of_commit(place: &str, refusal: Option<Refusal>) -> DispatchError {
    match refusal {
        None | Some(Refusal { kind: Kind::Ending, .. }) => {
            unconfirmed(place, "was told to commit it, and the connection ended before the answer")
        }
        Some(Refusal { kind: Kind::Trouble, .. }) => {
            unconfirmed(place, "was told to commit it, and failed at reading or writing its files")
        }
        Some(refusal) => refusal.at(place, None),
    }
}

/// How long to wait for other writers: some time is left to say that they were too slow.
fn patience_for_others(patience: Patience) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    const TO_TELL: Duration = Duration::from_millis(100);

    patience.remaining().map_or(LONGEST, |left| left.saturating_sub(TO_TELL.max(left / 10)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::DispatchErrorKind;

    #[test]
    fn promise_13_what_is_not_known_of_a_commit_is_unconfirmed() {
        let of = |kind| of_commit("it", Some(Refusal { kind, what: "", code: *b"00000" })).kind();
        assert_eq!(of_commit("it", None).kind(), DispatchErrorKind::Unconfirmed);
        assert_eq!([Kind::Ending, Kind::Trouble].map(of), [DispatchErrorKind::Unconfirmed; 2]);
        assert_eq!(of(Kind::Unavailable), DispatchErrorKind::Unavailable);
        assert_eq!([Kind::Rejected, Kind::Missing].map(of), [DispatchErrorKind::Rejected; 2]);
    }
}
