//! Executors, policies and lifecycles by name.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::builtin;
use super::error::SettingsProblem;
use super::table::SettingsTable;
use crate::executors::Executor;
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::settings::source::Source;
use crate::text::nearest::{hint, nearest};

/// Why something can't be made from its settings. [`Reported`](super::Reported) is one, as is any other error.
pub(crate) type BuildError = Box<dyn Error + Send + Sync>;

type MakeOne<T> = fn(&mut SettingsTable<'_>) -> Result<Arc<T>, BuildError>;

/// How to make what a name stands for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Make {
    Executor(MakeOne<dyn Executor>),
    Policy(MakeOne<dyn Policy>),
    Lifecycle(MakeOne<dyn Lifecycle>),
    /// An executor whose cargo feature is off.
    Off {
        feature: &'static str,
    },
    /// An executor that takes what settings can't hold, and so is made in code. Programs may register its name.
    InCode {
        needs: &'static str,
    },
}

impl Make {
    fn is_there(&self) -> bool {
        !matches!(self, Self::Off { .. } | Self::InCode { .. })
    }
}

/// The three things that are chosen by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ComponentKind {
    Executor,
    Policy,
    Lifecycle,
}

impl fmt::Display for ComponentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Executor => "executor",
            Self::Policy => "policy",
            Self::Lifecycle => "lifecycle",
        })
    }
}

/// A name, and what it stands for.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Named {
    pub(super) name: &'static str,
    /// File and line; `None` for what is built in.
    place: Option<(&'static str, u32)>,
    pub(super) make: Make,
}

inventory::collect!(Named);

impl Named {
    /// What a `register_…!` writes.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32, make: Make) -> Self {
        Self { name, place: Some((file, line)), make }
    }

    pub(super) const fn built_in(name: &'static str, make: Make) -> Self {
        Self { name, place: None, make }
    }

    pub(super) fn is_built_in(&self) -> bool {
        self.place.is_none()
    }

    pub(super) fn kind(&self) -> ComponentKind {
        match self.make {
            Make::Executor(_) | Make::Off { .. } | Make::InCode { .. } => ComponentKind::Executor,
            Make::Policy(_) => ComponentKind::Policy,
            Make::Lifecycle(_) => ComponentKind::Lifecycle,
        }
    }

    fn place(&self) -> String {
        match self.place {
            Some((file, line)) => format!("{} at {file}:{line}", self.kind()),
            None => format!("{} that is built in", self.kind()),
        }
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.name)
    }
}

/// Forgets the type of what a closure of `register_executor!` makes.
#[doc(hidden)]
pub fn executor<E: Executor>(
    settings: &mut SettingsTable<'_>,
    make: impl FnOnce(&mut SettingsTable<'_>) -> Result<E, BuildError>,
) -> Result<Arc<dyn Executor>, BuildError> {
    make(settings).map(|made| Arc::new(made) as Arc<dyn Executor>)
}

/// Forgets the type of what a closure of `register_policy!` makes.
#[doc(hidden)]
pub fn policy<P: Policy + 'static>(
    settings: &mut SettingsTable<'_>,
    make: impl FnOnce(&mut SettingsTable<'_>) -> Result<P, BuildError>,
) -> Result<Arc<dyn Policy>, BuildError> {
    make(settings).map(|made| Arc::new(made) as Arc<dyn Policy>)
}

/// Forgets the type of what a closure of `register_lifecycle!` makes.
#[doc(hidden)]
pub fn lifecycle<L: Lifecycle + 'static>(
    settings: &mut SettingsTable<'_>,
    make: impl FnOnce(&mut SettingsTable<'_>) -> Result<L, BuildError>,
) -> Result<Arc<dyn Lifecycle>, BuildError> {
    make(settings).map(|made| Arc::new(made) as Arc<dyn Lifecycle>)
}

/// All names of the program.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<&'static str, Named>);

impl Names {
    /// What is built in and what is linked; a name that is there twice is a problem, as it has one table.
    pub(super) fn linked(problems: &mut Vec<SettingsProblem>) -> Self {
        Self::of(builtin::NAMES.iter().chain(inventory::iter::<Named>).copied(), problems)
    }

    fn of(named: impl Iterator<Item = Named>, problems: &mut Vec<SettingsProblem>) -> Self {
        let mut names: BTreeMap<&'static str, Vec<Named>> = BTreeMap::new();
        for named in named {
            names.entry(named.name).or_default().push(named);
        }
        for (name, all) in &mut names {
            // The linker's order means nothing.
            all.sort_by_key(|named| named.place);
            if all.len() > 1 {
                all.retain(|named| !matches!(named.make, Make::InCode { .. }));
            }
            if all.len() > 1 {
                let places: Vec<_> = all.iter().map(Named::place).collect();
                let message = format!("the name `{name}` is taken twice: {}; rename one", places.join(" and "));
                problems.push(SettingsProblem::new(Source::Default, message));
            }
            if let Some(fault) = fault_of(name) {
                let message = format!("the name `{name}` of the {} can't be used: {fault}", all[0].place());
                problems.push(SettingsProblem::new(Source::Default, message));
            }
        }
        Self(names.into_iter().map(|(name, all)| (name, all[0])).collect())
    }

    #[cfg(test)]
    pub(super) fn add(&mut self, named: Named) {
        self.0.insert(named.name, named);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Named> {
        self.0.get(name)
    }

    /// What to say to somebody who wrote a name of a kind, or of any, that is none: the nearest, and those there are.
    pub(super) fn remedy(&self, name: &str, kind: Option<ComponentKind>) -> String {
        let of_kind = || self.0.values().filter(|named| kind.is_none_or(|kind| named.kind() == kind));
        let near = nearest(name, of_kind().map(|named| named.name));
        remedy(&near, of_kind().filter(|named| named.make.is_there()).map(|named| named.name))
    }
}

/// ``; did you mean `a`? there are `a`, `b` and `c` ``
pub(super) fn remedy(near: &[&str], there: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let near = hint(near);
    let there = list(there);
    format!("{near}{} there are {there}", if near.is_empty() { ";" } else { "" })
}

/// `` `a`, `b` and `c` ``
pub(super) fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match &*names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.join(""),
    }
}

/// Names become tables of the file and parts of variables.
fn fault_of(name: &str) -> Option<&'static str> {
    let written = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if super::sources::KEYS.contains(&name) {
        Some("it is a key of the settings")
    } else if name.is_empty() || !name.chars().all(written) || name.contains("__") || name.starts_with('_') {
        Some("write it with small letters, digits and single `_`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_taken_twice_is_told_with_both_places() {
        let make = Make::Lifecycle(|_| Ok(Arc::new(crate::AlwaysFlush)));
        let named = [
            Named::new("shadow", "src/b.rs", 4, make),
            Named::new("shadow", "src/a.rs", 9, Make::Off { feature: "shadow" }),
            Named::built_in("log", make),
            Named::new("log", "src/a.rs", 2, make),
        ];
        let mut problems = Vec::new();
        Names::of(named.into_iter(), &mut problems);
        let messages: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "the name `log` is taken twice: lifecycle that is built in and lifecycle at src/a.rs:2; rename one",
                "the name `shadow` is taken twice: executor at src/a.rs:9 and lifecycle at src/b.rs:4; rename one",
            ]
        );
    }

    #[test]
    fn names_that_can_be_no_table_or_variable_are_refused() {
        let make = Make::Off { feature: "none" };
        let faulty = ["", "Shadow", "shadow-box", "a__b", "_a", "executor"];
        let mut problems = Vec::new();
        Names::of(faulty.into_iter().map(|name| Named::new(name, "src/a.rs", 1, make)), &mut problems);
        assert_eq!(problems.len(), faulty.len(), "{problems:?}");
    }
}
