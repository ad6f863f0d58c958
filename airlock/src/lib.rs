// Where the README's links lead in these pages. The first definition of a link is the one that counts; in a clone, the
// README's own lead to the files.
#![doc = "[`scoped`]: macro@scoped"]
#![doc = "[`task`]: macro@task"]
#![cfg_attr(feature = "_all", doc = include_str!("../docs/rustdoc/systems.md"))]
#![doc = include_str!("../docs/rustdoc/guides.md")]
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(docsrs, doc(auto_cfg(hide(feature = "_all", feature = "_broker", feature = "_dates", feature = "_io"))))]
#![cfg_attr(docsrs, doc(auto_cfg(hide(feature = "_pickle", feature = "_pool", feature = "_queue"))))]
#![cfg_attr(docsrs, doc(auto_cfg(hide(feature = "_secret", feature = "_sql", feature = "_system", feature = "_tls"))))]
// Parts serve several systems and transports: with some of them off, not all is used.
#![cfg_attr(
    not(feature = "_all"),
    allow(dead_code, unused_imports, unused_macros, reason = "with all features on, all is used")
)]

// The examples and expansions in this crate name it as its users do.
extern crate self as airlock;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "_queue")]
mod brokers;
#[doc(hidden)]
pub mod checks;
mod context;
mod dispatch;
mod encode;
mod error;
mod executors;
mod flush;
pub mod guide;
mod intent;
mod lifecycle;
mod lost;
mod options;
#[cfg(feature = "outbox")]
mod outbox;
mod policy;
mod registry;
mod runtime;
mod scope;
mod scope_info;
mod settings;
mod shutdown;
mod state;
#[cfg(feature = "_system")]
mod systems;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
#[cfg(feature = "_sql")]
mod transaction;
#[cfg(feature = "tower")]
pub mod web;
#[cfg(feature = "worker")]
mod worker;

#[doc = include_str!("../docs/scoped.md")]
pub use airlock_macros::scoped;
#[doc = include_str!("../docs/attributes.md")]
pub use airlock_macros::task;

#[cfg(feature = "_queue")]
pub use brokers::{
    AmqpMessage, AmqpProperties, AmqpValue, BrokerMessage, BrokerUrl, BrokerUrlError, RedisMessage, SqlMessage,
    SqlValue,
};
pub use context::Phase;
pub use dispatch::{DispatchError, DispatchErrorKind, OpenTransaction, Rejection, SqlKind};
pub use encode::{EncodeError, EncodeFault, MAX_BYTES, MAX_DEPTH};
pub use error::{Error, Result};
#[cfg(feature = "threads")]
pub use executors::threads::ThreadPoolExecutor;
#[cfg(feature = "tokio")]
pub use executors::tokio::TokioExecutor;
pub use executors::{
    Batch, Begun, Executor, Fallback, FlushContext, FlushMode, InlineExecutor, LogExecutor, OnFailure, Retry, Route,
    Ticket, Unfinished, executor_fn,
};
pub use flush::{Counts, Discarded, FlushError, FlushReport, Outcome, ReportEntry, Sealed, Unattempted};
pub use intent::{Failure, Intent, IntentId, ParseIntentIdError};
pub use lifecycle::{AlwaysFlush, FlushOnSuccess, Lifecycle, ReleaseNested, ScopeEnd};
pub use lost::Lost;
pub use options::{Extra, MAX_PRIORITY, Options, OptionsError, When};
#[cfg(feature = "outbox")]
pub use outbox::{Outbox, OutboxError, OutboxFilter, OutboxRow, OutboxState, OutboxStats, QueueStats};
pub use policy::{
    AllowAll, AllowTasks, And, AssertNoEffects, BlockTasks, Dedupe, DropAll, LogOnFlush, Policy, PolicyFn, RateLimit,
    TaskList, Violation, policy_fn,
};
pub use registry::{Listing, Registry, RegistryError, invoke_event, invoke_event_async, registry};
pub use runtime::{BoxFuture, Deadline};
pub use scope::{
    Ended, EndsScope, EnqueueError, LocalPolicy, LocalPolicyGuard, OpenScope, Refused, Scope, ScopeBody, ScopeBuilder,
    ScopeGuard, ScopeOutput, ShimOutput, policy, scope,
};
pub use scope_info::ScopeInfo;
#[cfg(feature = "settings")]
pub use settings::load::{Reported, Secret, Setting, SettingsError, SettingsLoader, SettingsProblem, SettingsTable};
pub use settings::{Settings, configuration, configure, reset_configuration};
pub use shutdown::{shutdown, shutdown_async};
pub use state::{State, StateValue, provide, provide_arc};
#[cfg(feature = "celery")]
pub use systems::celery::CeleryExecutor;
#[cfg(feature = "django-q")]
pub use systems::django_q::DjangoQExecutor;
#[cfg(feature = "django-tasks")]
pub use systems::django_tasks::DjangoTasksExecutor;
#[cfg(feature = "dramatiq")]
pub use systems::dramatiq::DramatiqExecutor;
#[cfg(feature = "huey")]
pub use systems::huey::HueyExecutor;
#[cfg(feature = "lambda")]
pub use systems::lambda::{LambdaEvent, LambdaExecutor};
pub use task::{
    Args, Argument, ArgumentError, Arguments, Parameter, StateParameter, Task, TaskDefinition, TaskKind, TaskOutput,
    TaskResult,
};
#[cfg(feature = "_secret")]
pub use text::secret_key::{SecretKey, SecretKeyError};
#[cfg(feature = "_sql")]
pub use transaction::{CommitError, NotCommitted, SqlConnection, SqlPool, UnknownCommit};
#[cfg(feature = "worker")]
pub use worker::*;
