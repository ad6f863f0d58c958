//! An outbox of one test, where there is a database for it.

#[cfg_attr(not(feature = "sqlite"), path = "no_file.rs")]
mod file;

#[allow(unused_imports, unreachable_pub, reason = "without SQLite there is none")]
pub use file::*;
