//! What an error says about the next run.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::dispatch::DispatchError;
use crate::intent::IntentId;

/// An error that a further run can't help: the row is *dead* at once. A worker finds it anywhere in the chain of sources of
/// what a task returns.
///
/// ```
/// use airlock::Permanent;
///
/// #[airlock::task]
/// fn charge(card: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     if card.is_empty() {
///         return Err(Permanent::new("there is no card").into());
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Permanent(Box<dyn StdError + Send + Sync>);

impl Permanent {
    /// The error, for good.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// An error that says when a further run may help: "too many requests, try again in a minute". It counts as an attempt. A
/// worker finds it anywhere in the chain of sources of what a task returns.
///
/// ```
/// use std::time::Duration;
/// use airlock::RetryAfter;
///
/// #[airlock::task]
/// async fn look_up(order_id: u64) -> Result<(), RetryAfter> {
///     Err(RetryAfter::new(Duration::from_secs(60), format!("too many look-ups before {order_id}")))
/// }
/// ```
#[derive(Debug)]
pub struct RetryAfter {
    pause: Duration,
    error: Box<dyn StdError + Send + Sync>,
}

impl RetryAfter {
    /// The error, and how long to wait.
    pub fn new(pause: Duration, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { pause, error: error.into() }
    }
}

impl fmt::Display for Permanent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Permanent {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl StdError for RetryAfter {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// What an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Nothing.
    None,
    /// No more.
    Never,
    /// Not before that.
    After(Duration),
}

/// What the error of a run says about the next one: the outermost word counts.
pub(crate) fn advice(error: &DispatchError) -> Advice {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error.get_ref());
    while let Some(error) = next {
        if error.is::<Permanent>() {
            return Advice::Never;
        }
        if let Some(RetryAfter { pause, .. }) = error.downcast_ref() {
            return Advice::After(*pause);
        }
        next = match error.downcast_ref::<DispatchError>() {
            // Its source may be a text.
            Some(error) => Some(error.get_ref()),
            None => error.source(),
        };
    }
    Advice::None
}

/// A run that failed, as [`Worker::on_error`](crate::Worker::on_error) hears of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunFailure {
    /// The intent's id, unless the row's is none.
    pub id: Option<IntentId>,
    /// The task's name in the row.
    pub task: String,
    /// The queue.
    pub queue: String,
    /// Which run it was, from 1.
    pub attempt: u32,
    /// What went wrong.
    pub error: DispatchError,
    /// When it is tried again; `None` if the row is dead.
    pub again_in: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Box<dyn StdError + Send + Sync>);

    #[test]
    fn advice_is_found_anywhere_in_the_chain_of_sources() {
        let failed = |error: Box<dyn StdError + Send + Sync>| advice(&DispatchError::task_failed(error));
        let outer = |error: Box<dyn StdError + Send + Sync>| -> Box<dyn StdError + Send + Sync> { Outer(error).into() };
        let minute = Duration::from_secs(60);
        assert_eq!(failed("no".into()), Advice::None);
        assert_eq!(failed(Permanent::new("no").into()), Advice::Never);
        assert_eq!(failed(outer(outer(Permanent::new("no").into()))), Advice::Never);
        assert_eq!(failed(outer(RetryAfter::new(minute, "no").into())), Advice::After(minute));
        assert_eq!(failed(outer(DispatchError::rejected(Permanent::new("no")).into())), Advice::Never);
        let both = Permanent::new(Outer(RetryAfter::new(minute, "no").into()));
        assert_eq!((both.to_string().as_str(), failed(both.into())), ("outer", Advice::Never));
    }
}
