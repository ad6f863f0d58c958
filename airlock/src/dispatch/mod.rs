//! What executors answer about one intent.

mod error;
mod redacted;
mod rejection;
mod transaction;

pub use error::{DispatchError, DispatchErrorKind};
pub use rejection::Rejection;
pub use transaction::{OpenTransaction, SqlKind};
