//! What is wrong with the settings, all at once.

use std::fmt;

use crate::settings::source::Source;
use crate::text::redact::redact_text;

/// Settings that can't be used: every mistake that was found, each with its file and line, or its variable.
///
/// No value of a secret is part of it.
///
/// ```
/// let error = airlock::Settings::loader()
///     .text("airlock.toml", "executor = \"imline\"\ntimings = 1\n")
///     .variables([("AIRLOCK_DEADLINE", "soon")])
///     .load()
///     .unwrap_err();
/// assert_eq!(error.problems().len(), 3);
/// assert!(error.to_string().contains("airlock.toml:1: there is no executor `imline`; did you mean `inline`?"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<SettingsProblem>,
}

/// One mistake in the settings.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    place: Source,
    message: String,
}

impl SettingsProblem {
    pub(super) fn new(place: Source, message: impl Into<String>) -> Self {
        Self { place, message: redact_text(&message.into()).into_owned() }
    }

    /// Of a load that will hide what is secret once it has read everything.
    pub(super) fn not_hidden_yet(place: Source, message: String) -> Self {
        Self { place, message }
    }

    /// What is wrong, and what to do about it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn map_message(mut self, map: impl FnOnce(&str) -> String) -> Self {
        self.message = map(&self.message);
        self
    }

    fn order(&self) -> (u8, usize, &str) {
        match &self.place {
            Source::File { line, .. } => (0, *line, ""),
            Source::Variable(name) => (1, 0, name),
            Source::Code(location) => (2, location.line() as usize, location.file()),
            Source::Default => (3, 0, ""),
        }
    }
}

impl fmt::Display for SettingsProblem {
    /// `airlock.toml:3: there is no executor …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Source::Default => f.write_str(&self.message),
            place => write!(f, "{place}: {}", self.message),
        }
    }
}

impl fmt::Debug for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SettingsError {
    /// At least one problem.
    pub(super) fn new(mut problems: Vec<SettingsProblem>) -> Self {
        problems.sort_by(|a, b| a.order().cmp(&b.order()));
        problems.dedup();
        Self { problems }
    }

    /// The mistakes, those of the file first, by line, then those of variables, by name.
    #[must_use]
    pub fn problems(&self) -> &[SettingsProblem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = &*self.problems {
            return problem.fmt(f);
        }
        write!(f, "the settings have {} mistakes:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl fmt::Debug for SettingsError {
    /// As `Display`: a `main` that returns the error prints it like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SettingsError {}
