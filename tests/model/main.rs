//! Random programs against a reference model, and the race between enqueueing and sealing in every order there is.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod program;
mod properties;
mod reference;
mod run;
mod sealing;
mod trace;
