//! Celery: `executor` sends, `message` and `headers` are the wire format, `accepts` is what can't be sent. The format was read from
//! and tried against celery 5.7.0 and kombu 5.7.0; `tests/wire` holds what those write.

mod accepts;
mod delayed;
mod executor;
mod extras;
mod headers;
mod message;
mod repr;
mod time;

pub use executor::CeleryExecutor;
