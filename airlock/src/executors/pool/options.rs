//! The options that both pools have.

/// The builder methods of a pool and their keys: its own ones, and those of all pools. The type has `with`, which changes
/// its `Limits`.
macro_rules! pool_options {
    (impl $type:ident; $($own:tt)*) => {
        builder_options! {
            impl $type;

            $($own)*

            /// What reports, logs and threads call it.
            #[must_use]
            pub fn named(executor, name: impl Into<String>) from text {
                executor.with(|limits| limits.name = Some(printed_name(name.into())))
            }

            /// How many intents may wait to be started, besides those that run. They take memory as they come, at most 130
            /// bytes each besides their own, so that the limit may be as high as the program has memory for.
            ///
            /// # Panics
            /// With 0 intents.
            #[must_use]
            pub fn queue_limit(executor, intents: usize) from positive_count {
                assert!(intents > 0, "tasks are started through the queue; give it room for 1 or more");
                executor.with(|limits| limits.queue = intents)
            }

            /// How many intents may wait for their time. They have room of their own: none of them keeps out what runs
            /// now.
            #[must_use]
            pub fn delayed_limit(executor, intents: usize) from count {
                executor.with(|limits| limits.delayed = intents)
            }

            /// Runs intents whose `priority`, `max_retries` or `timeout` it can't honour, instead of refusing them.
            #[must_use]
            pub fn ignore_unsupported(executor) from flag {
                executor.with(|limits| limits.ignore_unsupported = true)
            }
        }

        impl $type {
            /// Called with every task that failed or panicked (kind `TaskFailed`), expired before its turn (`Rejected`,
            /// with the intent) or was dropped by its runtime (`Unconfirmed`), on the thread that had it. They are logged
            /// in any case.
            #[must_use]
            pub fn on_error(self, on_error: impl Fn(Failure) + Send + Sync + 'static) -> Self {
                self.with(|limits| limits.on_error = Some(Arc::new(on_error)))
            }

            pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
                Self::read_options(table, |_| Ok(Self::new()))
            }
        }

        impl Default for $type {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

pub(in crate::executors) use pool_options;
