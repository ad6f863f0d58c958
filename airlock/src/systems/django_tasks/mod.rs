//! Django tasks, the database backend: `executor` sends, `message` is the wire format, `accepts` is what can't be
//! sent. The format was read from and tried against django-tasks-db 0.13.0 with django-tasks 0.12.0; `tests/wire` holds
//! what that writes.

mod accepts;
mod executor;
mod jsonb;
mod message;

pub use executor::DjangoTasksExecutor;
