//! The harness of the test suite: what tests of several areas share.

#[cfg(feature = "lambda")]
pub mod aws;
pub mod exact;
pub mod log;
pub mod patience;
pub mod process;
pub mod python;
pub mod recorder;
pub mod roundtrip;
pub mod servers;
pub mod stopwatch;
pub mod values;
