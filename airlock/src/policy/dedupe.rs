//! One of several equal intents.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Policy;
use crate::context::judging;
use crate::encode::canonical;
use crate::intent::Intent;

type DedupeKey = dyn Fn(&Intent) -> Option<String> + Send + Sync;

/// Within one flush, lets the first of equal intents escape and drops the others.
///
/// Equal means: the same task and the same encoded arguments, whatever order a `HashMap` in them has, or the same key with
/// [`by`](Self::by). An intent without a key, which by default is one whose arguments can't be encoded, is equal to none.
/// Nothing is remembered from one flush to the next, and clones are one policy.
///
/// The order of a list means something, and a `HashSet` is written as a list in the order that it has by chance: two equal
/// ones mostly are not equal here. Take a `BTreeSet`, or a key of your own. Floats are compared as they are written: `0.0`
/// and `-0.0` are two.
///
/// ```
/// use airlock::Dedupe;
///
/// let once_a_task = Dedupe::by(|intent| Some(intent.name().to_owned()));
/// # let _ = (once_a_task, Dedupe::new());
/// ```
#[derive(Clone)]
pub struct Dedupe {
    id: usize,
    key: Arc<DedupeKey>,
}

impl Dedupe {
    /// By task and encoded arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::by(|intent| {
            let arguments = canonical(intent.to_json().ok()?.get());
            Some(format!("{}{arguments}", intent.name()))
        })
    }

    /// By a key of your own; intents without one are let through.
    pub fn by(key: impl Fn(&Intent) -> Option<String> + Send + Sync + 'static) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), key: Arc::new(key) }
    }
}

impl Default for Dedupe {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Dedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedupe").finish_non_exhaustive()
    }
}

impl Policy for Dedupe {
    fn name(&self) -> &str {
        "Dedupe"
    }

    fn allows(&self, intent: &Intent) -> bool {
        let Some(key) = (self.key)(intent) else { return true };
        // Outside a flush there is nothing to be equal to.
        judging::in_flush(self.id, |seen: &mut HashSet<String>| seen.insert(key)).unwrap_or(true)
    }

    fn judges_enqueue(&self) -> bool {
        false
    }
}
