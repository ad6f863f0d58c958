//! Collecting errors, so that all mistakes are reported at once, and the spelling of "did you mean".

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// Adds a mistake at `tokens`. Lower case, no full stop; cause, then remedy after a semicolon.
    pub(crate) fn push(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.absorb(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn absorb(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(known) => known.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value of a step that may fail, with its error kept.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.absorb(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn append(&mut self, other: Self) {
        if let Some(error) = other.0 {
            self.absorb(error);
        }
    }

    pub(crate) fn finish(self) -> Result<(), TokenStream> {
        self.0.map_or(Ok(()), |error| Err(error.into_compile_error()))
    }
}

/// The known name that `name` most likely means: few letters differ, in relation to its length, as at run time
/// (`text/nearest.rs` of `airlock`).
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::osa_distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(name.len()).div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KNOWN: [&str; 5] = ["name", "queue", "priority", "max_retries", "timeout"];

    #[test]
    fn a_slip_of_the_pen_finds_its_name() {
        assert_eq!(nearest("quue", &KNOWN), Some("queue"));
        assert_eq!(nearest("qeueu", &KNOWN), Some("queue"));
        assert_eq!(nearest("nmae", &KNOWN), Some("name"));
        assert_eq!(nearest("max_retrys", &KNOWN), Some("max_retries"));
        assert_eq!(nearest("time_out", &KNOWN), Some("timeout"));
    }

    #[test]
    fn a_different_word_finds_nothing() {
        assert_eq!(nearest("bind", &KNOWN), None);
        assert_eq!(nearest("", &KNOWN), None);
    }
}
