//! The harness of the test suite.
