//! What every transport needs to have a connection: the driver that keeps it on the I/O thread, the jobs that are sent
//! through it, and what goes wrong with it.

#[cfg(feature = "_tls")]
pub(super) mod certificates;
mod driver;
mod fault;
mod job;
mod manager;
mod protocol;
mod requeue;

pub(super) use fault::BrokerFault;
pub(crate) use job::{FlushDoubt, JobReplies, JobReply, JobTimeouts};
pub(super) use job::{Job, JobOutcome};
pub(crate) use manager::ConnectionManager;
pub(crate) use protocol::Protocol;
pub(super) use protocol::{Connection, Liveness};
pub(super) use requeue::Requeue;
