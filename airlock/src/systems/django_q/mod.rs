//! Django-Q2: `executor` sends, `message` and `signing` are the wire format, `accepts` is what can't be sent. The format was
//! read from and tried against django-q2 1.11.1 and Django 5.2; `tests/wire` holds what those write.

mod accepts;
mod executor;
mod extras;
mod message;
mod signing;

pub use executor::DjangoQExecutor;
