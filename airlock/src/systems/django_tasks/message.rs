//! An intent as a row of the table that `manage.py db_worker` reads (`models.py` of django-tasks-db 0.13.0). Pure: it depends on
//! the intent, the time, its place in the flush and this configuration.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use crate::brokers::{SqlMessage, SqlTable, SqlType, SqlValue, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::executors::times;
use crate::intent::Intent;
use crate::systems::extras::{ExtraKind, ExtraSchema};
use crate::systems::python::django_time;
use crate::systems::queue::{CommonConfig, Format};

pub(super) static TABLE: SqlTable = SqlTable {
    schema: None,
    name: "django_tasks_database_dbtaskresult",
    columns: &[
        ("id", SqlType::Uuid),
        ("args_kwargs", SqlType::Json),
        ("priority", SqlType::Int),
        ("task_path", SqlType::Text),
        ("queue_name", SqlType::Text),
        ("backend_name", SqlType::Text),
        ("run_after", SqlType::Time),
        ("enqueued_at", SqlType::Time),
    ],
    constants: &[("status", "'READY'"), ("exception_class_path", "''"), ("traceback", "''"), ("worker_ids", "'[]'")],
    known_by: None,
    remedy: "run `manage.py migrate` of the project that has `django_tasks_db` 0.13 among its apps",
};

/// Not a time but the mark of a task without one (`get_date_max`).
const NO_TIME: &str = "9999-01-01 00:00:00";

pub(super) const EXTRAS: ExtraSchema = ExtraSchema {
    name: "django_tasks",
    known: &[("backend", ExtraKind::Text)],
    redirects: &[
        ("id", "the intent's id is the row's id"),
        ("task_path", "the task's name is set where it is declared"),
        ("args_kwargs", "arguments are given to the call"),
        ("args", "arguments are given to the call"),
        ("kwargs", "arguments are given to the call"),
        ("queue_name", "use `queue`"),
        ("run_after", "use `delay` or `eta`"),
        ("takes_context", "Django has it on the task in the worker"),
    ],
};

/// What a deployment sets, and the row depends on. The defaults are those of Django.
#[derive(Debug, Clone)]
pub(crate) struct DjangoTasksFormat {
    pub(crate) common: CommonConfig,
    /// The name of the backend in `TASKS`.
    pub(crate) backend: String,
}

impl Default for DjangoTasksFormat {
    fn default() -> Self {
        Self { common: CommonConfig::new("default"), backend: "default".to_owned() }
    }
}

impl Format for DjangoTasksFormat {
    fn is_elsewhere(&self) -> bool {
        self.common.elsewhere
    }

    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.check(transport, intent, flush)
    }

    /// The row for one of the two databases.
    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, place: u32) -> Result<SqlMessage, Rejection> {
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let arguments = arguments.as_str();
        let (args, kwargs) = if intent.task().positional { (arguments, "{}") } else { ("[]", arguments) };
        let start = match times::starts_later(intent, now) {
            Some(start) => Cow::Owned(django_time::text(start).ok_or_else(times::too_late)?),
            None => Cow::Borrowed(NO_TIME),
        };
        // What has the same priority is taken in the order of this column, which has microseconds.
        let enqueued = now + Duration::from_micros(place.into());
        let enqueued = Cow::Owned(django_time::text(enqueued).ok_or_else(times::too_late)?);
        let zoned = |time: Cow<'static, str>| match transport {
            Transport::Postgres => time + "+00",
            // Compared as text, so that it has to be written as Django does.
            _ => time,
        };
        let id = match transport {
            Transport::Postgres => intent.id().to_string(),
            // Here, too: what Django makes of an id is what it looks for.
            _ => intent.id().simple().to_string(),
        };
        let priority = i64::from(self.common.priority(intent).unwrap_or(0));
        let text = |text: &str| SqlValue::Text(Cow::Owned(text.to_owned()));
        let values = vec![
            SqlValue::Text(Cow::Owned(id)),
            SqlValue::Text(Cow::Owned(["{\"args\":", args, ",\"kwargs\":", kwargs, "}"].concat())),
            SqlValue::Int(priority),
            SqlValue::Text(self.common.task_name(intent)),
            text(self.common.queue(intent)),
            text(&self.backend(intent)),
            SqlValue::Text(zoned(start)),
            SqlValue::Text(zoned(enqueued)),
        ];
        Ok(SqlMessage { transport, table: &TABLE, values, notify: None })
    }
}

impl DjangoTasksFormat {
    pub(super) fn backend(&self, intent: &Intent) -> Cow<'_, str> {
        EXTRAS.text(intent.options(), "backend").map_or(Cow::Borrowed(&self.backend), Cow::Owned)
    }
}
