//! A boxed future.

use std::future::Future;
use std::pin::Pin;

/// A boxed future, as executors return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
