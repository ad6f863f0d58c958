//! What tests of airlock itself ask of an outbox.

#[cfg(feature = "_sql")]
mod steps;

#[cfg(feature = "_sql")]
pub use steps::{ClaimEnd, ClaimKey, ClaimedKeys, WorkerSteps};
