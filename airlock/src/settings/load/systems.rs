//! How the executors of queues are made from their tables.

use std::time::Duration;

#[cfg(feature = "huey")]
use super::bounded::Filled;
use super::bounded::Priority;
use super::names::Refusal;
use super::table::SettingsTable;
#[cfg(feature = "_pickle")]
use crate::SecretKey;
use crate::settings::Secret;

/// Each key with the method that it calls; all are read, whatever is wrong with one of them.
///
/// `$needed` are keys that have to be there, and that `new` takes behind the URL. `$bounded` are those of which some values
/// would be a mistake in code.
macro_rules! system {
    ($make:ident: $type:ident$(, $needed:ident: $needs:ty)*; $($key:ident: $value:ty),*; $($flag:ident),*;
     $($bounded:ident: $bounds:ty),*) => {
        pub(super) fn $make(settings: &mut SettingsTable<'_>) -> Result<crate::$type, Refusal> {
            let url = settings.required::<Secret>("url");
            $(let $needed = settings.required::<$needs>(stringify!($needed));)*
            $(let $key = settings.optional::<$value>(stringify!($key));)*
            $(let $flag = settings.optional::<bool>(stringify!($flag));)*
            $(let $bounded = settings.optional::<$bounds>(stringify!($bounded));)*
            let mut executor = match crate::$type::new(url?.expose()$(, $needed?)*) {
                Ok(executor) => executor,
                Err(error) => return Err(settings.refuse("url", error).into()),
            };
            $(if let Some(value) = $key? {
                executor = executor.$key(value);
            })*
            $(if $flag? == Some(true) {
                executor = executor.$flag();
            })*
            $(if let Some(value) = $bounded? {
                executor = executor.$bounded(value.0);
            })*
            Ok(executor)
        }
    };
}

#[cfg(feature = "celery")]
system! {
    celery: CeleryExecutor;
    named: String, default_queue: String, task_prefix: String, global_keyprefix: String, max_priority: u8,
    visibility_timeout: Duration, connect_timeout: Duration, origin: String;
    declare;
    default_priority: Priority
}

#[cfg(feature = "dramatiq")]
system! {
    dramatiq: DramatiqExecutor;
    named: String, default_queue: String, task_prefix: String, namespace: String, max_priority: u8,
    connect_timeout: Duration;
    declare;
    default_priority: Priority
}

#[cfg(feature = "huey")]
system! {
    huey: HueyExecutor;
    named: String, default_queue: String, clean_name: bool, task_prefix: String, consumer: u8,
    signed: SecretKey, body_limit: usize, connect_timeout: Duration;
    priorities, compressed, use_zlib;
    salt: Filled, default_priority: Priority
}

#[cfg(feature = "django-q")]
system! {
    django_q: DjangoQExecutor, secret_key: SecretKey;
    named: String, cluster: String, cluster_name: String, task_prefix: String, ack_failures: bool, cached: Duration,
    body_limit: usize, connect_timeout: Duration;
    compressed;
}

#[cfg(feature = "django-tasks")]
system! {
    django_tasks: DjangoTasksExecutor;
    named: String, default_queue: String, task_prefix: String, backend: String, connect_timeout: Duration;
    ;
    default_priority: Priority
}
