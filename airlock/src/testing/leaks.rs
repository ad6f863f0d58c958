//! Tests that lose intents fail.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::text;
use crate::lost::Lost;
use crate::settings::overriding::{Overriding, WithSettings};
use crate::settings::{Settings, configuration};

/// Runs the closure, and fails if it lost intents: a scope, or one that was sealed, was dropped with intents in it,
/// or a [`FlushError`](crate::FlushError) was dropped with intents that did not go out.
///
/// It watches the scopes that [`with_settings`](super::with_settings) would reach. An
/// [`on_lost`](crate::Settings::on_lost) of the settings is called as well. A scope that a panic ends is no leak.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::testing::no_leaks;
///
/// no_leaks(|| airlock::scope().run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from)))?;
/// # Ok::<(), airlock::Error>(())
/// ```
///
/// # Panics
/// Intents were lost: the message says which, and by which scopes.
#[track_caller]
pub fn no_leaks<R>(body: impl FnOnce() -> R) -> R {
    let (leaks, settings) = watch();
    let value = {
        let _overriding = Overriding::new(Arc::new(settings));
        body()
    };
    leaks.check();
    value
}

/// Like [`no_leaks`], for a future.
///
/// # Panics
/// As [`no_leaks`].
pub async fn no_leaks_async<F: Future>(future: F) -> F::Output {
    let (leaks, settings) = watch();
    let value = WithSettings::new(Some(Arc::new(settings)), future).await;
    leaks.check();
    value
}

#[derive(Clone, Default)]
struct Leaks(Arc<Mutex<Vec<String>>>);

impl Leaks {
    fn note(&self, leak: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(leak);
    }

    #[track_caller]
    fn check(&self) {
        let leaks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if leaks.is_empty() {
            return;
        }
        let mut message = "intents were lost:".to_owned();
        leaks.iter().for_each(|leak| text::line(&mut message, 1, leak));
        panic!("{message}");
    }
}

/// The settings in force, with ears.
fn watch() -> (Leaks, Settings) {
    let leaks = Leaks::default();
    let mut settings = configuration();
    let (lost, abandoned) = (leaks.clone(), leaks.clone());
    let (on_lost, on_abandoned) = (settings.on_lost.value.take(), settings.on_abandoned.take());
    settings.on_lost.value = Some(Arc::new(move |found: Lost| {
        let names: Vec<_> =
            found.intents().iter().map(|intent| format!("{} ({})", intent.name(), intent.location())).collect();
        let what = found.holder();
        lost.note(format!("{}: {what} was dropped with {} in it; handle it", found.scope(), names.join(", ")));
        if let Some(on_lost) = &on_lost {
            on_lost(found);
        }
    }));
    settings.on_abandoned = Some(Arc::new(move |scope, intents| {
        let intents_told = if intents == 1 { "1 intent".to_owned() } else { format!("{intents} intents") };
        abandoned.note(format!("{scope} was dropped with {intents_told} in it; flush or discard it"));
        if let Some(on_abandoned) = &on_abandoned {
            on_abandoned(scope, intents);
        }
    }));
    (leaks, settings)
}
