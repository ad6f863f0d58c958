//! Settings of one test.

use std::future::Future;
use std::sync::Arc;

use crate::settings::Settings;
use crate::settings::overriding::{Overriding, WithSettings};

/// Runs the closure with these settings in place of the program's: tests side by side don't fight over
/// [`configure`](crate::configure).
///
/// They hold for the scopes that are opened on this thread until the closure returns, and wherever a scope of the
/// closure is carried to with [`Scope::run`](crate::Scope::run) or [`Scope::wrap`](crate::Scope::wrap); those that inline
/// tasks open are included. Threads and spawned tasks that carry no
/// scope have the program's settings; begin those with `with_settings` themselves. May be nested; the innermost counts.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::{DropAll, Settings, testing::with_settings};
///
/// let report = with_settings(Settings::new().policy(DropAll), || {
///     airlock::scope().run_reported(|| send_email::enqueue(42).map(drop)).flush
/// })?;
/// assert_eq!(report.counts().dropped, 1);
/// # Ok::<(), airlock::FlushError>(())
/// ```
pub fn with_settings<R>(settings: Settings, body: impl FnOnce() -> R) -> R {
    let _overriding = Overriding::new(Arc::new(settings));
    body()
}

/// Like [`with_settings`], for a future: the settings are in place for each of its polls, on whatever thread.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use airlock::{OnFailure, Settings, testing::with_settings_async};
///
/// let settings = Settings::new().on_failure(OnFailure::FailFast);
/// with_settings_async(settings, airlock::scope().run_async(async {})).await.unwrap();
/// # }
/// ```
pub fn with_settings_async<F: Future>(settings: Settings, future: F) -> impl Future<Output = F::Output> + use<F> {
    WithSettings::new(Some(Arc::new(settings)), future)
}
