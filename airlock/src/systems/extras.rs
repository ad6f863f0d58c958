//! The options that only one system knows: a closed, typed list each, so that a misspelt or forbidden key is refused before
//! anything is sent. Those for other systems are ignored, which is what lets an intent be routed.

use serde::de::DeserializeOwned;

use crate::dispatch::Rejection;
use crate::options::{Extra, Options};

/// What the value of an extra has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtraKind {
    Bool,
    /// A string that isn't empty.
    Text,
    /// A whole number of the named unit, from the given one on.
    Whole(&'static str, u64),
}

/// The extras of one system.
#[derive(Debug)]
pub(crate) struct ExtraSchema {
    /// What it is called in [`Options::extra`].
    pub(crate) name: &'static str,
    pub(crate) known: &'static [(&'static str, ExtraKind)],
    /// What users may expect among the extras, and what to do instead.
    pub(crate) redirects: &'static [(&'static str, &'static str)],
}

/// The largest number of which every reader makes the same.
const MAX_WHOLE: u64 = 1 << 53;

impl ExtraSchema {
    /// Whether all extras for this system are known and have values of their kind.
    pub(crate) fn check(&self, options: &Options) -> Result<(), Rejection> {
        self.of(options).try_for_each(|extra| self.check_one(extra))
    }

    pub(crate) fn bool(&self, options: &Options, key: &str) -> Option<bool> {
        self.value(options, key)
    }

    pub(crate) fn text(&self, options: &Options, key: &str) -> Option<String> {
        self.value(options, key)
    }

    pub(crate) fn whole(&self, options: &Options, key: &str) -> Option<u64> {
        self.value(options, key)
    }

    /// The extras for this system, in the order they were set.
    pub(crate) fn of<'o>(&self, options: &'o Options) -> impl Iterator<Item = &'o Extra> + use<'o> {
        let name = self.name;
        options.get_extras().iter().filter(move |extra| extra.system() == name)
    }

    fn value<T: DeserializeOwned>(&self, options: &Options, key: &str) -> Option<T> {
        let extra = self.of(options).find(|extra| extra.key() == key)?;
        serde_json::from_str(extra.value().get()).ok()
    }

    fn check_one(&self, extra: &Extra) -> Result<(), Rejection> {
        let (system, key) = (self.name, extra.key());
        if let Some((_, instead)) = self.redirects.iter().find(|(name, _)| *name == key) {
            return Err(Rejection::new(format!("`{key}` can't be set as an extra of `{system}`; {instead}")));
        }
        let Some((_, kind)) = self.known.iter().find(|(name, _)| *name == key) else {
            let known: Vec<_> = self.known.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(Rejection::new(format!("`{system}` has no extra `{key}`; it has {}", known.join(", "))));
        };
        let value = extra.value().get();
        let (fits, wanted) = match kind {
            ExtraKind::Bool => (serde_json::from_str::<bool>(value).is_ok(), "true or false".to_owned()),
            ExtraKind::Text => {
                (serde_json::from_str::<String>(value).is_ok_and(|text| !text.is_empty()), "some text".to_owned())
            }
            ExtraKind::Whole(unit, least) => {
                let fits = serde_json::from_str(value).is_ok_and(|number| (*least..=MAX_WHOLE).contains(&number));
                (fits, format!("a whole number of {unit}, at least {least}"))
            }
        };
        if fits {
            return Ok(());
        }
        Err(Rejection::new(format!("the extra `{key}` of `{system}` has another kind of value; give it {wanted}")))
    }
}
