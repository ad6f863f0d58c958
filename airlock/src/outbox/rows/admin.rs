//! What people do with the rows. Each call makes a connection of its own.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::claimed::{number, text};
use super::store::{Store, count};
use crate::brokers::{SqlRow, SqlValue};
use crate::dispatch::DispatchError;
use crate::intent::IntentId;
use crate::outbox::error::OutboxError;
use crate::outbox::executor::Outbox;
use crate::outbox::report::{OutboxFilter, OutboxRow, OutboxStats, QueueStats};
use crate::outbox::state::OutboxState;
use crate::registry::runnable_names;

/// How many rows are deleted in one transaction.
const PRUNED_AT_ONCE: usize = 1000;

impl Outbox {
    /// How much lies in the table. It counts every row: not for every second.
    ///
    /// # Errors
    /// The database gave no answer, or has no such table.
    ///
    /// # Panics
    /// Outside of a tokio runtime with `enable_all`, as the client crate does.
    pub async fn stats(&self) -> Result<OutboxStats, OutboxError> {
        let mut store = self.connect().await?;
        let mut stats = OutboxStats::default();
        let values = vec![];
        for row in store.session.read(&store.statements.stats, values).await? {
            let run = row.get(4).and_then(number).map(millis);
            stats.longest_run = stats.longest_run.max(run);
            stats.queues.extend(queue_stats(row));
        }
        let values = vec![text_value(runnable_names())];
        for row in store.session.read(&store.statements.unknown, values).await? {
            let rows = row.get(1).and_then(number).and_then(|count| u64::try_from(count).ok());
            let task = row.into_iter().next().and_then(text);
            stats.unknown.extend(task.zip(rows));
        }
        Ok(stats)
    }

    /// The rows that fit, in the order of insertion.
    ///
    /// # Errors
    /// The database gave no answer, or has no such table.
    ///
    /// # Panics
    /// Outside of a tokio runtime with `enable_all`, as the client crate does.
    pub async fn find(&self, filter: OutboxFilter) -> Result<Vec<OutboxRow>, OutboxError> {
        let mut store = self.connect().await?;
        let OutboxFilter { state, queue, task, id, limit } = filter;
        let optional = |text: Option<String>| text.map_or(SqlValue::Null, text_value);
        let state = state.map(|state| state.as_str().to_owned());
        let id = id.map(|id| id.to_string());
        let values = vec![optional(state), optional(queue), optional(task), optional(id), count(limit)];
        let rows = store.session.read(&store.statements.find, values).await?;
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Has a row that is *dead*, *expired* or *cancelled* run once more, with `attempts` and `rescues` at 0 again. Whether there
    /// was such a row.
    ///
    /// # Errors
    /// The database gave no answer, or has no such table.
    ///
    /// # Panics
    /// Outside of a tokio runtime with `enable_all`, as the client crate does.
    pub async fn retry(&self, id: IntentId) -> Result<bool, OutboxError> {
        let is_done = self.connect().await?.retry(id).await?;
        self.woken(is_done);
        Ok(is_done)
    }

    /// Calls off a row that waits or runs. What runs can record nothing from then on; an async run is cancelled when its
    /// worker next renews its lease. Whether there was such a row.
    ///
    /// # Errors
    /// The database gave no answer, or has no such table.
    ///
    /// # Panics
    /// Outside of a tokio runtime with `enable_all`, as the client crate does.
    pub async fn cancel(&self, id: IntentId) -> Result<bool, OutboxError> {
        Ok(self.connect().await?.cancel(id).await?)
    }

    /// Deletes all rows that ended at least so long ago, dead ones among them, and says how many they were.
    ///
    /// # Errors
    /// The database gave no answer, or has no such table. What was deleted until then is.
    ///
    /// # Panics
    /// Outside of a tokio runtime with `enable_all`, as the client crate does.
    pub async fn prune(&self, older_than: Duration) -> Result<u64, OutboxError> {
        let mut store = self.connect().await?;
        let mut pruned = 0;
        loop {
            let now = store.prune(true, older_than, PRUNED_AT_ONCE).await?;
            pruned += now as u64;
            if now == 0 {
                return Ok(pruned);
            }
        }
    }

    fn woken(&self, is_done: bool) {
        if is_done {
            crate::outbox::wake_workers();
        }
    }
}

impl Store {
    /// Whether the row was one that may run once more.
    pub(crate) async fn retry(&mut self, id: IntentId) -> Result<bool, DispatchError> {
        let statement = self.statements.retry.clone();
        self.touch(&statement, id).await
    }

    /// Whether the row was one that may be called off.
    pub(crate) async fn cancel(&mut self, id: IntentId) -> Result<bool, DispatchError> {
        let statement = self.statements.cancel.clone();
        self.touch(&statement, id).await
    }

    async fn touch(&mut self, statement: &std::sync::Arc<str>, id: IntentId) -> Result<bool, DispatchError> {
        let values = vec![text_value(id.to_string())];
        Ok(!self.session.fetch_alone(statement, values).await?.is_empty())
    }
}

fn text_value(text: String) -> SqlValue {
    SqlValue::Text(Cow::Owned(text))
}

/// Nothing is less than nothing ago.
fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn queue_stats(row: SqlRow) -> Option<QueueStats> {
    let oldest_due = row.get(3).and_then(number).filter(|age| *age >= 0).map(millis);
    let count = row.get(2).and_then(number).and_then(|count| u64::try_from(count).ok())?;
    let mut values = row.into_iter();
    let (queue, state) = (values.next().and_then(text)?, values.next().and_then(text)?);
    Some(QueueStats { queue, state: OutboxState::of(&state)?, count, oldest_due })
}

fn read(row: SqlRow) -> Option<OutboxRow> {
    let mut values = row.into_iter();
    let mut next = || values.next().unwrap_or(SqlValue::Null);
    let time = |value: SqlValue| number(&value).and_then(|at| UNIX_EPOCH.checked_add(millis(at)));
    let small = |value: SqlValue| number(&value).and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    Some(OutboxRow {
        id: text(next())?.parse().ok()?,
        state: OutboxState::of(&text(next())?)?,
        task: text(next())?,
        queue: text(next())?,
        priority: u8::try_from(small(next())).ok()?,
        attempts: small(next()),
        rescues: small(next()),
        due: time(next())?,
        enqueued: time(next()).unwrap_or(SystemTime::UNIX_EPOCH),
        ended: time(next()),
        location: text(next()),
        worker: text(next()),
        error: text(next()),
    })
}
