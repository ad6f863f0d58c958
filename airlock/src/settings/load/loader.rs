//! Where settings are loaded from.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::{SettingsError, SettingsProblem};
use super::file::File;
use super::sources::Loading;
use super::text;
use super::variables::{CONFIG, Variables};
use crate::settings::Settings;
use crate::settings::source::Source;
use crate::text::redact::redact_text;

const FILE: &str = "airlock.toml";

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
    pub(super) from: Origin,
    pub(super) variables: Option<Vec<(OsString, OsString)>>,
}

#[derive(Clone)]
pub(super) enum Origin {
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
        super::read(&loading, &mut settings);
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
        match text::read(&path) {
            Ok(Ok(text)) => File::parse(Arc::from(name), &text).map(Some),
            Ok(Err(what)) => Err(SettingsProblem::new(place, format!("the settings file {name} is {what}"))),
            Err(error) if !must && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("the settings file {name} can't be read: {error}; name one that is there");
                Err(SettingsProblem::new(place, message))
            }
        }
    }
}
