//! An outbox of one test, in a SQLite file: `outbox` is the file and the worker beside, `look` what lies in the table, and
//! `not_emptied` why something still does.

mod look;
mod not_emptied;
mod outbox;

pub use not_emptied::NotEmptied;
pub use outbox::{TemporaryOutbox, temporary_outbox};
