//! The attributes: what they accept, what they refuse and with which words, and what they leave alone.

mod defaults;
mod direct_calls;
mod editions;
mod hygiene;
mod listing;
mod lock;
mod positional;
mod stacking;
mod state;
mod ui;
