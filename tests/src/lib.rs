//! The harness of the test suite: what tests of several areas share.

pub mod log;
pub mod patience;
pub mod recorder;
