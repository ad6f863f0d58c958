//! The harness of the test suite: what tests of several areas share.

pub mod exact;
pub mod log;
pub mod patience;
pub mod process;
pub mod python;
pub mod recorder;
pub mod servers;
pub mod values;
