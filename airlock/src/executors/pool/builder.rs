//! How a pool is described: the methods that both executors of this process have.

/// Public methods of an executor that has `limits()` and `with_limits(&self, Limits) -> Self`. What differs is given: the
/// method that says how many jobs run at once, and passages of documentation.
macro_rules! pool_builder {
    ($executor:ident {
        $(#[doc = $at_once_docs:literal])*
        fn $at_once:ident($count:ident) or $none:literal;
        $(#[doc = $name_docs:literal])*
        fn named;
        $(#[doc = $queue_docs:literal])*
        fn queue_limit;
        $(#[doc = $error_docs:literal])*
        fn on_error;
    }) => {
        impl $executor {
            $(#[doc = $at_once_docs])*
            #[must_use]
            pub fn $at_once(self, $count: usize) -> Self {
                assert!($count > 0, $none);
                self.with(|limits| limits.at_once = $count)
            }

            $(#[doc = $name_docs])*
            #[must_use]
            pub fn named(self, name: impl Into<String>) -> Self {
                self.with(|limits| limits.name = Some(name.into().into()))
            }

            $(#[doc = $queue_docs])*
            ///
            /// # Panics
            /// With 0 intents.
            #[must_use]
            pub fn queue_limit(self, intents: usize) -> Self {
                assert!(intents > 0, "tasks are started through the queue; give it room for 1 or more");
                self.with(|limits| limits.queue = intents)
            }

            /// How many intents may wait for their time. They have room of their own: none of them keeps out what runs
            /// now.
            #[must_use]
            pub fn delayed_limit(self, intents: usize) -> Self {
                self.with(|limits| limits.delayed = intents)
            }

            $(#[doc = $error_docs])*
            #[must_use]
            pub fn on_error(self, on_error: impl Fn(Failure) + Send + Sync + 'static) -> Self {
                self.with(|limits| limits.on_error = Some(Arc::new(on_error)))
            }

            /// Runs intents whose `priority`, `max_retries` or `timeout` it can't honour, instead of refusing them.
            #[must_use]
            pub fn ignore_unsupported(self) -> Self {
                self.with(|limits| limits.ignore_unsupported = true)
            }

            fn with(&self, change: impl FnOnce(&mut Limits)) -> Self {
                let mut limits = self.limits().clone();
                change(&mut limits);
                self.with_limits(limits)
            }
        }
    };
}

pub(in crate::executors) use pool_builder;
