//! How Python reads and writes values.

#[cfg(feature = "_dates")]
pub(crate) mod calendar;
#[cfg(feature = "_pickle")]
pub(crate) mod compress;
#[cfg(feature = "_dates")]
pub(crate) mod django_time;
#[cfg(feature = "_pickle")]
pub(crate) mod pickle;
pub(crate) mod readable;
pub(crate) mod tokens;
