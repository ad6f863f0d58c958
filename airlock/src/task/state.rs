//! The `#[state]` parameters of a task.

use std::fmt;
use std::sync::Arc;

use crate::state::{State, StateValue};

/// One `#[state]` parameter of a task.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct StateParameter {
    /// Its name.
    pub name: &'static str,
    /// What it borrows, as written in the signature after the `&`.
    pub type_name: &'static str,
    look: fn(&State) -> Found,
    /// Whether no value of it can be moved into a call.
    is_unsized: bool,
}

enum Found {
    Here,
    /// Not the value, but an `Arc` of it: `provide(arc)` where `provide_arc(arc)` was meant.
    AsArc,
    Nowhere,
}

impl StateParameter {
    /// Also where the compiler looks at the type. Stands outside `__private` because it is named in messages.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<T: ?Sized + StateValue>(name: &'static str, type_name: &'static str) -> Self {
        let look: fn(&State) -> Found = |state| match state.get::<T>() {
            Some(_) => Found::Here,
            None if state.get::<Arc<T>>().is_some() => Found::AsArc,
            None => Found::Nowhere,
        };
        Self { name, type_name, look, is_unsized: size_of::<&T>() > size_of::<usize>() }
    }

    /// What to do about it, if neither a scope nor the process gave a value.
    fn remedy(&self, state: &State) -> Option<String> {
        let ty = self.type_name;
        Some(match (self.look)(state) {
            Found::Here => return None,
            Found::AsArc => format!(
                "`{self}` has no value, but an `Arc` of one was given as it is; give it with \
                 `airlock::provide_arc::<{ty}>(..)`"
            ),
            Found::Nowhere if self.is_unsized => format!(
                "`{self}` has no value; call `airlock::provide_arc::<{ty}>(..)` as the program starts, or give the scope \
                 one with `.state_arc::<{ty}>(..)`"
            ),
            Found::Nowhere => format!(
                "`{self}` has no value; call `airlock::provide(..)` with a `{ty}` as the program starts, or give the \
                 scope one with `.state(..)`"
            ),
        })
    }
}

impl fmt::Display for StateParameter {
    /// As in the signature: `store: &(dyn Store + Send)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, type_name, .. } = self;
        if type_name.contains(" + ") { write!(f, "{name}: &({type_name})") } else { write!(f, "{name}: &{type_name}") }
    }
}

impl fmt::Debug for StateParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All that is missing, as one sentence; `None` if the task has what it needs.
pub(crate) fn missing(parameters: &[StateParameter], state: &State) -> Option<String> {
    let missing: Vec<_> = parameters.iter().filter_map(|parameter| parameter.remedy(state)).collect();
    (!missing.is_empty()).then(|| format!("its state {}", missing.join("; and ")))
}
