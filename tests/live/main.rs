//! Real workers of the real libraries, on real brokers, run what was flushed: Celery, Dramatiq, Huey and Django-Q.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod arguments;
mod celery_delays;
mod celery_options;
mod django_q_options;
mod django_tasks_options;
mod dramatiq_options;
mod examples;
mod fleet;
mod huey_options;
#[cfg(feature = "lambda")]
mod lambda;
mod random;
mod relay;
mod tasks;
