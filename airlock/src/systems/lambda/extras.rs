//! The options of an intent: an event carries none of them, so most are refused.

use crate::dispatch::Rejection;
use crate::intent::Intent;
use crate::systems::extras::{ExtraKind, ExtraSchema};

/// Those of the API's `Invoke` that an event can have; what is set elsewhere is refused with the way to go.
pub(super) const EXTRAS: ExtraSchema = ExtraSchema {
    name: "lambda",
    known: &[("qualifier", ExtraKind::Text), ("tenant_id", ExtraKind::Text)],
    redirects: &[
        ("function_name", "name it with `LambdaExecutor::function` or `functions_by`"),
        ("invocation_type", "intents are always handed over as `Event`"),
        ("log_type", "AWS has it for synchronous invocations only"),
        ("client_context", "AWS has it for synchronous invocations only; send it as an argument"),
        ("payload", "arguments are given to the call"),
    ],
};

/// Whether all that the intent asks for can be done.
pub(super) fn check(intent: &Intent) -> Result<(), Rejection> {
    let options = intent.options();
    let refused = [
        (options.get_priority().is_some(), "Lambda has no priorities; leave `priority` out"),
        (
            options.get_max_retries().is_some(),
            "how often Lambda runs an event again is set on the function (`MaximumRetryAttempts`); leave `max_retries` out",
        ),
        (
            options.get_start().is_some(),
            "an event has no time to start at; leave `delay` and `eta` out, or have EventBridge Scheduler send it",
        ),
        (
            options.get_expiry().is_some(),
            "how long Lambda keeps an event is set on the function (`MaximumEventAgeInSeconds`); leave `expires` out",
        ),
        (
            options.get_timeout().is_some(),
            "how long a run may take is set on the function (`Timeout`); leave `timeout` out",
        ),
        (!options.get_headers().is_empty(), "an event has no place for headers; send `header` values as arguments"),
    ];
    match refused.iter().find(|(is_set, _)| *is_set) {
        Some((_, reason)) => Err(Rejection::new(*reason)),
        None => EXTRAS.check(options),
    }
}
