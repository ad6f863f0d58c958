//! An intent as a task of Django-Q2, as a cluster of django-q2 1.11.1 reads it (`tasks.py`, `worker.py`, `brokers/`), for
//! its brokers on Redis and on Django's ORM. Pure: it depends on the intent, the time and this configuration.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::extras::extras;
use super::signing::TimestampSigner;
use crate::brokers::{RedisMessage, SqlMessage, SqlTable, SqlType, SqlValue, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::executors::times;
use crate::intent::Intent;
use crate::systems::json;
use crate::systems::python::django_time;
use crate::systems::python::pickle::Pickle;
use crate::systems::python::readable::Unreadable;
use crate::systems::queue::{CommonConfig, Format};
use crate::text::secret_key::SecretKey;

/// What a `name` may have in a row of results: `varchar(100)`.
pub(super) const MAX_NAME: usize = 100;

/// What a deployment sets, and the message depends on. The defaults are those of Django-Q2.
#[derive(Debug, Clone)]
pub(crate) struct DjangoQFormat {
    /// Its `default_queue` is `name` of `Q_CLUSTER`, which is the signature's salt, too.
    pub(crate) common: CommonConfig,
    /// `SECRET_KEY`.
    key: SecretKey,
    signer: TimestampSigner,
    /// `cluster_name` of `Q_CLUSTER`: the queue of intents without one.
    pub(crate) cluster_name: Option<String>,
    /// `compress` of `Q_CLUSTER`. A cluster reads both.
    pub(crate) compressed: bool,
    /// `cached` of `Q_CLUSTER`: for how long results of intents that say nothing are in the cache, if they are.
    pub(crate) cached: Option<Duration>,
    /// `ack_failures` of `Q_CLUSTER`.
    pub(crate) ack_failures: bool,
}

/// The queue of the broker on Django's ORM.
pub(super) static TABLE: SqlTable = SqlTable {
    schema: None,
    name: "django_q_ormq",
    columns: &[("key", SqlType::Text), ("payload", SqlType::Text), ("lock", SqlType::Time)],
    constants: &[],
    known_by: None,
    remedy: "run `manage.py migrate` of the project that has `django_q` among its apps",
};

impl Format for DjangoQFormat {
    fn is_elsewhere(&self) -> bool {
        self.common.elsewhere
    }

    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.check(transport, intent, flush)
    }

    /// The message for the broker on Redis: an element of a list.
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        let list = format!("django_q:{}:q", self.cluster(intent));
        Ok(RedisMessage::PushRight { list, body: self.package(intent, now)?.into_bytes() })
    }

    /// The row for the broker on Django's ORM. Its lock is the time from when on it may be taken; without one it never is.
    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, _: u32) -> Result<SqlMessage, Rejection> {
        let lock = django_time::text(times::starts_later(intent, now).unwrap_or(now)).ok_or_else(times::too_late)?;
        // SQLite compares it as text, so that it has to be written as Django does.
        let lock = if transport == Transport::Postgres { lock + "+00" } else { lock };
        let values = vec![
            SqlValue::Text(Cow::Owned(self.cluster(intent).to_owned())),
            SqlValue::Text(Cow::Owned(self.package(intent, now)?)),
            SqlValue::Text(Cow::Owned(lock)),
        ];
        Ok(SqlMessage { transport, table: &TABLE, values, notify: None })
    }
}

impl DjangoQFormat {
    pub(crate) fn new(key: SecretKey) -> Self {
        let common = CommonConfig::new("default");
        Self {
            signer: TimestampSigner::new(&key, &common.default_queue),
            common,
            key,
            cluster_name: None,
            compressed: false,
            cached: None,
            ack_failures: false,
        }
    }

    pub(crate) fn set_name(&mut self, name: String) {
        self.signer = TimestampSigner::new(&self.key, &name);
        self.common.default_queue = name;
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.signer.fingerprint()
    }

    /// The signed task.
    pub(super) fn package(&self, intent: &Intent, now: SystemTime) -> Result<String, Rejection> {
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let pickle = self.pickle(intent, &arguments, now).map_err(|fault| Rejection::new(fault.to_string()))?;
        let package = self.signer.package(&pickle, self.compressed, now);
        json::check_size(package.len(), self.common.body_limit)?;
        Ok(package)
    }

    /// The dict of the task, its keys in the order in which `async_task` writes them.
    fn pickle(&self, intent: &Intent, arguments: &str, now: SystemTime) -> Result<Vec<u8>, Unreadable> {
        let mut pickle = Pickle::new(arguments.len() + 512);
        let positional = intent.task().positional;
        pickle.dict(|out| {
            out.text("id");
            // A row of results has 32 characters for it.
            out.ascii(&intent.id().digits());
            out.text("name");
            out.text(name(intent));
            out.text("func");
            out.text(&self.common.task_name(intent));
            out.text("args");
            out.json_tuple(if positional { arguments } else { "[]" })?;
            extras(out, intent.options(), self);
            out.text("kwargs");
            out.json(if positional { "{}" } else { arguments })?;
            out.text("started");
            out.aware_utc(intent.handed_over().unwrap_or(now));
            Ok(())
        })?;
        Ok(pickle.finish())
    }

    /// The cluster whose queue it goes to.
    pub(super) fn cluster<'i>(&'i self, intent: &'i Intent) -> &'i str {
        intent.options().get_queue().or(self.cluster_name.as_deref()).unwrap_or(&self.common.default_queue)
    }
}

/// What people see in the list of results: the label, else the task. The same however often it is handed over, as a result
/// of one id under two names is lost.
fn name(intent: &Intent) -> &str {
    let name = intent.options().get_label().unwrap_or(intent.name());
    let end = name.char_indices().nth(MAX_NAME).map_or(name.len(), |(end, _)| end);
    &name[..end]
}
