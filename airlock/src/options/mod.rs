//! How an intent should be delivered: queue, time, priority, and what only one system knows.

mod extra;
mod getters;

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::encode::Encoder;

pub use extra::Extra;

/// The largest priority; the smallest is 0, and higher is sooner on every system.
pub const MAX_PRIORITY: u8 = 9;

/// How an intent should be delivered.
///
/// The attribute gives a task's own options; those of a call override them one by one. The inline and the log executor
/// ignore them: they act at once. Any other executor honours an option or refuses the intent before anything is handed
/// over.
///
/// ```
/// use std::time::Duration;
/// use airlock::Options;
///
/// let options = Options::new().queue("mail").delay(Duration::from_secs(300)).header("tenant", "acme");
/// assert_eq!(options.get_queue(), Some("mail"));
/// ```
#[derive(Clone, Default)]
pub struct Options {
    queue: Option<Cow<'static, str>>,
    priority: Option<u8>,
    max_retries: Option<u32>,
    start: Option<When>,
    expiry: Option<When>,
    timeout: Option<Duration>,
    origin: Option<Cow<'static, str>>,
    label: Option<Cow<'static, str>>,
    headers: Vec<(String, String)>,
    extras: Vec<Extra>,
    fault: Option<OptionsError>,
}

/// What most tasks have. In one place: the compiler then has no options to look into for each of them.
pub(crate) static NO_OPTIONS: Options = Options::new();

/// A time, counted from the first hand-over to an executor or fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// This long after the first hand-over.
    In(Duration),
    /// At this time.
    At(SystemTime),
}

impl fmt::Debug for Options {
    /// Headers and extras by name only: their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Options")
            .field("queue", &self.queue)
            .field("priority", &self.priority)
            .field("max_retries", &self.max_retries)
            .field("start", &self.start)
            .field("expiry", &self.expiry)
            .field("timeout", &self.timeout)
            .field("origin", &self.origin)
            .field("label", &self.label)
            .field("headers", &headers)
            .field("extras", &self.extras)
            .finish_non_exhaustive()
    }
}

/// Options that contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Two options that say the same thing in two ways are both set.
    #[error("`{0}` and `{1}` are both set; keep one")]
    Both(&'static str, &'static str),
    /// The priority is above [`MAX_PRIORITY`].
    #[error("priority {0} is out of range; use 0 to {MAX_PRIORITY}, higher is sooner")]
    Priority(u8),
    /// The value of an extra can't be encoded.
    #[error("the extra `{0}` has no JSON form")]
    Extra(String),
}

impl Options {
    /// No options: everything as the task or the system has it.
    #[must_use]
    pub const fn new() -> Self {
        Self::of_attribute(None, None, None, None, None, None)
    }

    /// The options an attribute can give, by position, usable in a `static`.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_attribute(
        queue: Option<&'static str>,
        priority: Option<u8>,
        max_retries: Option<u32>,
        delay: Option<Duration>,
        expires: Option<Duration>,
        timeout: Option<Duration>,
    ) -> Self {
        Self {
            queue: match queue {
                Some(queue) => Some(Cow::Borrowed(queue)),
                None => None,
            },
            priority,
            max_retries,
            start: match delay {
                Some(delay) => Some(When::In(delay)),
                None => None,
            },
            expiry: match expires {
                Some(expires) => Some(When::In(expires)),
                None => None,
            },
            timeout,
            origin: None,
            label: None,
            headers: Vec::new(),
            extras: Vec::new(),
            fault: None,
        }
    }

    /// The queue to deliver to.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<Cow<'static, str>>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Runs no sooner than this long after the first hand-over to an executor. Excludes [`eta`](Self::eta).
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.refuse_both(matches!(self.start, Some(When::At(_))), "delay", "eta");
        self.start = Some(When::In(delay));
        self
    }

    /// Runs no sooner than this time. Excludes [`delay`](Self::delay).
    #[must_use]
    pub fn eta(mut self, eta: SystemTime) -> Self {
        self.refuse_both(matches!(self.start, Some(When::In(_))), "delay", "eta");
        self.start = Some(When::At(eta));
        self
    }

    /// Not worth running later than this long after the first hand-over. Excludes [`expires_at`](Self::expires_at).
    #[must_use]
    pub fn expires_in(mut self, expires: Duration) -> Self {
        self.refuse_both(matches!(self.expiry, Some(When::At(_))), "expires_in", "expires_at");
        self.expiry = Some(When::In(expires));
        self
    }

    /// Not worth running after this time. Excludes [`expires_in`](Self::expires_in).
    #[must_use]
    pub fn expires_at(mut self, expires: SystemTime) -> Self {
        self.refuse_both(matches!(self.expiry, Some(When::In(_))), "expires_in", "expires_at");
        self.expiry = Some(When::At(expires));
        self
    }

    /// 0 to 9, higher is sooner.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        if priority > MAX_PRIORITY {
            self.fault.get_or_insert(OptionsError::Priority(priority));
        }
        self.priority = Some(priority);
        self
    }

    /// How often a worker may run the task again after it failed.
    #[must_use]
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = Some(max_retries);
        self
    }

    /// How long one run may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// A header of the message, for systems that carry headers. The same name again replaces the value.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        match self.headers.iter_mut().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = value,
            None => self.headers.push((name, value)),
        }
        self
    }

    /// Who caused the intent: a request path, a job name. Shown in reports and sent where a system has a place for it.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<Cow<'static, str>>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// A short name for people, shown in reports beside the task's name.
    #[must_use]
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// An option only `system` knows; executors of other systems ignore it. The same key again replaces the value.
    #[must_use]
    pub fn extra(
        mut self,
        system: impl Into<Cow<'static, str>>,
        key: impl Into<Cow<'static, str>>,
        value: impl Serialize,
    ) -> Self {
        let (system, key) = (system.into(), key.into());
        match Encoder::encode(&value) {
            Ok(value) => self.set_extra(Extra { system, key, value }),
            Err(_) => {
                self.fault.get_or_insert(OptionsError::Extra(format!("{system}.{key}")));
            }
        }
        self
    }

    /// The first contradiction, if there is one.
    ///
    /// # Errors
    /// Both of a pair are set, the priority is out of range, or an extra has no JSON form.
    pub fn check(&self) -> Result<(), OptionsError> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// Whether a time counts from the first hand-over.
    pub(crate) fn has_durations(&self) -> bool {
        matches!(self.start, Some(When::In(_))) || matches!(self.expiry, Some(When::In(_)))
    }

    /// These options where they are set, `base` elsewhere.
    pub(crate) fn over(mut self, base: &Self) -> Self {
        self.queue = self.queue.or_else(|| base.queue.clone());
        self.priority = self.priority.or(base.priority);
        self.max_retries = self.max_retries.or(base.max_retries);
        self.start = self.start.or(base.start);
        self.expiry = self.expiry.or(base.expiry);
        self.timeout = self.timeout.or(base.timeout);
        self
    }

    /// Without the time to start at, which has come.
    pub(crate) fn due(self) -> Self {
        Self { start: None, ..self }
    }

    /// What of these options says nothing about when and how often: origin, label, headers and extras.
    pub(crate) fn described(&self) -> Self {
        let (origin, label) = (self.origin.clone(), self.label.clone());
        Self { origin, label, headers: self.headers.clone(), extras: self.extras.clone(), ..Self::new() }
    }

    pub(crate) fn set_extra(&mut self, extra: Extra) {
        match self.extras.iter_mut().find(|known| known.is_named_as(&extra)) {
            Some(slot) => *slot = extra,
            None => self.extras.push(extra),
        }
    }

    fn refuse_both(&mut self, both: bool, first: &'static str, second: &'static str) {
        if both {
            self.fault.get_or_insert(OptionsError::Both(first, second));
        }
    }
}
