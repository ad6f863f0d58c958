//! Taking rows: one statement, or one that chooses and one that takes, in one transaction.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::claimed::{ChosenRow, ClaimedRow};
use super::keys::{EndRange, duration};
use super::store::{Store, count, keys, shared_text};
use crate::brokers::SqlValue;
use crate::dispatch::DispatchError;

/// What a worker asks for.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The names of the tasks that it can run, as JSON.
    pub(crate) tasks: Arc<str>,
    /// Those of its queues, as JSON, unless it runs all of them.
    pub(crate) queues: Option<Arc<str>>,
    pub(crate) lease: Duration,
    pub(crate) worker: Arc<str>,
    /// Whether a row that has lost two workers or more is taken alone, and not among others.
    pub(crate) lost_alone: bool,
}

/// What a row has lost that is not taken among others, in the statements as a number.
const LOST: i64 = 2;

/// What a claim gives.
#[derive(Debug, Default)]
pub(crate) struct ClaimedRows {
    /// In the order in which they are to start.
    pub(crate) rows: Vec<ClaimedRow>,
    /// How many were past their expiry, and have ended so.
    pub(crate) expired: usize,
}

impl Store {
    /// Takes up to so many rows, and no more.
    pub(crate) async fn claim(&mut self, claim: &Claim, most: usize) -> Result<ClaimedRows, DispatchError> {
        let lost = SqlValue::Int(if claim.lost_alone { LOST } else { i64::MAX });
        self.choose_and_take(Arc::clone(&self.statements.claim), claim, most, Some(lost)).await
    }

    /// Takes one row that has lost two workers or more.
    pub(crate) async fn claim_alone(&mut self, claim: &Claim) -> Result<ClaimedRows, DispatchError> {
        self.choose_and_take(Arc::clone(&self.statements.claim_alone), claim, 1, None).await
    }

    /// Takes what the statement gives, if that has only chosen it.
    async fn choose_and_take(
        &mut self,
        statement: Arc<str>,
        claim: &Claim,
        most: usize,
        lost: Option<SqlValue>,
    ) -> Result<ClaimedRows, DispatchError> {
        let chosen = [shared_text(&claim.tasks), claim.queues(), count(most)];
        let taken = [duration(claim.lease), shared_text(&claim.worker)];
        let Some(take) = self.statements.take.clone() else {
            let values = chosen.into_iter().chain(taken).chain(lost).collect();
            let rows = self.session.fetch_alone(&statement, values).await?;
            return Ok(ClaimedRows::read(rows.into_iter().filter_map(ChosenRow::read)));
        };
        self.session.begin().await?;
        let rows = self.session.fetch(&statement, chosen.into_iter().chain(lost).collect()).await?;
        let mut rows: Vec<_> = rows.into_iter().filter_map(ChosenRow::read).collect();
        if rows.is_empty() {
            self.session.commit().await?;
            return Ok(ClaimedRows::default());
        }
        rows.sort_unstable_by_key(|row| row.seq);
        let asked = rows.len() as u64;
        let late: Vec<_> = rows.iter().filter(|row| row.is_late).map(|row| row.seq).collect();
        let ends: Vec<_> = rows.iter().map(ChosenRow::as_taken).collect();
        let ranges = EndRange::all(self.transport, ends.iter());
        let taking = async {
            let some = if self.change(take, &ranges, &taken).await? == asked {
                None
            } else {
                // A trigger keeps the others from it.
                let values = vec![self.ends(&ranges)];
                Some(self.session.fetch(&self.statements.finished, values).await?)
            };
            self.session.commit().await?;
            Ok(some)
        };
        // They are read while the client's thread is busy with taking them.
        let (some, mut claimed) = tokio::join!(taking, async { ClaimedRows::read(rows.into_iter()) });
        let Some(some) = some? else { return Ok(claimed) };
        let some: HashSet<_> = keys(some).into_iter().map(|key| key.seq).collect();
        claimed.rows.retain(|row| some.contains(&row.key.seq));
        claimed.expired = late.iter().filter(|seq| some.contains(seq)).count();
        Ok(claimed)
    }

    /// Whether there is such a row.
    pub(crate) async fn has_alone(&mut self, claim: &Claim) -> Result<bool, DispatchError> {
        let values = vec![shared_text(&claim.tasks), claim.queues()];
        Ok(!self.session.read(&self.statements.find_alone, values).await?.is_empty())
    }
}

impl Claim {
    pub(super) fn queues(&self) -> SqlValue {
        self.queues.as_ref().map_or(SqlValue::Null, shared_text)
    }
}

impl ClaimedRows {
    fn read(chosen: impl Iterator<Item = ChosenRow>) -> Self {
        let (mut claimed, now) = (Self::default(), SystemTime::now());
        for row in chosen {
            if row.is_late {
                claimed.expired += 1;
            } else {
                claimed.rows.push(row.read_rest(now));
            }
        }
        claimed.rows.sort_unstable_by_key(ClaimedRow::order);
        claimed
    }
}
