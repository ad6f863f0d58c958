//! Why a value can't be encoded.

use super::{MAX_BYTES, MAX_DEPTH};

/// A value that can't be written so that every reader gets it back as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    parameter: Option<&'static str>,
    fault: EncodeFault,
}

/// What kept a value from being encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeFault {
    /// A float is NaN or infinite; JSON has no such number.
    #[error("a float that is not finite has no JSON form; send an `Option` or a string")]
    NotFinite,
    /// Arrays and objects nest deeper than [`MAX_DEPTH`].
    #[error("it nests deeper than {MAX_DEPTH} levels; flatten it")]
    TooDeep,
    /// The encoded form is larger than [`MAX_BYTES`].
    #[error("it takes more than {MAX_BYTES} bytes; store it and send its key")]
    TooLarge,
    /// A map writes a key twice, as one does that a struct has with `#[serde(flatten)]` and that repeats the name of a field:
    /// readers keep one of the two values, or refuse both.
    #[error("a map in it has a key twice, of which readers keep one; rename the field or the key")]
    RepeatedKey,
    /// The type's own `Serialize` refused or writes no JSON, or a map has keys that are no strings. The refusal's text is
    /// left out: it may quote the value.
    #[error("its `Serialize` refused it or writes no JSON, or a map in it has keys that are no strings; mend the type")]
    Refused,
}

impl EncodeError {
    pub(super) fn new(fault: EncodeFault) -> Self {
        Self { parameter: None, fault }
    }

    pub(crate) fn of_parameter(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }

    /// The parameter whose value it is, where one is known.
    #[must_use]
    pub fn parameter(&self) -> Option<&'static str> {
        self.parameter
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> EncodeFault {
        self.fault
    }
}

impl std::fmt::Display for EncodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.parameter {
            Some(parameter) => write!(f, "argument `{parameter}` can't be encoded: {}", self.fault),
            None => write!(f, "the value can't be encoded: {}", self.fault),
        }
    }
}

impl std::error::Error for EncodeError {}
