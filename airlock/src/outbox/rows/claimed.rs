//! A row that a worker has claimed, and the intent in it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use super::keys::RowKey;
use crate::brokers::{SqlRow, SqlValue};
use crate::intent::{Intent, IntentId, parse_options};
use crate::options::Options;
use crate::outbox::format::PRIORITY;
use crate::task::{Arguments, TaskDefinition};

/// What a claim gives of a row, in the order of its columns in the statements.
pub(crate) struct ClaimedRow {
    pub(crate) key: RowKey,
    pub(crate) task: String,
    pub(crate) queue: String,
    arguments: Option<String>,
    options: Option<String>,
    /// How many runs have ended before.
    pub(crate) attempts: u32,
    pub(crate) max_retries: Option<u32>,
    timeout: Option<Duration>,
    priority: i64,
    due: i64,
    pub(crate) expires: Option<SystemTime>,
}

/// Why there is no intent in a row: its id, its options or its arguments can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the row can't be read: {0}")]
pub(crate) struct NotDecoded(String);

impl ClaimedRow {
    /// The row, and whether it is to run; otherwise it was too late for it. A column that is not as it should be is a fault of
    /// the run, as far as the row can be named at all.
    pub(super) fn read(row: SqlRow) -> Option<(Self, bool)> {
        let mut values = row.into_iter();
        let mut next = || values.next().unwrap_or(SqlValue::Null);
        let id: Arc<str> = text(next())?.into();
        let (task, queue, arguments) = (text(next())?, text(next()).unwrap_or_default(), text(next()));
        let (options, numbers) = (text(next()), text(next())?);
        let mut numbers = numbers.split('|');
        let mut number = || numbers.next()?.parse::<i64>().ok();
        let (lease, seq) = (number()?, number()?);
        let count = |number: Option<i64>| number.and_then(|count| u32::try_from(count).ok());
        let attempts = count(number()).unwrap_or(0);
        let (priority, due) = (number().unwrap_or(0), number().unwrap_or(0));
        let max_retries = count(number());
        let timeout = number().and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis);
        // By the database's clock, which may be another one.
        let left = number().map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
        let expires = left.and_then(|left| SystemTime::now().checked_add(left));
        let is_running = numbers.next() == Some("running");
        let key = RowKey { id, seq, lease };
        let row = Self { key, task, queue, arguments, options, attempts, max_retries, timeout, priority, due, expires };
        Some((row, is_running))
    }

    /// What tells which of two runs first.
    pub(super) fn order(&self) -> (i64, i64, i64) {
        (-self.priority, self.due, self.key.seq)
    }

    /// The headers that it was enqueued with.
    pub(crate) fn options(&self) -> Result<Options, NotDecoded> {
        let described = match &self.options {
            None => Options::new(),
            Some(text) => serde_json::from_str::<&RawValue>(text)
                .map_err(|_| NotDecoded("its options are not JSON".to_owned()))
                .and_then(|json| parse_options(json).map_err(NotDecoded))?,
        };
        let options = described.queue(self.queue.clone());
        Ok(match self.timeout {
            Some(timeout) => options.timeout(timeout),
            None => options,
        })
    }

    pub(crate) fn id(&self) -> Result<IntentId, NotDecoded> {
        self.key.id.parse().map_err(|_| NotDecoded("its id is none".to_owned()))
    }

    /// The intent, for the task of this program that has its name.
    pub(crate) fn intent(&self, task: &'static TaskDefinition, options: Options) -> Result<Intent, NotDecoded> {
        let decoded = task.decode(Some(self.id()?), self.arguments()?, Some(options), Location::caller());
        decoded.map_err(|error| NotDecoded(error.to_string()))
    }
}

impl ClaimedRow {
    /// The intent as it was enqueued, to be handed on: due, whatever its delay was, with its expiry as a time.
    pub(crate) fn to_hand_on(&self, task: &'static TaskDefinition) -> Result<Intent, NotDecoded> {
        let mut options = self.options()?;
        // Intents without a priority have this one in the table, and those that were given it say so among their options.
        let priority = u8::try_from(self.priority).ok().filter(|priority| *priority != PRIORITY);
        if let Some(priority) = priority {
            options = options.priority(priority);
        }
        if let Some(most) = self.max_retries {
            options = options.max_retries(most);
        }
        if let Some(expires) = self.expires {
            options = options.expires_at(expires);
        }
        let options = Box::new(task.over(options).due());
        let decoded = task.decode_with(Some(self.id()?), self.arguments()?, Some(options), Location::caller());
        decoded.map_err(|error| NotDecoded(error.to_string()))
    }

    fn arguments(&self) -> Result<Arguments, NotDecoded> {
        let arguments = self.arguments.as_deref().unwrap_or_default();
        serde_json::from_str(arguments).map_err(|_| NotDecoded("its arguments are not JSON".to_owned()))
    }
}

/// A column that has a text.
pub(super) fn text(value: SqlValue) -> Option<String> {
    match value {
        SqlValue::Text(text) => Some(text.into_owned()),
        _ => None,
    }
}

/// A column that has a number.
pub(super) fn number(value: &SqlValue) -> Option<i64> {
    match value {
        SqlValue::Int(number) => Some(*number),
        _ => None,
    }
}

impl fmt::Debug for ClaimedRow {
    /// No argument, and no header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedRow").field("key", &self.key).field("task", &self.task).finish_non_exhaustive()
    }
}
