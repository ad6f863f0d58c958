//! The sum of the errors, which stand in the rooms that make them.

use std::error::Error as StdError;

use crate::dispatch::DispatchError;
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
    /// A scope and its transaction did not end as they were to.
    #[cfg(feature = "_sql")]
    #[error(transparent)]
    Commit(#[from] crate::transaction::CommitError),
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

#[cfg(feature = "outbox")]
impl From<crate::outbox::OutboxError> for Error {
    fn from(error: crate::outbox::OutboxError) -> Self {
        Self::other(error)
    }
}

#[cfg(feature = "_queue")]
impl From<crate::brokers::BrokerUrlError> for Error {
    fn from(error: crate::brokers::BrokerUrlError) -> Self {
        Self::other(error)
    }
}

// Here, as a flush knows nothing of the sum of all errors.
impl FlushError {
    /// The flush error in a chain of sources: behind `anyhow`, in a box, in an enum of your own unless its variant is
    /// `#[error(transparent)]`, which hides it from the chain: match on the variant then.
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            let found = error.downcast_ref::<Self>().or_else(|| match error.downcast_ref::<Error>() {
                Some(Error::Flush(found)) => Some(found),
                Some(Error::Other(other)) => Self::find(&**other),
                _ => None,
            });
            if found.is_some() {
                return found;
            }
            next = match error.downcast_ref::<DispatchError>() {
                // Its source may be a text.
                Some(error) => Some(error.get_ref()),
                None => error.source(),
            };
        }
        None
    }
}
