//! Messages beside what the real libraries write for the same call: the files here are theirs, written by `capture.py`.
//! And what no worker could take, refused.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod celery;
mod django_q;
mod django_tasks;
mod dramatiq;
mod golden;
mod huey;
#[cfg(feature = "lambda")]
mod lambda;
mod options;
mod pickle;
mod refusals;
mod refusals_pickled;
mod rows;
mod tasks;
mod times;
