//! What workers do to the rows that they have: finish, renew, rescue, prune. Each is one statement, or one transaction.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::claimed::{number, text};
use super::claiming::Claim;
use super::keys::{EndRange, RowEnd, RowKey, duration, ends_json, keys_json};
use super::statements::{EndsStatement, Statements};
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
    pub(super) transport: Transport,
}

/// How many ranges of rows are changed each by a statement of their own: that is about as fast as one that reads them.
const FEW: usize = 8;

/// A row whose worker was lost.
#[derive(Debug)]
pub(crate) struct RescuedRow {
    pub(crate) id: String,
    pub(crate) task: String,
    pub(crate) is_dead: bool,
}

/// Which of the rows that were to end have ended.
#[derive(Debug)]
pub(crate) enum EndedRows {
    All,
    These(HashSet<RowKey>),
}

impl EndedRows {
    pub(crate) fn contains(&self, key: &RowKey) -> bool {
        match self {
            Self::All => true,
            Self::These(keys) => keys.contains(key),
        }
    }

    pub(crate) fn add(&mut self, more: HashSet<RowKey>) {
        match self {
            Self::All => {}
            Self::These(keys) => keys.extend(more),
        }
    }
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

    /// Changes the rows of these ends, range by range if those are few. Gives how many it has changed.
    pub(super) async fn change(
        &mut self,
        statement: EndsStatement,
        ranges: &[EndRange<'_>],
        more: &[SqlValue],
    ) -> Result<u64, DispatchError> {
        let Some(by_range) = statement.by_range.filter(|_| ranges.len() <= FEW) else {
            let values = [self.ends(ranges)].into_iter().chain(more.iter().cloned()).collect();
            return self.session.change(&statement.all, values).await;
        };
        let mut changed = 0;
        for range in ranges {
            let values = range.values().into_iter().chain(more.iter().cloned()).collect();
            changed += self.session.change(&by_range, values).await?;
        }
        Ok(changed)
    }

    pub(super) fn ends(&self, ranges: &[EndRange<'_>]) -> SqlValue {
        SqlValue::Text(Cow::Owned(ends_json(self.transport, ranges)))
    }

    /// Ends claims, and writes what their tasks left: of those rows alone that end so. Gives which those are, as two
    /// claims of one row may end at once. All of it is one transaction.
    pub(crate) async fn finish<'a>(
        &mut self,
        ends: impl Iterator<Item = &'a RowEnd> + Clone,
        notifies: bool,
    ) -> Result<EndedRows, DispatchError> {
        let ranges = EndRange::all(self.transport, ends.clone());
        let ends_rows_alone = ends.clone().all(|end| end.follow_ups.is_empty());
        if ends_rows_alone && self.session.commits_each_statement() {
            let values = vec![self.ends(&ranges)];
            let ended = self.session.fetch_alone(&self.statements.finish_known, values).await?;
            return Ok(EndedRows::These(keys(ended)));
        }
        self.session.begin().await?;
        let count = ends.clone().count() as u64;
        let finish = self.statements.finish.clone();
        // That they all have is quicker to see than which of them.
        let ended = if self.change(finish, &ranges, &[]).await? == count {
            EndedRows::All
        } else {
            self.session.rollback().await?;
            self.session.begin().await?;
            let values = vec![self.ends(&ranges)];
            EndedRows::These(keys(self.session.fetch(&self.statements.finish_known, values).await?))
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
        let values = vec![self.ends(&EndRange::all(self.transport, ends))];
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

pub(super) fn shared_text(text: &Arc<str>) -> SqlValue {
    SqlValue::Text(Cow::Owned(text.as_ref().to_owned()))
}

pub(super) fn keys(rows: Vec<SqlRow>) -> HashSet<RowKey> {
    let key = |row: SqlRow| {
        let mut values = row.into_iter();
        let id = text(values.next()?)?.into();
        Some(RowKey { id, seq: number(&values.next()?)?, lease: number(&values.next()?)? })
    };
    rows.into_iter().filter_map(key).collect()
}

pub(super) fn count(count: usize) -> SqlValue {
    SqlValue::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
