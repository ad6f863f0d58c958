//! Events: calls by name as JSON, as [`LambdaExecutor`](crate::LambdaExecutor) sends them.

use std::panic::Location;
use std::str;

use super::{Registry, RegistryError, registry, run, run_async};
use crate::intent::{Intent, IntentId, field, fields};
use crate::task::args::Arguments;

/// Runs the task that an event names, here and now: all that a function on AWS Lambda, or whatever else receives events
/// over HTTP, has to do with one.
///
/// An event is `{"id":…,"task":…,"args":[…],"kwargs":{…}}`, as JSON text or its bytes. Only `task` has to be there;
/// `args` are positional arguments and `kwargs` named ones. Tasks that are `async fn` take [`invoke_event_async`].
///
/// # Errors
/// It is no such event, there is no such task, the arguments don't fit, the task is an `async fn` or has no body here, or
/// it failed. An error names the task and the parameter, and no value.
///
/// ```standalone_crate
/// #[airlock::task(name = "shop.send_receipt")]
/// fn send_receipt(order_id: u64, express: bool) -> Result<(), String> {
///     if order_id == 0 { Err(format!("no order 0, express: {express}")) } else { Ok(()) }
/// }
///
/// # fn main() -> Result<(), airlock::RegistryError> {
/// airlock::invoke_event(r#"{"task":"shop.send_receipt","args":[42],"kwargs":{"express":true}}"#)?;
///
/// let error = airlock::invoke_event(r#"{"task":"shop.send_receipt","args":[42]}"#).unwrap_err();
/// assert_eq!(error.to_string(), "task `shop.send_receipt` can't be called: argument `express` is missing");
/// # Ok(()) }
/// ```
#[track_caller]
pub fn invoke_event(event: impl AsRef<[u8]>) -> Result<(), RegistryError> {
    registry().invoke_event(event)
}

/// Like [`invoke_event`], for `async` tasks as well as others.
///
/// # Errors
/// It is no such event, there is no such task, the arguments don't fit, it has no body here, or it failed.
pub async fn invoke_event_async(event: impl AsRef<[u8]>) -> Result<(), RegistryError> {
    registry().invoke_event_async(event).await
}

impl Registry {
    /// Runs the task that an event names: see [`invoke_event`](crate::invoke_event).
    ///
    /// # Errors
    /// It is no such event, there is no such task, the arguments don't fit, the task is an `async fn` or has no body
    /// here, or it failed.
    #[track_caller]
    pub fn invoke_event(&self, event: impl AsRef<[u8]>) -> Result<(), RegistryError> {
        run(self.intent_of_event(event.as_ref())?, "invoke_event_async")
    }

    /// Like [`invoke_event`](Self::invoke_event), for `async` tasks as well as others.
    ///
    /// # Errors
    /// It is no such event, there is no such task, the arguments don't fit, it has no body here, or it failed.
    pub async fn invoke_event_async(&self, event: impl AsRef<[u8]>) -> Result<(), RegistryError> {
        run_async(self.intent_of_event(event.as_ref())?).await
    }

    #[track_caller]
    fn intent_of_event(&self, event: &[u8]) -> Result<Intent, RegistryError> {
        let event = Event::parse(event).map_err(|fault| RegistryError::Message { fault })?;
        let task = self.find(&event.task)?;
        task.decode(event.id, event.arguments, None, Location::caller())
            .map_err(|error| RegistryError::Arguments { task: task.name, error })
    }
}

/// An event whose task is not looked up yet.
struct Event {
    id: Option<IntentId>,
    task: String,
    arguments: Arguments,
}

impl Event {
    /// The error says which field is wrong and how, never its value.
    fn parse(event: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(event).map_err(|_| "the event is not UTF-8".to_owned())?;
        let (mut id, mut task, mut args, mut kwargs) = (None, None, None, None);
        for (key, value) in fields(text, "the event")? {
            match key.as_str() {
                "id" => id = Some(field(&key, &value)?),
                "task" => task = Some(field(&key, &value)?),
                "args" => args = Some(field(&key, &value)?),
                "kwargs" => kwargs = Some(field(&key, &value)?),
                _ => {
                    return Err(format!(
                        "it has an unknown field `{key}`; an event has `id`, `task`, `args` and `kwargs`"
                    ));
                }
            }
        }
        let task = task.ok_or_else(|| "its field `task` is missing".to_owned())?;
        let arguments = Arguments::of_call(args.unwrap_or_default(), kwargs.unwrap_or_default())
            .ok_or_else(|| "its field `args` is not an array, or its field `kwargs` is not an object".to_owned())?;
        Ok(Self { id, task, arguments })
    }
}
