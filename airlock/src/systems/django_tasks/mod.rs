//! Django tasks, the database backend: `executor` sends, `message` is the wire format, `accepts` is what can't be sent, `insert`
//! writes into the caller's own transaction. The format was read from and tried against django-tasks-db 0.13.0 with
//! django-tasks 0.12.0; `tests/wire` holds what that writes.

mod accepts;
mod executor;
#[cfg(feature = "_sql")]
mod insert;
mod jsonb;
mod message;
mod outbox;

pub use executor::DjangoTasksExecutor;
