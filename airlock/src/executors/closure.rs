//! Closures as executors.

use std::error::Error;

use super::{Batch, Capabilities, Executor};
use crate::dispatch::DispatchError;
use crate::intent::Intent;
use crate::runtime::BoxFuture;

/// An executor of one closure, which hands over one intent.
///
/// A closure is an executor by itself; this helps the compiler to see its argument's type. An error that is a
/// [`DispatchError`] keeps its kind; any other counts as `Unconfirmed`, since it isn't known how far the closure got.
/// A flush through it ends after five seconds unless the scope sets a [`deadline`](crate::ScopeBuilder::deadline).
///
/// ```
/// let executor = airlock::executor_fn(|intent| {
///     println!("{} {}", intent.id(), intent.name());
///     intent.call()
/// });
/// airlock::scope().executor(executor).run(|| {})?;
/// # Ok::<(), airlock::FlushError>(())
/// ```
pub fn executor_fn<F, E>(dispatch: F) -> impl Executor
where
    F: Fn(Intent) -> Result<(), E> + Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    dispatch
}

#[diagnostic::do_not_recommend]
impl<F, E> Executor for F
where
    F: Fn(Intent) -> Result<(), E> + Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn name(&self) -> &str {
        "closure"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let (intent, ticket) = begun.into_parts();
                let result = self(intent).map_err(|error| match error.into().downcast::<DispatchError>() {
                    Ok(known) => *known,
                    Err(unknown) => DispatchError::unconfirmed(unknown),
                });
                ticket.settle(result);
                batch.make_way().await;
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { runs_on_caller: true, ..Capabilities::default() }
    }
}
