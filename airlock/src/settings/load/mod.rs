//! Settings from a file and the environment.

mod builtin;
mod error;
mod file;
pub(crate) mod names;
mod options;
mod register;
mod secret;
mod several;
mod sources;
mod table;
mod value;
mod variables;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use self::file::File;
use self::several::{All, OneOrMore};
use self::sources::Loading;
use self::variables::{CONFIG, Variables};
use super::Settings;
use super::source::{Source, Sourced};
use crate::executors::OnFailure;
use crate::policy::Policy;
use crate::text::nearest::{hint, nearest};

use crate::text::redact::redact_text;
pub use error::{SettingsError, SettingsProblem};
pub use secret::Secret;
pub use table::{Reported, SettingsTable};
pub use value::Setting;

const FILE: &str = "airlock.toml";

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
    /// | | `celery` (feature `celery`) | `url`, `named`, `default_queue`, `task_prefix`, `global_keyprefix`, `separator`, `priority_steps`, `default_priority`, `max_priority`, `visibility_timeout`, `body_limit`, `origin`, `declare`, `connect_timeout` |
    /// | | `django_q` (feature `django-q`) | `url`, `secret_key`, `named`, `cluster`, `cluster_name`, `task_prefix`, `ack_failures`, `cached`, `compressed`, `body_limit`, `connect_timeout` |
    /// | | `django_tasks` (feature `django-tasks`) | `url`, `named`, `default_queue`, `task_prefix`, `backend`, `default_priority`, `body_limit`, `connect_timeout` |
    /// | | `dramatiq` (feature `dramatiq`) | `url`, `named`, `default_queue`, `task_prefix`, `namespace`, `default_priority`, `max_priority`, `body_limit`, `declare`, `connect_timeout` |
    /// | | `huey` (feature `huey`) | `url`, `named`, `default_queue`, `clean_name`, `task_prefix`, `priorities`, `default_priority`, `consumer`, `compressed`, `use_zlib`, `signed`, `salt`, `body_limit`, `connect_timeout` |
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
    /// those that Kubernetes sets beside a service called `airlock`: `AIRLOCK_SERVICE_HOST`, `AIRLOCK_SERVICE_PORT`,
    /// `AIRLOCK_SERVICE_PORT_<NAME>`, `AIRLOCK_PORT`, and `AIRLOCK_PORT_<NUMBER>_<PROTOCOL>` with what may follow it.
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

/// Where settings are loaded from: see [`Settings::loader`].
///
/// ```
/// let settings = airlock::Settings::loader()
///     .text("airlock.toml", "executor = \"log\"\ndeadline = \"2s\"\n")
///     .variables([("AIRLOCK_DEADLINE", "500ms")])
///     .load()?;
/// let shown = settings.timings(true).to_string();
/// assert!(shown.contains("executor    log             airlock.toml:1"));
/// assert!(shown.contains("deadline    500ms           AIRLOCK_DEADLINE"));
/// # Ok::<(), airlock::SettingsError>(())
/// ```
#[derive(Clone)]
#[must_use = "a loader does nothing until `load`"]
pub struct SettingsLoader {
    from: Origin,
    variables: Option<Vec<(OsString, OsString)>>,
}

#[derive(Clone)]
enum Origin {
    /// The file that `AIRLOCK_CONFIG` names, or `airlock.toml` in this folder if there is one.
    Folder(PathBuf),
    File(PathBuf),
    Text {
        name: String,
        /// There may be passwords and keys in it.
        text: Zeroizing<String>,
    },
}

impl fmt::Debug for SettingsLoader {
    /// The file; no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match &self.from {
            Origin::Folder(path) => path.join(FILE).display().to_string(),
            Origin::File(path) => path.display().to_string(),
            Origin::Text { name, .. } => name.clone(),
        };
        f.debug_struct("SettingsLoader").field("from", &redact_text(&from)).finish_non_exhaustive()
    }
}

impl SettingsLoader {
    /// From this file, which has to be there.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.from = Origin::File(path.into());
        self
    }

    /// From `airlock.toml` in this folder, if it is there, or the file that `AIRLOCK_CONFIG` names from there.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.from = Origin::Folder(path.into());
        self
    }

    /// From this text, which messages call by the name.
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.from = Origin::Text { name: name.into(), text: Zeroizing::new(text.into()) };
        self
    }

    /// With these variables instead of those of the process. Only those that begin with `AIRLOCK_` count.
    pub fn variables<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.variables = Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Without any variables.
    pub fn without_variables(mut self) -> Self {
        self.variables = Some(Vec::new());
        self
    }

    /// Reads, and makes what was chosen.
    ///
    /// # Errors
    /// Every mistake, at once: see [`Settings::load`].
    pub fn load(self) -> Result<Settings, SettingsError> {
        let variables = match self.variables {
            Some(variables) => Variables::of(variables),
            None => Variables::of(std::env::vars_os()),
        };
        let mut problems = Vec::new();
        let file = self.from.read(&variables).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        if !problems.is_empty() {
            // What the variables mean may depend on the file.
            return Err(SettingsError::new(problems));
        }
        let loading = Loading::new(file, variables, problems);
        let mut settings = Settings::new();
        read(&loading, &mut settings);
        loading.check_rest();
        let problems = loading.into_problems();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError::new(problems)) }
    }
}

impl Origin {
    fn read(&self, variables: &Variables) -> Result<Option<File>, SettingsProblem> {
        let (path, place, must) = match self {
            Self::Text { name, text } => return File::parse(Arc::from(&**name), text).map(Some),
            Self::File(path) => (path.clone(), Source::Default, true),
            Self::Folder(folder) => match variables.get_os(CONFIG) {
                Some(named) => (folder.join(named), Variables::place(CONFIG), true),
                None => (folder.join(FILE), Source::Default, false),
            },
        };
        let name = path.display().to_string();
        match std::fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => File::parse(Arc::from(name), &text).map(Some),
            Err(error) if !must && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("the settings file {name} can't be read: {error}; name one that is there");
                Err(SettingsProblem::new(place, message))
            }
        }
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
    let value: Arc<dyn Policy> = match policies.pop() {
        Some(only) if policies.is_empty() => only,
        Some(last) => {
            policies.push(last);
            Arc::new(All::new(policies))
        }
        None => {
            return Err(
                loading.report(source, "`policy` is an empty list; leave it out, or write `allow_all`".to_owned())
            );
        }
    };
    let name = if names.len() == 1 { names[0].clone() } else { names.join(" and ") };
    Ok(Some(Sourced { value, source, name: Some(name.into()), options }))
}
