//! Huey: `executor` sends, `message`, `extras` and `signing` are the wire format, `accepts` is what can't be sent. The format was
//! read from and tried against huey 3.5.4 and 2.6.0; `tests/wire` holds what those write.

mod accepts;
mod executor;
mod extras;
mod message;
mod signing;

pub use executor::HueyExecutor;
