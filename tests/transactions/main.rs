//! A scope and a database's transaction that end together: `OpenScope::commit` on real databases.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(clippy::print_stdout, reason = "what came before is shown with what failed")]

mod commit;
mod composed;
mod cut;
mod databases;
mod dropped;
mod handlers;
mod nested;
mod refused;
mod shop;
