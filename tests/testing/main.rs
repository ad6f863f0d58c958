//! The test kit, `airlock::testing`: what it shows, and that each of its assertions fails where it must.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod asserting;
mod capturing;
mod draining;
mod failing;
mod golden;
mod hygiene;
mod inverse;
mod leaks;
mod overrides;
mod performing;
mod processes;
mod read_back;
mod shop;
