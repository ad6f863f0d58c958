//! The worker of an outbox: `builder` describes it, `engine` claims rows and has their ends recorded (`steps`, `finishing`), `slots`
//! runs them side by side, `attempt` is one run, `alone` those that have company of none, `leases` knows what is held and `renewal` keeps it.

mod alone;
mod attempt;
mod builder;
mod engine;
mod finishing;
mod leases;
mod pace;
mod renewal;
mod slots;
mod steps;

pub use builder::Worker;
