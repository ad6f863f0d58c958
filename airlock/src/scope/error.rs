//! Why an intent was not recorded.

use std::sync::Arc;

use crate::context::{Frame, Phase};
use crate::intent::Intent;
use crate::options::OptionsError;
use crate::policy::Violation;
use crate::text::redact::redact_text;

/// Why an intent was not recorded. Nothing was done with it; [`into_intent`](Self::into_intent) gives it back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// There is no scope here, or the thread is ending and can have none. Nothing runs immediately instead.
    #[error("{}{}", .refused.prefix(), .refused.why)]
    NoScope {
        /// The intent.
        refused: Box<Refused>,
    },
    /// A policy, lifecycle or executor was being asked on this thread; those may judge, not enqueue.
    #[error("{}a policy is being asked; policies judge, they can't enqueue", .refused.prefix())]
    InPolicy {
        /// The intent.
        refused: Box<Refused>,
    },
    /// A policy around the call refuses it.
    #[error("{}{}", .refused.prefix(), .refused.why)]
    Rejected {
        /// The intent, and who refused it.
        refused: Box<Refused>,
    },
    /// The scope has ended.
    #[error("{}{}", .refused.prefix(), .refused.why)]
    Closed {
        /// The intent, and which scope.
        refused: Box<Refused>,
    },
    /// The options of the call contradict themselves.
    #[error("{}{}", .refused.prefix(), .refused.why)]
    Options {
        /// The intent, and which options.
        refused: Box<Refused>,
    },
    /// A scope has, or had, this very intent; in two places it would run twice.
    #[error("{}a scope has this very intent already; make another one", .refused.prefix())]
    Repeated {
        /// The intent.
        refused: Box<Refused>,
    },
}

/// An intent that was not recorded, and why.
#[derive(Debug)]
pub struct Refused {
    intent: Intent,
    why: String,
    policy: Option<String>,
}

impl Refused {
    fn of(mut intent: Intent, why: String) -> Box<Self> {
        intent.context = None;
        intent.release();
        Box::new(Self { intent, why, policy: None })
    }

    /// The intent.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// The policy that refused it, if one did.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// What begins each message.
    fn prefix(&self) -> String {
        format!("task `{}` can't be enqueued at {}: ", self.intent.name(), self.intent.location())
    }
}

impl EnqueueError {
    pub(crate) fn no_scope(intent: Intent) -> Self {
        let why =
            "there is no scope here; wrap the caller in `airlock::scope().run(..)` or mark it `#[airlock::scoped]`";
        Self::NoScope { refused: Refused::of(intent, why.to_owned()) }
    }

    pub(crate) fn thread_ending(intent: Intent) -> Self {
        let why = "this thread or the process is ending, and its scopes are gone; enqueue before that";
        Self::NoScope { refused: Refused::of(intent, why.to_owned()) }
    }

    pub(crate) fn in_policy(intent: Intent) -> Self {
        Self::InPolicy { refused: Refused::of(intent, String::new()) }
    }

    pub(crate) fn rejected(intent: Intent, policy: &str, violation: &Violation) -> Self {
        let policy = redact_text(policy).into_owned();
        let mut refused = Refused::of(intent, format!("{policy} refuses it: {violation}"));
        refused.policy = Some(policy);
        Self::Rejected { refused }
    }

    pub(crate) fn closed(intent: Intent, phase: Phase, scope: &Arc<Frame>) -> Self {
        let scope = scope.as_scope().map_or_else(|| "the scope".to_owned(), |scope| scope.info().to_string());
        let ended = match phase {
            Phase::Discarded => "was discarded",
            Phase::Sealed => "is sealed",
            Phase::Open | Phase::Flushed => "was flushed",
        };
        Self::Closed { refused: Refused::of(intent, format!("{scope} {ended}")) }
    }

    pub(crate) fn options(intent: Intent, error: &OptionsError) -> Self {
        Self::Options { refused: Refused::of(intent, error.to_string()) }
    }

    pub(crate) fn repeated(intent: Intent) -> Self {
        Self::Repeated { refused: Box::new(Refused { intent, why: String::new(), policy: None }) }
    }

    /// The intent, and why it was not recorded.
    #[must_use]
    pub fn refused(&self) -> &Refused {
        match self {
            Self::NoScope { refused }
            | Self::InPolicy { refused }
            | Self::Rejected { refused }
            | Self::Closed { refused }
            | Self::Options { refused }
            | Self::Repeated { refused } => refused,
        }
    }

    /// The intent by value, to be pushed elsewhere.
    #[must_use]
    pub fn into_intent(self) -> Intent {
        match self {
            Self::NoScope { refused }
            | Self::InPolicy { refused }
            | Self::Rejected { refused }
            | Self::Closed { refused }
            | Self::Options { refused }
            | Self::Repeated { refused } => refused.intent,
        }
    }
}
