//! Policies about particular tasks.

use std::ptr;

use super::{Policy, Violation};
use crate::intent::Intent;
use crate::registry::{RegistryError, registry};
use crate::task::{Task, TaskDefinition};

/// Tasks named by their types: one, or a tuple of up to sixteen.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of tasks",
    note = "name one task, or a tuple of tasks such as `(send_email, notify)`"
)]
pub trait TaskList {
    #[doc(hidden)]
    fn definitions() -> Vec<&'static TaskDefinition>;
}

#[diagnostic::do_not_recommend]
impl<T: Task> TaskList for T {
    fn definitions() -> Vec<&'static TaskDefinition> {
        vec![T::definition()]
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Task),*> TaskList for ($($name,)*) {
            fn definitions() -> Vec<&'static TaskDefinition> {
                vec![$($name::definition()),*]
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

/// A set of tasks, by the address of their definitions: an intent is looked up without comparing a string.
#[derive(Debug, Clone)]
struct Tasks {
    sorted: Vec<&'static TaskDefinition>,
}

impl Tasks {
    fn new(mut tasks: Vec<&'static TaskDefinition>) -> Self {
        tasks.sort_by_key(|task| ptr::from_ref(*task));
        Self { sorted: tasks }
    }

    fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RegistryError> {
        names.into_iter().map(|name| registry().find(name)).collect::<Result<_, _>>().map(Self::new)
    }

    fn contain(&self, intent: &Intent) -> bool {
        let task = ptr::from_ref(intent.task());
        self.sorted.binary_search_by_key(&task, |known| ptr::from_ref(*known)).is_ok()
    }
}

macro_rules! task_policy {
    ($(#[$doc:meta])* $policy:ident, $name:literal, $refused:literal, $reason:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $policy {
            tasks: Tasks,
            rejecting: bool,
        }

        impl $policy {
            /// The tasks by their types, checked by the compiler.
            #[must_use]
            pub fn of<T: TaskList>() -> Self {
                Self { tasks: Tasks::new(T::definitions()), rejecting: false }
            }

            /// The tasks by name or alias, checked against the registry.
            ///
            /// # Errors
            /// The registry has no task of one of these names, or more than one.
            pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RegistryError> {
                Ok(Self { tasks: Tasks::named(names)?, rejecting: false })
            }

            /// Fails at the call that enqueues rather than dropping the intent in the flush.
            #[must_use]
            pub fn rejecting(mut self) -> Self {
                self.rejecting = true;
                self
            }
        }

        impl Policy for $policy {
            fn name(&self) -> &str {
                $name
            }

            fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
                if self.rejecting && self.tasks.contain(intent) == $refused {
                    return Err(Violation::new($reason));
                }
                Ok(())
            }

            fn allows(&self, intent: &Intent) -> bool {
                self.tasks.contain(intent) != $refused
            }

            fn judges_enqueue(&self) -> bool {
                self.rejecting
            }
        }
    };
}

task_policy! {
    /// Drops the intents of some tasks and allows the rest.
    ///
    /// ```standalone_crate
    /// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
    /// # #[airlock::task] fn notify() {}
    /// use airlock::BlockTasks;
    ///
    /// let admin = BlockTasks::of::<(send_email, notify)>();
    /// let strict = BlockTasks::named(["send_email"])?.rejecting();
    /// # let _ = (admin, strict);
    /// # Ok::<(), airlock::RegistryError>(())
    /// ```
    BlockTasks, "BlockTasks", true, "this task is blocked here"
}

task_policy! {
    /// Allows the intents of some tasks and drops the rest.
    AllowTasks, "AllowTasks", false, "only some tasks are allowed here, and this is none of them"
}
