//! The names that need no registration.

use std::sync::Arc;
use std::time::Duration;

use super::names::{BuildError, Make, Named, executor, lifecycle, policy};
use super::table::{Reported, SettingsTable};
use crate::executors::{Executor, InlineExecutor, LogExecutor};
use crate::lifecycle::{AlwaysFlush, FlushOnSuccess, ReleaseNested};
use crate::policy::{
    AllowAll, AllowTasks, AssertNoEffects, BlockTasks, Dedupe, DropAll, LogOnFlush, Policy, RateLimit,
};
use crate::registry::registry;

/// A name behind a cargo feature. While that is off the name is known, and the error says which feature to add.
macro_rules! behind {
    ($feature:literal, $name:literal, $make:expr) => {{
        #[cfg(feature = $feature)]
        let named = Named::built_in($name, $make);
        #[cfg(not(feature = $feature))]
        let named = Named::built_in($name, Make::Off { feature: $feature });
        named
    }};
}

pub(super) const NAMES: &[Named] = &[
    // Executors.
    Named::built_in("inline", Make::Executor(|table| executor(table, inline))),
    Named::built_in("log", Make::Executor(|table| executor(table, log))),
    behind!("celery", "celery", Make::Executor(|table| made(crate::CeleryExecutor::read(table)))),
    behind!("django-q", "django_q", Make::Executor(|table| made(crate::DjangoQExecutor::read(table)))),
    behind!("django-tasks", "django_tasks", Make::Executor(|table| made(crate::DjangoTasksExecutor::read(table)))),
    behind!("dramatiq", "dramatiq", Make::Executor(|table| made(crate::DramatiqExecutor::read(table)))),
    behind!("huey", "huey", Make::Executor(|table| made(crate::HueyExecutor::read(table)))),
    behind!("lambda", "lambda", Make::InCode { needs: "an `aws_sdk_lambda::Client`" }),
    behind!("outbox", "outbox", Make::Executor(|table| made(crate::Outbox::read(table)))),
    behind!("threads", "threads", Make::Executor(|table| made(crate::ThreadPoolExecutor::read(table)))),
    behind!("tokio", "tokio", Make::Executor(|table| made(crate::TokioExecutor::read(table)))),
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

fn made<E: Executor>(made: Result<E, Reported>) -> Result<Arc<dyn Executor>, BuildError> {
    Ok(Arc::new(made?))
}

fn inline(settings: &mut SettingsTable<'_>) -> Result<InlineExecutor, BuildError> {
    let checked = settings.optional::<bool>("checked")?;
    Ok(if checked == Some(true) { InlineExecutor::new().checked() } else { InlineExecutor::new() })
}

fn log(settings: &mut SettingsTable<'_>) -> Result<LogExecutor, BuildError> {
    let arguments = settings.optional::<bool>("arguments")?;
    Ok(if arguments == Some(true) { LogExecutor::new().with_arguments() } else { LogExecutor::new() })
}

fn log_on_flush(settings: &mut SettingsTable<'_>) -> Result<LogOnFlush, BuildError> {
    let arguments = settings.optional::<bool>("arguments")?;
    Ok(if arguments == Some(true) { LogOnFlush::new().with_arguments() } else { LogOnFlush::new() })
}

fn rate_limit(settings: &mut SettingsTable<'_>) -> Result<RateLimit, BuildError> {
    let (limit, per) = (settings.required::<u32>("limit"), settings.required::<Duration>("per"));
    Ok(RateLimit::new(limit?, per?))
}

macro_rules! about_tasks {
    ($($make:ident: $policy:ident;)*) => {
        $(fn $make(settings: &mut SettingsTable<'_>) -> Result<Arc<dyn Policy>, BuildError> {
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
fn tasks(settings: &mut SettingsTable<'_>) -> Result<Vec<String>, BuildError> {
    let tasks: Vec<String> = settings.required("tasks")?;
    let mut fault = None;
    for task in &tasks {
        if let Err(error) = registry().find(task) {
            fault = Some(settings.refuse("tasks", error));
        }
    }
    fault.map_or(Ok(tasks), |reported| Err(reported.into()))
}
