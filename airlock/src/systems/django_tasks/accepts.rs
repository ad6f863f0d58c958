//! What can't be given to a worker of django-tasks-db: it is refused before anything else of the flush is written.

use super::jsonb;
use super::message::{DjangoTasksFormat, EXTRAS};
use crate::brokers::Transport;
use crate::dispatch::Rejection;
use crate::executors::{FlushContext, times};
use crate::intent::Intent;
use crate::systems::json;
use crate::systems::python::{django_time, readable};
use crate::systems::queue::limits;

/// The columns `queue_name` and `backend_name` are `varchar(32)`.
const LONGEST_NAME: usize = 32;

impl DjangoTasksFormat {
    /// Whether a worker can take the intent as it is meant.
    pub(super) fn check(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let options = intent.options();
        let refused = [
            (options.get_max_retries().is_some(), "`max_retries`: a task that failed stays failed"),
            (options.get_expiry().is_some(), "`expires`: a task waits until it is run"),
            (options.get_timeout().is_some(), "`timeout`: a task runs until it ends"),
            (!options.get_headers().is_empty(), "`header`: send its values as arguments"),
        ];
        if let Some((_, what)) = refused.iter().find(|(is_set, _)| *is_set) {
            return Err(Rejection::new(format!("Django's tasks have no {what}; leave it out")));
        }
        limits::check_queue(self.common.queue(intent), transport)?;
        check_length("the queue's name", self.common.queue(intent))?;
        EXTRAS.check(options)?;
        let backend = self.backend(intent);
        if backend.is_empty() || backend.chars().any(char::is_control) {
            return Err(Rejection::new("the backend's name is none that `TASKS` can have; use `default`, or its own"));
        }
        check_length("the backend's name", &backend)?;
        check_path(&self.common.task_name(intent))?;
        times::check_delay(options, flush.now)?;
        if let Some(start) = times::starts_later(intent, flush.now) {
            django_time::text(start).ok_or_else(times::too_late)?;
        }
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        readable::check(&arguments, false).map_err(|fault| Rejection::new(fault.to_string()))?;
        if transport == Transport::Postgres {
            jsonb::check(&arguments).map_err(|fault| Rejection::new(fault.to_string()))?;
        }
        json::check_size(arguments.len(), self.common.body_limit)
    }
}

fn check_length(what: &str, name: &str) -> Result<(), Rejection> {
    match name.chars().count() {
        length if length > LONGEST_NAME => {
            Err(Rejection::new(format!("{what} has {length} characters and {LONGEST_NAME} are possible; shorten it")))
        }
        _ => Ok(()),
    }
}

/// Whether it is a module and a name in it, as Django imports a task.
fn check_path(path: &str) -> Result<(), Rejection> {
    let is_name = |part: &str| {
        !part.is_empty()
            && !part.starts_with(|first: char| first.is_numeric())
            && part.chars().all(|each| each.is_alphanumeric() || each == '_')
    };
    if path.contains('.') && path.split('.').all(is_name) {
        return Ok(());
    }
    Err(Rejection::new(format!(
        "Django finds a task by the path of its `@task` object, and `{}` is none; name it like \
         `#[task(name = \"shop.tasks.send_receipt\")]`, or set `task_prefix`",
        path.escape_debug()
    )))
}
