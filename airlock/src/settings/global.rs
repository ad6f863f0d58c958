//! The settings of the program.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::Settings;
use crate::lost;

static CONFIGURED: RwLock<Option<Arc<Settings>>> = RwLock::new(None);
/// Whether there may be anything in there: programs that never configure don't lock for each scope.
static EVER: AtomicBool = AtomicBool::new(false);
static DEFAULT: LazyLock<Settings> = LazyLock::new(Settings::new);

/// The settings a scope opened with.
#[derive(Clone)]
pub(crate) enum Snapshot {
    Default,
    Configured(Arc<Settings>),
    /// Those of a part of a test: scopes opened in the scope have them too, on whatever thread.
    Overridden(Arc<Settings>),
}

impl Deref for Snapshot {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        match self {
            Self::Default => &DEFAULT,
            Self::Configured(settings) => settings,
            Self::Overridden(settings) => settings,
        }
    }
}

/// Replaces the program's settings, all at once. Scopes that are open keep those they opened with.
pub fn configure(settings: Settings) {
    replace(Some(Arc::new(settings)));
}

/// Back to the defaults. For tests.
pub fn reset_configuration() {
    replace(None);
}

fn replace(settings: Option<Arc<Settings>>) {
    find_lost_hook();
    EVER.store(true, Ordering::Release);
    let replaced = std::mem::replace(&mut *CONFIGURED.write().unwrap_or_else(PoisonError::into_inner), settings);
    // Dropped only now: executors are foreign code, and may look at the settings as they go.
    drop(replaced);
}

/// From now on executors find the hook of the settings in force.
pub(super) fn find_lost_hook() {
    lost::find_hook_with(|| snapshot().on_lost.value.clone());
}

/// The settings that a scope opened now would have.
///
/// They print as a table of what is in force and where each value comes from, passwords hidden:
///
/// ```
/// println!("{}", airlock::configuration());
/// ```
#[must_use]
pub fn configuration() -> Settings {
    Settings::clone(&snapshot())
}

pub(crate) fn snapshot() -> Snapshot {
    #[cfg(feature = "testing")]
    if let Some(settings) = super::overriding::current() {
        return Snapshot::Overridden(settings);
    }
    if !EVER.load(Ordering::Acquire) {
        return Snapshot::Default;
    }
    let configured = CONFIGURED.read().unwrap_or_else(PoisonError::into_inner);
    configured.as_ref().map_or(Snapshot::Default, |settings| Snapshot::Configured(Arc::clone(settings)))
}
