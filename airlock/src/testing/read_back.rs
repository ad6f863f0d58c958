//! One value, through its encoding and back.

use std::any::type_name;
use std::fmt::Debug;

use super::text::clip;
use crate::encode::Encoder;
use crate::task::Argument;

/// Asserts that a value is read back from its encoding as what it was: for types of arguments that have values of their own
/// kind, alone or with a library that draws values at random.
///
/// ```
/// use airlock::testing::assert_reads_back;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// struct Change { discount: Option<u8> }
///
/// assert_reads_back(&Change { discount: None });
/// assert_reads_back(&Change { discount: Some(5) });
/// ```
///
/// # Panics
/// It can't be encoded, can't be read back, or is another value then; the message shows both.
#[track_caller]
pub fn assert_reads_back<T: Argument + PartialEq + Debug>(value: &T) {
    let name = type_name::<T>();
    let written = Encoder::encode(value).unwrap_or_else(|error| panic!("`{name}`: {error}"));
    let written = written.get();
    match serde_json::from_str::<T>(written) {
        Ok(read) => {
            let (read_text, text) = (clip(&format!("{read:?}")), clip(&format!("{value:?}")));
            assert!(read == *value, "`{name}` is read back as another value: {text} as {read_text}");
        }
        Err(error) => panic!("`{name}` can't be read back from {}: {error}", clip(written)),
    }
}
