//! What both executors of this process are made of, the thread pool and the one on tokio: the jobs they have accepted,
//! bounded, in order, and accounted for to the last. Each accepted intent is run, dropped as expired and reported, or
//! handed back by a shutdown.
//!
//! Everything that changes lies in [`Jobs`](jobs::Jobs), behind one mutex, which is held for moments and
//! never while a task, a handler or a waker runs. Threads without a job wait at a condition variable; flushes that
//! wait for room, and shutdowns that wait for the end, listen to events.

mod abandoned;
mod backlog;
mod delayed;
mod jobs;
mod limits;
mod listen;
pub(super) mod options;
mod park;
mod push;
mod run;
mod run_queue;
mod shutdown;
mod workers;

pub(super) use backlog::Backlog;
pub(super) use jobs::PoolJob;
pub(super) use limits::Limits;
