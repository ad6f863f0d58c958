//! The names that need no registration.
//!
//! A system behind a cargo feature has two lines here: `#[cfg(feature = "…")]` with how it is made from its table, and
//! `#[cfg(not(feature = "…"))]` with [`Make::Off`], so that its name is known and the error says which feature to add.

use std::sync::Arc;
use std::time::Duration;

use super::names::{Make, Named, Refusal, executor, lifecycle, policy};
use super::table::SettingsTable;
#[cfg(feature = "threads")]
use crate::executors::ThreadPoolExecutor;
#[cfg(feature = "tokio")]
use crate::executors::TokioExecutor;
use crate::executors::{InlineExecutor, LogExecutor};
use crate::policy::{
    AllowAll, AllowTasks, AssertNoEffects, BlockTasks, Dedupe, DropAll, LogOnFlush, Policy, RateLimit,
};
use crate::registry::registry;
use crate::scope::{AlwaysFlush, FlushOnSuccess, ReleaseNested};

pub(super) const NAMES: &[Named] = &[
    // Executors.
    Named::built_in("inline", Make::Executor(|table| executor(table, inline))),
    Named::built_in("log", Make::Executor(|table| executor(table, log))),
    #[cfg(feature = "celery")]
    Named::built_in("celery", Make::Executor(|table| executor(table, super::systems::celery))),
    #[cfg(not(feature = "celery"))]
    Named::built_in("celery", Make::Off { feature: "celery" }),
    #[cfg(feature = "django-q")]
    Named::built_in("django_q", Make::Executor(|table| executor(table, super::systems::django_q))),
    #[cfg(not(feature = "django-q"))]
    Named::built_in("django_q", Make::Off { feature: "django-q" }),
    #[cfg(feature = "django-tasks")]
    Named::built_in("django_tasks", Make::Executor(|table| executor(table, super::systems::django_tasks))),
    #[cfg(not(feature = "django-tasks"))]
    Named::built_in("django_tasks", Make::Off { feature: "django-tasks" }),
    #[cfg(feature = "dramatiq")]
    Named::built_in("dramatiq", Make::Executor(|table| executor(table, super::systems::dramatiq))),
    #[cfg(not(feature = "dramatiq"))]
    Named::built_in("dramatiq", Make::Off { feature: "dramatiq" }),
    #[cfg(feature = "huey")]
    Named::built_in("huey", Make::Executor(|table| executor(table, super::systems::huey))),
    #[cfg(not(feature = "huey"))]
    Named::built_in("huey", Make::Off { feature: "huey" }),
    #[cfg(feature = "lambda")]
    Named::built_in("lambda", Make::InCode { needs: "an `aws_sdk_lambda::Client`" }),
    #[cfg(not(feature = "lambda"))]
    Named::built_in("lambda", Make::Off { feature: "lambda" }),
    #[cfg(feature = "threads")]
    Named::built_in("threads", Make::Executor(|table| executor(table, threads))),
    #[cfg(not(feature = "threads"))]
    Named::built_in("threads", Make::Off { feature: "threads" }),
    #[cfg(feature = "tokio")]
    Named::built_in("tokio", Make::Executor(|table| executor(table, tokio))),
    #[cfg(not(feature = "tokio"))]
    Named::built_in("tokio", Make::Off { feature: "tokio" }),
    // Policies.
    Named::built_in("allow_all", Make::Policy(|_| Ok(Arc::new(AllowAll)))),
    Named::built_in("allow_tasks", Make::Policy(allow_tasks)),
    Named::built_in("assert_no_effects", Make::Policy(|_| Ok(Arc::new(AssertNoEffects)))),
    Named::built_in("block_tasks", Make::Policy(block_tasks)),
    Named::built_in("dedupe", Make::Policy(|_| Ok(Arc::new(Dedupe::new())))),
    Named::built_in("drop_all", Make::Policy(|_| Ok(Arc::new(DropAll)))),
    Named::built_in("log_on_flush", Make::Policy(|table| policy(table, log_on_flush))),
    Named::built_in("rate_limit", Make::Policy(|table| policy(table, rate_limit))),
    // Lifecycles.
    Named::built_in("always_flush", Make::Lifecycle(|table| lifecycle(table, |_| Ok(AlwaysFlush)))),
    Named::built_in("flush_on_success", Make::Lifecycle(|table| lifecycle(table, |_| Ok(FlushOnSuccess)))),
    Named::built_in("release_nested", Make::Lifecycle(|table| lifecycle(table, |_| Ok(ReleaseNested)))),
];

fn inline(settings: &mut SettingsTable<'_>) -> Result<InlineExecutor, Refusal> {
    let checked = settings.optional::<bool>("checked")?;
    Ok(if checked == Some(true) { InlineExecutor::new().checked() } else { InlineExecutor::new() })
}

fn log(settings: &mut SettingsTable<'_>) -> Result<LogExecutor, Refusal> {
    let arguments = settings.optional::<bool>("arguments")?;
    Ok(if arguments == Some(true) { LogExecutor::new().with_arguments() } else { LogExecutor::new() })
}

/// The keys that executors of this process share, and one that each has for itself; all are read, whatever is wrong with
/// one of them.
#[cfg(any(feature = "threads", feature = "tokio"))]
macro_rules! pool {
    ($make:ident: $type:ident, $own:ident) => {
        fn $make(settings: &mut SettingsTable<'_>) -> Result<$type, Refusal> {
            let (own, queue) = (some(settings, stringify!($own)), some(settings, "queue_limit"));
            let (name, delayed) = (settings.optional::<String>("name"), settings.optional::<u32>("delayed_limit"));
            let ignore = settings.optional::<bool>("ignore_unsupported");
            let mut executor = $type::new();
            if let Some(own) = own? {
                executor = executor.$own(own);
            }
            if let Some(name) = name? {
                executor = executor.named(name);
            }
            if let Some(intents) = queue? {
                executor = executor.queue_limit(intents);
            }
            if let Some(intents) = delayed? {
                executor = executor.delayed_limit(intents as usize);
            }
            Ok(if ignore? == Some(true) { executor.ignore_unsupported() } else { executor })
        }
    };
}

#[cfg(feature = "threads")]
pool!(threads: ThreadPoolExecutor, threads);
#[cfg(feature = "tokio")]
pool!(tokio: TokioExecutor, concurrency);

/// A number of which none would be too few.
#[cfg(any(feature = "threads", feature = "tokio"))]
fn some(settings: &mut SettingsTable<'_>, key: &str) -> Result<Option<usize>, Refusal> {
    match settings.optional::<u32>(key)? {
        Some(0) => Err(settings.refuse(key, "with 0 nothing would run; use 1 or more").into()),
        number => Ok(number.map(|number| number as usize)),
    }
}

fn log_on_flush(settings: &mut SettingsTable<'_>) -> Result<LogOnFlush, Refusal> {
    let arguments = settings.optional::<bool>("arguments")?;
    Ok(if arguments == Some(true) { LogOnFlush::new().with_arguments() } else { LogOnFlush::new() })
}

fn rate_limit(settings: &mut SettingsTable<'_>) -> Result<RateLimit, Refusal> {
    let (limit, per) = (settings.required::<u32>("limit"), settings.required::<Duration>("per"));
    Ok(RateLimit::new(limit?, per?))
}

macro_rules! about_tasks {
    ($($make:ident: $policy:ident;)*) => {
        $(fn $make(settings: &mut SettingsTable<'_>) -> Result<Arc<dyn Policy>, Refusal> {
            let (tasks, rejecting) = (tasks(settings), settings.optional::<bool>("rejecting"));
            let policy = $policy::named(tasks?.iter().map(String::as_str))?;
            Ok(if rejecting? == Some(true) { Arc::new(policy.rejecting()) } else { Arc::new(policy) })
        })*
    };
}

about_tasks! {
    allow_tasks: AllowTasks;
    block_tasks: BlockTasks;
}

/// The names under `tasks`, each of which has to be one of the registry.
fn tasks(settings: &mut SettingsTable<'_>) -> Result<Vec<String>, Refusal> {
    let tasks: Vec<String> = settings.required("tasks")?;
    let mut fault = None;
    for task in &tasks {
        if let Err(error) = registry().find(task) {
            fault = Some(settings.refuse("tasks", error));
        }
    }
    fault.map_or(Ok(tasks), |reported| Err(reported.into()))
}
