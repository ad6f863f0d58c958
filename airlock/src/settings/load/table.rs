//! What the maker of an executor, policy or lifecycle reads its options from.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Arc;

use super::file::Table;
use super::names::list;
use super::sources::Loading;
use super::value::Setting;
use super::variables::Variables;
use crate::executors::Executor;
use crate::settings::source::{Shown, Source};
use crate::text::nearest::{hint, nearest};
use crate::text::redact::{HIDDEN, is_secret_name, redact_url};

/// The options of one executor, policy or lifecycle: its table in `airlock.toml`, and the variables
/// `AIRLOCK_<TABLE>__<KEY>`, which beat it.
///
/// Each read names a key and a type, and tells what is wrong with its file and line, or its variable. Do all reads
/// before the first `?`, and all mistakes are reported at once. Keys that were not read are mistakes, too.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use airlock::Secret;
///
/// airlock::register_executor!("webhook", |settings| {
///     let url = settings.required::<Secret>("url");
///     let timeout = settings.optional::<Duration>("timeout");
///     let (url, timeout) = (url?, timeout?.unwrap_or(Duration::from_secs(5)));
///     Ok(airlock::executor_fn(move |intent| post(url.expose(), timeout, intent.name())))
/// });
/// # fn post(_: &str, _: Duration, _: &str) -> Result<(), String> { Ok(()) }
///
/// # fn main() -> Result<(), airlock::SettingsError> {
/// let settings = airlock::Settings::loader()
///     .text("airlock.toml", "executor = \"webhook\"\n[webhook]\ntimeout = \"2s\"\n")
///     .variables([("AIRLOCK_WEBHOOK__URL", "https://me:hunter2@hooks.example.org")])
///     .load()?;
/// assert!(settings.to_string().contains("https://***@hooks.example.org"));
/// # Ok(()) }
/// ```
pub struct SettingsTable<'a> {
    loading: &'a Loading,
    /// `None` for the top of the file.
    name: Option<&'a str>,
    table: Option<&'a Table>,
    /// Where it stands, or where its owner was chosen.
    place: Source,
    /// Whether something is made from it: otherwise nothing has to be there, or to be good for it.
    is_chosen: bool,
    /// What was asked for: the keys that are valid.
    keys: Vec<String>,
    read: Vec<Shown>,
}

/// A value that is missing or wrong, and has been reported: pass it on with `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reported;

impl Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting is missing or wrong, and has been reported")
    }
}

impl Error for Reported {}

impl fmt::Debug for SettingsTable<'_> {
    /// Its name and its keys; no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsTable").field("name", &self.name).field("read", &self.keys).finish_non_exhaustive()
    }
}

impl<'a> SettingsTable<'a> {
    pub(super) fn new(loading: &'a Loading, name: Option<&'a str>, table: Option<&'a Table>, place: Source) -> Self {
        Self { loading, name, table, place, is_chosen: true, keys: Vec::new(), read: Vec::new() }
    }

    /// Of something that is not to be made.
    pub(super) fn of_nothing_chosen(mut self) -> Self {
        self.is_chosen = false;
        self
    }

    /// The name this was chosen by.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.unwrap_or_default()
    }

    /// A value that may be left out.
    ///
    /// # Errors
    /// It is there and is no `T`, which has been reported.
    pub fn optional<T: Setting>(&mut self, key: &str) -> Result<Option<T>, Reported> {
        self.read(key).map(|read| read.map(|(value, _)| value))
    }

    /// A value that has to be there.
    ///
    /// # Errors
    /// It is missing, or no `T`, which has been reported.
    pub fn required<T: Setting>(&mut self, key: &str) -> Result<T, Reported> {
        if let Some(value) = self.optional(key)? {
            return Ok(value);
        }
        if !self.is_chosen {
            return Err(Reported);
        }
        let unread = |key: &&str| !self.keys.iter().any(|read| read == key);
        let near =
            nearest(key, self.table.iter().flat_map(|table| table.iter()).map(|entry| &*entry.key).filter(unread));
        let meant = near.first().map_or_else(String::new, |near| format!(", which has `{near}`"));
        let message = format!(
            "`{key}` is missing in `[{}]`{meant}; write `{key} = {}` there or set `{}`",
            self.name(),
            T::example_in_file(),
            Variables::name(self.name, key)
        );
        Err(self.loading.report(self.place.clone(), message))
    }

    /// The executor of that name, with its own table: for executors that lead to others.
    ///
    /// # Errors
    /// There is none of this name, or it can't be made, which has been reported.
    pub fn executor(&mut self, key: &str) -> Result<Option<Arc<dyn Executor>>, Reported> {
        match self.read::<String>(key)? {
            Some((name, source)) => self.make(&name, &source).map(Some),
            None => Ok(None),
        }
    }

    /// The executors of a list of names, each with its own table. Empty if the key is left out.
    ///
    /// # Errors
    /// There is none of such a name, or it can't be made, which has been reported.
    pub fn executors(&mut self, key: &str) -> Result<Vec<Arc<dyn Executor>>, Reported> {
        let Some((names, source)) = self.read::<Vec<String>>(key)? else { return Ok(Vec::new()) };
        let made: Vec<_> = names.iter().map(|name| self.make(name, &source)).collect();
        made.into_iter().collect()
    }

    /// Tells what is wrong with the value of a key, at its place. Keep secrets out of the reason; those read as
    /// [`Secret`](crate::Secret), and the passwords of URLs, are taken out of it.
    #[must_use = "return it with `Err(…)` or `?`"]
    pub fn refuse(&mut self, key: &str, reason: impl Display) -> Reported {
        if !self.is_chosen {
            return Reported;
        }
        let read = self.read.iter().find(|shown| shown.key == self.shown_key(key));
        let place = read.map_or_else(|| self.place.clone(), |shown| shown.source.clone());
        self.loading.report(place, format!("{} can't be used: {reason}", self.title(key)))
    }

    pub(super) fn read<T: Setting>(&mut self, key: &str) -> Result<Option<(T, Source)>, Reported> {
        self.keys.push(key.to_owned());
        let read = match self.of_variable::<T>(key)? {
            Some(read) => Some(read),
            None => self.of_file(key)?,
        };
        if let Some((value, source)) = &read {
            let is_secret = is_secret_name(key);
            self.loading.hide(&value.texts(), is_secret || T::SECRET);
            // It would be shown by whatever it names, such as a queue.
            let has_account = |text: &&str| text.contains("://") && matches!(redact_url(text), Cow::Owned(_));
            let is_name = !T::SECRET && self.name.is_some_and(|name| self.loading.is_built_in(name));
            if is_name && value.texts().iter().any(has_account) {
                let title = self.title(key);
                let message = format!("{title} is a URL with a password in it, which only `url` may be; write a name");
                return Err(self.loading.report(source.clone(), message));
            }
            let value = if is_secret && !T::SECRET { HIDDEN.to_owned() } else { value.shown() };
            self.read.push(Shown { key: self.shown_key(key), value, source: source.clone() });
        }
        Ok(read)
    }

    fn of_variable<T: Setting>(&self, key: &str) -> Result<Option<(T, Source)>, Reported> {
        let name = Variables::name(self.name, key);
        let in_file = format!("{name}_FILE");
        if T::SECRET && self.loading.is_set(&in_file) && self.loading.is_set(&name) {
            let message = format!("`{name}` is set as well; keep one of them");
            return Err(self.loading.report(Variables::place(&in_file), message));
        }
        // What no executor needs may be missing.
        let reads_file = T::SECRET && self.loading.is_set(&in_file) && self.is_chosen;
        let held = if reads_file { self.loading.secret_file(&in_file)? } else { None };
        let (name, text) = match (held, self.loading.variable(&name)?) {
            (Some(text), _) => (in_file, text),
            (None, Some(text)) => (name, text.to_owned().into()),
            (None, None) => return Ok(None),
        };
        match T::from_text(&text) {
            Some(value) => Ok(Some((value, Variables::place(&name)))),
            None => {
                let message = format!("its value is not {}; write it like `{}`", T::expected(), T::example());
                Err(self.loading.report(Variables::place(&name), message))
            }
        }
    }

    fn of_file<T: Setting>(&self, key: &str) -> Result<Option<(T, Source)>, Reported> {
        let Some(entry) = self.table.and_then(|table| table.get(key)) else { return Ok(None) };
        let place = self.loading.line(entry.line);
        match T::from_value(&entry.value) {
            Some(value) => Ok(Some((value, place))),
            None => {
                let (title, expected, example) = (self.title(key), T::expected(), T::example_in_file());
                Err(self.loading.report(place, format!("{title} is not {expected}; write it like `{key} = {example}`")))
            }
        }
    }

    fn make(&mut self, name: &str, source: &Source) -> Result<Arc<dyn Executor>, Reported> {
        let (executor, read) = self.loading.executor(name, source)?;
        self.read.extend(read);
        Ok(executor)
    }

    /// What was read, once it is known that there is nothing else in the table.
    pub(super) fn finish(self) -> Vec<Shown> {
        for entry in self.table.iter().flat_map(|table| table.iter()) {
            if self.keys.contains(&entry.key) {
                continue;
            }
            let remedy = if super::sources::KEYS.contains(&&*entry.key) {
                "; it is a key of the top: write it above the first table".to_owned()
            } else {
                let near = hint(&nearest(&entry.key, self.keys.iter().map(String::as_str)));
                if near.is_empty() {
                    format!("; {}", takes(&self.keys))
                } else {
                    format!("{near} {}", takes(&self.keys))
                }
            };
            let message = format!("`[{}]` has no key `{}`{remedy}", self.name(), entry.key);
            let _ = self.loading.report(self.loading.line(entry.line), message);
        }
        self.read
    }

    fn shown_key(&self, key: &str) -> String {
        self.name.map_or_else(|| key.to_owned(), |name| format!("{name}.{key}"))
    }

    fn title(&self, key: &str) -> String {
        self.name.map_or_else(|| format!("`{key}`"), |name| format!("`{key}` in `[{name}]`"))
    }
}

/// ``it takes `limit` and `per` ``
fn takes(keys: &[String]) -> String {
    if keys.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", list(keys)) }
}
