//! What a function gets of an intent. Pure: it depends on the intent and the mapping.

use std::fmt;

use super::extras::{self, EXTRAS};
use super::functions::{Functions, has_qualifier};
use crate::dispatch::Rejection;
use crate::intent::Intent;
use crate::systems::json;

/// AWS takes so much of an asynchronous invocation, and answers 413 to more.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// An invocation as an executor would make it, for those who send it themselves.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LambdaEvent {
    /// The function: its name, its ARN or a part of that, with or without a version or alias.
    pub function: String,
    /// Its version or alias, if the intent's extras have one.
    pub qualifier: Option<String>,
    /// For a function in tenant isolation mode.
    pub tenant_id: Option<String>,
    /// `{"id":…,"task":…,"args":[…],"kwargs":{…}}`, which [`invoke_event`](crate::invoke_event) runs.
    pub payload: Vec<u8>,
}

impl fmt::Debug for LambdaEvent {
    /// Where it goes and how large it is; what it says may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaEvent")
            .field("function", &self.function)
            .field("qualifier", &self.qualifier)
            .field("bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl LambdaEvent {
    /// The intent's, or why it can't be sent.
    pub(super) fn of(intent: &Intent, functions: &Functions) -> Result<Self, Rejection> {
        extras::check(intent)?;
        let function = functions.of(intent)?;
        let qualifier = EXTRAS.text(intent.options(), "qualifier");
        if qualifier.is_some() && has_qualifier(&function) {
            return Err(Rejection::new(format!(
                "`{function}` has a version or alias, and the extra `qualifier` of `lambda` is set, too; keep one"
            )));
        }
        let tenant_id = EXTRAS.text(intent.options(), "tenant_id");
        Ok(Self { function, qualifier, tenant_id, payload: payload(intent)? })
    }
}

/// Bytes from the typed arguments, so that every number is the one that was given.
fn payload(intent: &Intent) -> Result<Vec<u8>, Rejection> {
    let arguments = intent.to_json().map_err(|error| Rejection::new(error.to_string()))?;
    let (args, kwargs) = if intent.task().positional { (arguments.get(), "{}") } else { ("[]", arguments.get()) };
    let mut out = Vec::with_capacity(arguments.get().len() + 128);
    out.extend_from_slice(format!("{{\"id\":\"{}\",\"task\":", intent.id()).as_bytes());
    json::text(&mut out, intent.name());
    for part in [",\"args\":", args, ",\"kwargs\":", kwargs, "}"] {
        out.extend_from_slice(part.as_bytes());
    }
    if out.len() > MOST_BYTES {
        return Err(Rejection::new(format!(
            "the event takes {} bytes, and Lambda takes {MOST_BYTES}; store the value and send its key",
            out.len()
        )));
    }
    Ok(out)
}
