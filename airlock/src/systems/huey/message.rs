//! An intent as a Huey message, as a consumer of huey 3.5.4 or 2.6.0 reads it (`registry.py`, `serializer.py`,
//! `storage.py`), for each of its storages. Pure: it depends on the intent, the time, a clock that never gives the same
//! time twice, and this configuration.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::extras::{retry_backoff, retry_delay};
use super::signing::{Compression, Signing};
use crate::brokers::{RedisMessage, SqlMessage, SqlTable, SqlType, SqlValue, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::executors::times;
use crate::intent::Intent;
use crate::systems::json;
use crate::systems::python::pickle::{Global, Pickle};
use crate::systems::queue::{CommonConfig, Format};

/// What a deployment sets, and the message depends on. The defaults are those of Huey.
#[derive(Debug, Clone)]
pub(crate) struct HueyFormat {
    pub(crate) common: CommonConfig,
    /// `clean_name` of the consumers' `RedisHuey`.
    pub(crate) clean_name: bool,
    /// Whether the consumers are `PriorityRedisHuey`. Storages in SQL always have priorities.
    pub(crate) priorities: bool,
    /// The major version of the consumers' Huey: from 3 on a message has 15 fields.
    pub(crate) consumer: u8,
    pub(crate) compression: Option<Compression>,
    pub(crate) signing: Signing,
}

/// The queue of a `SqliteHuey`.
pub(super) static SQLITE: SqlTable = SqlTable {
    schema: None,
    name: "task",
    columns: COLUMNS,
    constants: &[],
    known_by: None,
    remedy: "start a consumer with this `SqliteHuey`, which makes it",
};

/// The queue of a `PostgresHuey`.
pub(super) static POSTGRES: SqlTable = SqlTable {
    schema: None,
    name: "huey_task",
    columns: COLUMNS,
    constants: &[],
    known_by: None,
    remedy: "start a consumer with this `PostgresHuey`, which makes it",
};

const COLUMNS: &[(&str, SqlType)] = &[("queue", SqlType::Text), ("data", SqlType::Bytes), ("priority", SqlType::Int)];

impl Default for HueyFormat {
    fn default() -> Self {
        Self {
            common: CommonConfig::new("huey"),
            clean_name: true,
            priorities: false,
            consumer: 2,
            compression: None,
            signing: Signing::default(),
        }
    }
}

impl Format for HueyFormat {
    fn is_elsewhere(&self) -> bool {
        self.common.elsewhere
    }

    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.check(transport, intent, flush)
    }

    /// The message for a `RedisHuey`: an element of a list; for a `PriorityRedisHuey`, a member of a sorted set.
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        let key = format!("huey.redis.{}", self.redis_name(intent));
        if !self.priorities {
            return Ok(RedisMessage::PushLeft { list: key, body: self.data(intent, now, Vec::new())? });
        }
        // Members of one priority are taken in the order of their bytes, which begin with the time.
        let member = self.data(intent, now, next_micros(now).to_be_bytes().to_vec())?;
        let score = -i64::from(self.common.priority(intent).unwrap_or(0));
        Ok(RedisMessage::AddScored { set: key, score, member })
    }

    /// The row for a `SqliteHuey` or a `PostgresHuey`.
    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, _: u32) -> Result<SqlMessage, Rejection> {
        let values = vec![
            SqlValue::Text(Cow::Owned(self.common.queue(intent).to_owned())),
            SqlValue::Bytes(self.data(intent, now, Vec::new())?),
            SqlValue::Int(self.common.priority(intent).unwrap_or(0).into()),
        ];
        let (table, notify) = match transport {
            Transport::Postgres => (&POSTGRES, Some(self.channel(intent).into())),
            _ => (&SQLITE, None),
        };
        Ok(SqlMessage { transport, table, values, notify })
    }
}

impl HueyFormat {
    /// The channel that the consumers of a `PostgresHuey` listen on.
    pub(super) fn channel(&self, intent: &Intent) -> String {
        format!("huey.q.{}", self.common.queue(intent))
    }

    /// What a consumer unpacks, behind what its storage wants before it.
    pub(super) fn data(&self, intent: &Intent, now: SystemTime, mut before: Vec<u8>) -> Result<Vec<u8>, Rejection> {
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let mut data = self.pickle(intent, &arguments, now)?;
        if let Some(signer) = self.signing.signer() {
            data = signer.sign(data);
        }
        if let Some(compression) = self.compression {
            data = compression.compress(&data);
        }
        json::check_size(data.len(), self.common.body_limit)?;
        if before.is_empty() {
            return Ok(data);
        }
        before.extend_from_slice(&data);
        Ok(before)
    }

    /// `huey.registry.Message`.
    fn pickle(&self, intent: &Intent, arguments: &str, now: SystemTime) -> Result<Vec<u8>, Rejection> {
        let mut pickle = Pickle::new(arguments.len() + 256);
        let options = intent.options();
        let fields = |out: &mut Pickle| {
            out.ascii(&intent.id().dashed());
            out.text(&self.common.task_name(intent));
            out.naive_utc_or_none(times::starts_later(intent, now));
            out.int_or_none(options.get_max_retries().map(i64::from));
            out.int_or_none(retry_delay(options));
            out.int_or_none(self.common.priority(intent).map(i64::from));
            if intent.task().positional {
                out.json_tuple(arguments)?;
                out.json("{}")?;
            } else {
                out.json_tuple("[]")?;
                out.json(arguments)?;
            }
            // `on_complete`, `on_error`.
            (0..2).for_each(|_| out.none());
            // What counts is the second. A consumer makes it anew from the first whenever it enqueues the task once more,
            // for its time or for a retry, and takes the function's own where there is none; one with a time zone it
            // takes as it is.
            let expiry = intent.expires_at(now);
            out.aware_utc_or_none(expiry);
            out.naive_utc_or_none(expiry);
            if self.consumer >= 3 {
                match options.get_timeout() {
                    None => out.none(),
                    Some(limit) if limit.subsec_nanos() > 0 => out.float(limit.as_secs_f64()),
                    Some(limit) => out.int(i64::try_from(limit.as_secs()).unwrap_or(i64::MAX)),
                }
                // `chord_config`.
                out.none();
                out.int_or_none(retry_backoff(options));
            }
            Ok(())
        };
        pickle
            .named_tuple(Global::HueyMessage, fields)
            .map_err(|fault: crate::systems::python::readable::Unreadable| Rejection::new(fault.to_string()))?;
        Ok(pickle.finish())
    }

    /// The same as keys of Redis have it (`RedisStorage.clean_name`).
    pub(super) fn redis_name<'i>(&'i self, intent: &'i Intent) -> Cow<'i, str> {
        let name = self.common.queue(intent);
        let stays = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if !self.clean_name || name.chars().all(stays) {
            return Cow::Borrowed(name);
        }
        Cow::Owned(name.chars().filter(|letter| stays(*letter)).collect())
    }
}

/// How far messages may be ahead of the clock, in microseconds, so that they keep their order.
const AHEAD: u64 = 60_000_000;

/// Microseconds since 1970, and never the same or less than before: what is enqueued first is first. Once the clock was
/// far wrong, or a time was given that is, it starts anew.
fn next_micros(now: SystemTime) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let micros = u64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or_default();
    let next = |last: u64| if last <= micros.saturating_add(AHEAD) { micros.max(last + 1) } else { micros };
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last))).unwrap_or_default();
    next(last)
}
