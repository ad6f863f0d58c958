//! Real workers of the real libraries, on real brokers, run what was flushed: Celery and Dramatiq, Redis and RabbitMQ.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod arguments;
mod celery_options;
mod dramatiq_options;
mod examples;
mod fleet;
#[cfg(feature = "lambda")]
mod lambda;
mod random;
mod tasks;
