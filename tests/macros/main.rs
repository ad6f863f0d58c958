//! The attributes: what they accept, what they refuse and with which words, and what they leave alone.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod defaults;
mod direct_calls;
mod editions;
mod hygiene;
mod listing;
#[cfg(feature = "testing")]
mod lock;
mod messages;
mod names;
mod positional;
mod scoped_outputs;
mod scoped_parameters;
mod stacking;
mod state;
mod ui;
