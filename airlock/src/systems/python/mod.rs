//! How Python reads and writes values.

pub(crate) mod civil;
#[cfg(feature = "_pickle")]
pub(crate) mod compress;
pub(crate) mod django_time;
#[cfg(feature = "_pickle")]
pub(crate) mod pickle;
pub(crate) mod readable;
pub(crate) mod tokens;
