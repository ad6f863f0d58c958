//! One small order service, which the examples run under different contexts.
//!
//! This is domain code: it enqueues where the effect belongs, deep in the call stack, and knows neither scopes nor
//! policies nor executors.

pub mod orders;
pub mod shop;
pub mod tasks;
