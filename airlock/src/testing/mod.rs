//! The test kit, under the feature `testing`.

mod overrides;

pub use overrides::{with_settings, with_settings_async};
