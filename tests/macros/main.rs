//! The attributes: what they accept, what they refuse and with which words, and what they leave alone.

mod editions;
mod hygiene;
mod stacking;
mod ui;
