//! How the executors of queues are made from their tables.

use std::time::Duration;

use super::Secret;
use super::names::Refusal;
use super::table::SettingsTable;

/// Each key with the method that it calls; all are read, whatever is wrong with one of them.
macro_rules! system {
    ($make:ident: $type:ident; $($key:ident: $value:ty),*; $($flag:ident),*) => {
        pub(super) fn $make(settings: &mut SettingsTable<'_>) -> Result<crate::$type, Refusal> {
            let url = settings.required::<Secret>("url");
            $(let $key = settings.optional::<$value>(stringify!($key));)*
            $(let $flag = settings.optional::<bool>(stringify!($flag));)*
            let mut executor = match crate::$type::new(url?.expose()) {
                Ok(executor) => executor,
                Err(error) => return Err(settings.refuse("url", error).into()),
            };
            $(if let Some(value) = $key? {
                executor = executor.$key(value);
            })*
            $(if $flag? == Some(true) {
                executor = executor.$flag();
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
    declare
}

#[cfg(feature = "dramatiq")]
system! {
    dramatiq: DramatiqExecutor;
    named: String, default_queue: String, task_prefix: String, namespace: String, max_priority: u8,
    connect_timeout: Duration;
    declare
}
