//! What code would let out, without letting it out.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::recording::{Recorded, RecordingExecutor};
use super::text;
use crate::context::futures::InContext;
use crate::context::stack::ContextSwap;
use crate::executors::OnFailure;
use crate::flush::{FlushError, FlushReport, Outcome};
use crate::intent::Intent;
use crate::lifecycle::AlwaysFlush;
use crate::scope::{Ended, ScopeBody, ScopeBuilder};
use crate::task::Task;

/// What [`capture`] saw: the value of the closure, and the intents that would have escaped.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::testing::capture;
///
/// let captured = capture(|| send_email::enqueue(42).is_ok());
/// assert!(captured.value());
/// assert_eq!(captured.of::<send_email>(), [&(42,)]);
/// ```
pub struct Captured<R> {
    value: R,
    intents: Vec<Intent>,
    dropped: Vec<(Intent, String)>,
}

impl<R> Captured<R> {
    /// What the closure returned.
    #[must_use]
    pub fn value(&self) -> &R {
        &self.value
    }

    /// What the closure returned, by value.
    #[must_use]
    pub fn into_value(self) -> R {
        self.value
    }

    /// The intents that would have escaped, in the order of the enqueue calls.
    #[must_use]
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// The intents that a policy refused, with its name.
    pub fn dropped(&self) -> impl Iterator<Item = (&Intent, &str)> {
        self.dropped.iter().map(|(intent, policy)| (intent, &**policy))
    }

    /// The arguments of the intents of task `T`, typed.
    #[must_use]
    pub fn of<T: Task>(&self) -> Vec<&T::Args> {
        self.intents.iter().filter_map(|intent| intent.args::<T>()).collect()
    }

    /// The same intents with another value.
    pub(super) fn map<S>(self, map: impl FnOnce(R) -> S) -> Captured<S> {
        Captured { value: map(self.value), intents: self.intents, dropped: self.dropped }
    }
}

impl<R> fmt::Debug for Captured<R> {
    /// Names, ids and places.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("intents", &self.intents)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

impl<R> Recorded for Captured<R> {
    fn recorded(&self) -> Vec<Intent> {
        self.intents.clone()
    }

    fn refused(&self) -> Vec<(Intent, String)> {
        self.dropped.clone()
    }
}

/// Runs the closure in a scope that lets nothing out, and gives what would have escaped.
///
/// The closure's own scopes are nested in this one: those that fail discard, those that end well are captured with
/// their policies, whatever executors they have. What the policies refuse is in [`dropped`](Captured::dropped). What
/// was enqueued outside of any scope of the closure counts even if it returns an `Err`. Threads and tasks that carry
/// the scope ([`Scope::run`](crate::Scope::run), [`Scope::wrap`](crate::Scope::wrap)) enqueue into it until the closure
/// returns. Scopes and local policies around the call have no part in it.
///
/// Arguments are encoded, read back and encoded again, and the two encodings compared: what a type never writes, such as
/// a field with `#[serde(skip)]`, is not missed.
///
/// # Panics
/// An argument doesn't survive its encoding, or a policy panicked: the message says which.
#[track_caller]
pub fn capture<R>(body: impl FnOnce() -> R) -> Captured<R> {
    capture_in(crate::scope(), body)
}

/// Like [`capture`], for a future. The scope opens at its first poll.
///
/// ```
/// # #[airlock::task] async fn refresh(account: u64) { let _ = account; }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use airlock::testing::capture_async;
///
/// let captured = capture_async(async { refresh::enqueue(7) }).await;
/// airlock::assert_enqueued!(captured, refresh { account: 7 });
/// # }
/// ```
///
/// # Panics
/// As [`capture`].
#[track_caller]
pub fn capture_async<F: Future>(body: F) -> impl Future<Output = Captured<F::Output>> + use<F> {
    capture_in_async(crate::scope(), body)
}

/// Like [`capture`], in a scope of your own: its policy judges, and its executor and lifecycle are left out.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::testing::capture_in;
/// use airlock::{BlockTasks, ScopeBuilder};
///
/// fn admin() -> ScopeBuilder {
///     airlock::scope().name("admin").policy(BlockTasks::of::<send_email>())
/// }
///
/// let captured = capture_in(admin(), || send_email::enqueue(42).is_ok());
/// airlock::assert_not_enqueued!(captured, send_email);
/// assert_eq!(captured.dropped().count(), 1);
/// ```
///
/// # Panics
/// As [`capture`].
#[track_caller]
pub fn capture_in<R>(scope: ScopeBuilder, body: impl FnOnce() -> R) -> Captured<R> {
    let recorder = RecordingExecutor::new();
    let ended = {
        // A scope around would capture what belongs to this one.
        let _empty = ContextSwap::empty();
        recording_scope(scope, &recorder).run_reported(|| CapturedBody(body()))
    };
    finish(&recorder, ended)
}

/// Like [`capture_in`], for a future.
///
/// # Panics
/// As [`capture`].
pub fn capture_in_async<F: Future>(scope: ScopeBuilder, body: F) -> impl Future<Output = Captured<F::Output>> + use<F> {
    let recorder = RecordingExecutor::new();
    let scope = recording_scope(scope, &recorder);
    async move {
        let ended = InContext::empty(scope.run_reported_async(async { CapturedBody(body.await) })).await;
        finish(&recorder, ended)
    }
}

/// A body that counts as a success, whatever it returns: what was enqueued was enqueued.
struct CapturedBody<R>(R);

impl<R> ScopeBody for CapturedBody<R> {
    fn succeeded(&self) -> bool {
        true
    }
}

/// Far enough away to be no deadline, whatever the settings say.
pub(super) const AN_HOUR: Duration = Duration::from_secs(3600);

fn recording_scope(scope: ScopeBuilder, recorder: &RecordingExecutor) -> ScopeBuilder {
    scope.executor(recorder.clone()).lifecycle(AlwaysFlush).on_failure(OnFailure::Continue).deadline(AN_HOUR)
}

#[track_caller]
fn finish<R>(recorder: &RecordingExecutor, ended: Ended<CapturedBody<R>>) -> Captured<R> {
    match ended.flush {
        Ok(report) => Captured { value: ended.result.0, intents: recorder.take(), dropped: dropped(&report) },
        Err(error) => panic!("{}", not_captured(error)),
    }
}

pub(super) fn dropped(report: &FlushReport) -> Vec<(Intent, String)> {
    let entries = report.entries().iter();
    let dropped = entries.filter_map(|entry| match (entry.outcome(), entry.intent()) {
        (Outcome::Dropped { policy }, Some(intent)) => Some((intent.clone(), policy.clone())),
        _ => None,
    });
    dropped.collect()
}

fn not_captured(error: FlushError) -> String {
    let mut message = "what was enqueued could not be sent:".to_owned();
    for entry in error.report().entries().iter().filter(|entry| matches!(entry.outcome(), Outcome::Failed { .. })) {
        text::line(&mut message, 1, &format!("{} ({}): {}", entry.name(), entry.location(), entry.outcome()));
    }
    if !message.contains('\n') {
        text::line(&mut message, 1, &error.to_string());
    }
    // They are in the message, so they are not lost.
    drop(error.into_intents());
    message
}
