//! Words for people: nearest names, and what may not be shown.

pub(crate) mod nearest;
pub(crate) mod redact;
#[cfg(feature = "_secret")]
pub(crate) mod secret_key;
