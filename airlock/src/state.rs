//! What `#[state]` parameters receive: values that the process has, and that no message carries.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// What a type needs to be the state of tasks: tasks on any thread borrow it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the state of a task",
    label = "can't be the state of a task",
    note = "tasks on any thread borrow it, so it needs `Send`, `Sync` and `'static`; for `dyn Trait`, make them supertraits"
)]
pub trait StateValue: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> StateValue for T {}

/// Gives a value to the `#[state]` parameters of its type, for the whole process. Programs call it as they start; a
/// second value of the type replaces the first for the tasks that start later.
///
/// [`ScopeBuilder::state`](crate::ScopeBuilder::state) gives one to the tasks of a scope, before this one.
///
/// ```
/// struct Mailer { from: &'static str }
///
/// #[airlock::task]
/// fn send_email(order_id: u64, #[state] mailer: &Mailer) {
///     println!("{} writes to the customer of order {order_id}", mailer.from);
/// }
///
/// airlock::provide(Mailer { from: "shop@example.com" });
/// airlock::scope().run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// # Ok::<(), airlock::Error>(())
/// ```
pub fn provide<T: StateValue>(value: T) {
    provide_arc(Arc::new(value));
}

/// Like [`provide`], for a value that is shared already, or for a trait object.
///
/// ```
/// use std::sync::Arc;
///
/// trait Store: Send + Sync { fn put(&self, key: u64); }
/// struct Memory;
/// impl Store for Memory { fn put(&self, _key: u64) {} }
///
/// #[airlock::task]
/// fn archive(order_id: u64, #[state] store: &dyn Store) {
///     store.put(order_id);
/// }
///
/// airlock::provide_arc::<dyn Store>(Arc::new(Memory));
/// airlock::scope().run(|| archive::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// # Ok::<(), airlock::Error>(())
/// ```
pub fn provide_arc<T: ?Sized + StateValue>(value: Arc<T>) {
    let mut provided = PROVIDED.write().unwrap_or_else(PoisonError::into_inner);
    let replaced = provided.get_or_insert_default().insert(value);
    drop(provided);
    // Dropped only now: it is foreign code, and may provide something as it goes.
    drop(replaced);
}

static PROVIDED: RwLock<Option<StateMap>> = RwLock::new(None);

/// Values by type. Each is kept as the `Arc<T>` it came in, as `T` may be a trait object.
#[derive(Clone, Default)]
pub(crate) struct StateMap(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl StateMap {
    pub(crate) fn insert<T: ?Sized + StateValue>(&mut self, value: Arc<T>) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.insert(TypeId::of::<T>(), Arc::new(value))
    }

    fn get<T: ?Sized + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref::<Arc<T>>().cloned()
    }
}

/// What is around an intent and may have been given values: scopes.
pub(crate) trait StateSource: Send + Sync + 'static {
    /// Shows the values of each scope, innermost first, until `is_found` says that it was there.
    fn look(&self, is_found: &mut dyn FnMut(&StateMap) -> bool);
}

/// A `#[state]` parameter has no value.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct NoState;

/// The state that a task gets: what the scopes around its intent were given, innermost first, then what the process
/// [`provide`]s.
#[derive(Clone, Default)]
pub struct State {
    around: Option<Arc<dyn StateSource>>,
}

impl State {
    /// That of a task which needs none.
    pub(crate) fn none() -> &'static Self {
        static NONE: State = State { around: None };
        &NONE
    }

    pub(crate) fn around<S: StateSource>(source: Option<&Arc<S>>) -> Self {
        Self { around: source.map(|source| Arc::clone(source) as Arc<dyn StateSource>) }
    }

    /// The value of this type, if anyone gave one.
    #[must_use]
    pub fn get<T: ?Sized + 'static>(&self) -> Option<Arc<T>> {
        let mut found = None;
        if let Some(around) = &self.around {
            around.look(&mut |map| {
                found = map.get();
                found.is_some()
            });
        }
        found.or_else(|| {
            let provided = PROVIDED.read().unwrap_or_else(PoisonError::into_inner);
            provided.as_ref().and_then(StateMap::get)
        })
    }

    /// The same for a task that can't be called without it.
    ///
    /// # Errors
    /// Neither a scope nor the process gave one.
    pub fn required<T: ?Sized + 'static>(&self) -> Result<Arc<T>, NoState> {
        self.get().ok_or(NoState)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
