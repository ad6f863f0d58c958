//! Dramatiq: `executor` sends, `message`, `extras` and `table` are the wire format, `accepts` is what can't be sent. The format was read
//! from and tried against dramatiq 2.2.1; `tests/wire` holds what that writes.

mod accepts;
mod executor;
mod extras;
mod message;
mod table;

pub use executor::DramatiqExecutor;
