//! One load: what is read from, what was made, and what is wrong with it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::SettingsProblem;
use super::file::{File, Value};
use super::messages::{chain, in_code, is_off, no_heading};
use super::names::{BuildError, ComponentKind, Make, Named, Names, remedy};
use super::table::{Reported, SettingsTable};
use super::text;
use super::variables::Variables;
use crate::executors::Executor;
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::settings::source::{Shown, Source};
use crate::text::nearest::nearest;
use crate::text::redact::{HIDDEN, redact_text, secret_parts};

/// The keys at the top of a file.
pub(super) const KEYS: [&str; 6] = ["deadline", "executor", "lifecycle", "on_failure", "policy", "timings"];

/// What something made by name comes with: what was read to make it.
pub(super) type Made<T> = (Arc<T>, Vec<Shown>);

pub(super) struct Loading {
    file: Option<File>,
    variables: Variables,
    names: Names,
    problems: RefCell<Vec<SettingsProblem>>,
    secrets: RefCell<Vec<Zeroizing<String>>>,
    /// What is being made, outermost first.
    making: RefCell<Vec<&'static str>>,
    /// The tables that were read, and whether all of their keys are known.
    read: RefCell<BTreeMap<&'static str, bool>>,
}

impl Loading {
    pub(super) fn new(file: Option<File>, variables: Variables, mut problems: Vec<SettingsProblem>) -> Self {
        let names = Names::linked(&mut problems);
        Self {
            file,
            variables,
            names,
            problems: RefCell::new(problems),
            secrets: RefCell::default(),
            making: RefCell::default(),
            read: RefCell::default(),
        }
    }

    /// The top of the file.
    pub(super) fn top(&self) -> SettingsTable<'_> {
        SettingsTable::new(self, None, self.file.as_ref().map(|file| &file.root), Source::Default)
    }

    pub(super) fn into_problems(self) -> Vec<SettingsProblem> {
        // Only now are all secrets known: one may be read after a message that has it was written.
        let mut secrets = self.secrets.into_inner();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let hide = |message: &str| {
            let message =
                secrets.iter().fold(message.to_owned(), |message, secret| message.replace(secret.as_str(), HIDDEN));
            redact_text(&message).into_owned()
        };
        self.problems.into_inner().into_iter().map(|problem| problem.map_message(hide)).collect()
    }

    pub(super) fn report(&self, place: Source, message: String) -> Reported {
        self.problems.borrow_mut().push(SettingsProblem::not_hidden_yet(place, message));
        Reported
    }

    /// What no message may have: of texts that are secret as a whole, all of it; of others, the passwords in them.
    pub(super) fn hide(&self, texts: &[&str], whole: bool) {
        let mut secrets = self.secrets.borrow_mut();
        secrets.extend(texts.iter().flat_map(|text| secret_parts(text)).map(Zeroizing::new));
        secrets.extend(
            texts.iter().filter(|text| whole && !text.is_empty()).map(|text| Zeroizing::new((*text).to_owned())),
        );
    }

    pub(super) fn line(&self, line: usize) -> Source {
        self.file.as_ref().map_or(Source::Default, |file| file.place(line))
    }

    pub(super) fn variable(&self, name: &str) -> Result<Option<&str>, Reported> {
        self.variables.get(name).map_err(|problem| self.add(problem))
    }

    /// Whether the variable is set; from now on its name is a known one.
    pub(super) fn is_set(&self, name: &str) -> bool {
        !matches!(self.variables.get(name), Ok(None))
    }

    /// The text of the file that a variable names: how secrets are handed to containers.
    pub(super) fn secret_file(&self, name: &str) -> Result<Option<Zeroizing<String>>, Reported> {
        let Some(path) = self.variable(name)? else { return Ok(None) };
        match text::read(Path::new(path)) {
            Ok(Ok(text)) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into())),
            Ok(Err(what)) => Err(self.report(Variables::place(name), format!("the file it names is {what}"))),
            Err(error) => {
                // Without the path: it may be the secret itself, put into the wrong variable.
                let message = format!("the file it names can't be read: {error}; it takes the path of a file");
                Err(self.report(Variables::place(name), message))
            }
        }
    }

    /// Whether the table of this name is one of airlock's own.
    pub(super) fn is_built_in(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(Named::is_built_in)
    }

    fn add(&self, problem: SettingsProblem) -> Reported {
        self.problems.borrow_mut().push(problem);
        Reported
    }

    pub(super) fn executor(&self, name: &str, source: &Source) -> Result<Made<dyn Executor>, Reported> {
        // Its other name, unless the program has an executor called so; the table is `[inline]` either way.
        let name = if name == "sync" && self.names.get(name).is_none() { "inline" } else { name };
        match self.find(ComponentKind::Executor, name, source)? {
            (named, Make::Executor(make)) => self.make(named, source, make),
            (_, _) => unreachable!("`find` looks at the kind"),
        }
    }

    pub(super) fn policy(&self, name: &str, source: &Source) -> Result<Made<dyn Policy>, Reported> {
        match self.find(ComponentKind::Policy, name, source)? {
            (named, Make::Policy(make)) => self.make(named, source, make),
            (_, _) => unreachable!("`find` looks at the kind"),
        }
    }

    pub(super) fn lifecycle(&self, name: &str, source: &Source) -> Result<Made<dyn Lifecycle>, Reported> {
        match self.find(ComponentKind::Lifecycle, name, source)? {
            (named, Make::Lifecycle(make)) => self.make(named, source, make),
            (_, _) => unreachable!("`find` looks at the kind"),
        }
    }

    fn find(&self, kind: ComponentKind, name: &str, source: &Source) -> Result<(Named, Make), Reported> {
        let Some(named) = self.names.get(name) else {
            // What is no name at all may be a URL that was put into the wrong place, and a secret.
            let is_name = name.len() <= 64 && name.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
            let message =
                if is_name { format!("there is no {kind} `{name}`") } else { format!("this names no {kind}") };
            return Err(self.report(source.clone(), message + &self.names.remedy(name, Some(kind))));
        };
        if named.kind() != kind {
            let message = named.kind();
            let message = format!("`{name}` is no {kind}; it is a name of a {message}: write `{message} = \"{name}\"`");
            return Err(self.report(source.clone(), message.replace("of a executor", "of an executor")));
        }
        if let Make::Off { feature } = named.make {
            return Err(self.report(source.clone(), is_off(name, feature)));
        }
        if let Make::InCode { needs } = named.make {
            return Err(self.report(source.clone(), in_code(name, needs)));
        }
        Ok((*named, named.make))
    }

    fn make<T: ?Sized>(
        &self,
        named: Named,
        source: &Source,
        make: fn(&mut SettingsTable<'_>) -> Result<Arc<T>, BuildError>,
    ) -> Result<Made<T>, Reported> {
        let name = named.name;
        if self.making.borrow().contains(&name) {
            let path: Vec<_> = self.making.borrow().iter().chain([&name]).map(|name| format!("`{name}`")).collect();
            let message = format!("executors lead to each other in a circle: {}; break it", path.join(" to "));
            return Err(self.report(source.clone(), message));
        }
        let (place, mut table) = self.table(name, source);
        self.making.borrow_mut().push(name);
        let made = make(&mut table);
        self.making.borrow_mut().pop();
        self.read.borrow_mut().insert(name, made.is_ok());
        match made {
            Ok(made) => Ok((made, table.finish())),
            Err(refusal) if refusal.is::<Reported>() => Err(Reported),
            Err(refusal) => {
                Err(self.report(place, format!("the {} `{name}` can't be made: {}", named.kind(), chain(&*refusal))))
            }
        }
    }

    /// The table of the name, and where it stands, or else where the name was chosen.
    fn table(&self, name: &'static str, chosen: &Source) -> (Source, SettingsTable<'_>) {
        let entry = self.file.as_ref().and_then(|file| file.root.get(name));
        let (place, table) = match entry.map(|entry| (entry.line, &entry.value)) {
            Some((line, Value::Table(table))) => (self.line(line), Some(table)),
            _ => (chosen.clone(), None),
        };
        (place.clone(), SettingsTable::new(self, Some(name), table, place))
    }

    /// Reads the table of something that is built in and not chosen: for its mistakes alone, and without a value that is
    /// missing being one. What users register may do more than read when it is made, and is left alone.
    fn look_into(&self, named: &Named) {
        let mut table = self.table(named.name, &Source::Default).1.of_nothing_chosen();
        match named.make {
            Make::Executor(make) => drop(make(&mut table)),
            Make::Policy(make) => drop(make(&mut table)),
            Make::Lifecycle(make) => drop(make(&mut table)),
            Make::Off { .. } | Make::InCode { .. } => return,
        }
        table.finish();
        self.read.borrow_mut().insert(named.name, true);
    }

    /// Reports whatever stands in the file or the environment and means nothing.
    pub(super) fn check_rest(&self) {
        let tables = self.file.iter().flat_map(|file| file.root.iter()).map(|entry| entry.key.clone());
        let tables = tables.chain(self.variables.unknown().into_iter().filter_map(Variables::table_of));
        for table in tables.collect::<BTreeSet<_>>() {
            let is_unread = |named: &&Named| named.is_built_in() && !self.read.borrow().contains_key(named.name);
            if let Some(named) = self.names.get(&table).filter(is_unread) {
                self.look_into(named);
            }
        }
        let entries = self.file.iter().flat_map(|file| file.root.iter());
        for entry in entries.filter(|entry| !KEYS.contains(&&*entry.key)) {
            let key = &entry.key;
            let message = match (&entry.value, self.names.get(key)) {
                (Value::Table(_), Some(Named { make: Make::Off { feature }, .. })) => is_off(key, feature),
                (Value::Table(_), Some(Named { make: Make::InCode { needs }, .. })) => in_code(key, needs),
                (Value::Table(_), Some(_)) => continue,
                (Value::Table(table), None) if key == "airlock" => no_heading(table),
                (Value::Table(_), None) => self.no_table(key),
                (_, Some(_)) => format!("`{key}` is a table; write `[{key}]` and its keys below it"),
                (_, None) => format!("there is no setting `{key}`{}", remedy(&nearest(key, KEYS), KEYS)),
            };
            let _ = self.report(self.line(entry.line), message);
        }
        for name in self.variables.unknown() {
            let table = Variables::table_of(name);
            let message = match table.as_deref().map(|table| (table, self.names.get(table))) {
                Some((table, None)) => self.no_table(table),
                Some((table, Some(Named { make: Make::Off { feature }, .. }))) => is_off(table, feature),
                // Only who makes it knows its keys.
                Some((_, Some(named))) if self.read.borrow().get(named.name) != Some(&true) => continue,
                _ => {
                    let known = self.variables.known();
                    let same = |known: &&String| Variables::table_of(known) == table;
                    let near = nearest(name, known.iter().map(String::as_str));
                    format!("there is no setting of this name{}", remedy(&near, known.iter().filter(same)))
                }
            };
            let _ = self.report(Variables::place(name), message);
        }
    }

    fn no_table(&self, name: &str) -> String {
        format!("there is no executor, policy or lifecycle `{name}`{}", self.names.remedy(name, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executor_whose_feature_is_off_is_known_and_the_error_names_the_feature() {
        let file = File::parse(Arc::from("airlock.toml"), "[carrier_pigeon]\nspeed = 1\n").map_err(|_| "no TOML");
        let variables = Variables::of([("AIRLOCK_CARRIER_PIGEON__SPEED".into(), "2".into())]);
        let mut loading = Loading::new(file.ok(), variables, Vec::new());
        let pigeon = Named::built_in("carrier_pigeon", Make::Off { feature: "carrier-pigeon" });
        loading.names.add(pigeon);
        let refused = loading.executor("carrier_pigeon", &Source::Default).map(|_| "made");
        assert_eq!(refused, Err(Reported));
        let near = loading.executor("carrier_pigeons", &Source::Default).map(|_| "made");
        assert_eq!(near, Err(Reported));
        // So is its table, and a variable of it, chosen or not.
        loading.check_rest();
        let message: Vec<_> = loading.into_problems().iter().map(ToString::to_string).collect();
        let off = "the executor `carrier_pigeon` is not compiled in; add the feature `carrier-pigeon` of airlock in Cargo.toml";
        let places = [message[0].clone(), message[2].clone(), message[3].clone()];
        assert_eq!(
            places,
            [off.to_owned(), format!("airlock.toml:1: {off}"), format!("AIRLOCK_CARRIER_PIGEON__SPEED: {off}")]
        );
        assert!(message[1].contains("did you mean `carrier_pigeon`? there are `"), "{}", message[1]);
        assert!(
            !message[1].contains("and `carrier_pigeon`")
                && !message[1].contains(", `carrier_pigeon`")
                && message.len() == 4,
            "{message:?}"
        );
    }
}
