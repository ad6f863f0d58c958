//! A scope and a database's transaction, which end together.

mod commit;
mod error;

pub use crate::brokers::sql::{SqlConnection, SqlPool};
pub use error::{CommitError, NotCommitted, UnknownCommit};
