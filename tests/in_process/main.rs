//! Executors that run tasks in this process, executors made of others, and what they do when things fail.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod chunks;
mod custom;
mod delays;
mod destructors;
mod ended_runtimes;
mod load;
mod options;
mod promise_11_runtimes;
mod promise_13_kinds;
mod promise_14_deadlines;
mod promise_15_bodies;
mod retries;
mod room;
mod routes;
mod runtimes;
mod state;
mod sync_in_runtime;
mod threads;
mod tokio_tasks;
