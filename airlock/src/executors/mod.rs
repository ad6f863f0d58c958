//! HOW intents are handed over.

mod batch;
mod builder_options;
mod closure;
pub(crate) mod drains;
mod drive;
mod executor;
mod fallback;
mod flush_context;
mod inline;
mod join;
mod ledger;
mod log;
mod on_failure;
#[cfg(feature = "_pool")]
mod pool;
mod printed_name;
mod retry;
mod route;
#[cfg(feature = "threads")]
pub(crate) mod threads;
pub(crate) mod times;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;
mod unfinished;

pub use batch::{Batch, Begun, Ticket};
pub(crate) use builder_options::OptionReader;
pub(crate) use builder_options::builder_options;
pub use closure::executor_fn;
pub(crate) use drive::{drive, drive_write};
pub(crate) use executor::Capabilities;
pub use executor::Executor;
pub use fallback::Fallback;
pub use flush_context::{FlushContext, FlushMode};
pub use inline::InlineExecutor;
pub(crate) use join::{join_all, shut_down};
pub(crate) use ledger::{Cause, DispatchEnd, ItemState, Ledger, Stop};
pub use log::LogExecutor;
pub use on_failure::OnFailure;
pub(crate) use printed_name::printed_name;
pub use retry::Retry;
pub use route::Route;
pub use unfinished::Unfinished;
