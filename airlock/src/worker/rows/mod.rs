//! The worker of an outbox: `builder` describes it, `engine` claims rows and has their ends recorded (`steps`, `finishing`), `slots`
//! runs them side by side (or `relay` hands them on, but those that are `resting`), `attempt` is one run, `alone` rows that run alone, `leases` knows what is held and `renewal` keeps it.

mod abort;
mod alone;
mod attempt;
mod builder;
mod engine;
mod finishing;
mod handing_on;
mod leases;
mod pace;
mod relay;
mod renewal;
mod resting;
mod runner;
mod slots;
mod starting;
mod steps;
mod through;

pub use builder::Worker;
