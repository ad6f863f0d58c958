//! What workers do to the rows: claim, finish, renew, rescue, prune. Each is one statement, or one transaction.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::claimed::{ChosenRow, ClaimedRow, number, text};
use super::keys::{RowEnd, RowKey, ends_json, keys_json};
use super::statements::Statements;
use crate::brokers::sql::SqlSession;
use crate::brokers::{SqlRow, SqlValue, Transport};
use crate::dispatch::DispatchError;
use crate::outbox::executor::Outbox;
use crate::outbox::format::CHANNEL;
use crate::outbox::schema;
use crate::outbox::state::OutboxState;

/// A connection to the table. After an error it is to be dropped, and another one made.
pub(crate) struct Store {
    pub(super) session: Box<dyn SqlSession>,
    pub(super) statements: Statements,
    transport: Transport,
}

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

/// A row whose worker was lost.
#[derive(Debug)]
pub(crate) struct RescuedRow {
    pub(crate) id: String,
    pub(crate) task: String,
    pub(crate) is_dead: bool,
}

impl Outbox {
    /// Connects, in the runtime that is to drive the connection.
    pub(crate) async fn connect(&self) -> Result<Store, DispatchError> {
        let (table, transport) = (self.format().table, self.transport());
        if transport == Transport::Sqlite && table.schema.is_some() {
            return Err(DispatchError::rejected("a SQLite database has no schemas; leave `schema` of the outbox out"));
        }
        let session = self.0.broker().session(table).await?;
        Ok(Store { session, statements: Statements::of(transport, table), transport })
    }

    /// The same for a worker, which asks for a few of many rows again and again.
    pub(crate) async fn connect_worker(&self) -> Result<Store, DispatchError> {
        let mut store = self.connect().await?;
        store.session.read_by_index().await?;
        Ok(store)
    }
}

impl Store {
    pub(super) fn transport(&self) -> Transport {
        self.transport
    }

    /// The schema's version, as far as there is one, and the oldest one that a program has to know.
    pub(super) async fn version(&mut self) -> Result<(i64, i64), DispatchError> {
        let rows = self.session.read(&self.statements.version, Vec::new()).await?;
        let column = |at| rows.first().and_then(|row| number(row.get(at)?)).unwrap_or(0);
        Ok((column(0), column(1)))
    }

    /// Refuses a schema that a later version made, if it says that this one doesn't know it.
    pub(crate) async fn check_version(&mut self) -> Result<(), DispatchError> {
        let (_, oldest) = self.version().await?;
        check_oldest(oldest)
    }

    /// Takes back what is open after a statement that was refused.
    pub(crate) async fn reset(&mut self) {
        // Where nothing is open, that is refused as well.
        let _ = self.session.rollback().await;
    }

    /// Takes up to so many rows, and no more.
    pub(crate) async fn claim(&mut self, claim: &Claim, most: usize) -> Result<ClaimedRows, DispatchError> {
        let lost = SqlValue::Int(if claim.lost_alone { LOST } else { i64::MAX });
        self.choose_and_take(Arc::clone(&self.statements.claim), claim, most, Some(lost)).await
    }

    /// Takes one row that has lost two workers or more.
    pub(crate) async fn claim_alone(&mut self, claim: &Claim) -> Result<ClaimedRows, DispatchError> {
        self.choose_and_take(Arc::clone(&self.statements.claim_alone), claim, 1, None).await
    }

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
            return Ok(ClaimedRows::read(&rows.into_iter().filter_map(ChosenRow::read).collect::<Vec<_>>()));
        };
        self.session.begin().await?;
        let rows = self.session.fetch(&statement, chosen.into_iter().chain(lost).collect()).await?;
        let mut rows: Vec<_> = rows.into_iter().filter_map(ChosenRow::read).collect();
        if rows.is_empty() {
            self.session.rollback().await?;
            return Ok(ClaimedRows::default());
        }
        rows.sort_unstable_by_key(|row| row.seq);
        let ends: Vec<_> = rows.iter().map(ChosenRow::as_taken).collect();
        let json = SqlValue::Text(Cow::Owned(ends_json(self.transport, ends.iter())));
        let taking = async {
            let values = [json.clone()].into_iter().chain(taken).collect();
            let is_all = self.session.change(&take, values).await? == rows.len() as u64;
            // Unless a trigger keeps some of them from it.
            let some =
                if is_all { None } else { Some(self.session.fetch(&self.statements.finished, vec![json]).await?) };
            self.session.commit().await?;
            Ok(some)
        };
        // They are read while the client's thread is busy with taking them.
        let (some, claimed) = tokio::join!(taking, async { ClaimedRows::read(&rows) });
        let Some(some) = some? else { return Ok(claimed) };
        let some: HashSet<_> = keys(some).into_iter().map(|key| key.seq).collect();
        rows.retain(|row| some.contains(&row.seq));
        Ok(ClaimedRows::read(&rows))
    }

    /// Whether there is such a row.
    pub(crate) async fn has_alone(&mut self, claim: &Claim) -> Result<bool, DispatchError> {
        let values = vec![shared_text(&claim.tasks), claim.queues()];
        Ok(!self.session.read(&self.statements.find_alone, values).await?.is_empty())
    }

    /// Ends claims, and writes what their tasks left: of those rows alone that end so. Gives the keys of those, as two
    /// claims of one row may end at once. All of it is one transaction.
    pub(crate) async fn finish<'a>(
        &mut self,
        ends: impl Iterator<Item = &'a RowEnd> + Clone,
        notifies: bool,
    ) -> Result<HashSet<RowKey>, DispatchError> {
        let values = vec![SqlValue::Text(Cow::Owned(ends_json(self.transport, ends.clone())))];
        let ends_rows_alone = ends.clone().all(|end| end.follow_ups.is_empty());
        if ends_rows_alone && self.session.commits_each_statement() {
            return Ok(keys(self.session.fetch_alone(&self.statements.finish_known, values).await?));
        }
        self.session.begin().await?;
        let count = ends.clone().count() as u64;
        // That they all have is quicker to see than which of them.
        let ended = if self.session.change(&self.statements.finish, values.clone()).await? == count {
            ends.clone().map(|end| end.key.clone()).collect()
        } else {
            self.session.rollback().await?;
            self.session.begin().await?;
            keys(self.session.fetch(&self.statements.finish_known, values).await?)
        };
        let those = ends.filter(|end| ended.contains(&end.key));
        let rows: Vec<_> = those.flat_map(|end| end.follow_ups.iter().cloned()).collect();
        if !rows.is_empty() {
            self.session.insert(rows).await?;
            if notifies {
                self.session.notify(CHANNEL).await?;
            }
        }
        self.session.commit().await?;
        Ok(ended)
    }

    /// The keys of those that have ended so already: for ends of which it was not known whether they were committed.
    pub(crate) async fn finished<'a>(
        &mut self,
        ends: impl Iterator<Item = &'a RowEnd>,
    ) -> Result<HashSet<RowKey>, DispatchError> {
        let values = vec![SqlValue::Text(Cow::Owned(ends_json(self.transport, ends)))];
        Ok(keys(self.session.read(&self.statements.finished, values).await?))
    }

    /// Extends leases. Gives the keys of the rows whose lease still holds.
    pub(crate) async fn renew(&mut self, held: &[RowKey], lease: Duration) -> Result<HashSet<RowKey>, DispatchError> {
        let values = vec![SqlValue::Text(Cow::Owned(keys_json(self.transport, held.iter()))), duration(lease)];
        Ok(keys(self.session.fetch_alone(&self.statements.renew, values).await?))
    }

    /// Gives rows of the claim's tasks and queues whose lease has ended back, or ends those that were given back often enough. Not those that the worker
    /// itself holds: it lives, and a renewal that is late holds as long as no other worker has the row. Takes
    /// up to `most` of them, and leaves the first `skipped` out.
    pub(crate) async fn rescue(
        &mut self,
        max_rescues: u32,
        claim: &Claim,
        held: &[RowKey],
        most: usize,
        skipped: usize,
    ) -> Result<Vec<RescuedRow>, DispatchError> {
        let held = SqlValue::Text(Cow::Owned(keys_json(self.transport, held.iter())));
        let values = vec![
            SqlValue::Int(max_rescues.into()),
            count(most),
            held,
            shared_text(&claim.tasks),
            claim.queues(),
            count(skipped),
        ];
        let rows = self.session.fetch_alone(&self.statements.rescue, values).await?;
        let read = |row: SqlRow| {
            let mut values = row.into_iter().map(|value| text(value).unwrap_or_default());
            let (id, task) = (values.next()?, values.next()?);
            Some(RescuedRow { id, task, is_dead: values.next()? == OutboxState::Dead.as_str() })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Deletes rows that ended so long ago, dead ones too if that is said. Gives how many they were.
    pub(crate) async fn prune(&mut self, dead: bool, age: Duration, most: usize) -> Result<usize, DispatchError> {
        let values = vec![SqlValue::Int(dead.into()), duration(age), count(most)];
        Ok(self.session.fetch_alone(&self.statements.prune, values).await?.len())
    }
}

impl Claim {
    fn queues(&self) -> SqlValue {
        self.queues.as_ref().map_or(SqlValue::Null, shared_text)
    }
}

impl ClaimedRows {
    fn read(chosen: &[ChosenRow]) -> Self {
        let (late, now) = (chosen.iter().filter(|row| row.is_late).count(), SystemTime::now());
        let mut rows: Vec<_> = chosen.iter().filter(|row| !row.is_late).map(|row| row.read_rest(now)).collect();
        rows.sort_unstable_by_key(ClaimedRow::order);
        Self { rows, expired: late }
    }
}

pub(super) fn check_oldest(oldest: i64) -> Result<(), DispatchError> {
    if oldest <= schema::VERSION {
        return Ok(());
    }
    Err(DispatchError::rejected(format!(
        "the outbox's table was migrated by a later version of this program, and needs schema {oldest}; this one knows {}; \
         deploy the later one",
        schema::VERSION
    )))
}

fn shared_text(text: &Arc<str>) -> SqlValue {
    SqlValue::Text(Cow::Owned(text.as_ref().to_owned()))
}

fn keys(rows: Vec<SqlRow>) -> HashSet<RowKey> {
    let key = |row: SqlRow| {
        let mut values = row.into_iter();
        let id = text(values.next()?)?.into();
        Some(RowKey { id, seq: number(&values.next()?)?, lease: number(&values.next()?)? })
    };
    rows.into_iter().filter_map(key).collect()
}

pub(super) fn duration(duration: Duration) -> SqlValue {
    // A hundred years: every database has the time that far away.
    const LONGEST: u128 = 100 * 365 * 24 * 3600 * 1000;
    SqlValue::Int(i64::try_from(duration.as_millis().min(LONGEST)).unwrap_or(i64::MAX))
}

pub(super) fn count(count: usize) -> SqlValue {
    SqlValue::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
