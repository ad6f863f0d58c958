//! Running tasks from a queue: `rows` is the worker of an outbox; `run` is what a task may know of its run, `failure` what its
//! error says about the next one.

mod backoff;
mod failure;
mod report;
#[cfg(feature = "outbox")]
#[cfg_attr(not(feature = "_sql"), path = "no_rows.rs")]
mod rows;
mod run;

pub use backoff::Backoff;
pub(crate) use failure::{Advice, advice};
pub use failure::{Permanent, RetryAfter, RunFailure};
use report::RunCount;
pub use report::{WorkerCounters, WorkerReport};
#[cfg(feature = "outbox")]
#[allow(unused_imports, unreachable_pub, reason = "without a database there is none")]
pub use rows::*;
pub use run::Run;
pub(crate) use run::RunFacts;
