//! An intent as a row of the outbox. Pure: it depends on the intent, the time and this configuration.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::wake::{wake_soon, wake_workers};
use crate::brokers::{Broker, SqlMessage, SqlTable, SqlType, SqlValue, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Executor, FlushContext, times};
use crate::intent::{Intent, OptionsForm};
use crate::systems::json;
use crate::systems::queue::{CommonConfig, Format, limits};
use crate::task::TaskKind;

/// What workers listen to on Postgres.
pub(super) const CHANNEL: &str = "airlock_outbox";

/// The priority of intents without one.
pub(super) const PRIORITY: u8 = 5;

static TABLE: SqlTable = SqlTable {
    schema: None,
    name: "airlock_outbox",
    columns: &[
        ("id", SqlType::Uuid),
        ("task", SqlType::Text),
        ("queue", SqlType::Text),
        ("priority", SqlType::Int),
        ("arguments", SqlType::Text),
        ("options", SqlType::Text),
        ("location", SqlType::Text),
        ("due", SqlType::After),
        ("expires", SqlType::After),
        ("max_retries", SqlType::Int),
        ("timeout_ms", SqlType::Int),
    ],
    constants: &[],
    known_by: Some("id"),
    remedy: "call `Outbox::migrate`, or run the statements that `Outbox::migrations` gives",
};

/// What a deployment sets, and the row depends on.
#[derive(Debug, Clone)]
pub(crate) struct OutboxFormat {
    pub(crate) common: CommonConfig,
    pub(crate) table: &'static SqlTable,
    /// Whether workers of other processes are told.
    pub(crate) notify: bool,
    /// What a relay hands the rows on to, if one does.
    pub(crate) relay: Option<RelayedBy>,
}

/// An executor that is asked what it accepts.
#[derive(Clone)]
pub(crate) struct RelayedBy(pub(crate) Arc<dyn Executor>);

impl fmt::Debug for RelayedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RelayedBy").field(&self.0.name()).finish()
    }
}

impl Default for OutboxFormat {
    fn default() -> Self {
        Self { common: CommonConfig::new("default"), table: &TABLE, notify: false, relay: None }
    }
}

/// The table in a schema: one for each that the program names, kept to its end, as rows on their way point to it.
pub(super) fn table_in(schema: String) -> &'static SqlTable {
    static TABLES: LazyLock<Mutex<HashMap<String, &'static SqlTable>>> = LazyLock::new(Mutex::default);
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    tables.entry(schema).or_insert_with_key(|schema| {
        let schema: &'static str = schema.clone().leak();
        Box::leak(Box::new(SqlTable { schema: Some(schema), ..TABLE }))
    })
}

impl Format for OutboxFormat {
    fn is_elsewhere(&self) -> bool {
        self.common.elsewhere
    }

    fn table_of_intents(&self, broker: &Broker) -> Option<String> {
        let url = broker.url();
        if broker.transport() == Transport::Sqlite {
            // One file has many names.
            let file = std::fs::canonicalize(&url.path).map(|path| path.display().to_string());
            return Some(file.unwrap_or_else(|_| url.path.clone()));
        }
        let host = match &*url.host {
            "localhost" | "[::1]" | "::1" | "" => "127.0.0.1",
            host => host,
        };
        Some(format!("{host}:{}/{} {}", url.port, url.path, self.table.schema.unwrap_or("public")))
    }

    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        if transport == Transport::Sqlite && self.table.schema.is_some() {
            return Err(Rejection::new("a SQLite database has no schemas; leave `schema` of the outbox out"));
        }
        let options = intent.options();
        if self.relay.is_none() && options.get_timeout().is_some() && intent.task().kind == TaskKind::Sync {
            return Err(Rejection::new(
                "`timeout` ends async tasks, and this is a plain function; leave it out, or make the task an `async fn`",
            ));
        }
        limits::check_queue(self.common.queue(intent), transport)?;
        times::check_delay(options, flush.now)?;
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        json::check_size(arguments.len(), self.common.body_limit)?;
        let Some(RelayedBy(executor)) = &self.relay else { return Ok(()) };
        if options.get_start().is_none() && options.get_queue().is_some() {
            return executor.accepts(intent, flush);
        }
        // As the relay hands it on: its delay is over, and its queue is that of its row.
        let relayed = options.clone().due().queue(self.common.queue(intent).to_owned());
        let arguments = serde_json::from_str(&arguments).map_err(|error| Rejection::new(error.to_string()))?;
        let relayed =
            intent.task().decode_with(Some(intent.id()), arguments, Some(Box::new(relayed)), intent.location());
        executor.accepts(&relayed.map_err(|error| Rejection::new(error.to_string()))?, flush)
    }

    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, _: u32) -> Result<SqlMessage, Rejection> {
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let options = intent.options();
        // Postgres adds what is left to its own clock; SQLite has the clock of this machine.
        let time = |time: SystemTime| match transport {
            Transport::Postgres => millis(time) - millis(now),
            _ => millis(time),
        };
        let text = |text: String| SqlValue::Text(Cow::Owned(text));
        let number = |number: Option<i64>| number.map_or(SqlValue::Null, SqlValue::Int);
        let timeout = options.get_timeout().map(times::whole_millis);
        let values = vec![
            text(String::from_utf8_lossy(&intent.id().dashed()).into_owned()),
            SqlValue::Text(self.common.task_name(intent)),
            text(self.common.queue(intent).to_owned()),
            SqlValue::Int(self.common.priority(intent).unwrap_or(PRIORITY).into()),
            text(arguments),
            described(intent)?,
            text(intent.location().to_string()),
            SqlValue::Int(time(intent.starts_at(now).unwrap_or(now))),
            number(intent.expires_at(now).map(time)),
            number(options.get_max_retries().map(i64::from)),
            number(timeout),
        ];
        let notify = self.notify.then(|| Arc::from(CHANNEL));
        Ok(SqlMessage { transport, table: self.table, values, notify })
    }

    fn written(&self, is_committed: bool) {
        if is_committed { wake_workers() } else { wake_soon() }
    }
}

/// Who caused it, its label, headers and extras: what has no column.
fn described(intent: &Intent) -> Result<SqlValue, Rejection> {
    let options = intent.options();
    let has_some = options.get_origin().is_some()
        || options.get_label().is_some()
        || !options.get_headers().is_empty()
        || !options.get_extras().is_empty()
        || options.get_priority() == Some(PRIORITY);
    if !has_some {
        return Ok(SqlValue::Null);
    }
    let described = options.described();
    // The column says the same of intents that have none.
    let described = if options.get_priority() == Some(PRIORITY) { described.priority(PRIORITY) } else { described };
    let text = serde_json::to_string(&OptionsForm(&described));
    text.map(|text| SqlValue::Text(Cow::Owned(text))).map_err(|error| Rejection::new(error.to_string()))
}

/// Since 1970.
pub(super) fn millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    }
}
