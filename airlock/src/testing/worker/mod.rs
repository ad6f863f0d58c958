//! What a worker adds to the run of a task, in tests: `run` is what the task knows of it, `runner` runs tasks to their ends
//! without a database, `ended` says how they ended, and `temporary` is a database of one test with a worker beside.

mod ended;
mod run;
mod runner;
#[cfg_attr(not(feature = "outbox"), path = "no_outbox.rs")]
mod temporary;

pub use ended::{PerformError, Performed};
pub(super) use run::{in_run, run_of, within_run};
pub use runner::TestWorker;
#[allow(unused_imports, unreachable_pub, reason = "without a SQLite file there is none")]
pub use temporary::*;

pub(super) use crate::worker::RunFailure as FailedRun;
