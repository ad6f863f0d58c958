//! A row that a worker has claimed, and the intent in it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use super::keys::{RowEnd, RowKey};
use crate::brokers::{SqlRow, SqlValue};
use crate::intent::{Intent, IntentId, parse_options};
use crate::options::Options;
use crate::outbox::format::PRIORITY;
use crate::outbox::state::OutboxState;
use crate::task::{Arguments, TaskDefinition};

/// A row that a worker has claimed.
pub(crate) struct ClaimedRow {
    pub(crate) key: RowKey,
    pub(crate) task: String,
    pub(crate) queue: String,
    arguments: String,
    options: Option<String>,
    /// How many runs have ended before.
    pub(crate) attempts: u32,
    pub(crate) max_retries: Option<u32>,
    timeout: Option<Duration>,
    priority: i64,
    due: i64,
    pub(crate) expires: Option<SystemTime>,
}

/// A row that a claim gives, read as far as is needed to take it: numbers, each with a bar behind it, then texts.
#[derive(Debug)]
pub(super) struct ChosenRow {
    pub(super) seq: i64,
    pub(super) lease: i64,
    /// Whether it is too late to run it.
    pub(super) is_late: bool,
    text: String,
    /// Where the rest begins.
    rest: usize,
}

impl ChosenRow {
    pub(super) fn read(row: SqlRow) -> Option<Self> {
        let text = text(row.into_iter().next()?)?;
        let mut fields = RowFields(&text);
        let (seq, lease) = (fields.number()?, fields.number()?);
        let is_late = match fields.next()? {
            state if state == OutboxState::Running.as_str() => false,
            state if state == OutboxState::Expired.as_str() => true,
            // A trigger has kept it from being taken.
            _ => return None,
        };
        let rest = text.len() - fields.0.len();
        Some(Self { seq, lease, is_late, text, rest })
    }

    /// How it is once it is taken.
    pub(super) fn as_taken(&self) -> RowEnd {
        let key = RowKey { id: Arc::default(), seq: self.seq, lease: self.lease };
        RowEnd::new(key, if self.is_late { OutboxState::Expired } else { OutboxState::Running })
    }

    /// The rest of it. A column that is not as it should be is a fault of the run.
    pub(super) fn read_rest(self, now: SystemTime) -> ClaimedRow {
        let mut fields = RowFields(&self.text[self.rest..]);
        let count = |number: Option<i64>| number.and_then(|count| u32::try_from(count).ok());
        let attempts = count(fields.number()).unwrap_or(0);
        let (priority, due) = (fields.number().unwrap_or(0), fields.number().unwrap_or(0));
        let max_retries = count(fields.number());
        let timeout = fields.number().and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis);
        // By the database's clock, which may be another one.
        let left = fields.number().map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
        let expires = left.and_then(|left| now.checked_add(left));
        let [task, id, queue, options] =
            std::array::from_fn(|_| fields.number().and_then(|length| usize::try_from(length).ok()));
        // First the one that is always as it should be, as it is one of those that were asked for.
        let task = fields.text(task).to_owned();
        let (id, queue) = (fields.text(id).into(), fields.text(queue).to_owned());
        let options = options.map(|length| fields.text(Some(length)).to_owned());
        let key = RowKey { id, seq: self.seq, lease: self.lease };
        let (before, mut arguments) = (self.text.len() - fields.0.len(), self.text);
        arguments.drain(..before);
        ClaimedRow { key, task, queue, arguments, options, attempts, max_retries, timeout, priority, due, expires }
    }
}

/// What is left of a row's text.
struct RowFields<'a>(&'a str);

impl<'a> RowFields<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (field, rest) = self.0.split_once('|')?;
        self.0 = rest;
        Some(field)
    }

    /// None, if there is none in the table.
    fn number(&mut self) -> Option<i64> {
        self.next()?.parse().ok()
    }

    /// A text of so many characters, as the encoding of the database may be another one. Where one before it is not as it
    /// should be, it may not be cut where it should be either.
    fn text(&mut self, length: Option<usize>) -> &'a str {
        let at = self.0.char_indices().nth(length.unwrap_or(0)).map_or(self.0.len(), |(at, _)| at);
        let (text, rest) = self.0.split_at(at);
        self.0 = rest;
        text
    }
}

/// Why there is no intent in a row: its id, its options or its arguments can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the row can't be read: {0}")]
pub(crate) struct NotDecoded(String);

impl ClaimedRow {
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
        serde_json::from_str(&self.arguments).map_err(|_| NotDecoded("its arguments are not JSON".to_owned()))
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
