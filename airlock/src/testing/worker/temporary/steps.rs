//! What a worker asks of its outbox, a statement at a time, for the test that replays a model of the table.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::dispatch::DispatchError;
use crate::intent::{Intent, IntentId};
use crate::outbox::{Claim, ClaimedRows, Outbox, OutboxState, RowEnd, RowKey, Store};

/// A connection to the table, and what a worker says with it.
pub struct WorkerSteps {
    outbox: Outbox,
    store: Store,
    claim: Claim,
}

/// A row as the claim knows it that gave it.
#[derive(Debug, Clone)]
pub struct ClaimKey(RowKey);

/// What a claim gave.
#[derive(Debug)]
pub struct ClaimedKeys {
    /// In the order in which they start, each with the runs that have ended before.
    pub rows: Vec<(ClaimKey, u32)>,
    /// How many were past their expiry.
    pub expired: usize,
}

/// How a claim ends.
#[derive(Debug)]
pub struct ClaimEnd {
    /// Which.
    pub key: ClaimKey,
    /// What its row is from now on.
    pub state: OutboxState,
    /// How long it waits; unless that is said, it waits as before.
    pub pause: Option<Duration>,
    /// Whether it counts as an attempt.
    pub counts: bool,
    /// What its task left.
    pub follow_ups: Vec<Intent>,
}

impl ClaimKey {
    /// The id of the intent.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Which claim of the row it is.
    #[must_use]
    pub fn lease(&self) -> i64 {
        self.0.lease
    }
}

impl WorkerSteps {
    /// Connects, for rows of one task and one queue.
    ///
    /// # Errors
    /// There is no connection.
    pub async fn connect(outbox: &Outbox, task: &str, queue: &str, lease: Duration) -> Result<Self, DispatchError> {
        let list = |name: &str| Arc::from(serde_json::json!([name]).to_string());
        let claim =
            Claim { tasks: list(task), queues: Some(list(queue)), lease, worker: "a test's".into(), lost_alone: true };
        Ok(Self { outbox: outbox.clone(), store: outbox.connect_worker().await?, claim })
    }

    /// Claims up to so many rows.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn claim(&mut self, most: usize) -> Result<ClaimedKeys, DispatchError> {
        self.store.claim(&self.claim, most).await.map(ClaimedKeys::of)
    }

    /// Claims one of the rows that run alone.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn claim_alone(&mut self) -> Result<ClaimedKeys, DispatchError> {
        self.store.claim_alone(&self.claim).await.map(ClaimedKeys::of)
    }

    /// Renews leases; gives the ids of those that hold.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn renew(&mut self, keys: &[ClaimKey]) -> Result<HashSet<String>, DispatchError> {
        let renewed = self.store.renew(&row_keys(keys), self.claim.lease).await?;
        Ok(renewed.into_iter().map(|key| key.id.to_string()).collect())
    }

    /// Gives back what others lost: ids, and whether they are dead.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn rescue(&mut self, max_rescues: u32, held: &[ClaimKey]) -> Result<Vec<(String, bool)>, DispatchError> {
        let rescued = self.store.rescue(max_rescues, &self.claim, &row_keys(held), 500, 0).await?;
        Ok(rescued.into_iter().map(|row| (row.id, row.is_dead)).collect())
    }

    /// Records ends, and gives the ids of those that were.
    ///
    /// # Errors
    /// The database refuses it, or an intent has no row.
    pub async fn finish(&mut self, ends: Vec<ClaimEnd>) -> Result<Vec<String>, DispatchError> {
        let now = SystemTime::now();
        let row_end = |end: ClaimEnd| {
            let rows = end.follow_ups.iter().map(|intent| self.outbox.row(intent, now)).collect::<Result<_, _>>();
            let ClaimEnd { key, state, pause, counts, .. } = end;
            let follow_ups = rows.map_err(DispatchError::rejected)?;
            Ok(RowEnd { pause, counts, follow_ups, ..RowEnd::new(key.0, state) })
        };
        let ends = ends.into_iter().map(row_end).collect::<Result<Vec<_>, DispatchError>>()?;
        let recorded = self.store.finish(ends.iter(), false).await?;
        let ended = ends.iter().map(|end| &end.key).filter(|key| recorded.contains(key));
        Ok(ended.map(|key| key.id.to_string()).collect())
    }

    /// Calls a row off; whether there was one that had not ended.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn cancel(&mut self, id: IntentId) -> Result<bool, DispatchError> {
        self.store.cancel(id).await
    }

    /// Has a row run once more; whether there was one that may.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn retry(&mut self, id: IntentId) -> Result<bool, DispatchError> {
        self.store.retry(id).await
    }

    /// Deletes what ended so long ago, dead rows too if that is said.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn prune(&mut self, dead: bool, age: Duration) -> Result<usize, DispatchError> {
        self.store.prune(dead, age, 500).await
    }
}

impl ClaimedKeys {
    fn of(claimed: ClaimedRows) -> Self {
        let rows = claimed.rows.into_iter().map(|row| (ClaimKey(row.key), row.attempts));
        Self { rows: rows.collect(), expired: claimed.expired }
    }
}

impl fmt::Debug for WorkerSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerSteps").field("claim", &self.claim).finish_non_exhaustive()
    }
}

fn row_keys(keys: &[ClaimKey]) -> Vec<RowKey> {
    keys.iter().map(|key| key.0.clone()).collect()
}
