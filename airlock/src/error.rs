//! The sum of the errors, which stand in the rooms that make them.

use std::error::Error as StdError;

use crate::encode::EncodeError;
use crate::flush::FlushError;
use crate::registry::RegistryError;
use crate::scope::EnqueueError;

/// Any error of this crate, and room for those of others: for functions that enqueue, flush and do their own work.
///
/// An enum of your own does as well; it needs these two:
///
/// ```
/// #[derive(Debug, thiserror::Error)]
/// enum CheckoutError {
///     #[error("out of stock")]
///     OutOfStock,
///     #[error(transparent)]
///     Enqueue(#[from] airlock::EnqueueError),
///     #[error(transparent)]
///     Flush(#[from] airlock::FlushError),
/// }
///
/// #[airlock::scoped]
/// fn checkout() -> Result<(), CheckoutError> {
///     Err(CheckoutError::OutOfStock)
/// }
/// # assert!(checkout().is_err());
/// ```
///
/// With `anyhow`, `?` takes them all, and [`FlushError::find`] digs the flush error out again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An intent was not recorded.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// Something that was to escape didn't, or may not have.
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// A task can't be found or called by name.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A value can't be written so that every reader gets it back as it was.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The settings can't be used.
    #[cfg(feature = "settings")]
    #[error(transparent)]
    Settings(#[from] crate::settings::load::SettingsError),
    /// Somebody else's error.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Somebody else's error.
    ///
    /// ```
    /// fn read() -> airlock::Result<String> {
    ///     std::fs::read_to_string("no such file").map_err(airlock::Error::other)
    /// }
    /// assert!(read().is_err());
    /// ```
    pub fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}
