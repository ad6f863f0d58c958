// Where the README's links lead in these pages. The first definition of a link is the one that counts; in a clone, the
// README's own lead to the files.
#![doc = "[`scoped`]: macro@scoped"]
#![doc = "[`task`]: macro@task"]
#![cfg_attr(feature = "celery", doc = "[page-celery]: CeleryExecutor")]
#![cfg_attr(feature = "celery", doc = "[example-celery]: CeleryExecutor#a-pair-to-start-from")]
#![cfg_attr(feature = "dramatiq", doc = "[page-dramatiq]: DramatiqExecutor")]
#![cfg_attr(feature = "dramatiq", doc = "[example-dramatiq]: DramatiqExecutor#a-pair-to-start-from")]
#![cfg_attr(feature = "huey", doc = "[page-huey]: HueyExecutor")]
#![cfg_attr(feature = "huey", doc = "[example-huey]: HueyExecutor#a-pair-to-start-from")]
#![cfg_attr(feature = "django-q", doc = "[page-django-q]: DjangoQExecutor")]
#![cfg_attr(feature = "django-q", doc = "[example-django-q]: DjangoQExecutor#a-pair-to-start-from")]
#![cfg_attr(feature = "django-tasks", doc = "[page-django-tasks]: DjangoTasksExecutor")]
#![cfg_attr(feature = "django-tasks", doc = "[example-django-tasks]: DjangoTasksExecutor#a-pair-to-start-from")]
#![cfg_attr(feature = "lambda", doc = "[page-lambda]: LambdaExecutor")]
#![cfg_attr(feature = "lambda", doc = "[example-lambda]: LambdaExecutor#a-pair-to-start-from")]
#![doc = "[guide-async]: guide::async_code"]
#![doc = "[guide-failure]: guide::failure"]
#![doc = "[guide-settings]: guide::settings"]
#![doc = "[guide-testing]: guide::testing"]
#![doc = "[guide-library-authors]: guide::library_authors"]
#![doc = "[guide-migrating]: guide::migrating"]
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The examples and expansions in this crate name it as its users do.
extern crate self as airlock;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod args;
#[cfg(any(
    feature = "celery",
    feature = "django-q",
    feature = "django-tasks",
    feature = "dramatiq",
    feature = "huey",
    feature = "lambda"
))]
#[cfg_attr(
    not(any(
        feature = "celery",
        feature = "django-q",
        feature = "django-tasks",
        feature = "dramatiq",
        feature = "huey"
    )),
    allow(dead_code, unreachable_pub, unused_imports, reason = "Lambda needs the thread for I/O alone")
)]
mod brokers;
#[doc(hidden)]
pub mod checks;
mod direct;
mod encode;
mod error;
mod executors;
pub mod guide;
mod intent;
#[cfg(any(feature = "django-q", feature = "huey"))]
mod key;
mod nearest;
mod options;
mod panics;
mod policy;
mod redact;
mod registry;
mod scope;
mod settings;
mod shutdown;
mod state;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod timer;

#[doc = include_str!("../docs/scoped.md")]
pub use airlock_macros::scoped;
#[doc = include_str!("../docs/attributes.md")]
pub use airlock_macros::task;

pub use args::{Args, Argument, ArgumentError, Arguments};
#[cfg(all(feature = "django-tasks", any(feature = "sqlite", feature = "postgres")))]
pub use brokers::SqlConnection;
#[cfg(any(
    feature = "celery",
    feature = "django-q",
    feature = "django-tasks",
    feature = "dramatiq",
    feature = "huey"
))]
pub use brokers::{
    AmqpMessage, AmqpProperties, AmqpValue, BrokerMessage, BrokerUrl, BrokerUrlError, RedisMessage, SqlMessage,
    SqlValue,
};
pub use direct::ShimOutput;
pub use encode::{EncodeError, EncodeFault, MAX_BYTES, MAX_DEPTH};
pub use error::{DispatchError, DispatchErrorKind, EnqueueError, Error, Failure, FlushError, Refused, Result};
#[cfg(feature = "celery")]
pub use executors::CeleryExecutor;
#[cfg(feature = "django-q")]
pub use executors::DjangoQExecutor;
#[cfg(feature = "django-tasks")]
pub use executors::DjangoTasksExecutor;
#[cfg(feature = "dramatiq")]
pub use executors::DramatiqExecutor;
#[cfg(feature = "huey")]
pub use executors::HueyExecutor;
#[cfg(feature = "threads")]
pub use executors::ThreadPoolExecutor;
#[cfg(feature = "tokio")]
pub use executors::TokioExecutor;
pub use executors::{
    Batch, Begun, BoxFuture, Deadline, Executor, Fallback, FlushContext, FlushMode, InlineExecutor, LogExecutor,
    Rejection, Retry, Route, Ticket, Unfinished, executor_fn,
};
#[cfg(feature = "lambda")]
pub use executors::{LambdaEvent, LambdaExecutor};
pub use intent::{Intent, IntentId, ParseIntentIdError};
#[cfg(any(feature = "django-q", feature = "huey"))]
pub use key::{SecretKey, SecretKeyError};
pub use options::{Extra, MAX_PRIORITY, Options, OptionsError, When};
pub use policy::{
    AllowAll, AllowTasks, And, AssertNoEffects, BlockTasks, Dedupe, DropAll, LogOnFlush, Policy, PolicyFn, RateLimit,
    TaskList, Violation, policy_fn,
};
pub use registry::{Listing, Registry, RegistryError, invoke_event, invoke_event_async, registry};
pub use scope::{
    AlwaysFlush, Counts, Discarded, Ended, EndsScope, FlushOnSuccess, FlushReport, Lifecycle, LocalPolicy,
    LocalPolicyGuard, OnFailure, Outcome, Phase, ReleaseNested, ReportEntry, Scope, ScopeBody, ScopeBuilder, ScopeEnd,
    ScopeGuard, ScopeInfo, ScopeOutput, Sealed, Unattempted, policy, scope,
};
pub use settings::{Lost, Settings, configuration, configure, reset_configuration};
#[cfg(feature = "settings")]
pub use settings::{Reported, Secret, Setting, SettingsError, SettingsLoader, SettingsProblem, SettingsTable};
pub use shutdown::{shutdown, shutdown_async};
pub use state::{State, StateParameter, StateValue, provide, provide_arc};
pub use task::{Parameter, Task, TaskDefinition, TaskKind, TaskOutput, TaskResult};
