//! What every system with a queue needs: its public executor, the wire format behind it, and sending.

mod config;
mod executor;
mod format;
#[cfg(feature = "_sql")]
pub(crate) mod insert;
pub(crate) mod limits;
mod publish;

pub(crate) use config::CommonConfig;
pub(crate) use executor::{QueueExecutor, queue_executor};
pub(crate) use format::Format;
