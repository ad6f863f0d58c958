//! What executors answer about one intent.

mod error;
mod redacted;
mod rejection;

pub use error::{DispatchError, DispatchErrorKind};
pub use rejection::Rejection;
