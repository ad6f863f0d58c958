//! What a flush could not settle as dispatched.

use super::outcome::{Outcome, Unattempted};
use super::report_builder::ReportBuilder;
use crate::dispatch::{DispatchError, DispatchErrorKind, Rejection};
use crate::intent::{Failure, Intent};

/// What a flush could not settle as dispatched.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    pub(super) undispatched: Vec<Intent>,
    pub(super) unconfirmed: Vec<Failure>,
    pub(super) failed: Vec<Failure>,
    /// Whether the flush failed before its policies had their say.
    pub(super) unjudged: bool,
}

impl Unsent {
    /// What a flush had to give back before it was judged.
    pub(crate) fn unjudged() -> Self {
        Self { unjudged: true, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many intents were not settled as dispatched.
    pub(crate) fn len(&self) -> usize {
        self.undispatched.len() + self.unconfirmed.len() + self.failed.len()
    }

    pub(crate) fn unattempted(
        &mut self,
        intents: impl IntoIterator<Item = Intent>,
        reason: &Unattempted,
        report: &mut ReportBuilder,
    ) {
        for intent in intents {
            self.undispatched.push(intent.clone());
            report.add(intent, || Outcome::Unattempted { reason: reason.clone() });
        }
    }

    /// A batch of which the executor refused some, so that all stay.
    pub(crate) fn refused(
        &mut self,
        intents: impl Iterator<Item = (Intent, Option<Rejection>)>,
        report: &mut ReportBuilder,
    ) {
        for (intent, rejection) in intents {
            self.undispatched.push(intent.clone());
            report.add(intent, || match rejection {
                Some(rejection) => Outcome::Failed { error: DispatchError::rejected(rejection) },
                None => Outcome::Unattempted { reason: Unattempted::OtherRefused },
            });
        }
    }

    /// An intent the executor settled with an error.
    pub(crate) fn failed(&mut self, mut failure: Failure, handle: Option<Intent>, report: &mut ReportBuilder) {
        failure.intent = handle.or(failure.intent);
        let outcome = Outcome::of_error(failure.error.clone());
        match &failure.intent {
            Some(intent) => report.add(intent.clone(), || outcome),
            None => report.add_moved(&failure, outcome),
        }
        match (failure.error.kind(), failure.intent.take()) {
            (DispatchErrorKind::Rejected | DispatchErrorKind::Unavailable, Some(intent)) => {
                self.undispatched.push(intent);
            }
            (DispatchErrorKind::Unconfirmed, intent) => self.unconfirmed.push(Failure { intent, ..failure }),
            (_, intent) => self.failed.push(Failure { intent, ..failure }),
        }
    }

    /// An intent that was begun and never settled.
    pub(crate) fn unsettled(&mut self, intent: Intent, report: &mut ReportBuilder) {
        let error = DispatchError::unconfirmed("the executor had not said how it went when the flush ended");
        let (id, name, location) = (intent.id(), intent.name(), intent.location());
        self.failed(Failure { id, name, location, error, intent: None }, Some(intent), report);
    }

    pub(super) fn take_intents(&mut self) -> Vec<Intent> {
        let mut intents = std::mem::take(&mut self.undispatched);
        let failures = self.unconfirmed.iter_mut().chain(&mut self.failed);
        intents.extend(failures.filter_map(|failure| failure.intent.take()));
        // They belong to the caller that takes them, and may be pushed into another scope.
        intents.iter().for_each(Intent::release);
        intents
    }
}
