//! The name of an executor, as people see it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::text::redact::redact_text;

/// A name that an executor was given, as reports and logs say it: it may be a URL that was put into the wrong place.
pub(crate) fn printed_name(name: String) -> Arc<str> {
    match redact_text(&name) {
        Cow::Borrowed(_) => name.into(),
        Cow::Owned(printed) => printed.into(),
    }
}
