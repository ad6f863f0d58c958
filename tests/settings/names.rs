//! Names that this program registers, as users would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use airlock::{DispatchError, Executor, Intent, Secret, SettingsTable};

#[airlock::task(name = "settings.note")]
pub(crate) fn note(n: u32) {
    let _ = n;
}

#[airlock::task(name = "settings.charge")]
pub(crate) fn charge(cents: u32) {
    let _ = cents;
}

pub(crate) static POSTED: AtomicUsize = AtomicUsize::new(0);

airlock::register_executor!("webhook", |settings| {
    let url = settings.required::<Secret>("url");
    let timeout = settings.optional::<Duration>("timeout");
    let retries = settings.optional::<u8>("retries");
    let (url, _, _) = (url?, timeout?, retries?);
    if !url.expose().starts_with("https://") {
        return Err(settings.refuse("url", format!("it is no https URL: {}", url.expose())).into());
    }
    if url.expose().ends_with("/down") {
        // As the errors of other crates do, it quotes what it was given.
        return Err(format!("no answer from {}", url.expose()).into());
    }
    Ok(airlock::executor_fn(|_: Intent| -> Result<(), DispatchError> {
        POSTED.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }))
});

// Reads its URL as any other string, and quotes a part of it.
airlock::register_executor!("careless", |settings| {
    let (url, quotes) = (settings.required::<String>("url")?, settings.required::<String>("quotes")?);
    let pool: fn(Intent) -> Result<(), DispatchError> = |_| Ok(());
    if url.is_empty() { Ok(airlock::executor_fn(pool)) } else { Err(format!("no answer: {quotes}").into()) }
});

// One that leads to another.
airlock::register_executor!("shadow", shadow);

fn shadow(settings: &mut SettingsTable<'_>) -> Result<impl Executor + use<>, Box<dyn std::error::Error + Send + Sync>> {
    let to = settings.executor("to")?;
    to.ok_or_else(|| settings.refuse("to", "it is missing").into())
}

airlock::register_executor!("any_of", |settings| {
    let mut all = settings.executors("these")?;
    all.pop().ok_or_else(|| settings.refuse("these", "it is empty").into())
});

airlock::register_policy!("cheap_only", |settings| {
    let limit = settings.required::<u32>("limit")?;
    Ok(airlock::policy_fn(move |intent: &Intent| intent.args::<charge>().is_none_or(|(cents,)| *cents <= limit)))
});

/// Where names of the standard library mean something else.
mod shadowed {
    #![allow(dead_code, reason = "names that are there to be in the way")]

    mod core {}
    mod std {}
    struct Result;
    struct Option;
    struct Box;

    airlock::register_lifecycle!("come_what_may", |_| Ok(airlock::AlwaysFlush));
}

#[test]
fn sync_is_another_name_of_inline_and_the_variables_of_the_kit_and_of_a_cluster_are_no_settings() {
    let variables = [
        ("AIRLOCK_EXECUTOR", "sync"),
        ("AIRLOCK_INLINE__CHECKED", "true"),
        ("AIRLOCK_LOCK", "overwrite"),
        ("AIRLOCK_SERVICE_HOST", "10.0.0.1"),
        ("AIRLOCK_PORT", "tcp://10.0.0.1:80"),
        ("AIRLOCK_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("AIRLOCK_WEB_SERVICE_HOST", "10.0.0.1"),
        ("AIRLOCK_WEB_SERVICE_PORT", "80"),
        ("AIRLOCK_WEB_SERVICE_PORT_HTTP", "80"),
        ("AIRLOCK_WEB_PORT", "tcp://10.0.0.1:80"),
        ("AIRLOCK_WEB_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("AIRLOCK_WEB_PORT_80_TCP_PROTO", "tcp"),
        ("AIRLOCK_WEB_PORT_80_TCP_PORT", "80"),
        ("AIRLOCK_WEB_PORT_80_TCP_ADDR", "10.0.0.1"),
        // Named as an executor is.
        ("AIRLOCK_REDIS_CELERY_PORT", "tcp://10.0.0.1:6379"),
        ("AIRLOCK_CELERY_SERVICE_HOST", "fd00::1"),
    ];
    let shown = airlock::Settings::loader().text("airlock.toml", "").variables(variables).load().unwrap().to_string();
    assert!(shown.contains("inline.checked") && shown.starts_with("executor "), "{shown}");
    // With other values they are mistakes as any.
    for (name, value) in
        [("AIRLOCK_WEB_PORT", "80"), ("AIRLOCK_WEB_SERVICE_HOST", "web"), ("AIRLOCK_WEB__PORT", "tcp://h")]
    {
        let error = airlock::Settings::loader().text("airlock.toml", "").variables([(name, value)]).load().unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
