//! An outbox of one test, where there is a database for it; `steps` is what tests of airlock itself ask of one.

#[cfg_attr(not(feature = "sqlite"), path = "no_file.rs")]
mod file;
#[cfg(feature = "_sql")]
#[doc(hidden)]
pub mod steps;

#[allow(unused_imports, unreachable_pub, reason = "without SQLite there is none")]
pub use file::*;
