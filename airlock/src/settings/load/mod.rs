//! Settings from a file and the environment.

mod builtin;
mod error;
mod file;
mod loader;
mod messages;
pub(crate) mod names;
mod one_or_more;
mod options;
mod register;
mod secret;
mod sources;
mod table;
mod text;
mod value;
mod variables;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::one_or_more::OneOrMore;
use self::sources::Loading;
use super::Settings;
use super::source::Sourced;
use crate::executors::OnFailure;
use crate::policy::Policy;
use crate::text::nearest::{hint, nearest};

pub use error::{SettingsError, SettingsProblem};
use loader::Origin;
pub use loader::SettingsLoader;
pub use secret::Secret;
pub use table::{Reported, SettingsTable};
pub use value::Setting;

impl Settings {
    /// The settings of `airlock.toml` in the current folder, if it is there, or of the file that `AIRLOCK_CONFIG` names,
    /// which has to be; and of `AIRLOCK_…` variables, which beat the file. What the program then calls on the result
    /// beats both.
    ///
    /// ```toml
    /// executor = "log"              # AIRLOCK_EXECUTOR
    /// policy = "block_tasks"        # AIRLOCK_POLICY; or a list, which have to agree
    /// lifecycle = "always_flush"    # AIRLOCK_LIFECYCLE
    /// on_failure = "fail_fast"      # AIRLOCK_ON_FAILURE; or "continue"
    /// deadline = "2s"               # AIRLOCK_DEADLINE
    /// timings = true                # AIRLOCK_TIMINGS
    ///
    /// [log]
    /// arguments = true              # AIRLOCK_LOG__ARGUMENTS
    ///
    /// [block_tasks]
    /// tasks = ["shop.send_email"]   # AIRLOCK_BLOCK_TASKS__TASKS=shop.send_email
    /// ```
    ///
    /// | kind | names | keys of the table |
    /// | --- | --- | --- |
    /// | executor | `inline` | `checked` |
    /// | | `log` | `arguments` |
    /// | | `threads` (feature `threads`) | `threads`, `named`, `queue_limit`, `delayed_limit`, `ignore_unsupported` |
    /// | | `tokio` (feature `tokio`) | `concurrency`, `named`, `queue_limit`, `delayed_limit`, `ignore_unsupported` |
    /// | | `celery` (feature `celery`) | `url`, `named`, `default_queue`, `task_prefix`, `global_keyprefix`, `separator`, `priority_steps`, `default_priority`, `max_priority`, `visibility_timeout`, `body_limit`, `origin`, `declare`, `native_delayed_delivery`, `connect_timeout` |
    /// | | `django_q` (feature `django-q`) | `url`, `secret_key`, `named`, `cluster`, `cluster_name`, `task_prefix`, `ack_failures`, `cached`, `compressed`, `body_limit`, `elsewhere`, `connect_timeout` |
    /// | | `django_tasks` (feature `django-tasks`) | `url`, `named`, `default_queue`, `task_prefix`, `backend`, `default_priority`, `body_limit`, `elsewhere`, `connect_timeout` |
    /// | | `dramatiq` (feature `dramatiq`) | `url`, `named`, `default_queue`, `task_prefix`, `namespace`, `default_priority`, `max_priority`, `body_limit`, `declare`, `connect_timeout` |
    /// | | `huey` (feature `huey`) | `url`, `named`, `default_queue`, `clean_name`, `task_prefix`, `priorities`, `default_priority`, `consumer`, `compressed`, `use_zlib`, `signed`, `salt`, `body_limit`, `elsewhere`, `connect_timeout` |
    /// | | `outbox` (feature `outbox`) | `url`, `named`, `default_queue`, `schema`, `notify`, `body_limit`, `elsewhere`, `connect_timeout` |
    /// | policy | `allow_all`, `drop_all`, `assert_no_effects`, `dedupe` | |
    /// | | `block_tasks`, `allow_tasks` | `tasks`, `rejecting` |
    /// | | `rate_limit` | `limit`, `per` |
    /// | | `log_on_flush` | `arguments` |
    /// | lifecycle | `flush_on_success`, `always_flush`, `release_nested` | |
    ///
    /// A key of an executor is the builder method of that name, whose documentation says what it does.
    /// [`register_executor!`](crate::register_executor) and its twins add names. Of what is not chosen, tables of the
    /// names above are looked into for unknown keys and values of another type, and those of other names are not. A
    /// secret may stand in a file of its own, which a variable that ends in `_FILE` names. `sync` is another name of
    /// `inline`.
    ///
    /// Any other variable that begins with `AIRLOCK_` is a mistake, but for `AIRLOCK_LOCK`, which the test kit reads, and
    /// those that Kubernetes sets beside a service called `airlock` or `airlock-web`: `AIRLOCK_WEB_SERVICE_HOST`,
    /// `AIRLOCK_WEB_SERVICE_PORT` and `…_SERVICE_PORT_<NAME>` with an address or a number, `AIRLOCK_WEB_PORT` and
    /// `…_PORT_<NUMBER>_<PROTOCOL>` with `tcp://…`, and what may follow that.
    ///
    /// ```no_run
    /// airlock::configure(airlock::Settings::load()?);
    /// println!("{}", airlock::configuration());
    /// # Ok::<(), airlock::SettingsError>(())
    /// ```
    ///
    /// # Errors
    /// Every mistake in the file and the variables, at once: unknown keys, variables and names, values of another type,
    /// values that are missing, systems that are not compiled in.
    pub fn load() -> Result<Self, SettingsError> {
        Self::loader().load()
    }

    /// Like [`load`](Self::load), from this file, whatever `AIRLOCK_CONFIG` says.
    ///
    /// # Errors
    /// As [`load`](Self::load), and the file can't be read.
    pub fn load_from(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        Self::loader().file(path.as_ref()).load()
    }

    /// How to load in another way: from a text, or with variables that are not those of the process, in tests.
    pub fn loader() -> SettingsLoader {
        SettingsLoader { from: Origin::Folder(PathBuf::new()), variables: None }
    }
}

/// Goes on after a mistake, so that all are reported.
fn read(loading: &Loading, settings: &mut Settings) {
    let mut top = loading.top();
    if let Ok(Some((name, source))) = top.read::<String>("executor")
        && let Ok((value, options)) = loading.executor(&name, &source)
    {
        settings.executor = Sourced { value, source, name: Some(name.into()), options };
    }
    if let Ok(Some(slot)) = policy(loading, &mut top) {
        settings.policy = slot;
    }
    if let Ok(Some((name, source))) = top.read::<String>("lifecycle")
        && let Ok((value, options)) = loading.lifecycle(&name, &source)
    {
        settings.lifecycle = Sourced { value, source, name: Some(name.into()), options };
    }
    if let Ok(Some((word, source))) = top.read::<String>("on_failure") {
        const WORDS: [&str; 2] = ["continue", "fail_fast"];
        match &*word {
            "continue" => settings.on_failure = Sourced { source, ..Sourced::default(OnFailure::Continue) },
            "fail_fast" => settings.on_failure = Sourced { source, ..Sourced::default(OnFailure::FailFast) },
            _ => {
                let near = hint(&nearest(&word, WORDS));
                let message = format!(
                    "`on_failure` is `continue` or `fail_fast`; this is neither{}",
                    near.replace("; did", ": did")
                );
                let _ = loading.report(source, message);
            }
        }
    }
    if let Ok(Some((deadline, source))) = top.read::<Duration>("deadline") {
        if deadline.is_zero() {
            let message = "`deadline` is no time at all, so nothing would go out; leave it out, or write one like `5s`";
            let _ = loading.report(source.clone(), message.to_owned());
        }
        settings.deadline = Sourced { source, ..Sourced::default(Some(deadline)) };
    }
    if let Ok(Some((timings, source))) = top.read::<bool>("timings") {
        settings.timings = Sourced { source, ..Sourced::default(timings) };
    }
}

/// One policy, or several that have to agree.
fn policy(loading: &Loading, top: &mut SettingsTable<'_>) -> Result<Option<Sourced<Arc<dyn Policy>>>, Reported> {
    let Some((OneOrMore(names), source)) = top.read("policy")? else { return Ok(None) };
    let made: Vec<_> = names.iter().map(|name| loading.policy(name, &source)).collect();
    let made = made.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (mut policies, mut options) = (Vec::new(), Vec::new());
    for (policy, read) in made {
        policies.push(policy);
        options.extend(read);
    }
    // Not as a list, whose name would not say which they are.
    let Some(value) = policies.into_iter().reduce(|before, next| Arc::new(before.and(next))) else {
        return Err(loading.report(source, "`policy` is an empty list; leave it out, or write `allow_all`".to_owned()));
    };
    let name = if names.len() == 1 { names[0].clone() } else { names.join(" and ") };
    Ok(Some(Sourced { value, source, name: Some(name.into()), options }))
}
