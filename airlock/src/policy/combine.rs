//! Policies made of others, and of closures.

use std::fmt;
use std::sync::Arc;

use super::{Policy, Violation};
use crate::intent::Intent;

/// Two policies that have to agree: see [`Policy::and`].
#[derive(Debug, Clone)]
pub struct And<A, B> {
    both: (A, B),
    name: String,
}

impl<A: Policy, B: Policy> And<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        let name = format!("{} and {}", first.name(), second.name());
        Self { both: (first, second), name }
    }
}

impl<A: Policy, B: Policy> Policy for And<A, B> {
    fn name(&self) -> &str {
        &self.name
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        self.both.on_enqueue(intent)
    }

    fn allows(&self, intent: &Intent) -> bool {
        self.both.allows(intent)
    }

    fn judges_enqueue(&self) -> bool {
        self.both.judges_enqueue()
    }

    fn judges_flush(&self) -> bool {
        self.both.judges_flush()
    }
}

/// A closure as a policy: see [`policy_fn`].
#[derive(Clone)]
pub struct PolicyFn<F> {
    judge: F,
}

/// A policy of one closure, which is asked in the flush.
///
/// A closure is a policy by itself; this helps the compiler to see its argument's type.
///
/// ```
/// let policy = airlock::policy_fn(|intent| intent.name() != "send_email");
/// # airlock::scope().policy(policy).run(|| {}).unwrap();
/// ```
pub fn policy_fn<F: Fn(&Intent) -> bool + Send + Sync>(judge: F) -> PolicyFn<F> {
    PolicyFn { judge }
}

impl<F> fmt::Debug for PolicyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyFn")
    }
}

impl<F: Fn(&Intent) -> bool + Send + Sync> Policy for PolicyFn<F> {
    fn name(&self) -> &str {
        self.judge.name()
    }

    fn allows(&self, intent: &Intent) -> bool {
        (self.judge)(intent)
    }

    fn judges_enqueue(&self) -> bool {
        false
    }
}

#[diagnostic::do_not_recommend]
impl<F: Fn(&Intent) -> bool + Send + Sync> Policy for F {
    fn allows(&self, intent: &Intent) -> bool {
        self(intent)
    }

    fn judges_enqueue(&self) -> bool {
        false
    }
}

macro_rules! forward {
    ($($(#[$meta:meta])* [$($generics:tt)*] $type:ty;)*) => {
        $($(#[$meta])* impl<$($generics)*> Policy for $type {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
                (**self).on_enqueue(intent)
            }

            fn allows(&self, intent: &Intent) -> bool {
                (**self).allows(intent)
            }

            fn judges_enqueue(&self) -> bool {
                (**self).judges_enqueue()
            }

            fn judges_flush(&self) -> bool {
                (**self).judges_flush()
            }
        })*
    };
}

forward! {
    [] Box<dyn Policy>;
    [P: Policy + ?Sized] Arc<P>;
}

/// As many as there are, asked in their order. An empty list allows all.
impl<P: Policy> Policy for Vec<P> {
    fn name(&self) -> &str {
        "a list of policies"
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        self.iter().try_for_each(|policy| policy.on_enqueue(intent))
    }

    fn allows(&self, intent: &Intent) -> bool {
        self.iter().all(|policy| policy.allows(intent))
    }

    fn judges_enqueue(&self) -> bool {
        self.iter().any(Policy::judges_enqueue)
    }

    fn judges_flush(&self) -> bool {
        self.iter().any(Policy::judges_flush)
    }
}

macro_rules! tuples {
    ($($name:ident $index:tt)*) => {
        impl<$($name: Policy),*> Policy for ($($name,)*) {
            fn name(&self) -> &str {
                "a tuple of policies"
            }

            fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
                $(self.$index.on_enqueue(intent)?;)*
                Ok(())
            }

            fn allows(&self, intent: &Intent) -> bool {
                $(self.$index.allows(intent))&&*
            }

            fn judges_enqueue(&self) -> bool {
                $(self.$index.judges_enqueue())||*
            }

            fn judges_flush(&self) -> bool {
                $(self.$index.judges_flush())||*
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
tuples!(A 0 B 1 C 2 D 3 E 4);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
