//! The worker of an outbox: `builder` describes it, `engine` claims rows and has their ends recorded (`steps`, `finishing`), `slots`
//! runs them side by side, `attempt` is one run, `alone` those that have company of none, `leases` knows what is held and `renewal` keeps it.

#[cfg(feature = "_sql")]
mod alone;
#[cfg(feature = "_sql")]
mod attempt;
#[cfg(feature = "_sql")]
mod builder;
#[cfg(feature = "_sql")]
mod engine;
#[cfg(feature = "_sql")]
mod finishing;
#[cfg(feature = "_sql")]
mod leases;
#[cfg(feature = "_sql")]
mod pace;
#[cfg(feature = "_sql")]
mod renewal;
#[cfg(feature = "_sql")]
mod slots;
#[cfg(feature = "_sql")]
mod steps;

#[cfg(feature = "_sql")]
pub use builder::Worker;
