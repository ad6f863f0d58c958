//! For tests: executors that play what can go wrong.

mod fault;

pub use fault::{Fault, FaultExecutor};
