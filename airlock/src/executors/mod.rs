//! HOW intents are handed over.

mod batch;
mod builder_options;
mod closure;
pub(crate) mod drains;
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
mod threads;
pub(crate) mod times;
#[cfg(feature = "tokio")]
mod tokio;
mod unfinished;

pub use batch::{Batch, Begun, Ticket};
#[cfg(feature = "settings")]
pub(crate) use builder_options::OptionReader;
pub(crate) use builder_options::builder_options;
pub use closure::executor_fn;
pub use executor::Executor;
pub(crate) use executor::ExecutorTraits;
pub use fallback::Fallback;
pub use flush_context::{FlushContext, FlushMode};
pub use inline::InlineExecutor;
pub(crate) use join::{join_all, shut_down};
pub(crate) use ledger::{Cause, Ending, ItemState, Ledger, Stop};
pub use log::LogExecutor;
pub use on_failure::OnFailure;
pub(crate) use printed_name::printed_name;
pub use retry::Retry;
pub use route::Route;
#[cfg(feature = "threads")]
pub use threads::ThreadPoolExecutor;
#[cfg(feature = "tokio")]
pub use tokio::TokioExecutor;
pub use unfinished::Unfinished;
