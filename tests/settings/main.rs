//! Settings from files and environment variables, and what is said about mistakes in them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod golden;
mod in_force;
mod mistakes;
mod names;
mod options;
mod selecting;
mod signing;
