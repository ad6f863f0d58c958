//! The commit of a transaction, as the end of a scope.

use std::fmt;
use std::time::Duration;

use sqlx::{Database, Transaction};
use sqlx_core::transaction::TransactionManager;

use super::error::{CommitError, NotCommitted, UnknownCommit};
use crate::brokers::connection::JobTimeouts;
use crate::brokers::sql::SqlConnection;
use crate::dispatch::DispatchErrorKind;
use crate::flush::{CommittingFlush, FlushReport, GivenBack};
use crate::runtime::{Deadline, timer};
use crate::scope::OpenScope;

/// How long the answer to a ROLLBACK is waited for. The client carries it out behind the scenes then.
const ROLLBACK_WAITS: Duration = Duration::from_secs(1);

/// Longer than any flush.
const NO_CONNECT: Duration = Duration::from_secs(24 * 3600);

impl OpenScope {
    /// Ends the scope and the transaction together: what was enqueued escapes if, and only if, the data is committed.
    #[doc = include_str!("../../docs/rustdoc/commit.md")]
    pub async fn commit<DB>(self, mut transaction: Transaction<'static, DB>) -> Result<FlushReport, CommitError>
    where
        DB: Database,
        DB::Connection: SqlConnection,
    {
        if let Some(reason) = self.failed() {
            roll_back(transaction).await;
            let given_back = GivenBack { report: self.discard(), intents: Vec::new() };
            return Err(not_committed(given_back, format!("something in the scope had failed ({reason})"), None));
        }
        let deadline = self.deadline();
        let timeouts = JobTimeouts::new(deadline, NO_CONNECT);
        if let Err((error, database)) = transaction.as_any().0.check(timeouts).await {
            roll_back(transaction).await;
            let given_back = GivenBack::from(self.give_back());
            return Err(not_committed(given_back, error.reason(), database));
        }
        let sealed = self.seal_for_commit().map(CommittingFlush::new);
        let kind = transaction.as_any().0.kind();
        let split = sealed.and_then(|mut flush| flush.split(kind).map(|()| flush));
        let mut flush = match split {
            Ok(flush) => flush,
            Err(refused) => {
                let cause = refused.cause().map_or_else(|| refused.to_string(), ToString::to_string);
                let given_back = GivenBack::from(refused);
                roll_back(transaction).await;
                return Err(not_committed(given_back, cause, None));
            }
        };

        let mut open = transaction.as_any().0.as_transaction();
        if let Err(cause) = flush.write(&mut open, deadline).await {
            let database = open.take_fault();
            let given_back = flush.rolled_back();
            roll_back(transaction).await;
            return Err(not_committed(given_back, cause, database));
        }

        flush.asks_to_commit();
        if let Err(database) = transaction.commit().await {
            let error = DB::Connection::commit_failed(&database);
            if error.kind() == DispatchErrorKind::Unconfirmed {
                return Err(CommitError::Unknown(UnknownCommit::new(flush.unknown(&error), error, database)));
            }
            return Err(not_committed(flush.rolled_back(), error.reason(), Some(database)));
        }
        flush.hand_over().await.map_err(CommitError::NotHandedOver)
    }
}

fn not_committed(given_back: GivenBack, cause: impl fmt::Display, database: Option<sqlx::Error>) -> CommitError {
    CommitError::NotCommitted(NotCommitted::new(given_back, cause.to_string(), database))
}

/// Before the caller goes on, if the database answers.
async fn roll_back<DB: Database>(mut transaction: Transaction<'static, DB>) {
    // Only the outermost level is the transaction. One that was begun within it and forgotten is a savepoint, and rolling
    // back to that would leave the transaction open, on a connection that others are lent next.
    for _ in 1..DB::TransactionManager::get_transaction_depth(&transaction) {
        DB::TransactionManager::start_rollback(&mut transaction);
    }
    // A connection that has ended has rolled back as well.
    let _ = timer::until(Deadline::after(ROLLBACK_WAITS), transaction.rollback()).await;
}
